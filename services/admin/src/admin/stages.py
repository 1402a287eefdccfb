"""The stages of the demo, what each needs on the platform, and the targets that name sets of them. Pure.

A stage is only a declaration: the engine knows how to bring it about, repair it and take it away again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from caspers.errors import Invalid
from caspers.model.tables import DIMENSIONS
from caspers.names import Names
from caspers.settings import Parameters

from admin.declarations import REGISTRY_COLUMNS, REGISTRY_KEY, Output, Resource, Stage

CONTROL_DATABASE = "control"
FOUNDATION = "Foundation"
CANONICAL_DATA = "Canonical_Data"
PIPELINE = "Spark_Declarative_Pipeline"


@dataclass(frozen=True)
class Demo:
    """What stages are declared from."""

    parameters: Parameters
    digests: Mapping[str, str]
    """The digest of every source bundle, so that changed sources are changed specifications."""
    warehouse_id: str = ""
    """The warehouse to use; empty: choose one."""

    @property
    def names(self) -> Names:
        return self.parameters.names


@dataclass(frozen=True)
class Target:
    """A named set of stages, with the parameters that differ from their defaults there."""

    stages: tuple[str, ...]
    parameters: Mapping[str, Any]


TARGETS: Mapping[str, Target] = {
    "free": Target((CANONICAL_DATA, PIPELINE), {"pipeline_schedule_minutes": 3.0}),
}


def target(name: str) -> Target:
    """Raises `Invalid` for a name that is no target's."""
    if name not in TARGETS:
        raise Invalid(f"there is no target {name!r}", what_now=f"The targets are: {', '.join(TARGETS)}.")
    return TARGETS[name]


def all_stages(demo: Demo) -> list[Stage]:
    """Every stage, in an order that respects their needs."""
    return [
        Stage(FOUNDATION, "Catalog and registry", (), _foundation(demo)),
        Stage(CANONICAL_DATA, "Canonical data", (FOUNDATION,), _after_registry(_canonical_data(demo))),
        Stage(PIPELINE, "Medallion pipeline", (CANONICAL_DATA,), _after_registry(_pipeline(demo))),
    ]


def _foundation(demo: Demo) -> tuple[Resource, ...]:
    names = demo.names
    return (
        Resource("warehouse", "warehouse", "caspers", {"id": demo.warehouse_id}),
        Resource("catalog", "catalog", names.catalog),
        Resource("schema _internal_state", "uc_schema", names.schema("_internal_state"), needs=("catalog",)),
        Resource(
            REGISTRY_KEY,
            "text_table",
            names.resources_table,
            {"columns": list(REGISTRY_COLUMNS)},
            needs=("schema _internal_state", "warehouse"),
        ),
    )


def _after_registry(resources: tuple[Resource, ...]) -> tuple[Resource, ...]:
    """Nothing is made before the registry can take note of it."""
    return tuple(
        Resource(each.key, each.kind, each.name, each.spec, (*each.needs, REGISTRY_KEY)) for each in resources
    )


