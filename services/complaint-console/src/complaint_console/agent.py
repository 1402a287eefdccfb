"""The complaint agent: what it is asked, what it may use, and which of its answers hold.

An answer holds when its parts fit each other, when the credit is one that the policy gives for the facts, when the numbers of
its rationale come from the tools, and when its reply promises the credit and nothing else. What the complaint's text asks
for plays no part in that. The model is told what is wrong and may try again; without an answer that holds a person gets the
case, with a rationale that says so.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Self

from caspers.agents.answers import Usd
from caspers.agents.cited_numbers import numbers_in, strangers
from caspers.agents.loop import AgentSpec, Model, Task, run_agent
from caspers.agents.runs import Run
from caspers.agents.tools import Tool, ToolStep
from caspers.clock import Clock
from caspers.errors import Invalid
from pydantic import BaseModel, ConfigDict, Field, model_validator

from complaint_console import policy
from complaint_console.complaint_facts import OrderRecord, record_of
from complaint_console.complaint_mix import Category
from complaint_console.concerns import named
from complaint_console.policy import Confidence, Decision, Priority
from complaint_console.prompt import AGENT, AGENT_VERSION, INSTRUCTIONS, fenced, task

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PERCENTS = {
    Decimal(percent)
    for percent in (
        policy.LATE_PERCENT,
        policy.VERY_LATE_PERCENT,
        policy.QUALITY_PERCENT,
        policy.SPOILT_PERCENT,
    )
}
#: What a reply must not promise or hold, whoever asks for it.
_PROMISES = re.compile(
    r"\b(refund\w*|reimburse\w*|vouchers?|coupons?|gift ?cards?|promo\w*|discounts?|replacements?|for free|free of charge"
    r"|free (meal|delivery|order|food)s?|compensat\w*|money back)\b|% off|https?:|www\.|\S@\S",
    re.IGNORECASE,
)
_MONEY = re.compile(
    r"(?:\$|€|£|\busd)\s*(\d[\d,]*(?:\.\d+)?)|(\d[\d,]*(?:\.\d+)?)\s*(?:\$|€|£|usd\b|dollars?\b|euros?\b|bucks\b)",
    re.IGNORECASE,
)


class ComplaintAnswer(BaseModel):
    """What the agent decides: a suggestion has an amount and a confidence, an escalation a priority."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    order_id: str
    complaint_category: Category
    decision: Decision
    credit_amount: Usd | None = None
    confidence: Confidence | None = None
    priority: Priority | None = None
    rationale: Annotated[str, Field(min_length=1, max_length=1_500)]
    customer_response: Annotated[str, Field(min_length=1, max_length=2_000)]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        suggested = self.decision is Decision.SUGGEST_CREDIT
        if suggested != (self.credit_amount is not None) or suggested != (self.confidence is not None):
            raise ValueError("suggest_credit, and nothing else, has a credit_amount and a confidence")
        if suggested == (self.priority is not None):
            raise ValueError("escalate, and nothing else, has a priority")
        if self.credit_amount is not None and self.credit_amount % policy.STEP_USD:
            raise ValueError(f"credit_amount is a multiple of {policy.STEP_USD}")
        return self


SPEC = AgentSpec(AGENT, AGENT_VERSION, INSTRUCTIONS, ComplaintAnswer)
#: A serving endpoint that is an agent has its own instructions and tools: it gets the task alone.
ENDPOINT_SPEC = AgentSpec(AGENT, AGENT_VERSION, "", ComplaintAnswer)


class NotAnId(Invalid):
    """The text cannot be the id of an order or a complaint."""


@dataclass(frozen=True)
class Grievance:
    """A complaint as the agent sees it. Ids are the part that stands outside the marks. Raises `NotAnId`."""

    complaint_id: str
    order_id: str
    location_id: int
    text: str

    def __post_init__(self) -> None:
        for text in (self.complaint_id, self.order_id):
            if not _ID.fullmatch(text):
                raise NotAnId(
                    f"{text[:80]!r} is no id",
                    what_now="Use 1 to 64 letters, digits, hyphens and underscores.",
                )

    @property
    def task(self) -> str:
        return task(self.complaint_id, self.order_id, self.location_id, self.text)


