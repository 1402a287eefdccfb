"""What an agent worker does all day: items come from somewhere, facts belong to them, a run decides, results are kept.

No I/O. `Work` is what differs between the workers; `caspers.agents.shift` is what they have in common.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from caspers.agents.answers import faults_of
from caspers.agents.model_endpoint import ModelEndpoint
from caspers.agents.runs import Run
from caspers.errors import Invalid
from caspers.settings import PositiveInt


class ShiftOrders(BaseModel):
    """The parameters that every agent worker has; `endpoint` is a serving endpoint that is the agent, if any."""

    model: str = ""
    endpoint: str = ""
    calls_in_flight: PositiveInt = 8
    calls_per_minute: PositiveInt = 3_000


class InvalidOrders(Invalid):
    """The parameters of a worker's orders make no sense."""


class Item(Protocol):
    """Something to decide: what it is about (its key), and whether it goes before the history."""

    @property
    def subject(self) -> str: ...

    @property
    def live(self) -> bool: ...


O = TypeVar("O", bound=ShiftOrders)  # noqa: E741  one letter reads well in Work[O, I, F, A]
I = TypeVar("I", bound=Item)  # noqa: E741  likewise
F = TypeVar("F")
A = TypeVar("A")


@dataclass(frozen=True)
class Finished(Generic[I, F, A]):
    """What came of an item, when (wall clock), and the facts it rests on."""

    item: I
    facts: F
    run: Run[A]
    at: datetime


class Work(Protocol[O, I, F, A]):
    """The part of an agent worker that is its own.

    All methods but `decide` may block; they are called one at a time, so that one warehouse session will do. What they
    raise ends the step.
    """

    @property
    def done_word(self) -> str:
        """What the progress calls the number of items done: "recommended"."""
        ...

    @property
    def orders(self) -> type[O]:
        """The shape of the worker's parameters."""
        ...

    def begin(self, orders: O) -> str:
        """Follow these orders from now on; what there is to wait for before any work can be done, or nothing.

        Called before every shift. `NotFound` says that the tables are not there yet.
        """
        ...

    def news(self) -> bool:
        """Whether anything may have come in since the last call; costs little."""
        ...

    def live(self, unfinished: Sequence[I], skipped: AbstractSet[str], /) -> list[I]:
        """Live items to be done, the most pressing first, some at a time, without those to skip.

        `unfinished` are those that are known and not written yet: a cursor must not go beyond them.
        """
        ...

    def history(self, skipped: AbstractSet[str], /) -> list[I]:
        """Some items of the history to be done, without those to skip."""
        ...

    def history_left(self) -> int:
        """How many items of the history are to be done."""
        ...

    def facts_of(self, items: Sequence[I]) -> Mapping[str, F]:
        """The facts by subject; an item that is left out is asked about again in a while."""
        ...

    async def decide(self, item: I, facts: F, model: ModelEndpoint) -> Run[A]:
        """The run for one item. Raises `Unavailable` with nothing decided."""
        ...

    def keep(self, finished: Sequence[Finished[I, F, A]]) -> None:
        """Write results, each once however often it is kept."""
        ...

    def by_origin(self) -> dict[str, int]:
        """How many results there are of each origin."""
        ...

    def progress(self) -> dict[str, Any]:
        """What the worker's progress says beyond what all say."""
        ...


def read_orders(parameters: Mapping[str, Any], shape: type[O]) -> O:
    """A worker's parameters. Raises `InvalidOrders`."""
    try:
        orders = shape.model_validate(dict(parameters))
    except ValidationError as error:
        raise InvalidOrders(
            f"the worker's orders make no sense: {faults_of(error)}",
            what_now="Correct the worker's parameters.",
        ) from error
    if not (orders.model or orders.endpoint):
        raise InvalidOrders(
            "the orders name neither a model nor an endpoint", what_now="Set the worker's parameter model."
        )
    return orders
