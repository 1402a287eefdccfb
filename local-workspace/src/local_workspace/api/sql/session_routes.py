"""The wire of SQL sessions, which the connector opens and closes."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from local_workspace.api.sql.sessions import DEFAULT_SCHEMA, Session, Sessions
from local_workspace.api.sql.warehouses import Warehouses
from local_workspace.identity import Caller


class OpenSession(BaseModel):
    """The body of POST /api/2.0/sql/sessions."""

    warehouse_id: str
    catalog: str | None = None
    schema_: Annotated[str | None, Field(alias="schema")] = None
    session_confs: dict[str, str] = {}


def router(sessions: Sessions, warehouses: Warehouses) -> APIRouter:
    """The routes of sessions."""
    api = APIRouter(prefix="/api/2.0/sql")

    @api.post("/sessions")
    def open_session(caller: Caller, given: OpenSession) -> dict[str, Any]:
        warehouses.use(caller, given.warehouse_id)
        schema = given.schema_ or DEFAULT_SCHEMA
        session = Session(caller, given.warehouse_id, given.catalog, schema, dict(given.session_confs))
        return {"session_id": sessions.open(session).id}

    @api.delete("/sessions/{session_id}")
    def close_session(caller: Caller, session_id: str) -> dict[str, Any]:
        sessions.close(caller, session_id)
        return {}

    return api
