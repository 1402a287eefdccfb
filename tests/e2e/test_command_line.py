"""`caspers` as a person uses it: the commands, their exit codes, and what they say when something is wrong."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.support.waiting import wait_for

COMMAND = [sys.executable, "-m", "admin.cli"]
UP_SECONDS = 180
QUICK_LOOK = ("--target", "free", "--days", "2", "--port", "0", "--speed", "600")


class CommandLine:
    """Calls commands on one home."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments, "--home", str(self.home)],
            input=typed,
            capture_output=True,
            text=True,
            timeout=UP_SECONDS,
            check=False,
        )

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, *arguments, "--home", str(self.home)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def status(self) -> dict[str, Any]:
        return json.loads(self("status", "--json").stdout)

    def json(self, *arguments: str) -> Any:
        """What a command says with `--json`; it must be fine."""
        answer = self(*arguments, "--json")
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return json.loads(answer.stdout)

    def rows(self, statement: str) -> list[dict[str, Any]]:
        answer = self("sql", statement, "--json")
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    def processes(self) -> list[psutil.Process]:
        """Everything that runs on this home."""
        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if any(str(self.home) in part for part in process.info["cmdline"] or [])
        ]


@pytest.fixture
def caspers(tmp_path: Path) -> Iterator[CommandLine]:
    command_line = CommandLine(tmp_path / "home")
    yield command_line
    if command_line.home.exists():
        command_line("down", "--purge")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """A demo with a small dataset that was brought up and left running."""
    command_line = CommandLine(tmp_path_factory.mktemp("live") / "home")
    brought_up = command_line("up", "--detach", *QUICK_LOOK)
    assert brought_up.returncode == 0, brought_up.stdout + brought_up.stderr
    yield command_line
    command_line("down", "--purge")


def test_status_of_nothing_says_stopped_and_exits_with_one(caspers: CommandLine):
    answer = caspers("status", "--json")
    status = json.loads(answer.stdout)
    assert (answer.returncode, status["workspace"]) == (1, {"state": "stopped", "url": None})
    assert status.keys() == {
        *("workspace", "apps", "pipelines", "workers", "tables", "replay"),
        *("refunds", "complaints"),
    }


def test_wrong_usage_ends_the_process_with_two(caspers: CommandLine):
    assert caspers("up", "--days", "0").returncode == 2


def test_down_when_nothing_runs_is_fine(caspers: CommandLine):
    assert caspers("down").returncode == 0


def test_a_port_in_use_is_named_and_nothing_stays_running(caspers: CommandLine):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = caspers("up", "--port", str(port))
    assert answer.returncode == 1
    assert f"Port {port}" in answer.stderr
    assert "--port" in answer.stderr
    assert caspers.processes() == []


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    answer = CommandLine(tmp_path / "file" / "home")("up")
    assert answer.returncode == 1
    assert "cannot be written" in answer.stderr


def test_a_home_whose_path_the_engine_cannot_use_is_named(tmp_path: Path):
    answer = CommandLine(tmp_path / "my home")("up", "--detach", "--port", "0")
    assert answer.returncode == 1
    assert "--home" in answer.stderr


def test_a_directory_of_somebody_else_is_neither_used_nor_purged(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("years of work")
    assert CommandLine(tmp_path)("up").returncode == 1
    assert CommandLine(tmp_path)("down", "--purge").returncode == 1
    assert (tmp_path / "thesis.txt").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="making a tiny disk needs root")