def _canonical_data(demo: Demo) -> tuple[Resource, ...]:
    names, parameters = demo.names, demo.parameters
    simulator = names.schema(parameters.simulator_schema)
    events, misc = f"{simulator}.{parameters.events_volume}", f"{simulator}.misc"
    return (
        Resource("schema simulator", "uc_schema", simulator, needs=("catalog",)),
        Resource("volume events", "volume", events, needs=("schema simulator",)),
        Resource("volume misc", "volume", misc, needs=("schema simulator",)),
        Resource("control project", "lakebase_project", names.control_project),
        Resource(
            "control database",
            "lakebase_database",
            CONTROL_DATABASE,
            {"branch": Output("control project", "branch"), "owner": Output("control project", "owner")},
        ),
        Resource(
            "control schema", "control_schema", CONTROL_DATABASE, _control(), needs=("control database",)
        ),
        *_replayer_app(demo, events, misc),
        Resource(
            "orders canonical_data",
            "worker_orders",
            "canonical_data",
            {
                **_control(),
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


def _replayer_app(demo: Demo, events: str, misc: str) -> tuple[Resource, ...]:
    names = demo.names
    app = names.replayer_app
    may_use = [
        {
            "name": "postgres",
            "postgres": {
                "branch": Output("control project", "branch"),
                "database": Output("control database", "path"),
                "permission": "CAN_CONNECT_AND_CREATE",
            },
        },
        _volume_resource("events", events),
        _volume_resource("misc", misc),
    ]
    return (
        _folder("replayer sources", f"{names.workspace_folder}/replayer", demo, "replayer"),
        Resource(
            "replayer app",
            "databricks_app",
            app,
            {"description": "Replays the canonical dataset into the events volume", "resources": may_use},
            needs=("volume events", "volume misc"),
        ),
        *_replayer_rights(demo),
        Resource("replayer compute", "app_compute", app, needs=("replayer app",)),
        Resource(
            "replayer release",
            "app_release",
            app,
            {
                "source_path": Output("replayer sources", "path"),
                "digest": demo.digests["replayer"],
                "resources": may_use,
                "env": _replayer_environment(demo.parameters),
            },
            needs=(
                "replayer compute",
                "replayer in catalog",
                "replayer in simulator",
                "replayer control access",
            ),
        ),
    )


def _replayer_rights(demo: Demo) -> tuple[Resource, ...]:
    """What the app's resources do not bring along: the way to the volumes, and the tables of the control database."""
    app, catalog = demo.names.replayer_app, demo.names.catalog
    simulator = demo.names.schema(demo.parameters.simulator_schema)
    principal = Output("replayer app", "principal")
    return (
        Resource(
            "replayer in catalog",
            "grants",
            f"{app} in {catalog}",
            grants("catalog", catalog, principal, "USE_CATALOG"),
            needs=("catalog",),
        ),
        Resource(
            "replayer in simulator",
            "grants",
            f"{app} in {simulator}",
            grants("schema", simulator, principal, "USE_SCHEMA", "READ_VOLUME", "WRITE_VOLUME"),
            needs=("schema simulator",),
        ),
        Resource(
            "replayer control access",
            "control_access",
            app,
            {**_control(), "role": principal},
            needs=("control schema",),
        ),
    )


def _replayer_environment(parameters: Parameters) -> list[dict[str, str]]:
    return [
        {"name": "CATALOG", "value": parameters.catalog},
        {"name": "SIMULATOR_SCHEMA", "value": parameters.simulator_schema},
        {"name": "EVENTS_VOLUME", "value": parameters.events_volume},
        {"name": "LAKEBASE_ENDPOINT", "value_from": "postgres"},
    ]


def _pipeline(demo: Demo) -> tuple[Resource, ...]:
    names, parameters = demo.names, demo.parameters
    continuous = parameters.pipeline_schedule_minutes == 0
    return (
        Resource("schema lakeflow", "uc_schema", names.schema("lakeflow"), needs=("catalog",)),
        _folder("order_items sources", names.order_items_folder, demo, "order_items"),
        Resource(
            "pipeline order_items",
            "pipeline",
            names.order_items_pipeline,
            {
                "catalog": names.catalog,
                "schema": "lakeflow",
                "root_path": Output("order_items sources", "path"),
                "digest": demo.digests["order_items"],
                "continuous": continuous,
                "configuration": {"caspers.events_path": names.events_volume_path},
            },
            needs=("schema lakeflow", "volume events"),
        ),
        Resource(
            "orders replay",
            "worker_orders",
            "replay",
            {
                **_control(),
                "desired": "running",
                "parameters": {
                    "dataset": Output("orders canonical_data", "path"),
                    "start_day": parameters.start_day,
                    "speed_multiplier": parameters.speed_multiplier,
                    "schedule_minutes": parameters.schedule_minutes,
                    "events_per_file": parameters.events_per_file,
                },
                "until": "running",
                "offers": [],
                "progress_of": "events_written",
            },
        ),
        Resource(
            "order_items first update",
            "pipeline_update",
            names.order_items_pipeline,
            {"pipeline_id": Output("pipeline order_items", "id")},
            needs=() if continuous else ("orders replay",),
        ),
        *(() if continuous else (_trigger(demo),)),
    )


def _trigger(demo: Demo) -> Resource:
    return Resource(
        "order_items trigger",
        "pipeline_job",
        demo.names.order_items_pipeline,
        {
            "pipeline_id": Output("pipeline order_items", "id"),
            "quartz": quartz_every(demo.parameters.pipeline_schedule_minutes),
        },
        needs=("order_items first update",),
    )


def quartz_every(minutes: float) -> str:
    """The Quartz cron expression that fires every so many minutes (or seconds, below one minute).

    Raises:
        Invalid: cron knows no such rhythm; it starts anew every minute, hour and day.
    """
    seconds = round(minutes * 60)
    if 0 < seconds < 60 and 60 % seconds == 0:
        return f"0/{seconds} * * * * ?"
    if 60 <= seconds < 3600 and 3600 % seconds == 0 and seconds % 60 == 0:
        return f"0 0/{seconds // 60} * * * ?"
    if seconds >= 3600 and 86_400 % seconds == 0 and seconds % 3600 == 0:
        return f"0 0 0/{seconds // 3600} * * ?"
    raise Invalid(
        f"a pipeline cannot be triggered every {minutes:g} minutes",
        what_now="Choose a divisor of an hour (3, 5, 10, 15…) or of a day, or 0 for continuous.",
    )


def _control() -> dict[str, Any]:
    return {"endpoint": Output("control project", "endpoint"), "database": CONTROL_DATABASE}


def _folder(key: str, path: str, demo: Demo, bundle: str) -> Resource:
    return Resource(key, "workspace_folder", path, {"source": bundle, "digest": demo.digests[bundle]})


def grants(on: str, securable: str, principal: Output, *privileges: str) -> dict[str, Any]:
    """The specification of a `grants` resource."""
    return {"on": on, "securable": securable, "principal": principal, "privileges": list(privileges)}


def _volume_resource(name: str, full_name: str) -> dict[str, Any]:
    volume = {"securable_full_name": full_name, "securable_type": "VOLUME", "permission": "WRITE_VOLUME"}
    return {"name": name, "uc_securable": volume}
