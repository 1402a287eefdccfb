"""How people's decisions compare with what the agent had said, in groups, for each origin apart.

Only what stands counts, and only what persons decided: undone decisions and those of the approval policy are no
judgement of the agent. Answers that failed have no class to agree with; they are counted and left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, LiteralString

from caspers.clients.postgres import Postgres
from caspers.review.agreement import Agreement, Cell, agreement
from caspers.review.tables import ReviewTables

_MATRIX: LiteralString = """
SELECT d.agent_origin AS origin, coalesce({group}, 'unknown') AS label, {agent_class} AS agent_class,
       {final_class} AS final_class, count(*) AS cases,
       coalesce(sum(greatest(c.final_usd - d.agent_usd, 0)), 0) AS over_usd,
       coalesce(sum(greatest(d.agent_usd - c.final_usd, 0)), 0) AS under_usd
  FROM {cases} AS c JOIN {record} AS d ON d.decision_id = c.decision_id
 WHERE c.status = 'decided' AND d.by = 'person'
 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""


@dataclass(frozen=True)
class Group:
    """The agreement within one class, location or version."""

    label: str
    agreement: Agreement


@dataclass(frozen=True)
class OriginAgreement:
    """The agreement with answers of one origin; figures of different origins are never mixed."""

    origin: str
    overall: Agreement
    groups: Sequence[Group]


@dataclass(frozen=True)
class AgreementReport:
    """The agreement for each origin; `errors_left_out` decisions were about answers that had failed."""

    by: str
    origins: Sequence[OriginAgreement]
    errors_left_out: int


@dataclass(frozen=True)
class Compared:
    """What a console compares: the agent's class (of the record `d`) and the person's (of the case `c`), by group."""

    agent_class: LiteralString
    final_class: LiteralString
    groups: dict[str, LiteralString]


def agreement_report(
    database: Postgres, tables: ReviewTables, compared: Compared, by: str
) -> AgreementReport:
    """The report over all standing decisions of persons, by one of the groups."""
    statement = _MATRIX.replace("{group}", compared.groups[by]).replace("{agent_class}", compared.agent_class)
    with database.reading() as reader:
        rows = reader.rows(tables.statement(statement.replace("{final_class}", compared.final_class)))
    judged = [row for row in rows if row.origin != "error" and row.agent_class and row.final_class]
    return AgreementReport(
        by=by,
        origins=[
            _of_origin(origin, list(of_it)) for origin, of_it in groupby(judged, key=lambda row: row.origin)
        ],
        errors_left_out=sum(row.cases for row in rows) - sum(row.cases for row in judged),
    )


def _of_origin(origin: str, rows: list[Any]) -> OriginAgreement:
    return OriginAgreement(
        origin,
        agreement(map(_cell, rows)),
        [
            Group(label, agreement(map(_cell, of_it)))
            for label, of_it in groupby(rows, key=lambda row: row.label)
        ],
    )


def _cell(row: Any) -> Cell:
    return Cell(row.agent_class, row.final_class, row.cases, row.over_usd, row.under_usd)
