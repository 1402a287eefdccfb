from collections.abc import Collection
from threading import Barrier, Event, Lock

from admin.engine.walk import Outcome, walk


def record(
    graph: dict[str, frozenset[str]], *, failing: Collection[str] = ()
) -> tuple[list[str], dict[str, Outcome]]:
    order: list[str] = []
    lock = Lock()

    def act(key: str) -> bool:
        with lock:
            order.append(key)
        return key not in failing

    return order, walk(graph, act, parallel=4, stop=Event())


def test_a_key_waits_until_all_it_needs_are_done():
    order, outcomes = record({"c": frozenset("ab"), "b": frozenset("a"), "a": frozenset()})
    assert order == ["a", "b", "c"]
    assert set(outcomes.values()) == {"done"}


def test_independent_keys_run_at_the_same_time():
    both_are_here = Barrier(2, timeout=10)
    outcomes = walk(
        {"a": frozenset(), "b": frozenset()}, lambda _key: both_are_here.wait() >= 0, parallel=2, stop=Event()
    )
    assert outcomes == {"a": "done", "b": "done"}


def test_what_depends_on_a_failure_is_skipped_and_the_rest_goes_on():
    graph = {"a": frozenset(), "b": frozenset("a"), "c": frozenset("b"), "other": frozenset()}
    order, outcomes = record(graph, failing={"a"})
    assert outcomes == {"a": "failed", "b": "skipped", "c": "skipped", "other": "done"}
    assert "b" not in order


def test_nothing_new_begins_after_a_stop():
    stop = Event()

    def act(_key: str) -> bool:
        stop.set()
        return True

    outcomes = walk({"a": frozenset(), "b": frozenset("a")}, act, parallel=2, stop=stop)
    assert outcomes == {"a": "done", "b": "skipped"}
