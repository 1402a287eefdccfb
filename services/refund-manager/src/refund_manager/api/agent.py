"""The refund agent for programs: one order in, a chat completion out whose content is the answer as JSON.

Only the order's id is taken from what is asked; the rest of the text reaches no model. The run is recorded like any
other, and comes along with its steps.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from caspers.agents.loop import Model
from caspers.agents.order_facts import OfOrder
from caspers.agents.run_log import RunLog
from caspers.agents.runs import Run
from caspers.agents.shown import RunShown
from caspers.agents.tools import Tool
from caspers.clock import Clock
from caspers.errors import Invalid, NotFound
from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from refund_manager.agent import RefundAgent, RefundAnswer, checked_id
from refund_manager.recommendations import response_text

_ORDER = re.compile(r"\border\s+([A-Za-z0-9_-]+)", re.IGNORECASE)
#: Longest message that is read, in characters.
LONGEST_MESSAGE = 10_000


class ChatMessage(BaseModel):
    """A message of a conversation."""

    role: str
    content: Annotated[str, Field(max_length=LONGEST_MESSAGE)]


class Question(BaseModel):
    """What is asked, in the chat format; the last user message names the order: "order ABC123"."""

    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=100)]


class Choice(BaseModel):
    """The one answer."""

    index: int = 0
    message: ChatMessage
    finish_reason: str = "stop"


class Completion(BaseModel):
    """A chat completion, and the run behind it."""

    id: str
    object: str = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: dict[str, int]
    run: RunShown


@dataclass(frozen=True)
class AgentDesk:
    """What the addresses work with."""

    model: Model
    tools: Sequence[Tool]
    run_log: RunLog
    clock: Clock


def router(desk: AgentDesk) -> APIRouter:
    """The addresses below /api/agent."""
    api = APIRouter(prefix="/api/agent", tags=["agent"])
    agent = RefundAgent(desk.model, desk.tools, desk.clock)

    @api.post("/invocations")
    async def invoke(question: Question) -> Completion:
        """Decide the refund of an order; nothing is paid by it."""
        order_id = _order_in(question)
        run = await agent.decide(order_id, await _location_of(order_id, desk.tools))
        await run_in_threadpool(desk.run_log.keep, [run])
        return _completion(run)

    return api


def _order_in(question: Question) -> str:
    asked = next((message.content for message in reversed(question.messages) if message.role == "user"), "")
    found = _ORDER.search(asked)
    if found is None:
        raise Invalid(
            "the last user message names no order", what_now='Ask for "order" and its id: order ABC123.'
        )
    return checked_id(found[1])


async def _location_of(order_id: str, tools: Sequence[Tool]) -> int:
    """Where an order was placed. Raises `NotFound`."""
    details = next(tool for tool in tools if tool.name == "get_order_details")
    rows = await details.run(OfOrder(oid=order_id))
    if not rows:
        raise NotFound(
            f"there is no order {order_id}", what_now="It may not have arrived yet; look at its id."
        )
    return rows[0]["location_id"]


def _completion(run: Run[RefundAnswer]) -> Completion:
    return Completion(
        id=f"chatcmpl-{run.run_id}",
        created=int(run.started_at.timestamp()),
        model=run.model,
        choices=[Choice(message=ChatMessage(role="assistant", content=response_text(run)))],
        usage={
            "prompt_tokens": run.prompt_tokens,
            "completion_tokens": run.completion_tokens,
            "total_tokens": run.prompt_tokens + run.completion_tokens,
        },
        run=RunShown.of(run),
    )
