"""The lines in figures: what the agents answered, how far its copy in Lakebase is, what people have decided.

Each figure is read where it is true: answers in Delta, the copy from the platform, cases in Postgres. One that cannot
be read at the moment is None and hides none of the others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, LiteralString

from caspers.clients.lakebase import Lakebase
from caspers.clients.warehouse import Warehouse
from caspers.errors import CaspersError
from caspers.names import Names, quoted
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound

from admin.stages import complaints, refunds
from admin.stages.lakebase_copy import SyncedCopy

STATE_PREFIX = "SYNCED_TABLE_"


@dataclass(frozen=True)
class Line:
    """One line: an agent's answers, their copy, and the cases made of them."""

    name: str
    answers_are: str
    """What the answers are called: "recommendations"."""
    schema: str
    copy: SyncedCopy
    cases: LiteralString
    """The statement that counts cases by status."""


REFUNDS = Line(
    "refunds",
    "recommendations",
    refunds.SCHEMA,
    refunds.RECOMMENDATIONS,
    "SELECT status, sum(cases)::bigint AS cases FROM refunds.case_counts GROUP BY status ORDER BY status",
)
COMPLAINTS = Line(
    "complaints",
    "responses",
    complaints.SCHEMA,
    complaints.RESPONSES,
    "SELECT status, sum(cases)::bigint AS cases FROM reviews.case_counts GROUP BY status ORDER BY status",
)


class LineReader:
    """Reads the figures of one line."""

    def __init__(
        self,
        line: Line,
        workspace: WorkspaceClient,
        warehouse: Callable[[], Warehouse],
        database: Callable[[], Lakebase | None],
        names: Names,
    ) -> None:
        self.line = line
        self._workspace = workspace
        self._warehouse = warehouse
        self._database = database
        self._names = names

    @property
    def source(self) -> str:
        """The full name of the table of answers."""
        return self._names.table(self.line.copy.source.name)

    def read(self, *, source_version: int | None) -> dict[str, Any]:
        """Answers by origin, the synced table, cases by status; `source_version` tells how far the copy is behind."""
        return {
            self.line.answers_are: self._answers(),
            "synced": self._synced(source_version),
            "cases": self._cases(),
        }

    def _answers(self) -> dict[str, int] | None:
        try:
            counted = self._warehouse().query(_by_origin(quoted(self.source))).to_pylist()
        except CaspersError:
            return None
        return {row["origin"]: row["answers"] for row in counted}

    def _synced(self, source_version: int | None) -> dict[str, Any] | None:
        name = self._names.table(f"{self.line.schema}.{self.line.copy.table}")
        try:
            status = self._workspace.postgres.get_synced_table(f"synced_tables/{name}").status
        except NotFound:
            return None
        if status is None or status.detailed_state is None:
            return {"state": "UNKNOWN", "message": "", "version": None, "versions_behind": None, "at": None}
        version, moment = status.last_processed_commit_version, status.last_sync_time
        behind = None
        if version is not None and source_version is not None:
            # The two are read one after the other, so the copy may well be ahead of what was read first.
            behind = max(source_version - version, 0)
        return {
            "state": status.detailed_state.value.removeprefix(STATE_PREFIX),
            "message": status.message or "",
            "version": version,
            "versions_behind": behind,
            "at": None if moment is None else f"{moment.ToDatetime().isoformat()}+00:00",
        }

    def _cases(self) -> dict[str, int] | None:
        """Cases by status; None while the console has not made its tables."""
        try:
            database = self._database()
            if database is None:
                return None
            with database.reading() as reader:
                return {row.status: row.cases for row in reader.rows(self.line.cases)}
        except CaspersError:
            return None


def _by_origin(table: LiteralString) -> LiteralString:
    return "SELECT origin, count(*) AS answers FROM " + table + " GROUP BY origin ORDER BY origin"  # noqa: S608  a checked identifier
