"""The wire of SQL statements, as the SDK's statement API and the connector's kernel speak it."""

import asyncio
from datetime import timedelta
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from local_workspace.api.sql import results, statements
from local_workspace.api.sql.parameters import Parameter
from local_workspace.api.sql.results import Chunk, Shape
from local_workspace.api.sql.sessions import DEFAULT_SCHEMA, Session, Sessions
from local_workspace.api.sql.statements import Statement, Statements
from local_workspace.api.sql.warehouses import Warehouses
from local_workspace.clock import Clock
from local_workspace.errors import InvalidParameterValue, NotFound
from local_workspace.identity import Caller, Principal

DEFAULT_WAIT_S = 10
KERNEL_WAIT_S = 1
"""How long a request of the connector is held: it learns a statement's id, and can cancel it, only by an answer."""

SHORTEST_WAIT_S, LONGEST_WAIT_S = 5, 50
LINK_LIFE = timedelta(minutes=15)
ALL_LINKS = 100_000
"""The connector gets all links at once: given one by one, its look-ahead now and then misses the last chunk."""

MAX_STATEMENT_BYTES = 16 * 1024 * 1024


class GivenParameter(BaseModel):
    """One parameter of a statement, by name or by position (from 1)."""

    name: str | None = None
    ordinal: int | None = None
    value: str | None = None
    type: str | None = None


class Execute(BaseModel):
    """The body of POST /api/2.0/sql/statements."""

    statement: str
    warehouse_id: str
    session_id: str | None = None
    catalog: str | None = None
    schema_: Annotated[str | None, Field(alias="schema")] = None
    parameters: list[GivenParameter] = []
    disposition: Literal["INLINE", "EXTERNAL_LINKS", "INLINE_OR_EXTERNAL_LINKS"] = "INLINE"
    format: Literal["JSON_ARRAY", "ARROW_STREAM", "CSV"] = "JSON_ARRAY"
    result_compression: Literal["LZ4_FRAME", "NONE"] = "NONE"
    wait_timeout: str | None = None
    on_wait_timeout: Literal["CONTINUE", "CANCEL"] = "CONTINUE"
    row_limit: int | None = None
    byte_limit: int | None = None


def router(running: Statements, sessions: Sessions, warehouses: Warehouses, clock: Clock) -> APIRouter:
    """The routes of statements and result links."""
    api = APIRouter(prefix="/api/2.0/sql")
    wire = _Wire(clock)

    @api.post("/statements")
    async def execute(caller: Caller, request: Request, given: Execute) -> Response:
        wait_s = _wait(given)
        warehouses.use(caller, given.warehouse_id)
        statement = running.submit(_request(given, _session(sessions, caller, given)))
        await _ended(statement, wait_s)
        if statement.state in statements.UNFINISHED and given.on_wait_timeout == "CANCEL" and wait_s:
            await asyncio.to_thread(running.cancel, statement)
        return wire.answer(statement, request)

    @api.get("/statements/{statement_id}")
    async def get(caller: Caller, request: Request, statement_id: str) -> Response:
        statement = running.get(caller, statement_id)
        if statement.request.disposition == "INLINE_OR_EXTERNAL_LINKS":
            await _ended(statement, KERNEL_WAIT_S)
        return wire.answer(statement, request)

    @api.get("/statements/{statement_id}/result/chunks/{index}")
    def chunk(
        caller: Caller,
        request: Request,
        statement_id: str,
        index: int,
        _row_offset: Annotated[int | None, Query(alias="row_offset")] = None,
    ) -> Response:
        return wire.chunk(running.get(caller, statement_id), index, request)

    @api.post("/statements/{statement_id}/cancel")
    def cancel(caller: Caller, statement_id: str) -> dict[str, Any]:
        running.cancel(running.get(caller, statement_id))
        return {}

    @api.delete("/statements/{statement_id}")
    def close(caller: Caller, statement_id: str) -> dict[str, Any]:
        running.close(running.get(caller, statement_id))
        return {}

    @api.get("/results/{statement_id}/{secret}/{index}")
    def linked(statement_id: str, secret: str, index: int) -> Response:
        statement = running.linked(statement_id, secret)
        return Response(_existing(statement, index).read(), media_type="application/octet-stream")

    return api


