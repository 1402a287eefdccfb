"""The complaint line: the agent's ground, complaints and their triage, their copies in Lakebase, and the console."""

from typing import Any

from caspers.model.tables import COMPLAINT_RESPONSES, RAW_COMPLAINTS
from caspers.names import Names

from admin.declarations import Resource
from admin.stages import refunds
from admin.stages.agent_console import AgentConsole, call_limits, line_schema, model_endpoints
from admin.stages.agent_ground import agent_ground
from admin.stages.demo import Demo
from admin.stages.lakebase_copy import LakebaseCopy, SyncedCopy
from admin.stages.specifications import delta_table, worker_orders

SCHEMA = "complaints"
DATABASE = "caspers_complaints"
APP_KEY = "complaints"
AGENT_MODEL = "complaint model endpoint"
TEXT_MODEL = "complaint text endpoint"
FUNCTIONS = ("get_order_overview", "get_order_timing", "get_location_timings")
RESPONSES = SyncedCopy("complaint responses", COMPLAINT_RESPONSES, "pg_complaint_responses", "ts")
COMPLAINTS = SyncedCopy("raw complaints", RAW_COMPLAINTS, "pg_raw_complaints", "ts")

HISTORY_SHARE = 0.1
"""Of the complaining orders before the line began, so many really do: work to begin with, not years of it."""


def complaint_agent(demo: Demo) -> tuple[Resource, ...]:
    """The ground of the complaint agent and its model."""
    return (*agent_ground(demo, FUNCTIONS), *model_endpoints({AGENT_MODEL: _agent_model(demo)}))


def complaint_generator_stream(demo: Demo) -> tuple[Resource, ...]:
    """Where complaints are written, and the model that words them.

    As in the refund line the workers' orders stand with the app that runs them.
    """
    # Synced tables follow the changes of this one and of the responses.
    complaints = delta_table(demo, RAW_COMPLAINTS, f"schema {SCHEMA}", change_feed=True)
    words = model_endpoints({TEXT_MODEL: demo.parameters.llm_model})
    return (*line_schema(demo, SCHEMA), complaints, *words)


def complaint_agent_stream(demo: Demo) -> tuple[Resource, ...]:
    """Where the agent's triage is written."""
    return (delta_table(demo, COMPLAINT_RESPONSES, f"schema {SCHEMA}", change_feed=True),)


def complaint_lakebase(demo: Demo) -> tuple[Resource, ...]:
    """Complaints and responses in Postgres."""
    return lakebase_copy(demo.names).resources(demo)


def complaint_console(demo: Demo) -> tuple[Resource, ...]:
    """The app where complaints are made, triaged and answered, and the orders of its three workers."""
    app = _app(demo)
    return (
        *app.resources(demo),
        worker_orders("complaint_generator", app.release_key, _generator_parameters(demo)),
        worker_orders("complaint_agent", app.release_key, _agent_parameters(demo)),
        worker_orders("complaint_cases", app.release_key, {}),
    )


def lakebase_copy(names: Names) -> LakebaseCopy:
    """The complaint console's project in Lakebase."""
    return LakebaseCopy(
        key="complaint",
        project=names.complaint_project,
        catalog=names.complaint_database_catalog,
        database=DATABASE,
        schema=SCHEMA,
        copies=(RESPONSES, COMPLAINTS),
    )


def _app(demo: Demo) -> AgentConsole:
    return AgentConsole(
        key=APP_KEY,
        name=demo.names.complaint_app,
        bundle="complaint-console",
        description="Makes and triages complaints about delivered orders; people answer",
        schema=SCHEMA,
        copy=lakebase_copy(demo.names),
        copy_variable="COMPLAINT_LAKEBASE_ENDPOINT",
        models={AGENT_MODEL: _agent_model(demo), TEXT_MODEL: demo.parameters.llm_model},
        functions=FUNCTIONS,
        environment={"COMPLAINT_AGENT_ENDPOINT_NAME": demo.parameters.complaint_agent_endpoint_name},
        # Both consoles get a role in the control branch, which takes one operation at a time.
        after=(f"{refunds.APP_KEY} app",),
    )


def _generator_parameters(demo: Demo) -> dict[str, Any]:
    parameters = demo.parameters
    return {
        "rate": parameters.complaint_rate,
        "history_share": HISTORY_SHARE,
        "model": parameters.llm_model,
        **call_limits(demo),
    }


def _agent_parameters(demo: Demo) -> dict[str, Any]:
    parameters = demo.parameters
    return {
        "model": parameters.llm_model,
        "endpoint": parameters.complaint_agent_endpoint_name,
        **call_limits(demo),
    }


def _agent_model(demo: Demo) -> str:
    """The endpoint that triages: one that is the agent, where there is one, else the plain model."""
    return demo.parameters.complaint_agent_endpoint_name or demo.parameters.llm_model
