"""What `verify` says of what was looked at."""

from collections.abc import Iterable

from admin.overview import verify
from admin.overview.flow import Flow
from admin.shapes import Finding, Health, ResourceView, WorkerView

REPLAY = {
    "virtual_time": "2024-03-11T12:00:00+00:00",
    "lag_s": 0.4,
    "paused": False,
    "events_written": 800_000,
}
FLOW = Flow(events=799_000, quarantined=0, orders=60_000, gold_orders=59_900, undecided=3, untriaged=None)


def resource(name: str, health: Health = "ok", message: str = "", kind: str = "volume") -> ResourceView:
    return ResourceView(name, kind, name, "Stage", "id", "ready", None, None, (), "", health, message)


def worker(
    desired: str = "running", observed: str = "idle", health: Health = "ok", message: str = ""
) -> WorkerView:
    return WorkerView(
        name="replay", stage="Stage", desired=desired, generation=1, parameters={}, observed=observed,  # pyright: ignore[reportArgumentType]  one of the two words
        observed_generation=1, heartbeat_age_s=1.0, since=None, done=None, per_s=None, pending=None, lag_s=None,
        progress={}, last_error=None, health=health, message=message,
    )  # fmt: skip


def wrong(findings: Iterable[Finding]) -> list[str]:
    return [f"{each.what} {each.said}" for each in findings if not each.ok]


def test_what_is_well_is_counted_and_what_is_not_is_named():
    found = list(
        verify.resource_findings([resource("a"), resource("b"), resource("c", "missing", "it went missing")])
    )
    assert found[0].said == "2 of 3 are there and well"
    assert wrong(found) == ["volume c should be there and well, and is missing: it went missing"]


def test_everything_that_is_wrong_comes_with_what_to_do():
    views = [
        resource(health, health)
        for health in ("missing", "drifted", "failed", "stopped", "working", "unknown")
    ]
    assert all(each.what_now for each in verify.resource_findings(views) if not each.ok)


def test_a_right_that_was_taken_away_is_a_finding_of_its_own():
    views = [resource("a"), resource("app in schema", "drifted", "privileges", kind="grants")]
    assert len(wrong(verify.right_findings(views))) == 1
    assert wrong(verify.resource_findings(views)) == []


def test_a_worker_that_fails_is_named_with_its_reason():
    found = verify.worker_findings([worker(observed="failed", health="failed", message="no such table")])
    assert wrong(found) == ["worker replay should run, and is failed: no such table"]


def test_a_worker_that_was_told_to_stop_is_as_it_should_be():
    assert wrong(verify.worker_findings([worker("stopped", "stopped", "stopped")])) == []


def test_data_on_its_way_is_no_trouble():
    assert wrong(verify.flow_findings(FLOW, REPLAY)) == []


def test_a_paused_replay_is_said_and_no_trouble():
    said = [each.said for each in verify.flow_findings(FLOW, REPLAY | {"paused": True, "lag_s": 900.0})]
    assert any("paused" in each for each in said)
    assert wrong(verify.flow_findings(FLOW, REPLAY | {"paused": True, "lag_s": 900.0})) == []


def test_virtual_time_that_runs_away_from_the_files_is_a_finding():
    assert wrong(verify.flow_findings(FLOW, REPLAY | {"lag_s": 300.0}))


def test_a_bronze_table_that_stays_empty_is_a_finding():
    empty = Flow(0, 0, 0, 0, None, None)
    assert wrong(verify.flow_findings(empty, REPLAY)) == [
        "events in bronze 0 of 800,000 that the replay has written"
    ]


def test_quarantined_lines_have_arrived_as_well():
    quarantined = Flow(500_000, 300_000, 60_000, 60_000, None, None)
    assert wrong(verify.flow_findings(quarantined, REPLAY)) == []


def test_gold_far_behind_bronze_is_a_finding():
    assert (
        "orders in gold"
        in wrong(verify.flow_findings(Flow(800_000, 0, 60_000, 40_000, None, None), REPLAY))[0]
    )


def test_an_agent_that_has_not_answered_for_long_is_a_finding():
    assert "recommendations" in wrong(verify.flow_findings(Flow(800_000, 0, 9, 9, 20_000, None), REPLAY))[0]


def test_nothing_left_is_the_one_good_answer_after_a_teardown():
    assert wrong(verify.left_findings([])) == []
    assert wrong(verify.left_findings([("volume a", False), ("volume b", True)])) == [
        "volume a should be gone, and is still there",
        "volume b should be gone, and is still registered",
    ]
