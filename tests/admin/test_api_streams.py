"""What open panels hear: a run with its log until its end, and the demo whenever something changes."""

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from caspers.clients.postgres import Postgres

from tests.support.admin import Admin, give_orders, person, report

ADA = person("ada")


@pytest.fixture
def admin(tmp_path: Path, control: Postgres) -> Iterator[Admin]:
    running = Admin(tmp_path, None, control)
    yield running
    running.close()


@pytest.fixture
def client(admin: Admin) -> Iterator[httpx.Client]:
    with admin.serve() as served:
        served.client.headers.update(ADA)
        served.client.timeout = httpx.Timeout(60)
        yield served.client
        served.terminate()


@contextmanager
def hearing(client: httpx.Client, path: str, **headers: str) -> Generator[Iterator[dict[str, Any]]]:
    """The events of a stream as {event, id, data}, as they come."""
    with client.stream("GET", f"/api/v1{path}", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _events(answer)


def _events(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    event: dict[str, Any] = {}
    for line in answer.iter_lines():
        name, _, value = line.partition(": ")
        if line == "" and "event" in event:
            yield event | {"data": json.loads(event["data"])}
        event = {} if line == "" else event | {name: value}


def test_a_runs_stream_tells_its_log_and_ends_with_it(client: httpx.Client):
    run = client.post("/api/v1/runs", json={"target": "free"}).json()
    with hearing(client, f"/runs/{run['run_id']}/events") as events:
        heard = list(events)
    lines = [event["data"]["seq"] for event in heard if event["event"] == "log"]
    assert lines == list(range(1, len(lines) + 1))
    assert (heard[-1]["event"], heard[-1]["data"]["state"]) == ("run", "succeeded")


def test_a_browser_that_heard_the_end_is_told_not_to_come_back(client: httpx.Client):
    run = client.post("/api/v1/runs", json={"target": "free"}).json()
    path = f"/runs/{run['run_id']}/events"
    with hearing(client, path) as events:
        last = list(events)[-1]["id"]
    again = client.get(f"/api/v1{path}", headers={"Last-Event-ID": last})
    assert again.status_code == 204


def test_a_browser_that_comes_back_hears_only_what_it_missed(client: httpx.Client):
    run = client.post("/api/v1/runs", json={"target": "free"}).json()
    client.get(f"/api/v1/runs/{run['run_id']}", params={"wait": 30})
    with hearing(client, f"/runs/{run['run_id']}/events", **{"Last-Event-ID": "3"}) as events:
        first = next(event for event in events if event["event"] == "log")
    assert first["data"]["seq"] == 4


def test_a_workers_new_state_reaches_an_open_panel(client: httpx.Client, control: Postgres):
    give_orders(control, "replay")
    report(control, "replay", "running", events_written=1)
    with hearing(client, "/events") as events:
        first = next(event for event in events if event["event"] == "state" and event["data"]["workers"])
        assert first["data"]["workers"][0]["health"] == "ok"
        report(control, "replay", "failed", events_written=1)
        changed = next(
            event
            for event in events
            if event["event"] == "state" and event["data"]["workers"][0]["observed"] == "failed"
        )
    assert changed["data"]["workers"][0]["health"] == "failed"


def test_the_run_that_goes_on_is_part_of_what_a_panel_hears(admin: Admin, client: httpx.Client):
    admin.kind.settles_after = 10**6
    run = client.post("/api/v1/runs", json={"target": "free"}).json()
    with hearing(client, "/events") as events:
        states = (event["data"] for event in events if event["event"] == "state")
        state = next(state for state in states if state["active_run"] and _total(state, "Foundation"))
    assert state["active_run"]["run_id"] == run["run_id"]
    assert _total(state, "Foundation") == 2


def _total(state: dict[str, Any], name: str) -> int:
    """How many steps the run that goes on has for a stage, as far as it has planned."""
    stage = next(stage for stage in state["stages"] if stage["name"] == name)
    return (stage["progress"] or {"total": 0})["total"]
