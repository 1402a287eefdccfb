"""What the control plane says of itself: the shapes that the API answers, the pages show and the command line prints.

Plain data. Moments are UTC, durations are seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

Entry = TypeVar("Entry")

Action = Literal["provision", "teardown", "stop"]
"""What a run does. A stopped stage is provisioned again to let it go on."""

Verb = Literal["create", "update", "keep", "replace", "delete", "stop", "leave"]
"""What a run does to one resource; `leave` is for what was here before us."""

RunState = Literal["running", "cancelling", "succeeded", "failed", "cancelled", "interrupted"]
StepState = Literal["waiting", "running", "done", "unchanged", "failed", "skipped", "cancelled"]
Health = Literal["ok", "working", "stopped", "drifted", "missing", "failed", "unknown"]
Presence = Literal["absent", "partial", "present"]
LogLevel = Literal["info", "warning", "error"]
Role = Literal["viewer", "operator", "owner"]


@dataclass(frozen=True)
class PlannedAction:
    """What a run would do to one resource."""

    key: str
    stage: str
    kind: str
    name: str
    verb: Verb
    reason: str
    consequence: str = ""
    """What people notice of it (`the app restarts`); empty where nothing is interrupted."""


@dataclass(frozen=True)
class RunPlan:
    """What a run would do, asked before it starts."""

    action: Action
    asked: tuple[str, ...]
    """The stages that were asked for."""
    along: tuple[str, ...]
    """The stages that come along: what they need, or (stop, teardown) what needs them."""
    parameters: Mapping[str, Any]
    actions: tuple[PlannedAction, ...]
    """In the order of the run."""
    confirm: str
    """The word to type before anything is deleted; empty where nothing is."""
    digest: str
    """Of what would be done: a run that is started with it is refused if it would do something else by now."""


@dataclass(frozen=True)
class StepView:
    """What happened to one resource in a run."""

    key: str
    stage: str
    kind: str
    name: str
    state: StepState
    verb: Verb | None
    """None until it is decided."""
    message: str
    """What is being done and why; after a failure what went wrong."""
    what_now: str
    """After a failure what to do; else empty."""
    started: datetime | None
    took_s: float | None


@dataclass(frozen=True)
class RunSummary:
    """A run as lists show it."""

    run_id: str
    action: Action
    target: str | None
    stages: tuple[str, ...]
    parameters: Mapping[str, Any]
    by: str
    state: RunState
    error: str
    what_now: str
    started: datetime
    took_s: float | None
    repairs: str | None
    """The run whose failed part it does again."""
    attempt: int
    """1, and one more than the run it repairs."""
    stage_states: Mapping[str, StepState]
    """How each stage ended: the worst of its steps."""
    counts: Mapping[str, int]
    """Steps by what was done: created, updated, unchanged, deleted, failed, …"""


@dataclass(frozen=True)
class RunDetail(RunSummary):
    """A run with all its steps."""

    steps: tuple[StepView, ...]
    critical_path: tuple[str, ...]
    """Keys of the steps that decided how long it took, first to last."""


@dataclass(frozen=True)
class LogLine:
    """A line of a run's log; `seq` rises within a run."""

    seq: int
    at: datetime
    stage: str
    key: str
    level: LogLevel
    text: str


@dataclass(frozen=True)
class ResourceView:
    """One registered resource, and what the platform said of it when it was last asked."""

    key: str
    kind: str
    name: str
    stage: str
    id: str
    recorded: Literal["planned", "created", "ready"]
    created_at: datetime | None
    changed_at: datetime | None
    needs: tuple[str, ...]
    url: str
    """Its page in the workspace; empty for what has none."""
    health: Health = "unknown"
    message: str = ""
    """Why it is not ok, in words."""


@dataclass(frozen=True)
class LastRun:
    """How the last run that touched a stage ended for it."""

    run_id: str
    action: Action
    state: StepState
    message: str
    ended: datetime | None
    took_s: float | None


@dataclass(frozen=True)
class StageProgress:
    """How far a stage is in the run that goes on."""

    done: int
    total: int
    doing: tuple[str, ...]
    """Names of the resources at work."""


