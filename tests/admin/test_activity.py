"""Everything that was done and everything that was refused is on record, in order, page by page."""

from pathlib import Path

import pytest
from admin.activity import Activity, ActivityFilters
from admin.control_tables import ControlTables
from admin.roles import Actor, MayNot
from caspers.clients.postgres import Postgres
from caspers.clock import SystemClock

from tests.support.admin import ADA, Admin

BOB = Actor("bob@example.com", "viewer")
ALL = ActivityFilters()


@pytest.fixture
def activity(control: Postgres) -> Activity:
    return Activity(ControlTables(lambda: control, SystemClock()), SystemClock())


def test_what_was_refused_is_on_record_too(activity: Activity):
    with pytest.raises(MayNot, match=r"bob@example\.com is a viewer here, and this takes an owner"):
        activity.demand(BOB, "run.teardown", "everything")
    entry = activity.page(ALL, None, 10).entries[0]
    assert (entry.who, entry.action, entry.object, entry.outcome) == (
        BOB.who,
        "run.teardown",
        "everything",
        "refused",
    )


def test_the_record_is_read_page_by_page_newest_first(activity: Activity):
    for number in range(7):
        activity.record(ADA, "worker.tick", f"worker {number}")
    first = activity.page(ALL, None, 4)
    rest = activity.page(ALL, first.next, 4)
    assert [entry.object for entry in first.entries + rest.entries] == [
        f"worker {n}" for n in range(6, -1, -1)
    ]
    assert rest.next is None


def test_the_record_is_read_by_person_and_by_what_they_did(activity: Activity):
    activity.record(ADA, "worker.tick", "replay")
    activity.record(BOB, "worker.tick", "replay", outcome="refused")
    activity.record(ADA, "worker.pause", "replay", {"generation": 3})
    found = activity.page(ActivityFilters(who=ADA.who, action="worker.pause"), None, 10).entries
    assert [dict(entry.detail) for entry in found] == [{"generation": 3}]


def test_entries_wait_in_memory_while_there_is_no_database():
    activity = Activity(ControlTables(lambda: None, SystemClock()), SystemClock())
    for number in range(5):
        activity.record(ADA, "worker.tick", f"worker {number}")
    first = activity.page(ALL, None, 3)
    rest = activity.page(ALL, first.next, 3)
    assert [entry.object for entry in rest.entries] == ["worker 1", "worker 0"]


def test_a_run_leaves_its_start_and_its_end_on_record(tmp_path: Path, control: Postgres):
    admin = Admin(tmp_path, None, control)
    run = admin.run()
    admin.close()
    entries = admin.desk.activity.page(ALL, None, 10).entries
    assert [(entry.action, entry.object) for entry in entries] == [
        ("run.end", run.run_id),
        ("run.start", run.run_id),
    ]
    assert entries[0].detail["state"] == "succeeded"
