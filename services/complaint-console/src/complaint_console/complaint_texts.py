"""The writer of complaints: from an order's facts and the plan of its complaint to what the customer says.

A text holds when it calls the order as planned: by its number, by a wrong one, or not at all. The model is told what is
wrong and may try again; when nothing comes of it, the plainest sentence is said instead, and the record says whose it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from caspers.agents.loop import AgentSpec, Model, RunLimits, Task, run_agent
from caspers.agents.order_facts import OrderFacts
from caspers.agents.runs import Run
from caspers.agents.tools import ToolStep
from caspers.clock import Clock
from pydantic import BaseModel, ConfigDict, Field

from complaint_console.complaint_mix import Category, Plan, Variant, plan_of
from complaint_console.text_prompt import AGENT, AGENT_VERSION, instructions, task

#: Longest part of a name that reaches the prompt, in characters.
LONGEST_NAME = 80

_LIMITS = RunLimits(turns=3, answer_tokens=500)
#: Dishes that nobody has on the menu, for customers who never ordered them.
_STRANGERS = (
    "Lobster Thermidor",
    "Truffle Omelette",
    "Beef Wellington",
    "Oysters Rockefeller",
    "Duck Confit",
)
_PLAINEST = {
    Category.DELIVERY_DELAY: "The delivery of my order {order_id} was too slow.",
    Category.MISSING_ITEMS: "Something was missing from my order {order_id}.",
    Category.FOOD_QUALITY: "The food of my order {order_id} was not good.",
    Category.SERVICE_ISSUE: "I was treated badly with my order {order_id}.",
    Category.OTHER: "I am not happy with my order {order_id}.",
}


class ComplaintText(BaseModel):
    """What the writer answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: Annotated[str, Field(min_length=1, max_length=2_000)]


SPECS = {
    category: AgentSpec(AGENT, AGENT_VERSION, instructions(category), ComplaintText, _LIMITS)
    for category in Category
}


@dataclass(frozen=True)
class ComplaintWriter:
    """Writes complaints with a model."""

    model: Model
    clock: Clock

    async def write(self, facts: OrderFacts) -> Run[ComplaintText]:
        """The run for one order's complaint, whatever came of it. Raises `Unavailable` with nothing written."""
        plan = plan_of(facts.order_id)

        def fault(answer: ComplaintText, _steps: Sequence[ToolStep]) -> str:
            return text_fault(answer.text, plan, facts.order_id)

        asked = Task(facts.order_id, task(plan, _told(plan, facts)), fault=fault)
        return await run_agent(SPECS[plan.category], asked, self.model, self.clock)


def text_fault(text: str, plan: Plan, order_id: str) -> str:
    """Why a text does not fit the plan for this order; empty when it does."""
    cited, real = _cited_id(plan, order_id), _one_line(order_id)
    if plan.names_an_order and cited not in text:
        return f"the message does not call the order {cited}"
    if cited != real and real in text:
        return f"the message names order {real}, and it must not"
    return ""


def plainest_text(order_id: str) -> str:
    """What is said for a writer that wrote nothing, or of an order of which nothing is known."""
    return _PLAINEST[plan_of(order_id).category].format(order_id=_one_line(order_id))


def _told(plan: Plan, facts: OrderFacts) -> dict[str, str]:
    """The facts for the writer, by the names of their places in the wordings."""
    dishes = sorted({_one_line(row["item_name"]) for row in facts.details})
    never_ordered = [dish for dish in _STRANGERS if dish not in dishes]
    cited = _cited_id(plan, facts.order_id)
    return {
        "ref": f"order {cited}" if cited else "my order",
        "this": f"Order {cited}" if cited else "My order",
        "location": _one_line(facts.location),
        "placed": f"{facts.order_ts:%H:%M}",
        "delivered": f"{facts.delivered_ts:%H:%M}",
        "minutes": f"{facts.delivery['delivery_minutes']:.0f}",
        "item": dishes[plan.wording % len(dishes)],
        "second": dishes[(plan.wording + 1) % len(dishes)],
        "stranger": never_ordered[plan.wording % len(never_ordered)],
    }


def _cited_id(plan: Plan, order_id: str) -> str:
    """The number by which the customer calls the order; nothing where none is given."""
    if plan.variant is Variant.NO_ORDER_ID:
        return ""
    real = _one_line(order_id)
    return real[::-1] if plan.variant is Variant.WRONG_ORDER_ID else real


def _one_line(name: str) -> str:
    """A name as it may stand in the prompt: names are data, and not ours."""
    return " ".join(name.replace("<", " ").replace(">", " ").split())[:LONGEST_NAME]
