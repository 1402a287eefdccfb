"""What a reviewer has begun to write about a case; kept when the case changes, gone when that reviewer decides."""

from datetime import datetime
from typing import Any, LiteralString

import orjson

from caspers.clients.postgres import Writer
from caspers.review.tables import NoSuchCase, ReviewTables

_KEEP: LiteralString = """
INSERT INTO {drafts} AS mine ({key}, reviewer, case_version, fields, updated_at)
SELECT {key}, :reviewer, :version, CAST(:fields AS jsonb), :now FROM {cases} WHERE {key} = :case_id
ON CONFLICT ({key}, reviewer) DO UPDATE
   SET case_version = excluded.case_version, fields = excluded.fields, updated_at = excluded.updated_at
RETURNING (SELECT version FROM {cases} AS of_it WHERE of_it.{key} = mine.{key}) AS version
"""

_DROP: LiteralString = "DELETE FROM {drafts} WHERE {key} = :case_id AND reviewer = :reviewer"


class Drafts:
    """The drafts of one console. Every method works inside the transaction that it is given."""

    def __init__(self, tables: ReviewTables) -> None:
        self._keep: LiteralString = tables.statement(_KEEP)
        self._drop: LiteralString = tables.statement(_DROP)

    def keep(
        self,
        writer: Writer,
        case_id: str,
        reviewer: str,
        fields: dict[str, Any],
        *,
        version: int,
        now: datetime,
    ) -> int:
        """Keep a draft made on `version` of the case; the case's version now. Raises `NoSuchCase`."""
        text = orjson.dumps(fields, default=str).decode()
        row = writer.row(
            self._keep, case_id=case_id, reviewer=reviewer, version=version, fields=text, now=now
        )
        if row is None:
            raise NoSuchCase(case_id)
        return row.version

    def drop(self, writer: Writer, case_id: str, reviewer: str) -> bool:
        """Throw a draft away; False when there was none."""
        return writer.execute(self._drop, case_id=case_id, reviewer=reviewer) > 0
