import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from threading import Thread

import pytest
from admin.declarations import Entry, Output, Resource, Stage
from admin.engine.engine import Engine
from admin.engine.registry import FileRegistry
from admin.runs.run import Run, RunOrder
from caspers.clock import SystemClock

from tests.admin.directories import US, Directory
from tests.support.waiting import wait_for

CLOCK = SystemClock()


@pytest.fixture
def world(tmp_path: Path):
    return World(tmp_path)


class World:
    """Directories, a registry in a file, and an engine over both."""

    def __init__(self, path: Path) -> None:
        self.root = path / "platform"
        self.root.mkdir()
        self.kind = Directory(self.root)
        self.registry = FileRegistry(path / "registry.json")
        self.engine = Engine({"directory": self.kind}, self.registry, CLOCK, lambda: US)

    def new_run(self):
        return Run("1", RunOrder("provision"), CLOCK)

    def provision(self, *resources: Resource, run: Run | None = None) -> Run:
        run = run or self.new_run()
        self.engine.provision([Stage("Stage", "Stage", (), resources)], run)
        return run

    def teardown(self):
        run = self.new_run()
        self.engine.teardown(list(self.registry.entries().values()), run)
        return run

    def there(self):
        return sorted(path.name for path in self.root.iterdir())


def directory(key: str, needs: Iterable[str] = (), **spec: object) -> Resource:
    return Resource(key, "directory", key, spec, tuple(needs))


def test_everything_declared_is_made_in_the_order_of_needs(world: "World"):
    run = world.provision(directory("b", ["a"]), directory("a"))
    assert run.state == "succeeded"
    assert world.kind.calls == ["create a", "create b"]


def test_a_second_run_changes_nothing_and_says_so(world: "World"):
    world.provision(directory("a", size=1))
    world.kind.calls.clear()
    run = world.provision(directory("a", size=1))
    assert world.kind.calls == []
    assert run.steps["a"].state == "unchanged"


def test_outputs_of_one_resource_reach_another(world: "World"):
    world.provision(directory("a"), directory("b", where=Output("a", "path")))
    assert world.registry.entries()["b"].spec == {"where": str(world.root / "a")}


def test_drift_on_the_platform_is_repaired(world: "World"):
    world.provision(directory("a", size=1))
    (world.root / "a" / "settings.json").write_text(json.dumps({"size": 9}))
    world.provision(directory("a", size=1))
    assert json.loads((world.root / "a" / "settings.json").read_text()) == {"size": 1}


def test_what_was_removed_by_hand_is_made_again(world: "World"):
    world.provision(directory("a"))
    shutil.rmtree(world.root / "a")
    run = world.provision(directory("a"))
    assert (world.there(), run.steps["a"].message) == (["a"], "creating: it went missing")


def test_a_failed_part_is_repaired_and_only_it_is_run_again(world: "World"):
    world.kind.fails = {"b"}
    resources = [directory("a"), directory("b", ["a"]), directory("c", ["b"]), directory("d")]
    run = world.provision(*resources)
    assert {key: step.state for key, step in run.steps.items()} == {
        "a": "done", "b": "failed", "c": "skipped", "d": "done",
    }  # fmt: skip
    assert "no room for b" in run.error
    world.kind.fails, world.kind.calls = set(), []
    assert world.provision(*resources).state == "succeeded"
    assert world.kind.calls == ["create b", "create c"]


def test_every_intent_is_registered_before_anything_is_made(world: "World"):
    world.kind.fails = {"a"}
    world.provision(directory("a"), directory("b", ["a"]))
    assert {key: entry.state for key, entry in world.registry.entries().items()} == {
        "a": "planned",
        "b": "planned",
    }


def test_what_a_crash_left_unrecorded_is_adopted(world: "World"):
    (world.root / "a").mkdir()
    (world.root / "a" / "settings.json").write_text("{}")
    world.registry.record(Entry("a", "directory", "a", "Stage", (), {}))
    world.provision(directory("a", size=1))
    assert world.kind.calls == ["update a"]
    assert world.registry.entries()["a"].state == "ready"


def test_teardown_also_finds_what_was_only_planned(world: "World"):
    (world.root / "a").mkdir()
    (world.root / "a" / "settings.json").write_text("{}")
    world.registry.record(Entry("a", "directory", "a", "Stage", (), {}))
    world.teardown()
    assert (world.there(), world.registry.entries()) == ([], {})


def test_teardown_removes_all_dependents_first_and_may_be_repeated(world: "World"):
    world.provision(directory("a"), directory("b", ["a"]))
    world.kind.calls.clear()
    assert world.teardown().state == "succeeded"
    assert world.kind.calls == ["delete b", "delete a"]
    assert world.teardown().state == "succeeded"


def test_a_deletion_that_missed_a_part_is_asked_for_again(world: "World"):
    world.provision(directory("a"))
    world.kind.deletes_in_vain = 1
    assert (world.teardown().state, world.there()) == ("succeeded", [])


def test_what_is_no_longer_declared_is_removed(world: "World"):
    world.provision(directory("a"), directory("b"))
    world.provision(directory("a"))
    assert world.there() == ["a"]


def test_a_failed_run_removes_nothing_that_is_no_longer_declared(world: "World"):
    world.provision(directory("a"), directory("b"))
    world.kind.fails = {"c"}
    world.provision(directory("a"), directory("c"))
    assert world.there() == ["a", "b"]


def test_the_id_is_recorded_before_the_long_wait(world: "World"):
    world.kind.settles_after = 1_000_000
    run = world.new_run()
    thread = Thread(target=world.provision, args=(directory("a"),), kwargs={"run": run})
    thread.start()
    wait_for(
        lambda: world.registry.entries().get("a", Entry("a", "", "", "", (), {})).state == "created",
        what="id",
    )
    run.stop.set()
    thread.join()
    assert (run.state, run.steps["a"].state) == ("cancelled", "cancelled")


def test_patience_runs_out_with_a_clear_message(world: "World"):
    world.kind.settles_after, world.kind.patience_s = 1_000_000, 0.0
    assert "not ready after 0 s" in world.provision(directory("a")).error
