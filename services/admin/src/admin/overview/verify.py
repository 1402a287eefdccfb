"""What should be against what is, in words. Pure: others have looked, here it is judged."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from admin.overview.flow import Flow
from admin.shapes import Finding, ResourceView, WorkerView

HEARTBEAT_LIMIT_S = 60.0
"""A worker that has not reported for so long is not alive, whatever its last report says."""

VERSIONS_BEHIND_LIMIT = 20
"""So many commits may wait for their copy into Lakebase; more is no longer a moment's delay."""

ERROR_SHARE_LIMIT = 0.1
"""Single orders that an agent cannot decide are for people; many have a cause."""

BEHIND_SHARE = 0.1
BEHIND_ROWS = 5_000
"""What is on its way is no trouble: up to so many rows, or this share of all, may be missing further down."""

UNANSWERED_LIMIT = 500
"""Deliveries that an agent has not come to yet; more is hours of them."""

RIGHTS = {"control_access", "grants", "synced_access"}
"""Kinds of resource that are somebody's right to something."""

Status = Mapping[str, Any]


def troubles(status: Status) -> list[str]:
    """Everything that is not as desired, a sentence each; empty when all is well."""
    if status["workspace"]["state"] != "running":
        return ["nothing runs here; `caspers up` starts it"]
    return [
        *_apps(status),
        *_pipelines(status),
        *_workers(status),
        *_line(status["refunds"], "recommendations"),
        *_line(status["complaints"], "responses"),
    ]


def _apps(status: Status) -> Iterator[str]:
    if not status["apps"]:
        yield "nothing is deployed yet; `caspers up` does it"
    for name, app in status["apps"].items():
        if app["state"] != "RUNNING":
            yield f"app {name} is {app['state']}"


def _pipelines(status: Status) -> Iterator[str]:
    for name, pipeline in status["pipelines"].items():
        last = pipeline["last_update"]
        if pipeline["state"] == "FAILED" or (last is not None and last["state"] == "FAILED"):
            yield f"the last update of pipeline {name} failed"


def _workers(status: Status) -> Iterator[str]:
    for name, worker in status["workers"].items():
        age = worker["heartbeat_age_s"]
        if worker["desired"] == "running" and (age is None or age > HEARTBEAT_LIMIT_S):
            yield f"worker {name} does not report" + ("" if age is None else f" (last heard {age:.0f} s ago)")
        elif worker["desired"] == "running" and worker["observed"] in {"failed", "stopped", "backing_off"}:
            yield f"worker {name} should be running but is {worker['observed']}"


def _line(line: Mapping[str, Any] | None, answers_are: str) -> Iterator[str]:
    if line is None:
        return
    synced = line["synced"]
    if synced is None:
        yield f"the {answers_are} are not copied into Lakebase"
    elif not synced["state"].startswith("ONLINE") or synced["state"].endswith("FAILED"):
        why = f": {synced['message']}" if synced["message"] else ""
        yield f"the {answers_are}' copy in Lakebase is {synced['state']}{why}"
    elif (synced["versions_behind"] or 0) > VERSIONS_BEHIND_LIMIT:
        yield f"the {answers_are}' copy in Lakebase is {synced['versions_behind']} versions behind"
    answered = line[answers_are] or {}
    errors = answered.get("error", 0)
    if errors > ERROR_SHARE_LIMIT * sum(answered.values()):
        yield f"{errors} of {sum(answered.values())} {answers_are} are errors; ai.agent_runs says why"


def resource_findings(resources: Sequence[ResourceView]) -> Iterator[Finding]:
    """One finding for every resource that is not well, and one for all others of its stage."""
    for stage in dict.fromkeys(each.stage for each in resources):
        own = [each for each in resources if each.stage == stage and each.kind not in RIGHTS]
        well = [each for each in own if each.health == "ok"]
        if well:
            yield Finding(
                "resources", ok=True, said=f"{len(well)} of {len(own)} are there and well", stage=stage
            )
        yield from (_unwell(each) for each in own if each.health != "ok")


def right_findings(resources: Sequence[ResourceView]) -> Iterator[Finding]:
    """Whether every app may do what it has to."""
    for stage in dict.fromkeys(each.stage for each in resources):
        rights = [each for each in resources if each.stage == stage and each.kind in RIGHTS]
        held = [each for each in rights if each.health == "ok"]
        if held:
            said = f"{len(held)} of {len(rights)} rights are held"
            yield Finding("permissions", ok=True, said=said, stage=stage)
        yield from (_unwell(each) for each in rights if each.health != "ok")