def test_a_full_disk_is_refused_before_anything_starts(tmp_path: Path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("this machine does not let us mount a disk")
    try:
        answer = CommandLine(disk / "home")("up")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert answer.returncode == 1
    assert "MB are free" in answer.stderr


def test_a_connection_file_of_a_dead_workspace_does_not_count(caspers: CommandLine):
    (caspers.home / "workspace").mkdir(parents=True)
    ended = subprocess.Popen(["true"])
    ended.wait()
    stale = {"url": "http://127.0.0.1:1", "token": "none", "pid": ended.pid}
    (caspers.home / "workspace" / "workspace.json").write_text(json.dumps(stale))
    assert caspers.status()["workspace"]["state"] == "stopped"


@pytest.mark.slow
def test_a_demo_brought_up_is_as_desired_and_fills_its_tables(live: CommandLine):
    answer = wait_for(lambda: _when_fine(live), seconds=60, what="status exits with 0", every=1)
    tables = answer["tables"]
    assert tables["caspersdev.simulator.brands"]["rows"] == 24
    assert tables["caspersdev.lakeflow.gold_order_header"]["rows"] > 0
    assert answer["replay"]["events_written"] > 0
    assert {worker["desired"] for worker in answer["workers"].values()} == {"running"}


@pytest.mark.slow
def test_sql_answers_as_a_table_and_as_json_rows(live: CommandLine):
    assert live.rows("select 1 as one, 'x' as letter, null as nothing") == [
        {"one": 1, "letter": "x", "nothing": None}
    ]
    assert "one" in live("sql", "select 1 as one").stdout


@pytest.mark.slow
def test_a_mistake_in_sql_exits_with_one_and_the_words_of_the_engine(live: CommandLine):
    answer = live("sql", "select * from nowhere.at_all")
    assert answer.returncode == 1
    assert "nowhere" in answer.stderr


@pytest.mark.slow
def test_a_second_up_on_a_running_demo_says_so(live: CommandLine):
    wait_for(lambda: live("status").returncode == 0, seconds=60, what="all is as desired", every=1)
    answer = live("up", "--detach", *QUICK_LOOK)
    assert answer.returncode == 0
    assert "already running" in answer.stdout


@pytest.mark.slow
def test_everything_made_is_in_the_registry(live: CommandLine):
    states = live.rows(
        "select kind, state, count(*) as n from caspersdev._internal_state.resources group by kind, state"
    )
    assert {row["state"] for row in states} == {"ready"}


@pytest.mark.slow
def test_the_replay_is_steered_from_the_command_line(live: CommandLine):
    assert live("replay", "pause").returncode == 0
    assert json.loads(live("replay", "status", "--json").stdout)["paused"] is True
    assert live("replay", "resume").returncode == 0
    assert "digest" in live("replay", "digest", "--json").stdout


@pytest.mark.slow
def test_a_plan_says_what_a_run_would_create_and_does_nothing(live: CommandLine):
    verbs = {each["key"]: each["verb"] for each in live.json("plan", "Refund_Recommender_Stream")["actions"]}
    assert (verbs["table refund_recommendations"], verbs["schema simulator"]) == ("create", "keep")
    assert live.json("stages", "Refund_Recommender_Stream")["presence"] == "absent"


@pytest.mark.slow
def test_a_run_is_listed_shown_logged_and_compared(live: CommandLine):
    first = live.json("runs", "--limit", "1")[0]["run_id"]
    started = live("run", "Canonical_Data", "--no-wait").stdout.strip()
    followed = live("runs", started, "--log", "--follow")
    assert followed.returncode == 0, followed.stderr
    again = live.json("runs", started)
    assert (again["state"], again["stages"][-1]) == ("succeeded", "Canonical_Data")
    assert live.json("runs", "--compare", first, started)["other"]["run_id"] == started
    assert "succeeded" in live("runs").stdout


@pytest.mark.slow
def test_a_worker_stops_when_it_is_paused_and_goes_on_when_resumed(live: CommandLine):
    for order, desired in (("pause", "stopped"), ("resume", "running")):
        assert live("workers", order, "canonical_data").returncode == 0
        told = {worker["name"]: worker for worker in live.json("workers")}["canonical_data"]
        assert (told["desired"], told["observed"] == "stopped") == (desired, desired == "stopped")


@pytest.mark.slow
def test_roles_are_given_and_taken_and_that_is_on_record(live: CommandLine):
    assert live("roles", "grant", "ada@example.com", "operator").returncode == 0
    assert [(each["principal"], each["role"]) for each in live.json("roles")] == [
        ("ada@example.com", "operator")
    ]
    assert live("roles", "revoke", "ada@example.com").returncode == 0
    assert live.json("roles") == []
    assert [each["action"] for each in live.json("activity", "--limit", "2")] == [
        "role.revoke",
        "role.grant",
    ]


@pytest.mark.slow
def test_what_was_made_is_checked_against_the_platform(live: CommandLine):
    assert {each["health"] for each in live.json("resources", "--check", "--stage", "Foundation")} == {"ok"}
    assert wait_for(lambda: live("verify").returncode == 0, seconds=60, what="all is verified", every=1)
    assert live("verify", "--gone").returncode == 1


@pytest.mark.slow
def test_nothing_is_deleted_unless_the_word_is_typed(live: CommandLine):
    answer = live("teardown", "Spark_Declarative_Pipeline", typed="yes\n")
    assert answer.returncode == 1
    assert "nothing was deleted" in answer.stderr
    assert live.json("stages", "Spark_Declarative_Pipeline")["presence"] == "present"


@pytest.mark.slow
def test_a_token_opens_the_api_for_scripts(live: CommandLine):
    access = live.json("token")
    headers = {"Authorization": f"Bearer {live('token').stdout.strip()}"}
    assert httpx.get(f"{access['api']}/me", headers=headers, timeout=30).json()["role"] == "owner"


@pytest.mark.slow
def test_cancel_and_repair_say_so_when_there_is_nothing_for_them(live: CommandLine):
    assert "no run goes on" in live("cancel").stdout
    nothing_failed = live("repair")
    assert nothing_failed.returncode == 1
    assert "no run to repair" in nothing_failed.stderr


@pytest.mark.slow
def test_a_killed_up_is_finished_by_the_next_and_an_interrupt_stops_what_up_started(caspers: CommandLine):
    first = caspers.begin("up", *QUICK_LOOK)
    wait_for(lambda: _said(first, "control project"), seconds=UP_SECONDS, what="half of it is made")
    first.kill()
    first.wait()
    again = caspers("up", "--detach", "--port", "0")
    assert again.returncode == 0, again.stdout + again.stderr
    wait_for(lambda: caspers("status").returncode == 0, seconds=60, what="all is as desired", every=1)
    assert caspers.status()["workers"]["canonical_data"]["progress"]["days"] == 2
    assert caspers("down").returncode == 0
    attached = caspers.begin("up", "--port", "0")
    wait_for(lambda: _said(attached, "Live."), seconds=UP_SECONDS, what="it is live")
    attached.send_signal(signal.SIGINT)
    assert attached.wait(60) == 0
    assert caspers.processes() == []


@pytest.mark.slow
def test_the_refund_line_goes_without_a_trace_comes_back_as_it_was_and_down_leaves_nothing(
    caspers: CommandLine,
):
    up = caspers("up", "--detach", "--days", "2", "--port", "0")
    assert up.returncode == 0, up.stdout + up.stderr
    line = wait_for(lambda: _with_cases(caspers), seconds=120, what="recommendations became cases", every=1)
    assert line["synced"]["state"].startswith("ONLINE")
    assert line["recommendations"].keys() == {"rules"}
    _tear_down_all(caspers)
    _run_again_and_leave(caspers)


def _tear_down_all(caspers: CommandLine) -> None:
    torn_down = caspers("teardown", typed="caspersdev\n")
    assert torn_down.returncode == 0, torn_down.stdout + torn_down.stderr
    assert caspers("verify", "--gone").returncode == 0
    after = caspers.status()
    assert (list(after["apps"]), after["pipelines"], after["tables"]) == (["caspersdev-admin"], {}, {})
    assert caspers.rows("show catalogs") == []


def _run_again_and_leave(caspers: CommandLine) -> None:
    again = caspers("run", "free")
    assert again.returncode == 0, again.stdout + again.stderr
    assert caspers.status()["workers"]["canonical_data"]["progress"]["days"] == 2
    assert len(caspers.processes()) > 1
    assert caspers("down", "--purge").returncode == 0
    assert caspers.processes() == []
    assert not caspers.home.exists()


def _with_cases(demo: CommandLine) -> dict[str, Any] | None:
    line = demo.status()["refunds"]
    return line if line and line["cases"] else None


def _when_fine(live: CommandLine) -> dict[str, Any] | None:
    answer = live("status", "--json")
    status = json.loads(answer.stdout)
    filled = (status["tables"].get("caspersdev.lakeflow.gold_order_header") or {}).get("rows")
    return status if answer.returncode == 0 and filled else None


def _said(process: subprocess.Popen[str], words: str) -> bool:
    assert process.stdout is not None
    return words in process.stdout.readline()
