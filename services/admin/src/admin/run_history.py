"""The history of runs, kept in the control database once there is one.

A run is written when it begins, as it goes and when it ends. Whatever was still "running" when the admin comes
back was interrupted: its stages can simply be run again.
"""

import json
from collections.abc import Callable
from typing import Any, LiteralString

from caspers.clients.lakebase import Lakebase
from caspers.errors import CaspersError, NotFound
from structlog import get_logger

HISTORY_SCHEMA: LiteralString = """
CREATE TABLE IF NOT EXISTS control.runs (
    run_id   text PRIMARY KEY,
    started  timestamptz NOT NULL,
    document jsonb NOT NULL
)
"""

SAVE: LiteralString = """
INSERT INTO control.runs (run_id, started, document) VALUES (:run_id, :started, CAST(:document AS jsonb))
ON CONFLICT (run_id) DO UPDATE SET document = excluded.document
"""
LATEST: LiteralString = "SELECT document FROM control.runs ORDER BY started DESC LIMIT :limit"
INTERRUPTED: LiteralString = """
UPDATE control.runs
   SET document = document || '{"state": "interrupted", "error": "the admin was restarted while this went on"}'
 WHERE document ->> 'state' = 'running'
"""
KEPT = 100
"""How many past runs are shown."""

log = get_logger(__name__)


class RunHistory:
    """Saves and loads runs; without a control database it remembers nothing and hinders nobody."""

    def __init__(self, database: Callable[[], Lakebase | None]) -> None:
        self._database = database

    def save(self, run: dict[str, Any]) -> None:
        """Write one run; a database that is away costs the record, not the run."""
        try:
            if database := self._database():
                with database.transaction() as writer:
                    writer.execute(
                        SAVE, run_id=run["run_id"], started=run["started"], document=json.dumps(run)
                    )
        except NotFound:
            return  # the database is there, its tables come a moment later
        except CaspersError as error:
            log.warning("run not saved", run_id=run["run_id"], error=str(error))

    def load(self) -> list[dict[str, Any]]:
        """Past runs, newest first; those that were cut off are marked as interrupted."""
        try:
            if not (database := self._database()):
                return []
            with database.transaction() as writer:
                writer.execute(INTERRUPTED)
                return [row.document for row in writer.rows(LATEST, limit=KEPT)]
        except CaspersError as error:
            log.warning("run history not read", error=str(error))
            return []
