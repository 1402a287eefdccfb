"""`/api/2.0/postgres/synced_tables`: synced tables on the wire."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body

from local_workspace.api.postgres.rows import rfc3339
from local_workspace.api.postgres.shapes import Shapes
from local_workspace.api.postgres.synced_table_follower import Progress
from local_workspace.api.postgres.synced_table_rows import SyncedTable
from local_workspace.api.postgres.synced_tables import SyncedTables
from local_workspace.identity import Caller
from local_workspace.wire import page, without_empty

Json = Annotated[dict[str, Any], Body()]
Answer = dict[str, Any]


def router(tables: SyncedTables, write: Shapes) -> APIRouter:
    """The routes of synced tables; they come before those that take any Lakebase resource."""
    api = APIRouter(prefix="/api/2.0/postgres/synced_tables")

    @api.post("")
    def create(body: Json, synced_table_id: str, caller: Caller) -> Answer:
        created = tables.create(caller, synced_table_id, body.get("spec") or {})
        return write.done(_name(created), _shape(created, tables.progress(created)))

    @api.get("")
    def list_tables(caller: Caller, page_size: int | None = None, page_token: str | None = None) -> Answer:
        found, following = page(tables.visible(caller), size=page_size, token=page_token)
        shapes = [_shape(table, tables.progress(table)) for table in found]
        return without_empty({"synced_tables": shapes, "next_page_token": following})

    @api.get("/{full_name}")
    def get(full_name: str, caller: Caller) -> Answer:
        found = tables.get(caller, full_name)
        return _shape(found, tables.progress(found))

    @api.delete("/{full_name}")
    def delete(full_name: str, caller: Caller) -> Answer:
        tables.delete(caller, full_name)
        return write.done(f"synced_tables/{full_name.lower()}")

    return api


def detailed_state(policy: str, progress: Progress) -> str:
    """What the platform calls this state of a synced table."""
    if progress.lasting:
        return "SYNCED_TABLE_OFFLINE_FAILED"
    if not progress.filled:
        return "SYNCED_TABLE_PROVISIONING_INITIAL_SNAPSHOT"
    if policy == "CONTINUOUS":
        return "SYNCED_TABLE_ONLINE_CONTINUOUS_UPDATE"
    return (
        "SYNCED_TABLE_ONLINE_TRIGGERED_UPDATE" if progress.busy else "SYNCED_TABLE_ONLINE_NO_PENDING_UPDATE"
    )


def _name(table: SyncedTable) -> str:
    return f"synced_tables/{table.full_name}"


def _shape(table: SyncedTable, progress: Progress) -> Answer:
    """A SyncedTable; as for all Lakebase resources, `status` says it all and there is no `spec`."""
    return {
        "name": _name(table),
        "synced_table_id": table.full_name,
        "uid": table.uid,
        "create_time": table.created_at,
        "status": _status(table, progress),
    }


def _status(table: SyncedTable, progress: Progress) -> Answer:
    copying = progress.busy or not progress.filled
    message = progress.failure or ("The rows are being copied." if copying else "The rows are there.")
    return without_empty(
        {
            "detailed_state": detailed_state(table.policy, progress),
            "message": message,
            "pipeline_id": table.pipeline_id,
            "project": f"projects/{table.project_id}",
            "unity_catalog_provisioning_state": "ACTIVE",
            "last_processed_commit_version": progress.version,
            "last_sync_time": rfc3339(progress.synced_at) if progress.synced_at else None,
            "last_sync": _last_sync(progress),
            "ongoing_sync_progress": _ongoing(progress) if progress.busy else None,
        }
    )


def _last_sync(progress: Progress) -> Answer | None:
    if progress.synced_at is None or progress.synced_from is None:
        return None
    committed = progress.committed_at_ms
    moment = rfc3339(datetime.fromtimestamp(committed / 1000, UTC)) if committed is not None else None
    return {
        "sync_start_time": rfc3339(progress.synced_from),
        "sync_end_time": rfc3339(progress.synced_at),
        "delta_table_sync_info": without_empty(
            {"delta_commit_version": progress.version, "delta_commit_time": moment}
        ),
    }


def _ongoing(progress: Progress) -> Answer:
    return without_empty(
        {
            "synced_row_count": progress.copied,
            "total_row_count": progress.total,
            "sync_progress_completion": round(progress.copied / progress.total, 4)
            if progress.total
            else None,
        }
    )
