"""The targets: named sets of stages, with the parameters that suit them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from caspers.errors import Invalid

FOUNDATION = "Foundation"
CANONICAL_DATA = "Canonical_Data"
PIPELINE = "Spark_Declarative_Pipeline"
REFUND_AGENT = "Refund_Recommender_Agent"
REFUND_STREAM = "Refund_Recommender_Stream"
REVERSE_ETL = "Lakebase_Reverse_ETL"
REFUND_MANAGER = "Databricks_App_Refund_Manager"
COMPLAINT_AGENT = "Complaint_Agent"
COMPLAINT_GENERATOR_STREAM = "Complaint_Generator_Stream"
COMPLAINT_AGENT_STREAM = "Complaint_Agent_Stream"
COMPLAINT_LAKEBASE = "Complaint_Lakebase"
COMPLAINT_CONSOLE = "Databricks_App_Complaint_Console"

_MEDALLION = (CANONICAL_DATA, PIPELINE)
_REFUND_LINE = (REFUND_AGENT, REFUND_STREAM, REVERSE_ETL, REFUND_MANAGER)
_COMPLAINT_LINE = (
    COMPLAINT_AGENT,
    COMPLAINT_GENERATOR_STREAM,
    COMPLAINT_AGENT_STREAM,
    COMPLAINT_LAKEBASE,
    COMPLAINT_CONSOLE,
)


@dataclass(frozen=True)
class Target:
    """A named set of stages, with the parameters that differ from their defaults there."""

    stages: tuple[str, ...]
    parameters: Mapping[str, Any]


TARGETS: Mapping[str, Target] = {
    "default": Target((*_MEDALLION, *_REFUND_LINE), {}),
    "free": Target(_MEDALLION, {"pipeline_schedule_minutes": 3.0}),
    "complaints": Target((*_MEDALLION, *_COMPLAINT_LINE), {}),
    "all": Target((*_MEDALLION, *_REFUND_LINE, *_COMPLAINT_LINE), {}),
}
DEFAULT_TARGET = "default"


def target(name: str) -> Target:
    """Raises `Invalid` for a name that is no target's."""
    if name not in TARGETS:
        raise Invalid(f"there is no target {name!r}", what_now=f"The targets are: {', '.join(TARGETS)}.")
    return TARGETS[name]
