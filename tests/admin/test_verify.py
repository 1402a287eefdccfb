import copy
from typing import Any

from admin.overview.verify import troubles

FINE: dict[str, Any] = {
    "workspace": {"state": "running", "url": "http://localhost"},
    "apps": {"demo-admin": {"state": "RUNNING", "url": "http://localhost:1"}},
    "pipelines": {"demo-order-items": {"state": "RUNNING", "last_update": {"state": "RUNNING"}}},
    "workers": {"replay": {"desired": "running", "observed": "idle", "heartbeat_age_s": 2.0, "progress": {}}},
    "tables": {},
    "replay": {"virtual_time": None, "watermark": None, "events_written": None},
    "refunds": {
        "recommendations": {"model": 90, "rules": 5, "error": 5},
        "synced": {
            "state": "ONLINE_CONTINUOUS_UPDATE",
            "message": "",
            "version": 7,
            "versions_behind": 1,
            "at": None,
        },
        "cases": {"pending": 100},
    },
    "complaints": None,
}


def with_worker(**changes: Any) -> dict[str, Any]:
    status = copy.deepcopy(FINE)
    status["workers"]["replay"] |= changes
    return status


def with_refunds(part: str, **changes: Any) -> dict[str, Any]:
    status = copy.deepcopy(FINE)
    status["refunds"][part] |= changes
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


def test_a_demo_without_a_refund_line_is_no_trouble():
    assert troubles(FINE | {"refunds": None}) == []


def test_the_complaint_line_is_looked_at_in_the_same_way():
    complaints = FINE["refunds"] | {"responses": {"rules": 8, "error": 2}, "synced": None}
    assert troubles(FINE | {"complaints": complaints}) == [
        "the responses are not copied into Lakebase",
        "2 of 10 responses are errors; ai.agent_runs says why",
    ]


def test_a_copy_in_lakebase_that_went_offline_is_named_with_its_reason():
    offline = with_refunds("synced", state="OFFLINE_FAILED", message="the source was dropped")
    assert troubles(offline) == [
        "the recommendations' copy in Lakebase is OFFLINE_FAILED: the source was dropped"
    ]


def test_a_copy_in_lakebase_whose_sync_failed_is_no_longer_online():
    assert "ONLINE_PIPELINE_FAILED" in troubles(with_refunds("synced", state="ONLINE_PIPELINE_FAILED"))[0]


def test_a_copy_in_lakebase_far_behind_its_source_is_named():
    assert "21 versions behind" in troubles(with_refunds("synced", versions_behind=21))[0]


def test_many_recommendations_that_are_errors_are_named():
    assert troubles(with_refunds("recommendations", error=95)) == [
        "95 of 190 recommendations are errors; ai.agent_runs says why"
    ]
