"""What a reviewer has begun to write about a case; kept when the case changes, gone when that reviewer decides."""

from datetime import datetime
from typing import Any, LiteralString

import orjson
from caspers.clients.postgres import Writer

from refund_manager.cases import NoSuchCase

_KEEP: LiteralString = """
INSERT INTO refunds.drafts AS mine (order_id, reviewer, case_version, fields, updated_at)
SELECT order_id, :reviewer, :version, CAST(:fields AS jsonb), :now FROM refunds.cases WHERE order_id = :order_id
ON CONFLICT (order_id, reviewer) DO UPDATE
   SET case_version = excluded.case_version, fields = excluded.fields, updated_at = excluded.updated_at
RETURNING (SELECT version FROM refunds.cases WHERE cases.order_id = mine.order_id) AS version
"""

_DROP: LiteralString = "DELETE FROM refunds.drafts WHERE order_id = :order_id AND reviewer = :reviewer"


def keep(
    writer: Writer, order_id: str, reviewer: str, fields: dict[str, Any], *, version: int, now: datetime
) -> int:
    """Keep a draft made on `version` of the case; the case's version now. Raises `NoSuchCase`."""
    text = orjson.dumps(fields, default=str).decode()
    row = writer.row(_KEEP, order_id=order_id, reviewer=reviewer, version=version, fields=text, now=now)
    if row is None:
        raise NoSuchCase(order_id)
    return row.version


def drop(writer: Writer, order_id: str, reviewer: str) -> bool:
    """Throw a draft away; False when there was none."""
    return writer.execute(_DROP, order_id=order_id, reviewer=reviewer) > 0
