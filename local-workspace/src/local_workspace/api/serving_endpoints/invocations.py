"""`POST /serving-endpoints/NAME/invocations`: ask a model, ours or one elsewhere."""

import asyncio
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from local_workspace.api.serving_endpoints import rules_model
from local_workspace.api.serving_endpoints.forwarding import Forwarder
from local_workspace.api.serving_endpoints.rules import ServingEndpoints
from local_workspace.errors import BadRequest, InvalidParameterValue, NotImplementedHere
from local_workspace.identity import Caller

LARGEST_BODY = 4 * 1024 * 1024
"""Bytes; the platform's limit, too."""

QUICK_BODY = 64 * 1024
"""Bytes; larger chats are answered in a thread, so that others need not wait for them."""


def router(service: ServingEndpoints, forwarder: Forwarder) -> APIRouter:
    """The route of invocations."""
    api = APIRouter()

    @api.post("/serving-endpoints/{name}/invocations")
    async def query(name: str, caller: Caller, request: Request) -> Response:
        endpoint = service.queried(caller, name)
        body = await _body(request)
        chat = _chat(body)
        destination = service.destination(endpoint)
        if destination is None:
            answer = await _from_rules(body)
        else:
            answer = await forwarder.forward(name, destination, chat, via=request.headers.get("via", ""))
        answer.headers["served-model-name"] = endpoint.entity["name"]
        return answer

    return api


async def _from_rules(body: bytes) -> Response:
    try:
        if len(body) <= QUICK_BODY:
            answer = rules_model.answer(body)
        else:
            answer = await asyncio.to_thread(rules_model.answer, body)
    except rules_model.BadRequest as error:
        raise InvalidParameterValue(str(error)) from None
    return Response(orjson.dumps(answer), media_type="application/json")


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY:
            raise BadRequest(
                f"The request is larger than {LARGEST_BODY >> 20} MiB; send fewer or shorter messages."
            )
    return bytes(body)


def _chat(body: bytes) -> dict[str, Any]:
    try:
        chat = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The request is no JSON: {error}.") from None
    if not isinstance(chat, dict):
        raise BadRequest("The request is no JSON object.")
    if not isinstance(chat.get("messages"), list):
        raise InvalidParameterValue("The chat has no list of messages.")
    if chat.get("stream"):
        raise NotImplementedHere("Answers cannot be streamed by the local workspace; leave `stream` out.")
    return chat
