"""A real HTTP server that speaks the OpenAI chat protocol as a test tells it to: slowly, wrongly, or not at all.

    with ModelServer(answer=lambda body: completion("four"), latency_s=0.05) as server:
        external_endpoint(client, "my-model", server)
        ...
    assert server.calls[0]["messages"][-1]["content"] == "two and two?"

It runs in a thread on a free port of the loopback and serves many calls at once. `answer` is called for every request with
its parsed body and gives a dict (sent as JSON, status 200) or a `Reply` (any status, headers and bytes). It runs on the
server's own thread and must not block: to be slow is what `latency_s` is for.
"""

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from types import TracebackType
from typing import Any, Self

import uvicorn
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.serving import (
    EndpointCoreConfigInput,
    ExternalModel,
    ExternalModelProvider,
    OpenAiConfig,
    ServedEntityInput,
)

from tests.support.waiting import wait_for

Body = dict[str, Any]
WINDOW_S = 1.0
STOP_SECONDS = 10


@dataclass(frozen=True)
class Reply:
    """An answer that is not simply JSON with status 200.

    Attributes:
        body: JSON, or bytes that are sent as they are.
        latency_s: waits this long instead of what the server usually waits.
    """

    status: int = 200
    body: Body | bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    latency_s: float | None = None


def completion(content: str | None = None, *, tools: Mapping[str, Body] | None = None) -> Body:
    """A chat completion that says `content`, or asks for tools: their names with their arguments."""
    message: Body = {"role": "assistant", "content": content}
    if tools:
        message["tool_calls"] = [
            {
                "id": f"call_{number}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(values)},
            }
            for number, (name, values) in enumerate(tools.items())
        ]
    finish = "tool_calls" if tools else "stop"
    return {
        "id": "chatcmpl-test",
        "object": "chat.completion",
        "created": 0,
        "model": "test-model",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def too_many(retry_after_s: int = 1) -> Reply:
    """What a server says that is called too often."""
    return Reply(
        429, {"error": {"message": "slow down", "type": "rate_limit"}}, {"Retry-After": str(retry_after_s)}
    )


class ModelServer:
    """The server; see the module.

    Args:
        answer: what to say to a body.
        latency_s: how long every answer takes.
        calls_per_second: more calls than this within any second get 429 with Retry-After.

    Attributes:
        url: the base of the protocol, once started: `{url}/chat/completions` is what it answers.
        calls: the bodies that came, in order; those refused for their number are counted in `refused` only.
        authorizations: the Authorization header of each call.
        in_flight_max: the most calls that were being answered at one moment.
    """

    def __init__(
        self,
        answer: Callable[[Body], Body | Reply] = lambda _body: completion("I am a test."),
        *,
        latency_s: float = 0.0,
        calls_per_second: int | None = None,
    ) -> None:
        self.answer = answer
        self.latency_s = latency_s
        self.calls_per_second = calls_per_second
        self.url = ""
        self.calls: list[Body] = []
        self.authorizations: list[str] = []
        self.refused = 0
        self.in_flight_max = 0
        self._in_flight = 0
        self._recent: deque[float] = deque()
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._serve, port=0, log_level="error", access_log=False, lifespan="off", interface="asgi3"
            )
        )
        self._thread = threading.Thread(target=self._server.run, name="model-server", daemon=True)

    def start(self) -> Self:
        """Start serving and return once it does."""
        self._thread.start()
        wait_for(lambda: self._server.started, what="the model server listens")
        self.url = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}/v1"
        return self

    def stop(self) -> None:
        """Stop serving; calls under way are cut off."""
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(STOP_SECONDS)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        content = b""
        while (message := await receive())["type"] == "http.request":
            content += message["body"]
            if not message.get("more_body"):
                break
        self._in_flight += 1
        self.in_flight_max = max(self.in_flight_max, self._in_flight)
        try:
            reply = self._reply(scope, content)
            await asyncio.sleep(self.latency_s if reply.latency_s is None else reply.latency_s)
        finally:
            self._in_flight -= 1
        await _send(reply, send)

    def _reply(self, scope: Any, content: bytes) -> Reply:
        if not scope["path"].endswith("/chat/completions"):
            return Reply(404, {"error": {"message": f"no such path: {scope['path']}"}})
        if self._over_limit():
            self.refused += 1
            return too_many()
        self.calls.append(json.loads(content))
        self.authorizations.append(dict(scope["headers"]).get(b"authorization", b"").decode())
        said = self.answer(self.calls[-1])
        return said if isinstance(said, Reply) else Reply(body=said)

    def _over_limit(self) -> bool:
        if self.calls_per_second is None:
            return False
        now = monotonic()
        while self._recent and self._recent[0] <= now - WINDOW_S:
            self._recent.popleft()
        if len(self._recent) >= self.calls_per_second:
            return True
        self._recent.append(now)
        return False


async def _send(reply: Reply, send: Any) -> None:
    content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
    headers = {"content-type": "application/json", "content-length": str(len(content)), **reply.headers}
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": encoded})
    await send({"type": "http.response.body", "body": content})


def external_endpoint(
    client: WorkspaceClient, name: str, server: ModelServer, *, api_key: str = "a key of the test"
) -> str:
    """A serving endpoint that forwards to `server`, ready to use. Returns its name."""
    model = ExternalModel(
        provider=ExternalModelProvider.OPENAI,
        name="test-model",
        task="llm/v1/chat",
        openai_config=OpenAiConfig(openai_api_base=server.url, openai_api_key_plaintext=api_key),
    )
    entity = ServedEntityInput(name="test-model", external_model=model)
    config = EndpointCoreConfigInput(name=name, served_entities=[entity])
    client.serving_endpoints.create_and_wait(name, config=config)
    return name
