"""Canonical data: the events volume, the control database, the replayer that makes the dataset, and the dimensions."""

from caspers.model.tables import DIMENSIONS

from admin.declarations import Output, Resource
from admin.stages.demo import Demo
from admin.stages.specifications import (
    CONTROL_DATABASE,
    attached_database,
    attached_volume,
    control,
    lakebase_database,
)
from admin.stages.worker_app import Right, WorkerApp


def canonical_data(demo: Demo) -> tuple[Resource, ...]:
    """Everything up to a dataset in the volume and its dimensions in tables."""
    names, parameters = demo.names, demo.parameters
    simulator = names.schema(parameters.simulator_schema)
    events, misc = f"{simulator}.{parameters.events_volume}", f"{simulator}.misc"
    return (
        Resource("schema simulator", "uc_schema", simulator, needs=("catalog",)),
        Resource("volume events", "volume", events, needs=("schema simulator",)),
        Resource("volume misc", "volume", misc, needs=("schema simulator",)),
        Resource("control project", "lakebase_project", names.control_project),
        Resource(
            "control database", "lakebase_database", CONTROL_DATABASE, lakebase_database("control project")
        ),
        Resource(
            "control schema", "control_schema", CONTROL_DATABASE, control(), needs=("control database",)
        ),
        *_replayer(demo, events, misc).resources(demo),
        Resource(
            "orders canonical_data",
            "worker_orders",
            "canonical_data",
            {
                **control(),
                "desired": "running",
                "parameters": {"days": parameters.days, "seed": parameters.seed},
                "until": "idle",
                "offers": ["path"],
            },
            needs=("control schema", "replayer release"),
        ),
        *(
            Resource(
                f"table {table.short_name}",
                "parquet_table",
                names.table(f"{parameters.simulator_schema}.{table.short_name}"),
                {"dataset": Output("orders canonical_data", "path"), "file": f"{table.short_name}.parquet"},
                needs=("schema simulator", "warehouse"),
            )
            for table in DIMENSIONS
        ),
    )


def _replayer(demo: Demo, events: str, misc: str) -> WorkerApp:
    names, parameters = demo.names, demo.parameters
    simulator = names.schema(parameters.simulator_schema)
    return WorkerApp(
        key="replayer",
        name=names.replayer_app,
        bundle="replayer",
        description="Replays the canonical dataset into the events volume",
        attached=[
            attached_database("postgres", "control project", "control database"),
            attached_volume("events", events),
            attached_volume("misc", misc),
        ],
        environment={
            "CATALOG": parameters.catalog,
            "SIMULATOR_SCHEMA": parameters.simulator_schema,
            "EVENTS_VOLUME": parameters.events_volume,
        },
        values_from={"LAKEBASE_ENDPOINT": "postgres"},
        rights=(
            Right("catalog", "catalog", names.catalog, ("USE_CATALOG",), "catalog"),
            Right(
                "simulator",
                "schema",
                simulator,
                ("USE_SCHEMA", "READ_VOLUME", "WRITE_VOLUME"),
                "schema simulator",
            ),
        ),
        needs=("volume events", "volume misc"),
    )
