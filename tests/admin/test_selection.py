from collections.abc import Iterable

import pytest
from admin.declarations import Entry, Resource, Stage
from admin.engine import selection
from caspers.errors import Invalid


def stage(name: str, *needs: str, shares: Iterable[str] = ()) -> Stage:
    keys = (f"own of {name}", *shares)
    return Stage(name, name, needs, tuple(Resource(key, "kind", key) for key in keys))


def registered(*keys: str, stage: str = "") -> dict[str, Entry]:
    return {key: Entry(key, "kind", key, stage or key.removeprefix("own of "), (), {}) for key in keys}


LINES = [
    stage("Base"),
    stage("Refunds", "Base", shares=["ground"]),
    stage("Complaints", "Base", shares=["ground"]),
    stage("Console", "Refunds"),
]
ALL = registered("own of Base", "own of Refunds", "own of Complaints", "own of Console", "ground")


def keys(entries: Iterable[Entry]) -> set[str]:
    return {entry.key for entry in entries}


def test_a_stage_is_present_by_what_it_alone_declares():
    assert selection.present(LINES, registered("own of Base", "own of Refunds", "ground")) == [
        "Base",
        "Refunds",
    ]


def test_stages_that_need_a_stage_come_along_with_it():
    assert selection.with_dependents(LINES, ["Refunds"]) == ["Refunds", "Console"]


def test_only_present_stages_come_along():
    assert selection.with_dependents(LINES, ["Base"], among=["Base", "Complaints"]) == ["Base", "Complaints"]


def test_a_name_that_is_no_stage_is_refused():
    with pytest.raises(Invalid, match="there is no stage Nowhere"):
        selection.with_dependents(LINES, ["Nowhere"])


def test_what_another_present_stage_declares_stays():
    going = selection.entries_of(LINES, ALL, ["Refunds", "Console"])
    assert keys(going) == {"own of Refunds", "own of Console"}


def test_what_several_stages_declare_goes_with_the_last_of_them():
    there = registered("own of Base", "own of Refunds", "ground")
    assert keys(selection.entries_of(LINES, there, ["Refunds"])) == {"own of Refunds", "ground"}


def test_what_nobody_declares_any_more_goes_with_its_recorded_stage():
    there = ALL | registered("left over", stage="Refunds")
    assert "left over" in keys(selection.entries_of(LINES, there, ["Refunds"]))
    assert "left over" not in keys(selection.entries_of(LINES, there, ["Complaints"]))


def test_a_target_leaves_the_stages_that_others_still_need():
    there = ["Base", "Refunds", "Complaints", "Console"]
    assert selection.free_of_others(LINES, ["Base", "Refunds", "Console"], there) == ["Refunds", "Console"]


def test_a_target_that_nobody_else_needs_goes_whole():
    there = ["Base", "Refunds"]
    assert selection.free_of_others(LINES, ["Base", "Refunds"], there) == ["Base", "Refunds"]


def test_a_repair_takes_what_failed_and_what_waited_for_it():
    ended = {"Base": "done", "Refunds": "failed", "Console": "skipped", "Complaints": "done"}
    assert selection.to_repair(LINES, ended) == ["Refunds", "Console"]


def test_a_repair_stays_within_the_stages_of_its_run():
    assert selection.to_repair(LINES, {"Base": "unchanged", "Refunds": "cancelled"}) == ["Refunds"]
