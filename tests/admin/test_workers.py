"""The workers' orders and reports, seen and changed through the control plane."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from admin.workers import NoWorker, Workers
from caspers.clients.postgres import Postgres
from caspers.errors import Invalid
from caspers.worker.orders import read_orders

from tests.support.admin import ADA, Admin, give_orders, report


@pytest.fixture
def workers(tmp_path: Path, control: Postgres) -> Iterator[Workers]:
    give_orders(control, "replay", speed_multiplier=60.0, dataset="/Volumes/x", events_per_file=None)
    admin = Admin(tmp_path, None, control)
    yield admin.desk.workers
    admin.close()


def test_a_worker_without_a_report_is_not_called_well(workers: Workers):
    worker = workers.get("replay")
    assert (worker.desired, worker.observed, worker.health) == ("running", "unknown", "working")


def test_a_worker_shows_what_it_did_and_what_waits(workers: Workers, control: Postgres):
    give_orders(control, "refund_recommender")
    figures: dict[str, Any] = {
        "by_origin": {"model": 7, "rules": 3},
        "pending_live": 2,
        "pending_history": 5,
        "per_s": 1.5,
    }
    report(control, "refund_recommender", "running", **figures)
    worker = workers.get("refund_recommender")
    assert (worker.done, worker.pending, worker.per_s, worker.health) == (10, 7, 1.5, "ok")


def test_throughput_is_measured_between_two_reports(workers: Workers, control: Postgres):
    report(control, "replay", "running", events_written=100, lag_s=0.5)
    assert workers.get("replay").per_s is None
    report(control, "replay", "running", events_written=150, lag_s=0.5)
    worker = workers.get("replay")
    assert worker.per_s is not None
    assert worker.per_s > 0
    assert (worker.done, worker.lag_s) == (150, 0.5)


def test_a_failed_worker_says_why(workers: Workers, control: Postgres):
    report(control, "replay", "failed")
    assert workers.get("replay").health == "failed"


def test_pausing_gives_orders_that_the_worker_can_hear(workers: Workers, control: Postgres):
    with control.listen("orders_replay") as heard:
        paused = workers.change("replay", ADA, desired="stopped", parameters=None)
        told = [each.payload for each in heard.notifies(timeout=10, stop_after=1)]
    assert (paused.desired, told) == ("stopped", [str(paused.generation)])


def test_a_changed_parameter_leaves_the_others_as_they_were(workers: Workers):
    changed = workers.change("replay", ADA, desired=None, parameters={"speed_multiplier": 120})
    assert changed.parameters == {"speed_multiplier": 120, "dataset": "/Volumes/x", "events_per_file": None}


@pytest.mark.parametrize("parameters", [{"speed": 1}, {"speed_multiplier": "fast"}, {"dataset": True}])
def test_a_parameter_the_worker_cannot_have_is_refused(workers: Workers, parameters: dict[str, object]):
    with pytest.raises(Invalid):
        workers.change("replay", ADA, desired=None, parameters=parameters)


def test_a_tick_wakes_the_worker_and_changes_nothing_else(workers: Workers, control: Postgres):
    before = workers.get("replay")
    after = workers.tick("replay", ADA)
    assert (after.generation, after.parameters) == (before.generation + 1, before.parameters)
    with control.reading() as reader:
        orders = read_orders(reader, "replay")
    assert orders is not None
    assert orders.desired == "running"


def test_an_unknown_worker_is_not_found(workers: Workers):
    with pytest.raises(NoWorker):
        workers.change("nobody", ADA, desired="stopped", parameters=None)
