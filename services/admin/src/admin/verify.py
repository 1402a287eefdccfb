"""What should be against what is, in words. Pure: it reads the status object that the API and the CLI share."""

from collections.abc import Iterator, Mapping
from typing import Any

HEARTBEAT_LIMIT_S = 60.0
"""A worker that has not reported for so long is not alive, whatever its last report says."""

Status = Mapping[str, Any]


def troubles(status: Status) -> list[str]:
    """Everything that is not as desired, a sentence each; empty when all is well."""
    if status["workspace"]["state"] != "running":
        return ["nothing runs here; `caspers up` starts it"]
    return [*_apps(status), *_pipelines(status), *_workers(status)]


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
