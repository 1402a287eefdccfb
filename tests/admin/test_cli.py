"""The command line by itself: what it offers to a shell, and what it refuses before it asks anybody."""

import subprocess
import sys
from pathlib import Path

import pytest
from admin.cli.__main__ import MODULES, command_line
from admin.cli.app_client import AppClient
from caspers.errors import Unavailable
from typer.completion import completion_init
from typer.testing import CliRunner, Result


def run(*arguments: str, **variables: str) -> Result:
    return CliRunner().invoke(command_line(), list(arguments), env=variables, prog_name="caspers")


def offered(line: str) -> list[str]:
    """What bash is offered for the last word of a line."""
    completion_init()
    words = line.split(" ")
    answer = run(_CASPERS_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1))
    return answer.output.split()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("caspers run Ca", ["Canonical_Data"]),
        ("caspers run al", ["all"]),
        ("caspers teardown Complaint_A", ["Complaint_Agent", "Complaint_Agent_Stream"]),
        ("caspers run free -p sta", ["start_day="]),
        ("caspers te", ["teardown", "test"]),
        ("caspers workers re", ["resume"]),
        ("caspers roles grant ada o", ["operator", "owner"]),
        ("caspers runs --home /nowhere ", []),
    ],
)
def test_a_shell_is_offered_what_may_stand_there(line: str, words: list[str]):
    assert offered(line) == words


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_words_for_a_shell_call_the_launcher_of_this_checkout(shell: str):
    said = run("completion", shell)
    assert said.exit_code == 0
    assert "_CASPERS_COMPLETE=complete_" + shell in said.output
    assert "/caspers'" in said.output


def test_no_command_but_sql_imports_the_platforms_sdk_before_it_needs_it():
    modules = sorted(
        {f"admin.cli.commands.{module}" for module in MODULES.values()} - {"admin.cli.commands.sql"}
    )
    program = f"import sys, {', '.join(modules)}; sys.exit('databricks.sdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_bash_understands_the_words_and_completes_a_stage(tmp_path: Path):
    script = tmp_path / "completion.sh"
    script.write_text(run("completion", "bash").output)
    asked = "COMP_WORDS=(caspers run Ca); COMP_CWORD=2; _caspers_completion; echo ${COMPREPLY[@]}"
    said = subprocess.run(
        ["bash", "-c", f"source {script}; {asked}"], capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["Canonical_Data"]


def test_every_command_says_in_a_sentence_what_it_does():
    said = run("--help").output
    assert not [name for name in MODULES if f" {name} " not in said]


def test_a_mistyped_command_is_answered_with_those_that_look_like_it():
    answer = run("tear-down")
    assert answer.exit_code == 2
    assert "teardown" in answer.output


def test_an_unknown_stage_is_refused_with_the_names_there_are():
    answer = run("run", "Nowhere")
    assert answer.exit_code == 2
    assert "Canonical_Data" in answer.output


def test_an_admin_that_does_not_answer_is_named():
    nobody = AppClient("demo-admin", "http://127.0.0.1:1", "token", timeout_s=1)
    with pytest.raises(Unavailable, match="demo-admin does not answer"):
        nobody.get("/me")


@pytest.mark.parametrize(
    "arguments",
    [
        ("up", "--days", "0"),
        ("up", "--catalog", "Not A Name"),
        ("up", "--target", "half"),
        ("sing",),
        ("up", "--port", "x"),
        ("up", "-p", "complaint_rate=2"),
        ("up", "-p", "no_such=1"),
        ("up", "-p", "catalog=other"),
        ("up", "-p", "days"),
        ("run", "Canonical_Data", "free"),
        ("plan", "free", "-p", "no_such=1"),
        ("teardown", "Half_A_Stage"),
        ("runs", "--follow"),
        ("runs", "--compare", "one"),
        ("workers", "set", "replay", "speed"),
        ("roles", "grant", "ada", "king"),
    ],
)
def test_wrong_usage_exits_with_two_and_leaves_no_home(tmp_path: Path, arguments: tuple[str, ...]):
    assert run(*arguments, "--home", str(tmp_path / "home")).exit_code == 2
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "arguments", [("sql", "select 1"), ("teardown",), ("replay", "status"), ("runs",), ("verify", "--gone")]
)
def test_commands_that_need_a_running_workspace_say_how_to_start_it(
    tmp_path: Path, arguments: tuple[str, ...]
):
    answer = run(*arguments, "--home", str(tmp_path / "home"))
    assert answer.exit_code == 1
    assert "caspers up" in answer.stderr
