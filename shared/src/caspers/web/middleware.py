"""What happens around every request: an id that travels, a log line, metrics, headers that protect, an answer to surprises."""

from collections.abc import Callable

import structlog
from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from caspers.clock import Clock
from caspers.ids import IdSource
from caspers.web import problems

REQUESTS = Counter("caspers_http_requests", "HTTP requests answered", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "caspers_http_request_seconds", "Time to the first byte of the answer", ["method", "route"]
)

#: Longer ids, or ids with other characters, are not ours or the proxy's, and are replaced.
_ID_MAX_LENGTH = 64

#: Addresses that are asked for all the time and tell nothing in a log.
_UNLOGGED = frozenset({"/healthz", "/readyz", "/metrics"})

_PROTECTION = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'self'",
}

_log = structlog.get_logger(__name__)


class AroundRequests:
    """ASGI middleware; the outermost, so that it sees what every other layer answers."""

    def __init__(self, app: ASGIApp, clock: Clock, ids: IdSource) -> None:
        self._app = app
        self._clock = clock
        self._ids = ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope["request_id"] = _id_of(Headers(scope=scope), self._ids)
        started_s = self._clock.monotonic()
        answer = _Answer(send, request_id, self._clock.monotonic)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, answer)
            except Exception as error:  # noqa: BLE001  nobody above us could tell the client anything
                problem = problems.surprise(Request(scope), error)
                if answer.began_s is None:
                    await problem(scope, receive, answer)
            finally:
                self._record(scope, answer, started_s)

    def _record(self, scope: Scope, answer: "_Answer", started_s: float) -> None:
        route = getattr(scope.get("route"), "path", "other")
        took_s = (answer.began_s or self._clock.monotonic()) - started_s
        REQUESTS.labels(scope["method"], route, answer.status).inc()
        REQUEST_SECONDS.labels(scope["method"], route).observe(took_s)
        if scope["path"] not in _UNLOGGED:
            _log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=answer.status,
                took_ms=round(took_s * 1000, 1),
            )


class _Answer:
    """The way back to the client: adds headers to the answer and notes its status and first byte."""

    def __init__(self, send: Send, request_id: str, monotonic: Callable[[], float]) -> None:
        self.status = 500
        self.began_s: float | None = None
        self._send = send
        self._request_id = request_id
        self._monotonic = monotonic

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.began_s = self._monotonic()
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self._request_id
            for name, value in _PROTECTION.items():
                headers.setdefault(name, value)
        await self._send(message)


def _id_of(headers: Headers, ids: IdSource) -> str:
    given = headers.get("x-request-id", "")
    usable = given.replace("-", "").isalnum() and given.isascii() and len(given) <= _ID_MAX_LENGTH
    return given if usable else ids()