@dataclass(frozen=True)
class StageView:
    """A stage: whether it is there and well, and, apart from that, how its last run ended."""

    name: str
    title: str
    needs: tuple[str, ...]
    declared: int
    """Resources that it declares."""
    registered: int
    presence: Presence
    health: Health
    """The worst of its resources and workers."""
    troubles: tuple[str, ...]
    last_run: LastRun | None
    progress: StageProgress | None
    """None while no run touches it."""


@dataclass(frozen=True)
class ParameterView:
    """A parameter of the demo."""

    name: str
    type: Literal["string", "integer", "number"]
    meaning: str
    default: Any
    current: Any
    """As the last successful run had it."""
    choices: tuple[str, ...] = ()
    affects: tuple[str, ...] = ()
    """Titles of what a change touches, with its consequence (`Refund manager: the worker takes new orders`)."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at by `verify`."""

    what: str
    ok: bool
    said: str
    """In words a person understands: what was expected, and what was found."""
    what_now: str = ""
    stage: str = ""


@dataclass(frozen=True)
class Verification:
    """The outcome of `verify`."""

    ok: bool
    findings: tuple[Finding, ...]
    checked_at: datetime


@dataclass(frozen=True)
class TargetView:
    """A named set of stages with the parameters that suit them."""

    name: str
    stages: tuple[str, ...]
    parameters: Mapping[str, Any]
    """Those that differ from their defaults."""
    presence: Presence


@dataclass(frozen=True)
class StageDetail(StageView):
    """A stage with its resources: those that are registered, and (health `missing`) those that are only declared."""

    resources: tuple[ResourceView, ...]


@dataclass(frozen=True)
class WorkerView:
    """A worker: what it is told to do, and what it says it does."""

    name: str
    stage: str
    """The stage that gives it its orders; empty where none does."""
    desired: Literal["running", "stopped"]
    generation: int
    """Of its orders; it grows with each change."""
    parameters: Mapping[str, Any]
    observed: str
    """starting, running, idle, stopped, backing_off or failed; `unknown` before its first report."""
    observed_generation: int
    """Of the orders that it follows."""
    heartbeat_age_s: float | None
    since: datetime | None
    """Since when it is in its observed state."""
    done: int | None
    """What it has done so far, in its own unit (events, recommendations, cases)."""
    per_s: float | None
    """How many of them in a second, lately."""
    pending: int | None
    """How many wait for it."""
    lag_s: float | None
    """How far it is behind what should be done by now."""
    progress: Mapping[str, Any]
    """Its own figures in full."""
    last_error: str | None
    health: Health
    message: str
    """Why it is not ok, in words."""


@dataclass(frozen=True)
class Difference:
    """Something that is not the same in two runs."""

    what: str
    one: Any
    other: Any


@dataclass(frozen=True)
class RunComparison:
    """Two runs side by side; only what differs."""

    one: RunSummary
    other: RunSummary
    parameters: tuple[Difference, ...]
    stages: tuple[Difference, ...]
    """By stage: its state in each."""
    steps: tuple[Difference, ...]
    """By key: state, verb and duration in each; None where a run has no such step."""


@dataclass(frozen=True)
class StateNow:
    """What the live panel shows."""

    stages: tuple[StageView, ...]
    workers: tuple[WorkerView, ...]
    active_run: RunSummary | None
    health: Health
    """The worst of all stages."""


@dataclass(frozen=True)
class Me:
    """Who is asking, and what they may do."""

    who: str
    role: Role
    may: tuple[str, ...]


@dataclass(frozen=True)
class RoleGrant:
    """A role that somebody was given."""

    principal: str
    role: Role
    granted_by: str
    granted_at: datetime | None


@dataclass(frozen=True)
class LogPage:
    """A part of a run's log, oldest first; `next` is the `after` of the following part."""

    entries: tuple[LogLine, ...]
    next: int
    more: bool
    """Whether there was more at that moment; while the run goes on more may come."""


@dataclass(frozen=True)
class ActivityEntry:
    """Something that somebody did."""

    seq: int
    at: datetime
    who: str
    role: Role
    action: str
    """A verb and its object's kind: `run.start`, `worker.pause`, `role.grant`, …"""
    object: str
    outcome: Literal["done", "refused"]
    detail: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Page(Generic[Entry]):
    """A part of a long list, newest first; `next` leads to the following part."""

    entries: tuple[Entry, ...]
    next: str | None
