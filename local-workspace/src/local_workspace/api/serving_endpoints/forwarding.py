"""Passes chats on to model servers elsewhere, and their answers back as they come: status, body, Retry-After.

The connections serve all endpoints and are kept; nothing is tried twice, as the caller knows best whether it pays. Keys go into the
request's headers and nowhere else.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import aiohttp
import orjson
from fastapi import Response

from local_workspace.api.serving_endpoints.entities import Destination
from local_workspace.errors import ApiError, BadRequest

CONNECT_WITHIN_S = 10.0
ANSWER_WITHIN_S = 120.0
LARGEST_ANSWER = 16 * 1024 * 1024
"""Bytes."""

HOP = "1.1 local-workspace"
MOST_HOPS = 3
PASSED_HEADERS = ("content-type", "retry-after")


class ModelUnreachable(ApiError):
    """The model's server cannot be reached, or broke off."""

    status: ClassVar[int] = 502
    code: ClassVar[str] = "BAD_GATEWAY"


class ModelTooSlow(ApiError):
    """The model's server took longer than we wait."""

    status: ClassVar[int] = 504
    code: ClassVar[str] = "DEADLINE_EXCEEDED"


class Forwarder:
    """Calls model servers.

    Args:
        answer_within_s: how long a server may take for a whole answer.
    """

    def __init__(self, *, answer_within_s: float = ANSWER_WITHIN_S) -> None:
        self._answer_within_s = answer_within_s
        self._session: aiohttp.ClientSession | None = None

    async def forward(
        self, endpoint: str, destination: Destination, chat: Mapping[str, Any], *, via: str = ""
    ) -> Response:
        """The server's answer to a chat; `via` is the header of that name, which counts how often it was forwarded.

        Raises:
            ModelUnreachable, ModelTooSlow: there is none.
            BadRequest: the chat goes round in a circle.
        """
        if via.count(HOP) >= MOST_HOPS:
            raise BadRequest(
                f"Serving endpoint {endpoint} is part of a circle of endpoints; change one of them."
            )
        headers = {
            "Content-Type": "application/json",
            "Via": f"{via}, {HOP}".strip(", "),
            **destination.headers,
        }
        model = f"The model behind serving endpoint {endpoint}"
        try:
            return await self._answer(destination, chat, headers)
        except TimeoutError:
            raise ModelTooSlow(f"{model} did not answer within {self._answer_within_s:g} s.") from None
        except _TooLarge:
            raise ModelUnreachable(f"{model} answered with more than {LARGEST_ANSWER >> 20} MiB.") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise ModelUnreachable(
                f"{model} cannot be reached ({type(error).__name__}): is its address right, and is its server running?"
            ) from None

    async def _answer(
        self, destination: Destination, chat: Mapping[str, Any], headers: dict[str, str]
    ) -> Response:
        body = dict(chat) if destination.model is None else {**chat, "model": destination.model}
        limits = aiohttp.ClientTimeout(total=self._answer_within_s, sock_connect=CONNECT_WITHIN_S)
        async with self._connections().post(
            destination.url, data=orjson.dumps(body), headers=headers, timeout=limits, allow_redirects=False
        ) as answer:
            content = bytearray()
            async for piece in answer.content.iter_any():
                content += piece
                if len(content) > LARGEST_ANSWER:
                    raise _TooLarge
        passed = {
            name: value
            for name, value in answer.headers.items()
            if name.lower() in PASSED_HEADERS and value.isascii()
        }
        return Response(bytes(content), answer.status, passed)

    def _connections(self) -> aiohttp.ClientSession:
        """One pool for all endpoints; it belongs to the event loop of the first chat."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), auto_decompress=True
            )
        return self._session

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


class _TooLarge(Exception):
    """An answer that is no chat completion, whatever else it may be."""
