"""A worker inside a real app process: ended by SIGTERM as the platform does it, and by kill -9."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from caspers.clients.postgres import Postgres

from tests.caspers.crew import Crew, Tally
from tests.caspers.serving import free_port
from tests.support.postgres import Cluster
from tests.support.waiting import wait_for

PROGRAM = "tests.caspers.worker_process"
ROOT = Path(__file__).parents[2]

Start = Callable[[str], subprocess.Popen[bytes]]


@pytest.fixture
def start(cluster: Cluster) -> Iterator[Start]:
    """Start a worker process on a database; whatever still runs at the end is killed."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(database: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", PROGRAM, cluster.url(database), str(free_port())]
        running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT))
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.wait(10)


def name_of(database: Postgres) -> str:
    with database.reading() as reader:
        row = reader.row("SELECT current_database()")
    return row[0] if row else ""


def in_hand(crew: Crew) -> bool:
    report = crew.report()
    return report is not None and report.progress.get("state") == "in hand"


def test_sigterm_lets_the_step_in_hand_end_and_says_goodbye(database: Postgres, start: Start):
    crew = Crew(database)
    process = start(name_of(database))
    crew.order("running")
    wait_for(lambda: in_hand(crew), what="the step is in hand")
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) in {0, -signal.SIGTERM}
    report = crew.report()
    assert report is not None
    assert report.observed == "stopped"
    assert report.progress == {"state": "ended well", "interrupted": True}


def test_when_the_working_copy_is_killed_another_takes_over(database: Postgres, start: Start):
    with Crew(database) as crew:
        process = start(name_of(database))
        crew.order("running")
        wait_for(lambda: in_hand(crew), what="the process works")
        tally = Tally()
        heir = crew.hire(tally)
        wait_for(lambda: heir.standby, what="the heir waits")
        assert tally.steps == 0
        process.kill()
        wait_for(lambda: tally.steps > 0, seconds=10, what="the heir works")


def test_a_restarted_process_goes_on_with_the_orders_it_had(database: Postgres, start: Start):
    crew = Crew(database)
    crew.order("running", speed=60)
    start(name_of(database)).kill()
    start(name_of(database))
    wait_for(lambda: in_hand(crew), what="the second process works")
    report = crew.report()
    assert report is not None
    assert report.progress["speed"] == 60
