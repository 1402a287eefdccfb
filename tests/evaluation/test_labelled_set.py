"""A labelled set is read whole or refused with the place that makes no sense."""

import json
from pathlib import Path
from typing import Any

import pytest
from admin.evaluation.labelled_set import Conditions, read_set
from caspers.errors import Invalid, NotFound

CASE = {
    "case": "late",
    "branch": "delay",
    "facts": {"order_id": "A"},
    "expected": {"usd": {"from": 1, "to": 2}},
}


def written(folder: Path, *cases: Any) -> Path:
    file = folder / "set.jsonl"
    file.write_text("\n".join(each if isinstance(each, str) else json.dumps(each) for each in cases))
    return file


def test_a_set_knows_its_cases_and_its_digest(tmp_path: Path):
    found = read_set(written(tmp_path, CASE, "", CASE | {"case": "later"}))
    assert [case.name for case in found.cases] == ["delay: late", "delay: later"]
    assert isinstance(found.cases[0].fields["usd"], Conditions)
    assert found.digest != read_set(written(tmp_path, CASE)).digest


@pytest.mark.parametrize(
    "line",
    [
        "rubbish",
        "[]",
        {"case": "late"},
        CASE | {"more": 1},
        CASE | {"expected": {"usd": {"about": 3}}},
        CASE | {"expected": {"text": {"with": "(unclosed"}}},
    ],
)
def test_a_line_that_makes_no_sense_is_named(tmp_path: Path, line: Any):
    with pytest.raises(Invalid, match="line 2"):
        read_set(written(tmp_path, CASE | {"case": "first"}, line))


def test_two_cases_of_one_name_are_refused(tmp_path: Path):
    with pytest.raises(Invalid, match="delay: late"):
        read_set(written(tmp_path, CASE, CASE))


def test_a_set_without_cases_or_without_a_file_is_refused(tmp_path: Path):
    with pytest.raises(Invalid, match="no case"):
        read_set(written(tmp_path, ""))
    with pytest.raises(NotFound, match="cannot be read"):
        read_set(tmp_path / "nowhere.jsonl")
