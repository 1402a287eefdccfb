"""Putting an agent to the test: an order as a labelled set describes it, and what an agent made of it.

The tools of an agent under test answer from the given facts, so that a case means the same everywhere and for ever.
Nothing of it is recorded as a run of the demo.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from caspers.agents.runs import Run
from caspers.agents.tools import Arguments, Rows, Tool, plain_row

#: When the orders of labelled sets are placed.
PLACED = datetime(2024, 5, 4, 18, tzinfo=UTC)

Minutes = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GivenItem(_Given):
    """An item of an order; `price` is that of one."""

    item: str
    brand: str = "Ladle"
    qty: Annotated[int, Field(ge=1, le=1_000)] = 1
    price: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]

    @property
    def extended_price(self) -> float:
        return round(self.qty * self.price, 2)


class GivenPercentiles(_Given):
    """Delivery minutes at the order's location."""

    p50: Minutes
    p75: Minutes
    p99: Minutes

    def timings(self, location_id: int) -> dict[str, Any]:
        """The row that get_location_timings has of it."""
        return {
            "location_id": location_id,
            "orders": 240,
            "p50_minutes": self.p50,
            "p75_minutes": self.p75,
            "p99_minutes": self.p99,
            "from_ts": (PLACED - timedelta(days=1)).isoformat(),
            "until_ts": PLACED.isoformat(),
        }


class GivenOrder(_Given):
    """An order: no items means that nobody knows it, no delivery minutes that it is still under way."""

    order_id: Annotated[str, Field(min_length=1, max_length=64)]
    location_id: int = 1
    location: str = "Chicago"
    customer_addr: str = "1 Elm St"
    items: Annotated[tuple[GivenItem, ...], Field(max_length=100)] = ()
    delivery_minutes: Minutes | None = None
    percentiles: GivenPercentiles | None = None

    @property
    def delivered_ts(self) -> datetime:
        return PLACED + timedelta(minutes=self.delivery_minutes or 0)


class Evaluated(BaseModel):
    """What an agent made of a case; `answer` is there when `outcome` is "answered"."""

    outcome: str
    answer: dict[str, Any] | None
    error: str | None
    origin: str
    model: str
    agent_version: str
    tools: list[str]
    turns: int
    took_ms: float
    prompt_tokens: int
    completion_tokens: int


def evaluated(run: Run[Any]) -> Evaluated:
    """A run, as whoever evaluates it wants to see it."""
    return Evaluated(
        outcome=run.outcome,
        answer=None if run.answer is None else plain_row(run.answer.model_dump()),
        error=run.error,
        origin=run.origin,
        model=run.model,
        agent_version=run.agent_version,
        tools=[step.tool for step in run.steps],
        turns=run.turns,
        took_ms=run.took_ms,
        prompt_tokens=run.prompt_tokens,
        completion_tokens=run.completion_tokens,
    )


def knowing_nothing_in(tools: Sequence[Tool], names: Collection[str]) -> tuple[Tool, ...]:
    """The same tools, of which those named return no row."""

    async def nothing(_arguments: Arguments) -> Rows:
        return []

    return tuple(replace(tool, run=nothing) if tool.name in names else tool for tool in tools)
