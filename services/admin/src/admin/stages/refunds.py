"""The refund line: the agent's ground, the recommendations, their copy in Lakebase, and the refund manager."""

from typing import Any

from caspers.model.tables import REFUND_RECOMMENDATIONS
from caspers.names import Names

from admin.declarations import Resource
from admin.stages.agent_console import AgentConsole, call_limits, line_schema, model_endpoints
from admin.stages.agent_ground import agent_ground
from admin.stages.demo import Demo
from admin.stages.lakebase_copy import LakebaseCopy, SyncedCopy
from admin.stages.specifications import delta_table, worker_orders

SCHEMA = "recommender"
DATABASE = "caspers"
APP_KEY = "refunds"
FUNCTIONS = ("get_order_details", "get_order_delivery_time", "get_location_timings")
RECOMMENDATIONS = SyncedCopy("recommendations", REFUND_RECOMMENDATIONS, "pg_recommendations", "ts")


def refund_agent(demo: Demo) -> tuple[Resource, ...]:
    """The ground of the refund agent and its model."""
    return (*agent_ground(demo, FUNCTIONS), *model_endpoints(_models(demo)))


def refund_stream(demo: Demo) -> tuple[Resource, ...]:
    """Where the recommender writes: its table, and the volume in which it remembers how far it is.

    Its orders stand with the app that runs it, or this stage would wait for a worker that is not deployed yet.
    """
    # The synced table follows the changes of this one.
    recommendations = delta_table(demo, REFUND_RECOMMENDATIONS, f"schema {SCHEMA}", change_feed=True)
    return (*line_schema(demo, SCHEMA), recommendations)


def reverse_etl(demo: Demo) -> tuple[Resource, ...]:
    """The recommendations in Postgres."""
    return lakebase_copy(demo.names).resources(demo)


def refund_manager(demo: Demo) -> tuple[Resource, ...]:
    """The app where agents recommend and people decide, and the orders of its two workers."""
    app = _app(demo)
    return (
        *app.resources(demo),
        worker_orders("refund_recommender", app.release_key, _recommender_parameters(demo)),
        worker_orders("refund_cases", app.release_key, {}),
    )


def lakebase_copy(names: Names) -> LakebaseCopy:
    """The refund manager's project in Lakebase."""
    return LakebaseCopy(
        key="refund",
        project=names.refund_project,
        catalog=names.refund_database_catalog,
        database=DATABASE,
        schema=SCHEMA,
        copies=(RECOMMENDATIONS,),
    )


def _app(demo: Demo) -> AgentConsole:
    return AgentConsole(
        key=APP_KEY,
        name=demo.names.refund_app,
        bundle="refund-manager",
        description="Recommends refunds for delivered orders; people decide",
        schema=SCHEMA,
        copy=lakebase_copy(demo.names),
        copy_variable="REFUND_LAKEBASE_ENDPOINT",
        models=_models(demo),
        functions=FUNCTIONS,
        environment={"REFUND_AGENT_ENDPOINT_NAME": demo.parameters.refund_agent_endpoint_name},
    )


def _recommender_parameters(demo: Demo) -> dict[str, Any]:
    parameters = demo.parameters
    return {
        "model": parameters.llm_model,
        "endpoint": parameters.refund_agent_endpoint_name,
        "history_share": parameters.refund_history_share,
        "live_share": parameters.refund_live_share,
        **call_limits(demo),
    }


def _models(demo: Demo) -> dict[str, str]:
    """The endpoint that the recommender calls: one that is the agent, where there is one, else the plain model."""
    parameters = demo.parameters
    return {"refund model endpoint": parameters.refund_agent_endpoint_name or parameters.llm_model}
