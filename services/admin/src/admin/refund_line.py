"""The refund line in figures: what was recommended, how far its copy in Lakebase is, what people have decided.

Each figure is read where it is true: recommendations in Delta, the copy from the platform, cases in Postgres. One
that cannot be read at the moment is None and hides none of the others.
"""

from collections.abc import Callable
from typing import Any, LiteralString

from caspers.clients.lakebase import Lakebase
from caspers.clients.warehouse import Warehouse
from caspers.errors import CaspersError
from caspers.model.tables import REFUND_RECOMMENDATIONS
from caspers.names import Names, quoted
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound

from admin.stages.refunds import SYNCED_SCHEMA, SYNCED_TABLE

STATE_PREFIX = "SYNCED_TABLE_"
CASES: LiteralString = """
SELECT status, sum(cases)::bigint AS cases FROM refunds.case_counts GROUP BY status ORDER BY status
"""


class RefundLine:
    """Reads the figures of the refund line."""

    def __init__(
        self,
        workspace: WorkspaceClient,
        warehouse: Callable[[], Warehouse],
        database: Callable[[], Lakebase | None],
        names: Names,
    ) -> None:
        self._workspace = workspace
        self._warehouse = warehouse
        self._database = database
        self._names = names

    def read(self, *, source_version: int | None) -> dict[str, Any]:
        """Recommendations by origin, the synced table, cases by status; `source_version` tells how far it is behind."""
        return {
            "recommendations": self._recommendations(),
            "synced": self._synced(source_version),
            "cases": self._cases(),
        }

    def _recommendations(self) -> dict[str, int] | None:
        table = quoted(self._names.table(REFUND_RECOMMENDATIONS.name))
        try:
            counted = self._warehouse().query(_by_origin(table)).to_pylist()
        except CaspersError:
            return None
        return {row["origin"]: row["recommendations"] for row in counted}

    def _synced(self, source_version: int | None) -> dict[str, Any] | None:
        name = self._names.table(f"{SYNCED_SCHEMA}.{SYNCED_TABLE}")
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
        """Cases by status; None while the refund manager has not made its tables."""
        try:
            database = self._database()
            if database is None:
                return None
            with database.reading() as reader:
                return {row.status: row.cases for row in reader.rows(CASES)}
        except CaspersError:
            return None


def _by_origin(table: LiteralString) -> LiteralString:
    return "SELECT origin, count(*) AS recommendations FROM " + table + " GROUP BY origin ORDER BY origin"  # noqa: S608  a checked identifier
