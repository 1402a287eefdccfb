"""What a run would do, said before it starts; and what it then leaves alone."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from admin.declarations import Output, Resource, Stage
from admin.engine.engine import Engine
from admin.engine.registry import FileRegistry
from admin.runs.run import Run, RunOrder
from admin.shapes import PlannedAction
from caspers.clock import SystemClock

from tests.admin.directories import US, Directory

CLOCK = SystemClock()


class World:
    """Directories, a registry in a file, and an engine over both."""

    def __init__(self, path: Path) -> None:
        self.root = path / "platform"
        self.root.mkdir()
        self.kind = Directory(self.root)
        self.registry = FileRegistry(path / "registry.json")
        self.engine = Engine({"directory": self.kind}, self.registry, CLOCK, lambda: US)

    def provision(self, *resources: Resource) -> Run:
        run = Run("1", RunOrder("provision"), CLOCK)
        self.engine.provision(stages(*resources), run)
        return run

    def teardown(self, *resources: Resource) -> Run:
        run = Run("1", RunOrder("teardown"), CLOCK)
        self.engine.teardown(list(self.engine.everything(stages(*resources)).values()), run)
        return run

    def stop(self) -> Run:
        run = Run("1", RunOrder("stop"), CLOCK)
        self.engine.stop(list(self.registry.entries().values()), run)
        return run

    def make_by_hand(self, name: str, maker: str = US) -> None:
        (self.root / name).mkdir()
        (self.root / name / "settings.json").write_text("{}")
        self.kind.makers[name] = maker

    def there(self) -> list[str]:
        return sorted(path.name for path in self.root.iterdir())


@pytest.fixture
def world(tmp_path: Path):
    return World(tmp_path)


def stages(*resources: Resource) -> list[Stage]:
    return [Stage("Stage", "Stage", (), resources)]


def directory(key: str, needs: Iterable[str] = (), **spec: object) -> Resource:
    return Resource(key, "directory", key, spec, tuple(needs))


def verbs(actions: Iterable[PlannedAction]) -> dict[str, str]:
    return {action.key: action.verb for action in actions}


def test_a_plan_says_what_a_run_would_do_and_does_nothing(world: World):
    world.provision(directory("a", size=1), directory("b"), directory("old"))
    world.kind.calls.clear()
    wanted = stages(directory("a", size=2), directory("b"), directory("c"))
    assert verbs(world.engine.plan(wanted)) == {"a": "update", "b": "keep", "c": "create", "old": "delete"}
    assert world.kind.calls == []


def test_what_refers_to_something_missing_is_planned_from_its_name(world: World):
    resources = [
        directory("a"),
        directory("b", where=Output("a", "path")),
        directory("c", it=Output("b", "path")),
    ]
    assert set(verbs(world.engine.plan(stages(*resources))).values()) == {"create"}
    world.make_by_hand("b")
    assert verbs(world.engine.plan(stages(*resources))) == {"a": "create", "b": "update", "c": "create"}


def test_a_plan_and_its_run_come_to_the_same(world: World):
    world.provision(directory("a", size=1))
    (world.root / "a" / "settings.json").write_text(json.dumps({"size": 9}))
    wanted = [directory("a", size=1), directory("b", where=Output("a", "path"))]
    planned = verbs(world.engine.plan(stages(*wanted)))
    run = world.provision(*wanted)
    assert {key: step.verb for key, step in run.steps.items()} == planned


def test_what_bears_our_name_and_is_another_s_is_refused_untouched(world: World):
    world.make_by_hand("a", maker="them")
    planned = world.engine.plan(stages(directory("a", size=1)))
    run = world.provision(directory("a", size=1))
    assert (planned[0].verb, run.state, world.kind.calls) == ("leave", "failed", [])
    assert "was not made by this demo" in run.error
    assert "another catalog name" in run.what_now


def test_a_teardown_leaves_another_s_thing_of_our_name(world: World):
    world.make_by_hand("a", maker="them")
    world.provision(directory("a"), directory("b"))
    assert verbs(world.engine.plan_teardown(list(world.registry.entries().values()))) == {
        "a": "leave",
        "b": "delete",
    }
    world.teardown(directory("a"), directory("b"))
    assert (world.there(), world.registry.entries()) == (["a"], {})


def test_a_teardown_of_everything_finds_what_no_registry_knows(world: World):
    world.provision(directory("a"), directory("b", ["a"]))
    world.registry.forget("a", "b")
    run = world.teardown(directory("a"), directory("b", ["a"]))
    assert (run.state, world.there(), world.kind.calls[-2:]) == ("succeeded", [], ["delete b", "delete a"])


def test_stopping_deletes_nothing_and_the_next_run_lets_it_go_on(world: World):
    world.provision(directory("a"), directory("b", ["a"]))
    world.kind.calls.clear()
    assert world.stop().state == "succeeded"
    assert world.kind.calls == ["stop b", "stop a"]
    assert verbs(world.engine.plan(stages(directory("a"), directory("b", ["a"])))) == {
        "a": "update",
        "b": "update",
    }
    world.provision(directory("a"), directory("b", ["a"]))
    assert {step.state for step in world.stop().steps.values()} == {"done"}


def test_stopping_twice_calls_the_platform_once(world: World):
    world.provision(directory("a"))
    world.stop()
    world.kind.calls.clear()
    assert verbs(world.engine.plan_stop(list(world.registry.entries().values()))) == {"a": "keep"}
    assert (world.stop().state, world.kind.calls) == ("succeeded", [])


def test_the_registry_knows_when_something_was_made_and_changed(world: World):
    world.provision(directory("a", size=1))
    made = world.registry.entries()["a"]
    world.provision(directory("a", size=2))
    changed = world.registry.entries()["a"]
    assert made.created_at == changed.created_at
    assert made.changed_at is not None
    assert changed.changed_at is not None
    assert changed.changed_at > made.changed_at
