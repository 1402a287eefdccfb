"""Bad days on request: what a client must survive, made to happen to the calls of one's choice. For tests only.

They exist where the workspace was started with LOCAL_WORKSPACE_BAD_DAYS=1, for admins:

    PUT    /local-workspace/bad-days/rules     {"rules": [RULE, …]}: from now on these, counted from zero
    GET    /local-workspace/bad-days/rules     the rules, and how many calls each has seen, hit, and holds just now
    DELETE /local-workspace/bad-days/rules     lift them; calls that are held are dropped
    GET    /local-workspace/bad-days/calls     all calls in order of arrival, after number `since`; `changing=true` for those
                                               that change something

bad_day_rules.Rule says what a rule can ask for: an error (429 with Retry-After, 500, 503), a lost answer, a call that hangs,
each before or after its effect; a call carried out twice, so that a create is told that somebody was faster; a slow
one. The first rule that hits a call decides. A client's own retries are calls, too, and count. So "die before call 3" is
`{"fault": "hold", "skip": 2}` and a kill once it holds, "die after call 3" the same with `"when": "after"`, and "every
call is answered 429 once" is `{"fault": "answer", "status": 429, "retry_after_s": 0, "each": true, "calls": "all"}`.

Only calls to the workspace itself are seen, not those to the apps' own ports.
"""

import asyncio
import hashlib
import json
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from local_workspace.bad_day_rules import Arrival, Rule, Standing, changes_something
from local_workspace.errors import PermissionDenied, Unauthenticated
from local_workspace.identity import Caller, Identities, Principal

PREFIX = "/local-workspace/bad-days"
CALLS_KEPT = 20_000
CLOSE = "local_workspace.close"
"""Where the scope of a request holds a function that closes its connection."""

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass
class Call:
    """A call that came in.

    Attributes:
        number: counts from 1, without gaps.
        fault: what happened to it.
        agent: the client, as it calls itself.
        carried_out: whether the workspace itself saw it.
        status: what the caller was told; None when nothing (yet).
    """

    number: int
    method: str
    path: str
    query: str
    caller: str
    changing: bool
    agent: str = ""
    fault: str | None = None
    carried_out: bool = False
    status: int | None = None


class BadDays:
    """The rules in force and the calls that came; used on the event loop only."""

    def __init__(self) -> None:
        self.standing: list[Standing] = []
        self.calls: deque[Call] = deque(maxlen=CALLS_KEPT)
        self.lifted = asyncio.Event()
        self._arrived = 0

    def replace(self, rules: list[Rule]) -> None:
        """Let these rules stand in place of those before."""
        self.lifted.set()
        self.lifted = asyncio.Event()
        self.standing = [Standing(rule) for rule in rules]

    def arrive(self, arrival: Arrival) -> tuple[Call, Standing | None]:
        """Note a call; the rule that hits it, if one does."""
        self._arrived += 1
        call = Call(
            self._arrived, arrival.method, arrival.path, arrival.query, arrival.caller, arrival.changing
        )
        self.calls.append(call)
        hitting = [standing for standing in self.standing if standing.hits(arrival)]
        if not hitting:
            return call, None
        hitting[0].fired += 1
        call.fault = hitting[0].rule.fault
        return call, hitting[0]


