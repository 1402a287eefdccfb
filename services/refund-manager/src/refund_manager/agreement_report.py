"""How people's decisions compare with the agent's recommendations, by class, location, version or origin."""

from typing import Literal

from caspers.clients.postgres import Postgres
from caspers.review import agreement_report as review
from caspers.review.agreement_report import AgreementReport, Compared

from refund_manager.schema import TABLES

By = Literal["class", "location", "version", "origin"]

_COMPARED = Compared(
    agent_class="d.agent_class",
    final_class="c.final_class",
    groups={
        "class": "d.agent_class",
        "location": "c.location",
        "version": "d.agent_version",
        "origin": "d.agent_origin",
    },
)


def agreement_report(database: Postgres, by: By) -> AgreementReport:
    """The report over all standing decisions of persons."""
    return review.agreement_report(database, TABLES, _COMPARED, by)
