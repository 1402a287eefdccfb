"""What a worker does next, and what follows from a step: pure decisions over the facts that the loop gathers."""

from dataclasses import dataclass, field
from random import Random

from caspers.clients.backoff import Backoff
from caspers.errors import CaspersError, Unavailable
from caspers.worker.states import Observed, WorkerOrders
from caspers.worker.step import StepOutcome


@dataclass(frozen=True)
class Situation:
    """The facts at one moment; times are monotonic seconds."""

    now_s: float
    stopping: bool = False
    orders: WorkerOrders | None = None
    holds_lease: bool = False
    #: Generation of the orders that the last step followed, 0 before the first.
    followed: int = 0
    #: Somebody asked for a step now.
    asked: bool = False
    #: When the next step is due.
    due_s: float = 0.0


@dataclass(frozen=True)
class Leave:
    """End the loop."""


@dataclass(frozen=True)
class AwaitOrders:
    """Nobody said what to do yet."""


@dataclass(frozen=True)
class Rest:
    """Ordered to stop: give up the lease and wait for other orders."""

    orders: WorkerOrders


@dataclass(frozen=True)
class TakeLease:
    """Become the copy that works, or wait until the other one is gone."""


@dataclass(frozen=True)
class TakeStep:
    """Do one step by these orders."""

    orders: WorkerOrders


@dataclass(frozen=True)
class Wait:
    """Nothing to do for `seconds`, unless notified."""

    seconds: float


Action = Leave | AwaitOrders | Rest | TakeLease | TakeStep | Wait


def decide(situation: Situation) -> Action:
    """The next action. Stopping comes before all, new orders before any waiting, the lease before every step."""
    orders = situation.orders
    if situation.stopping:
        return Leave()
    if orders is None:
        return AwaitOrders()
    if orders.desired == "stopped":
        return Rest(orders)
    if not situation.holds_lease:
        return TakeLease()
    if situation.asked or orders.generation != situation.followed or situation.now_s >= situation.due_s:
        return TakeStep(orders)
    return Wait(situation.due_s - situation.now_s)


@dataclass(frozen=True)
class Pace:
    """How often a worker does what, in seconds; the back-off applies while something it needs is away."""

    #: Between steps when neither the step nor anybody else says otherwise.
    interval_s: float = 60.0
    #: Between readings of the orders, in case a notification was missed.
    poll_s: float = 2.0
    heartbeat_s: float = 5.0
    backoff: Backoff = field(default_factory=Backoff)


@dataclass(frozen=True)
class Aftermath:
    """What follows from a step: what to report, when the next is due, how many failed in a row."""

    observed: Observed
    due_s: float
    failures: int = 0
    last_error: str | None = None


def after_success(outcome: StepOutcome, now_s: float, pace: Pace) -> Aftermath:
    if outcome.again:
        return Aftermath("running", now_s)
    if outcome.next_in_s is not None:
        return Aftermath("running", now_s + outcome.next_in_s)
    return Aftermath("idle", now_s + pace.interval_s)


def after_failure(error: Exception, failures: int, now_s: float, pace: Pace, chance: Random) -> Aftermath:
    """`failures` counts those in a row, this one included."""
    said = _sentence(error)
    if isinstance(error, Unavailable):
        return Aftermath("backing_off", now_s + pace.backoff.delay_s(failures, chance), failures, said)
    return Aftermath("failed", now_s + pace.interval_s, failures, said)


def _sentence(error: Exception) -> str:
    if isinstance(error, CaspersError):
        return f"{error.message}. {error.what_now}" if error.what_now else error.message
    return f"{type(error).__name__}: {error}"
