"""How people's reviews compare with the agent's triage, by category, location, version or origin.

The agent's class is what it decided (a credit, none, or an escalation), the person's what it came to.
"""

from typing import Literal

from caspers.clients.postgres import Postgres
from caspers.review import agreement_report as review
from caspers.review.agreement_report import AgreementReport, Compared

from complaint_console.schema import TABLES

By = Literal["category", "location", "version", "origin"]

#: What the classes of both sides are called.
CLASSES = ("credit", "no credit", "person")
_COMPARED = Compared(
    agent_class="CASE WHEN d.agent_decision = 'escalate' THEN 'person'"
    " WHEN d.agent_usd > 0 THEN 'credit' ELSE 'no credit' END",
    final_class="CASE WHEN c.final_outcome IN ('escalated', 'asked') THEN 'person'"
    " WHEN c.final_usd > 0 THEN 'credit' ELSE 'no credit' END",
    groups={
        "category": "d.agent_category",
        "location": "c.location",
        "version": "d.agent_version",
        "origin": "d.agent_origin",
    },
)


def agreement_report(database: Postgres, by: By) -> AgreementReport:
    """The report over all standing reviews of persons."""
    return review.agreement_report(database, TABLES, _COMPARED, by)
