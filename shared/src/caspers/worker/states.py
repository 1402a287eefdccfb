"""The two states of a worker, as plain records: what it should do, and what it says it does."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Desired = Literal["running", "stopped"]

#: starting: no orders read yet · running: a step is in hand or due · idle: nothing to do until new orders or the
#: interval · stopped: as ordered, or shut down · backing_off: something it needs is away · failed: the last step
#: failed; it is tried again at the interval.
Observed = Literal["starting", "running", "idle", "stopped", "backing_off", "failed"]


@dataclass(frozen=True)
class WorkerOrders:
    """The desired state of one worker; `generation` grows with every write."""

    worker: str
    desired: Desired
    generation: int
    parameters: dict[str, Any]
    updated_at: datetime


@dataclass(frozen=True)
class WorkerReport:
    """The observed state of one worker.

    `generation` is that of the orders it follows (0: none yet), `since` when `observed` last changed, `started_at`
    when the process started working, `progress` the worker's own figures.
    """

    worker: str
    generation: int
    observed: Observed
    heartbeat_at: datetime
    started_at: datetime
    since: datetime
    progress: dict[str, Any] = field(default_factory=dict[str, Any])
    last_error: str | None = None
