"""Files are left out only when their ranges prove that they hold nothing of the touched groups."""

from datetime import date, datetime
from typing import Any

import pytest
from local_workspace.pipeline_runs.affected import Touched, affected, cut_down
from local_workspace.pipeline_runs.delta_table import DataFile


def _file(name: str, least: Any, most: Any, *, nulls: int = 0, rows: int = 10) -> DataFile:
    return DataFile(name, 1, rows, least={"k": least}, most={"k": most}, nulls={"k": nulls})


FILES = [_file("low", 1, 5), _file("middle", 6, 9), _file("high", 10, 20)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [([5], ["low"]), ([6, 10], ["middle", "high"]), ([0], []), ([21], []), ([3, 30], ["low"]), ([], [])],
)
def test_only_files_whose_range_holds_a_value_are_kept(values: list[int], expected: list[str]):
    assert [file.path for file in affected(FILES, [Touched("k", None, values)])] == expected


def test_a_file_without_statistics_is_always_kept():
    assert affected([DataFile("unknown", 1, 10)], [Touched("k", None, [1])])


def test_a_null_key_keeps_files_with_nulls_and_those_unknown():
    files = [_file("none", 1, 5), _file("some", 1, 5, nulls=2), DataFile("unknown", 1, 10)]
    assert [file.path for file in affected(files, [Touched("k", None, [None])])] == ["some", "unknown"]


def test_a_file_of_nothing_but_nulls_holds_no_value():
    only_nulls = DataFile("nulls", 1, 10, nulls={"k": 10})
    assert not affected([only_nulls], [Touched("k", None, [1])])


def test_moments_are_compared_after_being_cut_down():
    file = _file(
        "day", datetime.fromisoformat("2024-01-02T03:59:00"), datetime.fromisoformat("2024-01-02T08:01:00")
    )
    hours = [datetime.fromisoformat(f"2024-01-02T{hour:02}:00") for hour in range(24)]
    kept = [hour.hour for hour in hours if affected([file], [Touched("k", "hour", [hour])])]
    assert kept == [3, 4, 5, 6, 7, 8]
    assert affected([file], [Touched("k", "date", [date(2024, 1, 2)])])
    assert not affected([file], [Touched("k", "date", [date(2024, 1, 3)])])


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("year", datetime.fromisoformat("2024-01-01")),
        ("month", datetime.fromisoformat("2024-05-01")),
        ("day", datetime.fromisoformat("2024-05-06")),
        ("hour", datetime.fromisoformat("2024-05-06T07:00:00")),
        ("second", datetime.fromisoformat("2024-05-06T07:08:09")),
        ("date", date(2024, 5, 6)),
        (None, datetime.fromisoformat("2024-05-06T07:08:09.000010")),
    ],
)
def test_cutting_down_is_what_date_trunc_does(unit: str | None, expected: date):
    assert cut_down(datetime.fromisoformat("2024-05-06T07:08:09.000010"), unit) == expected
