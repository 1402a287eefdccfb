"""What should be against what is, in words. Pure: it reads the status object that the API and the CLI share."""

from collections.abc import Iterator, Mapping
from typing import Any

HEARTBEAT_LIMIT_S = 60.0
"""A worker that has not reported for so long is not alive, whatever its last report says."""

VERSIONS_BEHIND_LIMIT = 20
"""So many commits may wait for their copy into Lakebase; more is no longer a moment's delay."""

ERROR_SHARE_LIMIT = 0.1
"""Single orders that an agent cannot decide are for people; many have a cause."""

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
