"""The refund line: the agent's ground, the recommendations, their copy in Lakebase, and the refund manager."""

from typing import Any

from caspers.model.tables import AGENT_RUNS, ALL_EVENTS, REFUND_RECOMMENDATIONS, SILVER_ORDER_ITEMS, Table

from admin.declarations import Output, Resource
from admin.stages.demo import Demo
from admin.stages.specifications import attached_database, attached_volume, control, lakebase_database
from admin.stages.worker_app import Right, WorkerApp

DATABASE = "caspers"
PROJECT_KEY = "refund project"
DATABASE_KEY = "refund database"
MODEL_KEY = "refund model endpoint"
SYNCED_SCHEMA = "recommender"
SYNCED_TABLE = "pg_recommendations"
SYNCED_KEY = "synced recommendations"
FUNCTIONS = ("get_order_details", "get_order_delivery_time", "get_location_timings")
FOUNDATION_MODELS = "databricks-"
"""How the names of the platform's own model endpoints begin."""
READ_BY_FUNCTIONS = (ALL_EVENTS, SILVER_ORDER_ITEMS)


def refund_agent(demo: Demo) -> tuple[Resource, ...]:
    """What an agent works with: its tools as functions, the table of its runs, and a model that is there."""
    names = demo.names
    return (
        Resource("schema ai", "uc_schema", names.schema("ai"), needs=("catalog",)),
        _table(demo, AGENT_RUNS, "schema ai"),
        # A function can only be made once the tables it reads exist, and these two the pipeline makes.
        *(
            Resource(
                f"table {table.short_name}",
                "pipeline_table",
                names.table(table.name),
                needs=("order_items first update",),
            )
            for table in READ_BY_FUNCTIONS
        ),
        *(_function(demo, name) for name in FUNCTIONS),
        Resource(MODEL_KEY, "model_endpoint", _model(demo)),
    )


def _function(demo: Demo, name: str) -> Resource:
    return Resource(
        f"function {name}",
        "sql_function",
        demo.names.table(f"ai.{name}"),
        {
            "definition": demo.functions[name],
            "schemas": {
                "lakeflow": demo.names.schema("lakeflow"),
                "simulator": demo.names.schema(demo.parameters.simulator_schema),
            },
        },
        needs=(
            "schema ai",
            "warehouse",
            "table brands",
            "table locations",
            *(f"table {table.short_name}" for table in READ_BY_FUNCTIONS),
        ),
    )


def refund_stream(demo: Demo) -> tuple[Resource, ...]:
    """Where the recommender writes: its table, and the volume in which it remembers how far it is.

    Its orders stand with the app that runs it, or this stage would wait for a worker that is not deployed yet.
    """
    recommender = demo.names.schema("recommender")
    return (
        Resource("schema recommender", "uc_schema", recommender, needs=("catalog",)),
        # The synced table follows the changes of this one.
        _table(demo, REFUND_RECOMMENDATIONS, "schema recommender", change_feed=True),
        Resource(
            "volume recommender checkpoints",
            "volume",
            f"{recommender}.checkpoints",
            needs=("schema recommender",),
        ),
    )


def reverse_etl(demo: Demo) -> tuple[Resource, ...]:
    """The recommendations in Postgres. What changes the Lakebase branch stands in a chain: it takes one at a time."""
    names = demo.names
    postgres = {"endpoint": Output(PROJECT_KEY, "endpoint"), "database": DATABASE}
    return (
        Resource(PROJECT_KEY, "lakebase_project", names.refund_project),
        Resource(DATABASE_KEY, "lakebase_database", DATABASE, lakebase_database(PROJECT_KEY)),
        Resource(
            "refund database catalog",
            "lakebase_catalog",
            names.refund_database_catalog,
            {"branch": Output(PROJECT_KEY, "branch"), "database": DATABASE},
            needs=(DATABASE_KEY,),
        ),
        Resource(
            SYNCED_KEY,
            "synced_table",
            names.table(f"{SYNCED_SCHEMA}.{SYNCED_TABLE}"),
            {
                **postgres,
                "branch": Output(PROJECT_KEY, "branch"),
                "source": names.table(REFUND_RECOMMENDATIONS.name),
                "key": list(REFUND_RECOMMENDATIONS.key),
                "pipeline_storage": {"catalog": names.catalog, "schema": SYNCED_SCHEMA},
            },
            needs=("refund database catalog", f"table {REFUND_RECOMMENDATIONS.short_name}"),
        ),
        Resource(
            "recommendations by moment",
            "postgres_index",
            f"{SYNCED_TABLE}_ts",
            {**postgres, "schema": SYNCED_SCHEMA, "table": SYNCED_TABLE, "column": "ts"},
            needs=(SYNCED_KEY,),
        ),
    )