class _Wire:
    """Statements as they go over the wire."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def answer(self, statement: Statement, request: Request) -> Response:
        body: dict[str, Any] = {"statement_id": statement.id, "status": statement.status()}
        result = statement.result
        if result is not None:
            body |= {"manifest": result.manifest(), "result": self._data(statement, 0, request)}
        return _json(body)

    def chunk(self, statement: Statement, index: int, request: Request) -> Response:
        _existing(statement, index)
        return _json(self._data(statement, index, request))

    def _data(self, statement: Statement, index: int, request: Request) -> dict[str, Any]:
        result = statement.result
        assert result is not None
        disposition = statement.request.disposition
        if disposition == "INLINE" or (disposition == "INLINE_OR_EXTERNAL_LINKS" and result.fits_inline()):
            return result.data(index)
        origin = str(request.base_url).rstrip("/")

        def link(chunk: Chunk) -> dict[str, Any]:
            path = f"/api/2.0/sql/results/{statement.id}/{statement.link_secret}/{chunk.index}"
            expiration = (self._clock.now() + LINK_LIFE).isoformat(timespec="milliseconds")
            return {"external_link": origin + path, "expiration": expiration.replace("+00:00", "Z")}

        return result.links(index, link, most=1 if disposition == "EXTERNAL_LINKS" else ALL_LINKS)


def _session(sessions: Sessions, caller: Principal, given: Execute) -> Session:
    """The session named, or one for this statement alone."""
    if given.session_id:
        return sessions.get(caller, given.session_id)
    return Session(caller, given.warehouse_id, given.catalog, given.schema_ or DEFAULT_SCHEMA)


def _request(given: Execute, session: Session) -> statements.Request:
    if given.format == "CSV":
        raise InvalidParameterValue(
            "The local workspace does not support format CSV; use JSON_ARRAY or ARROW_STREAM."
        )
    if given.disposition == "INLINE" and given.format != "JSON_ARRAY":
        raise InvalidParameterValue(
            "Disposition INLINE goes with format JSON_ARRAY only; use EXTERNAL_LINKS."
        )
    if len(given.statement.encode()) > MAX_STATEMENT_BYTES:
        raise InvalidParameterValue("The statement is longer than 16 MiB.")
    byte_limit = results.INLINE_JSON_BYTES if given.disposition == "INLINE" else None
    compressed = given.result_compression == "LZ4_FRAME"
    shape = Shape(given.format, compressed, given.row_limit, given.byte_limit or byte_limit)
    parameters = [
        Parameter(parameter.name, parameter.ordinal or position, parameter.value, parameter.type or "STRING")
        for position, parameter in enumerate(given.parameters, 1)
    ]
    return statements.Request(session, given.statement, parameters, shape, given.disposition)


def _wait(given: Execute) -> float:
    """Seconds to wait for the statement to end before the first answer."""
    if given.wait_timeout is None:
        return KERNEL_WAIT_S if given.disposition == "INLINE_OR_EXTERNAL_LINKS" else DEFAULT_WAIT_S
    try:
        seconds = int(given.wait_timeout.removesuffix("s"))
    except ValueError:
        seconds = -1
    if seconds != 0 and not SHORTEST_WAIT_S <= seconds <= LONGEST_WAIT_S:
        raise InvalidParameterValue(
            f"wait_timeout must be 0s or between 5s and 50s, not {given.wait_timeout!r}."
        )
    return seconds


async def _ended(statement: Statement, seconds: float) -> None:
    await asyncio.wait([asyncio.wrap_future(statement.done)], timeout=seconds)


def _existing(statement: Statement, index: int) -> Chunk:
    result = statement.result
    if result is None or not 0 <= index < len(result.chunks):
        raise NotFound(f"Statement {statement.id} has no result chunk {index}.")
    return result.chunks[index]


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")
