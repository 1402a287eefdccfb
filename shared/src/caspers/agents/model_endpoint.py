"""A model behind a serving endpoint of the workspace: chat bodies in, completions out, with limits it keeps to.

Calls go out in the workspace's own identity over kept-alive connections: at most so many at a time and in a minute.
What passes (429, 5xx, time-outs, lost connections) is tried again with growing pauses; when it does not pass, the call
raises `Unavailable`, and after a few of those a circuit saves the model from more. An endpoint belongs to the event
loop of its first call.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from random import Random
from typing import Any, Literal

import aiohttp
import orjson
from databricks.sdk import WorkspaceClient

from caspers.agents.chat import EXCERPT, Completion, NotACompletion, read_completion
from caspers.agents.pacing import CallBudget, Circuit, Pause
from caspers.clients.backoff import Backoff
from caspers.clients.platform_errors import PLATFORM_ERRORS, from_platform
from caspers.clock import Clock
from caspers.errors import CaspersError, Invalid, NotFound, Refused, Unavailable

#: Most bytes of an answer that are read.
ANSWER_BYTES = 8 << 20
#: Seconds that a Retry-After may hold everybody back, at most.
LONGEST_PAUSE_S = 60.0
#: Seconds that an Authorization header is used before the SDK is asked again.
HEADER_S = 20.0

_BACKOFF = Backoff(first_s=0.5, ceiling_s=15.0)
_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_KINDS: dict[int, type[CaspersError]] = {401: Refused, 403: Refused, 404: NotFound}

ModelState = Literal["not asked yet", "answering", "unavailable"]


@dataclass(frozen=True)
class CallLimits:
    """How an endpoint may be used.

    Attributes:
        in_flight: calls at the same time.
        per_minute: calls in a minute.
        timeout_s: seconds one call may take.
        tries: how often a call may fail before it is given up.
        tries_when_busy: how often it may be answered with 429, "too many requests".
        backoff: the pauses between them.
    """

    in_flight: int = 8
    per_minute: int = 3_000
    timeout_s: float = 60.0
    tries: int = 4
    tries_when_busy: int = 12
    backoff: Backoff = _BACKOFF


class ModelRefused(Invalid):
    """The endpoint says that this request makes no sense (a 4xx other than 401, 403, 404, 408 and 429)."""


class ModelEndpoint:
    """The serving endpoint `name`."""

    def __init__(
        self,
        workspace: WorkspaceClient,
        name: str,
        clock: Clock,
        limits: CallLimits | None = None,
        *,
        chance: Random | None = None,
    ) -> None:
        self.name = name
        self.limits = limits = limits or CallLimits()
        self._workspace = workspace
        self._clock = clock
        self._chance = chance or Random()  # noqa: S311  jitter needs no secrecy
        self._places = asyncio.Semaphore(limits.in_flight)
        self._budget = CallBudget(limits.per_minute, burst=limits.in_flight)
        self._pause = Pause()
        self._circuit = Circuit()
        self._closing = asyncio.Event()
        self._session: aiohttp.ClientSession | None = None
        self._header: tuple[float, Mapping[str, str]] = (float("-inf"), {})
        self._asked = False

    @property
    def state(self) -> ModelState:
        """How the endpoint fared lately."""
        if self._circuit.failures:
            return "unavailable"
        return "answering" if self._asked else "not asked yet"

    async def chat(self, body: Mapping[str, Any]) -> Completion:
        """The model's next turn.

        Raises `Unavailable` when the endpoint does not answer, `NotFound` and `Refused` when it is not there or not
        ours to use, `ModelRefused` when it refuses this body, `NotACompletion` when it answers with something else.
        """
        text = orjson.dumps(body)
        async with self._places:
            if not self._circuit.admits(self._clock.monotonic()):
                raise self._unavailable("the last calls failed, and the next try is in a few seconds")
            return await self._insist(text)

    async def close(self) -> None:
        """End waits at once and close the connections."""
        self._closing.set()
        if self._session is not None:
            await self._session.close()

    async def _insist(self, body: bytes) -> Completion:
        """Call until it works, or give up."""
        failures = refusals = 0
        while True:
            await self._turn_comes()
            try:
                return await self._call(body)
            except _Passing as trouble:
                failures, refusals = failures + (not trouble.busy), refusals + trouble.busy
                if failures == self.limits.tries or refusals == self.limits.tries_when_busy:
                    self._circuit.failed(self._clock.monotonic())
                    raise self._unavailable(trouble.what) from trouble
                await self._wait(self._delay_s(trouble, failures + refusals))

    async def _call(self, body: bytes) -> Completion:
        began_s = self._clock.monotonic()
        status, headers, content = await self._post(body)
        if status in _PASSING:
            pause_s = _retry_after_s(headers, self._clock.now())
            raise _Passing(f"HTTP {status}: {_excerpt(content)}", pause_s, busy=status == 429)
        self._asked = True
        self._circuit.succeeded()
        if status != 200:
            kind = _KINDS.get(status, ModelRefused)
            raise kind(f"serving endpoint {self.name} answered HTTP {status}: {_excerpt(content)}")
        return read_completion(content, self._clock.monotonic() - began_s)

    async def _post(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and bytes of the answer; a login that ran out is renewed once."""
        for renewed in (False, True):
            headers = await self._authorization(renew=renewed)
            try:
                answer = await self._send(body, headers)
            except (aiohttp.ClientError, TimeoutError) as error:
                raise _Passing(f"{type(error).__name__} {error}".strip()) from error
            if answer[0] != 401 or renewed:
                return answer
        raise AssertionError("the second answer is returned")

    async def _send(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        address = f"{self._workspace.config.host}/serving-endpoints/{self.name}/invocations"
        async with self._connections().post(
            address, data=body, headers=headers, allow_redirects=False
        ) as response:
            content = bytearray()
            async for block in response.content.iter_any():
                content += block
                if len(content) > ANSWER_BYTES:
                    raise NotACompletion(
                        f"the endpoint's answer is longer than {ANSWER_BYTES >> 20} MiB", _excerpt(content)
                    )
            return response.status, response.headers, bytes(content)

    def _connections(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self.limits.in_flight),
                timeout=aiohttp.ClientTimeout(total=self.limits.timeout_s, sock_connect=5.0),
                headers={"Content-Type": "application/json"},
            )
        return self._session

    async def _authorization(self, *, renew: bool) -> Mapping[str, str]:
        """The header of our identity; the SDK may go to the network for it, so it is asked seldom and in a thread."""
        until_s, header = self._header
        if renew or self._clock.monotonic() >= until_s:
            try:
                header = await asyncio.to_thread(self._workspace.config.authenticate)
            except PLATFORM_ERRORS as error:
                raise from_platform("logging in to the workspace", error) from error
            self._header = (self._clock.monotonic() + HEADER_S, header)
        return header

    async def _turn_comes(self) -> None:
        await self._wait(self._budget.reserve(self._clock.monotonic()))
        while (left_s := self._pause.left_s(self._clock.monotonic())) > 0:
            await self._wait(left_s)

    def _delay_s(self, trouble: "_Passing", attempt: int) -> float:
        if trouble.retry_after_s is not None:
            self._pause.demand(self._clock.monotonic(), min(trouble.retry_after_s, LONGEST_PAUSE_S))
            return 0.0
        return self.limits.backoff.delay_s(attempt, self._chance)

    async def _wait(self, seconds: float) -> None:
        """Wait, unless the endpoint is closed. Raises `Unavailable` then."""
        if seconds > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), seconds)
        if self._closing.is_set():
            raise self._unavailable("it is being closed")

    def _unavailable(self, what: str) -> Unavailable:
        return Unavailable(
            f"serving endpoint {self.name} does not answer: {what}",
            what_now="Look at the endpoint's page in the workspace; the work goes on by itself once it answers.",
        )


class _Passing(Exception):
    """A failure that may pass; `retry_after_s` is the wait that the endpoint asked for."""

    def __init__(self, what: str, retry_after_s: float | None = None, *, busy: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.retry_after_s = retry_after_s
        self.busy = busy


def _excerpt(content: bytes | bytearray) -> str:
    return bytes(content[: 4 * EXCERPT]).decode(errors="replace")[:EXCERPT]


def _retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds of a Retry-After header, which gives seconds or a date; None for none or nonsense."""
    text = headers.get("Retry-After", "")
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (ValueError, TypeError):
        return None
