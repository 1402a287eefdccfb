import copy
from typing import Any

from admin.verify import troubles

FINE = {
    "workspace": {"state": "running", "url": "http://localhost"},
    "apps": {"demo-admin": {"state": "RUNNING", "url": "http://localhost:1"}},
    "pipelines": {"demo-order-items": {"state": "RUNNING", "last_update": {"state": "RUNNING"}}},
    "workers": {"replay": {"desired": "running", "observed": "idle", "heartbeat_age_s": 2.0, "progress": {}}},
    "tables": {},
    "replay": {"virtual_time": None, "watermark": None, "events_written": None},
}


def with_worker(**changes: Any) -> dict[str, Any]:
    status = copy.deepcopy(FINE)
    status["workers"]["replay"] |= changes
    return status


def test_nothing_is_wrong_with_a_running_demo():
    assert troubles(FINE) == []


def test_a_stopped_workspace_is_the_only_trouble_worth_naming():
    stopped = FINE | {"workspace": {"state": "stopped", "url": None}, "apps": {}}
    assert len(troubles(stopped)) == 1


def test_an_app_that_crashed_is_named():
    assert troubles(FINE | {"apps": {"demo-admin": {"state": "CRASHED", "url": None}}}) == [
        "app demo-admin is CRASHED"
    ]


def test_a_failed_update_is_named():
    failed = {"demo-order-items": {"state": "IDLE", "last_update": {"state": "FAILED"}}}
    assert troubles(FINE | {"pipelines": failed}) == ["the last update of pipeline demo-order-items failed"]


def test_a_silent_worker_is_named_whatever_it_said_last():
    assert "does not report" in troubles(with_worker(heartbeat_age_s=300.0))[0]


def test_a_worker_that_failed_is_named():
    assert troubles(with_worker(observed="failed")) == ["worker replay should be running but is failed"]


def test_a_worker_that_was_told_to_stop_is_no_trouble():
    assert troubles(with_worker(desired="stopped", observed="stopped", heartbeat_age_s=300.0)) == []
