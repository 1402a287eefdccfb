"""The refund agent: what it is asked, what it may use, and which of its answers hold.

An answer holds when class and amount fit each other and the order, and when every number that its reason cites is one
that the tools gave (or the refund, the order's total, the policy's percentage). The model is told what is wrong and
may try again; without an answer that holds the run ends as an error, which only a person can turn into money.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from caspers.agents.answers import Usd
from caspers.agents.cited_numbers import numbers_in, strangers
from caspers.agents.loop import AgentSpec, Model, Task, run_agent
from caspers.agents.order_facts import OrderFacts, total_usd
from caspers.agents.runs import Run
from caspers.agents.tools import Rows, Tool, ToolStep
from caspers.clock import Clock
from caspers.errors import Invalid
from pydantic import BaseModel, ConfigDict, Field

from refund_manager import policy
from refund_manager.policy import RefundClass
from refund_manager.prompt import AGENT, AGENT_VERSION, INSTRUCTIONS, task

_ORDER_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class RefundAnswer(BaseModel):
    """What the agent decides."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    refund_usd: Usd
    refund_class: RefundClass
    reason: Annotated[str, Field(min_length=1, max_length=600)]


SPEC = AgentSpec(AGENT, AGENT_VERSION, INSTRUCTIONS, RefundAnswer)
#: A serving endpoint that is an agent has its own instructions and tools: it gets the task alone.
ENDPOINT_SPEC = AgentSpec(AGENT, AGENT_VERSION, "", RefundAnswer)


class NotAnOrderId(Invalid):
    """The text cannot be the id of an order."""


@dataclass(frozen=True)
class RefundAgent:
    """Decides refunds with a model and tools over the order's facts."""

    model: Model
    tools: Sequence[Tool]
    clock: Clock

    async def decide(self, order_id: str, location_id: int) -> Run[RefundAnswer]:
        """The run for one order, whatever came of it. Raises `NotAnOrderId`, and `Unavailable` with nothing decided."""

        def fault(answer: RefundAnswer, steps: Sequence[ToolStep]) -> str:
            details = _details(order_id, steps)
            if not details:
                return f"call get_order_details for order {order_id} first"
            return answer_fault(answer, details, [step.rows for step in steps])

        def hopeless(steps: Sequence[ToolStep]) -> str:
            asked_for = ({"oid": order_id}, {"loc": location_id})
            empty = [step.tool for step in steps if step.arguments in asked_for and not step.rows]
            return (
                f"nothing is known of order {order_id}: {', '.join(empty)} returned no row" if empty else ""
            )

        asked = Task(order_id, task(checked_id(order_id), location_id), self.tools, fault, hopeless)
        return await run_agent(SPEC, asked, self.model, self.clock)


async def ask_endpoint(endpoint: Model, facts: OrderFacts, clock: Clock) -> Run[RefundAnswer]:
    """The run of a serving endpoint that is an agent; its answers hold, or do not, as ours."""
    evidence = [facts.details, [facts.delivery], [facts.timings]]

    def fault(answer: RefundAnswer, _steps: Sequence[ToolStep]) -> str:
        return answer_fault(answer, facts.details, evidence)

    message = task(checked_id(facts.order_id), facts.location_id)
    return await run_agent(ENDPOINT_SPEC, Task(facts.order_id, message, fault=fault), endpoint, clock)


def answer_fault(answer: RefundAnswer, details: Rows, evidence: Sequence[Rows]) -> str:
    """What is wrong with an answer about an order of these items, given all that was known; empty when it holds."""
    total = total_usd(details)
    if wrong := policy.fault(answer.refund_class, answer.refund_usd, total):
        return wrong
    known = numbers_in(evidence) | {total, answer.refund_usd}
    if unknown := strangers(answer.reason, known, {Decimal(policy.PARTIAL_PERCENT)}):
        return f"the reason cites numbers that no tool gave: {', '.join(unknown)}"
    return ""


def checked_id(order_id: str) -> str:
    """The id, if it can be one. Raises `NotAnOrderId`: an id is the one part of an order that reaches the prompt."""
    if not _ORDER_ID.fullmatch(order_id):
        raise NotAnOrderId(
            f"{order_id[:80]!r} is no order id",
            what_now="Use 1 to 64 letters, digits, hyphens and underscores.",
        )
    return order_id


def _details(order_id: str, steps: Sequence[ToolStep]) -> Rows:
    about = (step for step in steps if step.tool == "get_order_details" and _is_about(order_id, step))
    return next((step.rows for step in about if step.rows), [])


def _is_about(order_id: str, step: ToolStep) -> bool:
    return step.arguments == {"oid": order_id}
