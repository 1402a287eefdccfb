"""What provisioning, removal and stopping share: how steps are walked, what a failure says, how a run ends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from caspers.clients.platform_errors import PLATFORM_ERRORS, from_platform
from caspers.clock import Clock
from caspers.errors import CaspersError, Conflict

from admin.declarations import Entry
from admin.engine import plan
from admin.engine.pauses import Cancelled, Pauses
from admin.engine.registry import Registry
from admin.engine.walk import walk
from admin.resources.kind import Kind
from admin.runs.run import Run

PARALLEL_STEPS = 8


class NotOurs(Conflict):
    """Something bears the name that ours would have, and was made by somebody else."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(
            f"{entry.kind.replace('_', ' ')} {entry.name} exists already and was not made by this demo",
            what_now="It is left as it is. Choose another catalog name, or remove it if nobody needs it.",
        )


@dataclass(frozen=True)
class Tools:
    """What the engine works with."""

    kinds: Mapping[str, Kind]
    registry: Registry
    clock: Clock
    whoami: Callable[[], str]
    """Our own name on the platform."""
    parallel: int = PARALLEL_STEPS
    """How many steps go on side by side."""

    def pauses(self, run: Run, patience_s: float, what: str) -> Pauses:
        """Pauses for one wait."""
        return Pauses(self.clock, run, patience_s, what)


def carry_out(graph: plan.Graph, act: Callable[[str], None], run: Run, *, parallel: int) -> None:
    """Act on every key once what it waits for is done. A failure is its step's own; what depends on it is skipped."""

    def step(key: str) -> bool:
        if run.stop.is_set():
            return False
        run.begin(key)
        try:
            act(key)
        except Cancelled:
            run.finish(key, "cancelled")
            return False
        except Exception as error:  # noqa: BLE001  one step's failure is its own; the others go on
            said = explained(error)
            run.finish(key, "failed", said.message, said.what_now)
            return False
        return True

    walk(graph, step, parallel=parallel, stop=run.stop)


def can_be_read(kind: Kind, entry: Entry) -> bool:
    """Whether enough is known of a registered resource to ask for it: a part of something is not known by its name."""
    return not kind.parents or entry.state != "planned" or bool(entry.spec)


def refuse_when_cancelled(run: Run) -> None:
    """Called before anything is changed. Raises `Cancelled`."""
    if run.stop.is_set():
        raise Cancelled("the run was cancelled")


def explained(error: Exception) -> CaspersError:
    """Any error as one of ours: a sentence, and what to do where we know it."""
    if isinstance(error, CaspersError):
        return error
    if isinstance(error, PLATFORM_ERRORS):
        return from_platform("asking the platform", error)
    return CaspersError(
        f"{type(error).__name__}: {error}",
        what_now="This is a fault of ours; the admin's log has the details.",
    )


def close(run: Run) -> None:
    """End a run as its steps ended."""
    failed = run.failed_steps
    if run.stop.is_set():
        run.close("cancelled", "the run was cancelled")
    elif failed:
        error = "; ".join(f"{step.key}: {step.message}" for step in failed)
        run.close("failed", error, next((step.what_now for step in failed if step.what_now), ""))
    else:
        run.close("succeeded")