def _unwell(resource: ResourceView) -> Finding:
    what_now = {
        "stopped": "Run its stage to let it go on.",
        "working": "Wait a moment, then look again.",
        "unknown": "Look again; if it stays so, look at its page in the workspace.",
    }.get(resource.health, "Run its stage: it is put right.")
    said = f"should be there and well, and is {resource.health}: {resource.message}".rstrip(": ")
    what = f"{resource.kind.replace('_', ' ')} {resource.name}"
    return Finding(what, ok=False, said=said, what_now=what_now, stage=resource.stage)


def worker_findings(workers: Sequence[WorkerView]) -> Iterator[Finding]:
    """Whether every worker does what it was told."""
    for worker in workers:
        what = f"worker {worker.name}"
        if worker.desired == "stopped":
            yield Finding(what, ok=True, said="is stopped, as it was told", stage=worker.stage)
        elif worker.health in {"ok", "working"}:
            yield Finding(what, ok=True, said=f"should run, and is {worker.observed}", stage=worker.stage)
        else:
            why = worker.message or worker.last_error or ""
            said = f"should run, and is {worker.observed}: {why}".rstrip(": ")
            what_now = "Its app's log says why; running its stage deploys and starts it again."
            yield Finding(what, ok=False, said=said, what_now=what_now, stage=worker.stage)


def flow_findings(flow: Flow, replay: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether data flows: virtual time, bronze against what was written, gold against bronze, answers."""
    if replay:
        yield _virtual_time(replay)
    written, events = replay.get("events_written"), flow.events
    if written is not None and events is not None:
        arrived = events + (flow.quarantined or 0)
        yield _arrival("events in bronze", arrived, int(written), "the replay has written")
    if flow.orders is not None and flow.gold_orders is not None:
        yield _arrival("orders in gold", flow.gold_orders, flow.orders, "bronze holds")
    yield from _answers("recommendations", flow.undecided)
    yield from _answers("triaged complaints", flow.untriaged)


def _virtual_time(replay: Mapping[str, Any]) -> Finding:
    now, lag_s = replay.get("virtual_time"), float(replay.get("lag_s") or 0)
    if replay.get("paused"):
        return Finding("virtual time", ok=True, said=f"is paused at {now}")
    if lag_s > HEARTBEAT_LIMIT_S:
        said = f"should move, and what is written is {lag_s:.0f} s behind it"
        return Finding(
            "virtual time", ok=False, said=said, what_now="Slow the replay down, or look at its app's log."
        )
    return Finding("virtual time", ok=True, said=f"moves, and is at {now}")


def _arrival(what: str, arrived: int, expected: int, where: str) -> Finding:
    missing = expected - arrived
    said = f"{arrived:,} of {expected:,} that {where}"
    late = missing > max(BEHIND_ROWS, BEHIND_SHARE * expected) or (arrived == 0 and expected > 0)
    what_now = "The pipeline may be at work; if the figure does not rise, its page says why." if late else ""
    return Finding(what, ok=not late, said=said, what_now=what_now)


def _answers(what: str, waiting: int | None) -> Iterator[Finding]:
    if waiting is None:
        return
    late = waiting > UNANSWERED_LIMIT
    what_now = "Its worker may be catching up; its lag should fall." if late else ""
    yield Finding(
        what,
        ok=not late,
        said=f"deliveries that are newer than the newest one answered: {waiting:,}",
        what_now=what_now,
    )


def line_findings(status: Status) -> Iterator[Finding]:
    """Whether the copies in Lakebase follow, and the agents answer rather than fail."""
    for line, answers_are in (("refunds", "recommendations"), ("complaints", "responses")):
        if status[line] is None:
            continue
        what = f"{answers_are} in Lakebase"
        wrong = list(_line(status[line], answers_are))
        yield from (
            Finding(
                what, ok=False, said=said, what_now="Run the stage of the copy, or look at ai.agent_runs."
            )
            for said in wrong
        )
        if not wrong:
            synced = status[line]["synced"]
            behind = synced["versions_behind"] or 0
            yield Finding(what, ok=True, said=f"the copy follows, {behind} versions behind")


def left_findings(left: Sequence[tuple[str, bool]]) -> Iterator[Finding]:
    """What a teardown should have taken: what it is, and whether only its record is left."""
    for what, only_recorded in left:
        said = (
            "should be gone, and is still registered"
            if only_recorded
            else "should be gone, and is still there"
        )
        yield Finding(
            what, ok=False, said=said, what_now="Tear down everything again: it goes on where it ended."
        )
    if not left:
        yield Finding(
            "everything", ok=True, said="is gone: nothing of ours was found, in the workspace or the registry"
        )
