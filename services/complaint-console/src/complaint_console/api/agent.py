"""The complaint agent for programs, in the Responses format: a complaint in, the triage out as JSON.

The order is what `metadata` says, or what the text calls an order; a text that names none is triaged as one about an order
that nobody knows. The run is recorded like any other, and comes along with its steps.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from caspers.agents.loop import Model
from caspers.agents.run_log import RunLog
from caspers.agents.runs import Run
from caspers.agents.shown import RunShown
from caspers.agents.tools import Tool
from caspers.clock import Clock
from caspers.errors import Invalid
from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from complaint_console.agent import ComplaintAgent, ComplaintAnswer, Grievance
from complaint_console.complaint_facts import OfOrder
from complaint_console.prompt import asked_about
from complaint_console.responses import response_text

#: Longest text that is read, in characters.
LONGEST_INPUT = 20_000
#: Whose complaint it is where nobody says so, and which order it is about.
UNKNOWN = "unknown"

_ORDER = re.compile(r"\border\s+(?:number\s+|no\.?\s+|id\s+)?[#:]?\s*([A-Za-z0-9_-]*[A-Z0-9][A-Za-z0-9_-]*)")

Text = Annotated[str, Field(max_length=LONGEST_INPUT)]


class Content(BaseModel):
    """A piece of a message."""

    type: str = "input_text"
    text: Text = ""


class InputMessage(BaseModel):
    """A message of a conversation."""

    role: str
    content: Text | list[Content]

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "\n".join(piece.text for piece in self.content)


class About(BaseModel):
    """What is known of the complaint besides its text."""

    order_id: str | None = None
    complaint_id: str | None = None


class Question(BaseModel):
    """A complaint; of messages the last one of the user counts."""

    input: Text | Annotated[list[InputMessage], Field(min_length=1, max_length=100)]
    metadata: About = About()


class OutputText(BaseModel):
    """The answer as text: a JSON object."""

    type: Literal["output_text"] = "output_text"
    text: str
    annotations: list[Any] = []


class OutputMessage(BaseModel):
    """The one message of an answer."""

    id: str
    type: Literal["message"] = "message"
    role: Literal["assistant"] = "assistant"
    status: Literal["completed"] = "completed"
    content: list[OutputText]


class Usage(BaseModel):
    """Tokens that the model read and wrote."""

    input_tokens: int
    output_tokens: int
    total_tokens: int


class AgentResponse(BaseModel):
    """An answer in the Responses format, and the run behind it."""

    id: str
    object: Literal["response"] = "response"
    created_at: int
    model: str
    status: Literal["completed"] = "completed"
    output: list[OutputMessage]
    usage: Usage
    run: RunShown


@dataclass(frozen=True)
class AgentDesk:
    """What the address works with."""

    model: Model
    tools: Sequence[Tool]
    run_log: RunLog
    clock: Clock


def router(desk: AgentDesk) -> APIRouter:
    """The address below /api/agent."""
    api = APIRouter(prefix="/api/agent", tags=["agent"])
    agent = ComplaintAgent(desk.model, desk.tools, desk.clock)

    @api.post("/responses")
    async def respond(question: Question) -> AgentResponse:
        """Triage a complaint; nothing is credited or sent by it."""
        grievance = await _grievance(question, desk.tools)
        run = await agent.triage(grievance)
        await run_in_threadpool(desk.run_log.keep, [run])
        return _response(run, grievance.order_id)

    return api


async def _grievance(question: Question, tools: Sequence[Tool]) -> Grievance:
    """The complaint in a question, be it a text or the task that a worker sends to an agent."""
    text = _text(question)
    if asked := asked_about(text):
        complaint_id, order_id, text = asked
    else:
        about = question.metadata
        complaint_id, order_id = about.complaint_id or UNKNOWN, about.order_id or _order_in(text)
    return Grievance(complaint_id, order_id, await _location_of(order_id, tools), text)


def _text(question: Question) -> str:
    if isinstance(question.input, str):
        return question.input
    asked = next((message.text for message in reversed(question.input) if message.role == "user"), None)
    if asked is None:
        raise Invalid(
            "there is no message of a user", what_now="Send the complaint as a message of role user."
        )
    return asked


def _order_in(text: str) -> str:
    found = _ORDER.search(text)
    return found[1][:64] if found else UNKNOWN


async def _location_of(order_id: str, tools: Sequence[Tool]) -> int:
    """Where an order was placed; 0 for an order that nobody knows."""
    overview = next(tool for tool in tools if tool.name == "get_order_overview")
    rows = await overview.run(OfOrder(oid=order_id))
    return rows[0]["location_id"] if rows else 0


def _response(run: Run[ComplaintAnswer], order_id: str) -> AgentResponse:
    return AgentResponse(
        id=f"resp_{run.run_id}",
        created_at=int(run.started_at.timestamp()),
        model=run.model,
        output=[
            OutputMessage(id=f"msg_{run.run_id}", content=[OutputText(text=response_text(run, order_id))])
        ],
        usage=Usage(
            input_tokens=run.prompt_tokens,
            output_tokens=run.completion_tokens,
            total_tokens=run.prompt_tokens + run.completion_tokens,
        ),
        run=RunShown.of(run),
    )
