"""`caspers eval` says what it needs, and what changed between two reports."""

import json
from pathlib import Path
from typing import Any

import pytest
from admin.cli.__main__ import command_line
from typer.testing import CliRunner, Result

from tests.evaluation.test_report import made


def caspers(*arguments: str | Path) -> Result:
    words = [str(word) for word in arguments]
    return CliRunner().invoke(command_line(), words)


def errors_of(answer: Result) -> str:
    """What it said on stderr, wherever the terminal broke the lines."""
    return " ".join(answer.stderr.split())


def written(folder: Path, name: str, value: Any) -> Path:
    file = folder / name
    file.write_text(json.dumps(value))
    return file


@pytest.mark.parametrize("agent", ["refund", "complaint"])
def test_an_evaluation_without_a_workspace_says_how_to_start_one(tmp_path: Path, agent: str):
    answer = caspers("eval", agent, "--home", tmp_path / "home")
    assert answer.exit_code == 1
    assert "caspers up" in errors_of(answer)


def test_a_set_that_makes_no_sense_is_refused_before_anything_is_asked(tmp_path: Path):
    rubbish = written(tmp_path, "set.jsonl", {"case": 1})
    answer = caspers("eval", "refund", "--set", rubbish, "--home", tmp_path / "home")
    assert (answer.exit_code, "line 1" in errors_of(answer)) == (1, True)


def test_a_comparison_exits_with_one_when_a_case_is_no_longer_right(tmp_path: Path):
    good, bad = written(tmp_path, "a", made()), written(tmp_path, "b", made(early="full"))
    worse, better = caspers("eval", "compare", good, bad), caspers("eval", "compare", bad, good)
    assert (worse.exit_code, better.exit_code) == (1, 0)
    assert "no longer right: none: early" in worse.stdout
    assert "right now: none: early" in better.stdout


def test_a_comparison_as_json_is_one_object(tmp_path: Path):
    good = written(tmp_path, "a", made())
    answer = caspers("eval", "compare", good, good, "--json")
    assert json.loads(answer.stdout)["worse"] == []


@pytest.mark.parametrize("content", ["rubbish", "[1]", '{"format": 0}'])
def test_what_is_no_report_is_not_compared(tmp_path: Path, content: str):
    (tmp_path / "a").write_text(content)
    answer = caspers("eval", "compare", tmp_path / "a", tmp_path / "a")
    assert (answer.exit_code, "is no report" in errors_of(answer)) == (1, True)