def refund_manager(demo: Demo) -> tuple[Resource, ...]:
    """The app where agents recommend and people decide, and the orders of its two workers."""
    app = _app(demo)
    return (
        *app.resources(demo),
        Resource(
            "refunds synced access",
            "synced_access",
            app.name,
            {
                "endpoint": Output(PROJECT_KEY, "endpoint"),
                "database": DATABASE,
                "schema": SYNCED_SCHEMA,
                "table": SYNCED_TABLE,
                "role": Output("refunds app", "principal"),
            },
            needs=(SYNCED_KEY,),
        ),
        _orders("refund_recommender", _recommender_parameters(demo)),
        _orders("refund_cases", {}),
    )


def _app(demo: Demo) -> WorkerApp:
    names, parameters = demo.names, demo.parameters
    settings = {
        "CATALOG": parameters.catalog,
        "SIMULATOR_SCHEMA": parameters.simulator_schema,
        "EVENTS_VOLUME": parameters.events_volume,
        "LLM_MODEL": parameters.llm_model,
        "REFUND_AGENT_ENDPOINT_NAME": parameters.refund_agent_endpoint_name,
    }
    return WorkerApp(
        key="refunds",
        name=names.refund_app,
        bundle="refund-manager",
        description="Recommends refunds for delivered orders; people decide",
        attached=[
            attached_database("control", "control project", "control database"),
            attached_database("postgres", PROJECT_KEY, DATABASE_KEY),
            {
                "name": "sql-warehouse",
                "sql_warehouse": {"id": Output("warehouse", "id"), "permission": "CAN_USE"},
            },
            *_attached_endpoint(_model(demo)),
            attached_volume("checkpoints", names.table("recommender.checkpoints")),
        ],
        environment={name: value for name, value in settings.items() if value},
        values_from={
            "LAKEBASE_ENDPOINT": "control",
            "REFUND_LAKEBASE_ENDPOINT": "postgres",
            "DATABRICKS_WAREHOUSE_ID": "sql-warehouse",
        },
        rights=_rights(demo),
        # Making an app makes a role in each attached branch: not while the replayer's is made, nor the synced table.
        needs=("replayer app", SYNCED_KEY, MODEL_KEY, "volume recommender checkpoints"),
        release_needs=(
            "refunds synced access",
            f"table {AGENT_RUNS.short_name}",
            *(f"function {name}" for name in FUNCTIONS),
        ),
    )


def _attached_endpoint(name: str) -> list[dict[str, Any]]:
    """An endpoint of somebody's own as a resource of the app.

    The platform's own foundation models are everybody's to query and nobody's to manage, and what cannot be managed
    cannot be attached.
    """
    if name.startswith(FOUNDATION_MODELS):
        return []
    return [{"name": "serving-endpoint", "serving_endpoint": {"name": name, "permission": "CAN_QUERY"}}]


def _rights(demo: Demo) -> tuple[Right, ...]:
    names = demo.names
    simulator = names.schema(demo.parameters.simulator_schema)
    read = ("USE_SCHEMA", "SELECT")
    return (
        Right("catalog", "catalog", names.catalog, ("USE_CATALOG",), "catalog"),
        Right("simulator", "schema", simulator, read, "schema simulator"),
        Right("lakeflow", "schema", names.schema("lakeflow"), read, "schema lakeflow"),
        Right(
            "recommender",
            "schema",
            names.schema("recommender"),
            (*read, "MODIFY", "READ_VOLUME", "WRITE_VOLUME"),
            "schema recommender",
        ),
        Right("ai", "schema", names.schema("ai"), (*read, "MODIFY", "EXECUTE"), "schema ai"),
    )


def _recommender_parameters(demo: Demo) -> dict[str, Any]:
    parameters = demo.parameters
    return {
        "model": parameters.llm_model,
        "endpoint": parameters.refund_agent_endpoint_name,
        "history_share": parameters.refund_history_share,
        "live_share": parameters.refund_live_share,
        "calls_in_flight": parameters.model_calls_in_flight,
        "calls_per_minute": parameters.model_calls_per_minute,
    }


def _orders(worker: str, parameters: dict[str, Any]) -> Resource:
    spec = {**control(), "desired": "running", "parameters": parameters, "until": "running", "offers": []}
    return Resource(
        f"orders {worker}", "worker_orders", worker, spec, needs=("control schema", "refunds release")
    )


def _model(demo: Demo) -> str:
    """The endpoint that the recommender calls: one that is the agent, where there is one, else the plain model."""
    return demo.parameters.refund_agent_endpoint_name or demo.parameters.llm_model


def _table(demo: Demo, table: Table, schema: str, *, change_feed: bool = False) -> Resource:
    spec = {
        "columns": [[column.name, column.sql_type] for column in table.columns],
        "key": list(table.key),
        "change_feed": change_feed,
    }
    return Resource(
        f"table {table.short_name}",
        "delta_table",
        demo.names.table(table.name),
        spec,
        needs=(schema, "warehouse"),
    )
