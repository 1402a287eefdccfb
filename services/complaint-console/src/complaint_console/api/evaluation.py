"""The complaint agent under test: a made-up complaint in, what the agent makes of it out. No credit, and no record."""

from typing import Annotated, Any

from caspers.agents.evaluation import PLACED, Evaluated, GivenOrder, evaluated
from caspers.agents.loop import Model
from caspers.clock import Clock
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from complaint_console.agent import ComplaintAgent, Grievance
from complaint_console.complaint_facts import OrderRecord


class GivenComplaint(BaseModel):
    """A complaint, and all that there is to know of its order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    complaint_id: Annotated[str, Field(min_length=1, max_length=64)]
    text: Annotated[str, Field(max_length=20_000)]
    order: GivenOrder


def router(model: Model, clock: Clock) -> APIRouter:
    """The address below /api/agent."""
    api = APIRouter(prefix="/api/agent", tags=["agent"])

    @api.post("/evaluate")
    async def evaluate(complaint: GivenComplaint) -> Evaluated:
        """Triage a complaint whose facts are given; the agent's tools answer from them alone."""
        order = complaint.order
        agent = ComplaintAgent(model, record_of(order).tools(), clock)
        grievance = Grievance(complaint.complaint_id, order.order_id, order.location_id, complaint.text)
        return evaluated(await agent.triage(grievance))

    return api


def record_of(order: GivenOrder) -> OrderRecord:
    """A given order as the agent's tools tell of it."""
    return OrderRecord(
        order.order_id,
        order.location_id,
        _overview(order) if order.items else None,
        _timing(order) if order.items else None,
        order.percentiles.timings(order.location_id) if order.percentiles else None,
    )


def _overview(order: GivenOrder) -> dict[str, Any]:
    return {
        "order_id": order.order_id,
        "location_id": order.location_id,
        "location": order.location,
        "order_ts": PLACED.isoformat(),
        "order_total": round(sum(item.extended_price for item in order.items), 2),
        "items": [{**item.model_dump(), "extended_price": item.extended_price} for item in order.items],
        "customer_addr": order.customer_addr,
    }


def _timing(order: GivenOrder) -> dict[str, Any]:
    """The one step that the policy asks for; an order under way has not come to it."""
    delivered = None if order.delivery_minutes is None else order.delivered_ts.isoformat()
    return {
        "order_id": order.order_id,
        "created_ts": PLACED.isoformat(),
        "delivered_ts": delivered,
        "delivery_minutes": order.delivery_minutes,
    }
