"""The refund agent under test: a made-up order in, what the agent decides about it out. No money, and no record."""

from caspers.agents.evaluation import PLACED, Evaluated, GivenOrder, evaluated, knowing_nothing_in
from caspers.agents.loop import Model
from caspers.agents.order_facts import OrderFacts
from caspers.agents.tools import Tool
from caspers.clock import Clock
from fastapi import APIRouter

from refund_manager.agent import RefundAgent


def router(model: Model, clock: Clock) -> APIRouter:
    """The address below /api/agent."""
    api = APIRouter(prefix="/api/agent", tags=["agent"])

    @api.post("/evaluate")
    async def evaluate(order: GivenOrder) -> Evaluated:
        """Decide the refund of an order whose facts are given; the agent's tools answer from them alone."""
        agent = RefundAgent(model, tools_of(order), clock)
        return evaluated(await agent.decide(order.order_id, order.location_id))

    return api


def tools_of(order: GivenOrder) -> tuple[Tool, ...]:
    """The agent's tools over one given order."""
    unknown = {
        "get_order_details": not order.items,
        "get_order_delivery_time": order.delivery_minutes is None,
        "get_location_timings": order.percentiles is None,
    }
    return knowing_nothing_in(_facts(order).tools(), {name for name, is_so in unknown.items() if is_so})


def _facts(order: GivenOrder) -> OrderFacts:
    of_order = {"order_id": order.order_id, "location_id": order.location_id}
    return OrderFacts(
        order_id=order.order_id,
        location_id=order.location_id,
        location=order.location,
        order_ts=PLACED,
        delivered_ts=order.delivered_ts,
        customer_addr=order.customer_addr,
        details=[
            {
                **of_order,
                "location": order.location,
                "order_ts": PLACED.isoformat(),
                "item_name": item.item,
                "brand": item.brand,
                "qty": item.qty,
                "price": item.price,
                "extended_price": item.extended_price,
            }
            for item in order.items
        ],
        delivery={
            **of_order,
            "created_ts": PLACED.isoformat(),
            "delivered_ts": order.delivered_ts.isoformat(),
            "delivery_minutes": order.delivery_minutes,
        },
        timings=order.percentiles.timings(order.location_id) if order.percentiles else {},
    )