class Interference:
    """Stands in front of the application and lets the bad days happen."""

    def __init__(self, application: Application, days: BadDays, identities: Identities) -> None:
        self._application = application
        self._days = days
        self._identities = identities

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call, or what is left of it."""
        if scope["type"] != "http" or scope["path"].startswith(PREFIX):
            await self._application(scope, receive, send)
            return
        body, receive = await self._body(scope, receive)
        call, standing = self._days.arrive(self._arrival(scope, body))
        call.agent = dict(scope["headers"]).get(b"user-agent", b"").decode("latin-1")
        exchange = _Exchange(self._application, scope, receive, send, call)
        if standing is None:
            await exchange.carry_out()
        else:
            await self._interfere(exchange, standing, self._days.lifted, body)

    async def _interfere(
        self, exchange: "_Exchange", standing: Standing, lifted: asyncio.Event, body: bytes
    ) -> None:
        rule = standing.rule
        if rule.delay_ms:
            with suppress(TimeoutError):
                await asyncio.wait_for(lifted.wait(), rule.delay_ms / 1000)
        if rule.fault == "delay":
            await exchange.carry_out()
            return
        if rule.fault == "repeat" or rule.when == "after":
            await exchange.carry_out_unheard(body)
        match rule.fault:
            case "repeat":
                await exchange.carry_out()
            case "answer":
                await exchange.answer(rule)
            case "lose":
                await exchange.close()
            case "hold":
                standing.holding += 1
                await exchange.wait(lifted)
                standing.holding -= 1
                await exchange.close()

    async def _body(self, scope: Scope, receive: Receive) -> tuple[bytes, Receive]:
        """The body where it is needed to tell the call from others, and a channel that can still be read."""
        kind = dict(scope["headers"]).get(b"content-type", b"")
        if not self._days.standing and not kind.startswith(b"application/json"):
            return b"", receive
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return body, _replayed(body, receive)

    def _arrival(self, scope: Scope, body: bytes) -> Arrival:
        method, path, query = scope["method"], scope["path"], scope["query_string"].decode("latin-1")
        scheme, _, token = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1").partition(" ")
        caller = ""
        if scheme.lower() == "bearer":
            with suppress(Unauthenticated):
                caller = self._identities.authenticate(token).name
        statement, parameters = _statement(path, body)
        # Two sessions that say the same make the same call.
        said = body if statement is None else json.dumps([statement, parameters]).encode()
        digest = hashlib.sha256(said).hexdigest()
        changing = changes_something(method, path, statement)
        return Arrival(method, path, query, caller, changing, (method, path, query, digest))


class _Exchange:
    """A request and its answer, of which parts may be left out."""

    def __init__(
        self, application: Application, scope: Scope, receive: Receive, send: Send, call: Call
    ) -> None:
        self._application = application
        self._scope = scope
        self._receive = receive
        self._send = send
        self._call = call

    async def carry_out(self) -> None:
        self._call.carried_out = True
        await self._application(self._scope, self._receive, self._heard)

    async def carry_out_unheard(self, body: bytes) -> None:
        """Have the effect, and keep the answer back."""
        self._call.carried_out = True

        async def unheard(_message: Message) -> None:
            pass

        await self._application(dict(self._scope), _replayed(body, self._receive), unheard)

    async def answer(self, rule: Rule) -> None:
        headers = {} if rule.retry_after_s is None else {"Retry-After": str(rule.retry_after_s)}
        said = {"error_code": rule.error_code, "message": rule.message}
        response = JSONResponse(said, status_code=rule.status, headers=headers)
        await response(self._scope, self._receive, self._heard)

    async def wait(self, lifted: asyncio.Event) -> None:
        """Until the rules are lifted or the client has gone."""
        waiting = {asyncio.create_task(lifted.wait()), asyncio.ensure_future(self._gone())}
        _done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()

    async def close(self) -> None:
        self._scope["extensions"][CLOSE]()
        await self._gone()

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _heard(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._call.status = message["status"]
        await self._send(message)


class ClosableProtocol(HttpToolsProtocol):
    """HTTP as usual; the application may also close the connection instead of answering."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        cast("Scope", self.scope)["extensions"] = {CLOSE: self.transport.close}


class Rules(BaseModel):
    """The body of PUT."""

    rules: list[Rule]


def router(days: BadDays) -> APIRouter:
    """The routes that ask for bad days, and tell of them."""
    api = APIRouter(prefix=PREFIX, include_in_schema=False)

    @api.put("/rules")
    async def replace(caller: Caller, body: Rules) -> dict[str, Any]:
        _refuse_others(caller)
        days.replace(body.rules)
        return {}

    @api.get("/rules")
    async def rules(caller: Caller) -> dict[str, Any]:
        _refuse_others(caller)
        told = [
            {"rule": it.rule.model_dump(), "seen": it.seen.total(), "fired": it.fired, "holding": it.holding}
            for it in days.standing
        ]
        return {"rules": told}

    @api.delete("/rules")
    async def lift(caller: Caller) -> dict[str, Any]:
        _refuse_others(caller)
        days.replace([])
        return {}

    @api.get("/calls")
    async def calls(request: Request, caller: Caller, since: int = 0) -> dict[str, Any]:
        _refuse_others(caller)
        changing = request.query_params.get("changing") == "true"
        found = [vars(it) for it in days.calls if it.number > since and (it.changing or not changing)]
        return {"calls": found, "last": days.calls[-1].number if days.calls else 0}

    return api


def _refuse_others(caller: Principal) -> None:
    if not caller.admin:
        raise PermissionDenied(f"Bad days are for admins; {caller.name} is none.")


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A channel that gives a body that was read already, then what comes after it."""
    told = False

    async def again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _statement(path: str, body: bytes) -> tuple[str | None, Any]:
    """The SQL that a call brings, with its parameters."""
    if path != "/api/2.0/sql/statements":
        return None, None
    with suppress(ValueError, AttributeError):
        said = json.loads(body)
        return str(said.get("statement")), said.get("parameters")
    return None, None
