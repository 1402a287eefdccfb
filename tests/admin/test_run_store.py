"""Runs outlive the process that did them, two processes do not run at once, and nothing is lost before there is a database."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from admin.activity import ActivityFilters
from admin.control_tables import ControlTables
from admin.runs.run import Run, RunOrder
from admin.runs.running import AlreadyRunning
from admin.runs.store import LogFilters, RunFilters, RunRecord, RunStore
from admin.undertaking import Wish
from caspers.clients.postgres import Postgres
from caspers.clock import SystemClock
from caspers.errors import NotFound

from tests.support.admin import ADA, Admin, rows
from tests.support.postgres import Cluster
from tests.support.waiting import wait_for

Start = Callable[..., Admin]


@pytest.fixture
def start(tmp_path: Path, control: Postgres) -> Iterator[Start]:
    """Starts admins of one catalog, one after the other or side by side."""
    started: list[Admin] = []

    def starting(database: Postgres | None = control) -> Admin:
        started.append(Admin(tmp_path, None, database))
        return started[-1]

    yield starting
    for admin in started:
        admin.close()


def test_the_next_process_finds_runs_with_steps_and_log(start: Start):
    first = start()
    ended = first.run()
    first.close()
    second = start()
    assert second.desk.runs.detail(ended.run_id) == ended
    assert second.desk.runs.page(RunFilters(), None, 10).entries[0].run_id == ended.run_id
    log = second.desk.runs.log(ended.run_id, LogFilters(), 100)
    assert [line.seq for line in log.entries] == list(range(1, len(log.entries) + 1))
    assert second.desk.runs.last_runs()["Foundation"].run_id == ended.run_id


def test_the_repairs_of_a_run_are_found_however_many_runs_came_since(control: Postgres):
    store = RunStore(ControlTables(lambda: control, SystemClock()))
    repair = RunOrder("provision", ("Foundation",), repairs="the failed one", attempt=2)
    orders = {"its repair": repair} | {
        f"later {n}": RunOrder("provision", ("Foundation",)) for n in range(60)
    }
    for run_id, order in orders.items():
        run = Run(run_id, order, SystemClock())
        store.save(RunRecord(run.detail(), run.last_runs()), [])
    assert store.repairs_of("the failed one") == ["its repair"]
    assert store.repairs_of("its repair") == []


def test_the_repairs_of_a_run_are_found_before_there_is_a_database():
    store = RunStore(ControlTables(lambda: None, SystemClock()))
    repair = Run("its repair", RunOrder("provision", (), repairs="the failed one"), SystemClock())
    store.save(RunRecord(repair.detail(), repair.last_runs()), [])
    assert store.repairs_of("the failed one") == ["its repair"]


def test_a_run_whose_process_died_is_found_interrupted(start: Start, control: Postgres):
    left = Run("left", RunOrder("provision", ("Foundation",)), SystemClock())
    store = RunStore(ControlTables(lambda: control, SystemClock()))
    store.save(RunRecord(left.detail(), left.last_runs()), [])
    admin = start()
    admin.desk.runs.settle()
    found = admin.desk.runs.detail("left")
    assert found.state == "interrupted"
    assert "repair" in found.what_now.lower()


def test_an_interrupted_run_hinders_no_new_one(start: Start, control: Postgres):
    left = Run("left", RunOrder("provision", ("Foundation",)), SystemClock())
    RunStore(ControlTables(lambda: control, SystemClock())).save(RunRecord(left.detail(), {}), [])
    admin = start()
    assert admin.run().state == "succeeded"
    assert admin.desk.runs.detail("left").state == "interrupted"


def test_two_admins_of_one_catalog_do_not_run_at_once(start: Start):
    one, other = start(), start()
    one.kind.settles_after = 10**6
    going, _ = one.desk.plane.start(Wish(target="free"), ADA)
    with pytest.raises(AlreadyRunning) as refused:
        other.desk.plane.start(Wish(target="all"), ADA)
    assert refused.value.members["run_id"] == going.run_id
    one.desk.plane.cancel(going.run_id, ADA)
    one.ended(going.run_id)
    one.kind.settles_after = 0
    wait_for(lambda: _can_start(other), what="the other admin may run")


def test_a_run_is_cancelled_through_another_admin(start: Start):
    one, other = start(), start()
    one.kind.settles_after = 10**6
    going, _ = one.desk.plane.start(Wish(target="free"), ADA)
    other.desk.plane.cancel(going.run_id, ADA)
    assert one.ended(going.run_id).state == "cancelled"


def test_what_happens_before_there_is_a_database_is_written_later(start: Start, control: Postgres):
    admin = start(None)
    ended = admin.run()
    assert admin.desk.runs.page(RunFilters(), None, 10).entries[0].run_id == ended.run_id
    admin.control = control
    wait_for(
        lambda: admin.desk.runs.page(RunFilters(), None, 10) and _kept(control), what="the run was written"
    )
    assert _kept(control) == [(ended.run_id, "succeeded")]
    assert len(admin.desk.activity.page(ActivityFilters(), None, 10).entries) == 2


def test_a_run_survives_the_removal_of_its_database(start: Start, cluster: Cluster):
    database = cluster.open(cluster.new_database())
    admin = start(database)
    admin.run()
    admin.kind.settles_after = 50
    going, _ = admin.desk.plane.start(Wish("teardown"), ADA, confirm="test_demo")
    admin.control = None
    database.close()
    ended = admin.ended(going.run_id)
    assert ended.state == "succeeded"
    assert admin.desk.runs.detail(going.run_id).counts["deleted"] == 6


def test_a_log_is_read_by_resource_from_the_database(start: Start):
    first = start()
    ended = first.run()
    found = start().desk.runs.log(ended.run_id, LogFilters(key="Foundation a"), 100)
    assert found.entries
    assert {line.key for line in found.entries} == {"Foundation a"}


def test_an_unknown_run_is_not_found(start: Start):
    with pytest.raises(NotFound):
        start().desk.runs.detail("nobody")


def _kept(control: Postgres) -> list[tuple[str, str]]:
    there = rows(control, "SELECT to_regclass('control.run_history') IS NOT NULL")[0][0]
    return rows(control, "SELECT run_id, state FROM control.run_history") if there else []


def _can_start(admin: Admin) -> bool:
    try:
        return admin.run().state == "succeeded"
    except AlreadyRunning:
        return False