@dataclass(frozen=True)
class ComplaintAgent:
    """Triages complaints with a model and tools over the order's facts."""

    model: Model
    tools: Sequence[Tool]
    clock: Clock

    async def triage(self, grievance: Grievance) -> Run[ComplaintAnswer]:
        """The run for one complaint, whatever came of it. Raises `Unavailable` with nothing decided."""

        def fault(answer: ComplaintAnswer, steps: Sequence[ToolStep]) -> str:
            record = record_of(grievance.order_id, grievance.location_id, steps)
            return answer_fault(answer, grievance, record)

        asked = Task(grievance.complaint_id, grievance.task, self.tools, fault)
        return await run_agent(SPEC, asked, self.model, self.clock)


async def ask_endpoint(
    endpoint: Model, grievance: Grievance, record: OrderRecord, clock: Clock
) -> Run[ComplaintAnswer]:
    """The run of a serving endpoint that is an agent; its answers hold, or do not, as ours."""

    def fault(answer: ComplaintAnswer, _steps: Sequence[ToolStep]) -> str:
        return answer_fault(answer, grievance, record)

    asked = Task(grievance.complaint_id, grievance.task, fault=fault)
    return await run_agent(ENDPOINT_SPEC, asked, endpoint, clock)


def answer_fault(answer: ComplaintAnswer, grievance: Grievance, record: OrderRecord) -> str:
    """What is wrong with an answer to a complaint, given all that was known of its order; empty when it holds."""
    if answer.order_id != grievance.order_id:
        return f"the complaint is recorded for order {grievance.order_id}"
    return (
        _decision_fault(answer, grievance, record)
        or _rationale_fault(answer, grievance, record)
        or _reply_fault(answer, grievance, record)
    )


def last_resort(run: Run[ComplaintAnswer], order_id: str) -> ComplaintAnswer:
    """What stands where a run gave no answer that holds: a person has to look at the case."""
    return ComplaintAnswer(
        order_id=order_id,
        complaint_category=Category.OTHER,
        decision=Decision.ESCALATE,
        priority=Priority.STANDARD,
        rationale=f"The agent found no answer that holds, so nothing is suggested: {run.error}"[:1_500],
        customer_response="Thank you for writing to us. A member of our team will look at your message and answer you.",
    )


def _decision_fault(answer: ComplaintAnswer, grievance: Grievance, record: OrderRecord) -> str:
    if policy.is_urgent(fenced(grievance.text)) and answer.priority is not Priority.URGENT:
        return "the complaint speaks of legal steps or harm to health: escalate it, urgent"
    if answer.credit_amount is None:
        return ""
    if (order := record.known) is None:
        return f"nothing is known of order {grievance.order_id}; call get_order_overview, or escalate"
    if answer.credit_amount > order.total_usd:
        return f"the credit of {answer.credit_amount} is more than the order cost ({order.total_usd})"
    prices = [Decimal(str(item["extended_price"])) for item in named(fenced(grievance.text), record.items)]
    return policy.credit_fault(answer.complaint_category, answer.credit_amount, order, prices)


def _rationale_fault(answer: ComplaintAnswer, grievance: Grievance, record: OrderRecord) -> str:
    unknown = strangers(_without_ids(answer.rationale, grievance), _numbers(answer, record), _PERCENTS)
    return f"the rationale cites numbers that no tool gave: {', '.join(unknown)}" if unknown else ""


def _reply_fault(answer: ComplaintAnswer, grievance: Grievance, record: OrderRecord) -> str:
    reply = _without_ids(answer.customer_response, grievance)
    if promise := _PROMISES.search(reply):
        return f"the reply must not speak of {promise.group()!r}: it promises the credit and nothing else"
    sums = {Decimal((before or behind).replace(",", "")) for before, behind in _MONEY.findall(reply)}
    if sums - {answer.credit_amount}:
        return "the reply names an amount of money that is not the credit"
    if unknown := strangers(reply, _numbers(answer, record)):
        return f"the reply cites numbers that no tool gave: {', '.join(unknown)}"
    return ""


def _numbers(answer: ComplaintAnswer, record: OrderRecord) -> set[Decimal]:
    """The numbers that an answer may cite."""
    known = numbers_in([record.overview, record.timing, record.percentiles])
    return known if answer.credit_amount is None else known | {answer.credit_amount}


def _without_ids(text: str, grievance: Grievance) -> str:
    """The text without the ids that it may repeat, whose digits are no numbers."""
    return text.replace(grievance.order_id, "").replace(grievance.complaint_id, "")
