"""The running app: canonical data, replay, controls, crashes, over the real workspace."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.replayer.running import Kitchen
from tests.support.waiting import wait_for
from tests.support.workspace import LocalWorkspace

pytestmark = pytest.mark.slow


@pytest.fixture
def kitchen(workspace: LocalWorkspace, catalog: str, tmp_path: Path) -> Iterator[Kitchen]:
    ready = Kitchen(workspace, catalog, tmp_path).prepare()
    ready.start()
    yield ready
    ready.remove()


def canonical_data(kitchen: Kitchen) -> str:
    """Order two days of our own dataset and wait for the folder it is in."""
    kitchen.order("canonical_data", days=2, seed=3)
    done = wait_for(
        lambda: (s := kitchen.get("/api/status")["canonical"])["state"] == "complete" and s, what="a dataset"
    )
    return done["path"]


def begin(kitchen: Kitchen, **parameters: Any) -> None:
    """Order the replay and wait until it has caught up."""
    wanted = {"dataset": canonical_data(kitchen), "start_day": 1, "schedule_minutes": 0.01} | parameters
    kitchen.order("replay", **wanted)
    wait_until(kitchen, "running")


def wait_until(kitchen: Kitchen, state: str) -> dict[str, Any]:
    """Wait for a state in which the volume is up to virtual time: exactly, or within a few seconds if that moves."""
    lag_s = 5 if state == "running" else 0

    def status() -> dict[str, Any] | None:
        found = kitchen.get("/api/status")
        return found if found["state"] == state and (found["lag_s"] or 0) <= lag_s else None

    return wait_for(status, what=f"the replay is {state} and up to date") or {}


def test_the_app_makes_its_dataset_and_replays_it_live(kitchen: Kitchen):
    begin(kitchen)
    status = kitchen.get("/api/status")
    assert status["events_written"] > 1_000
    assert status["dataset"]["days"] == 2
    before = status["watermark"]
    wait_for(lambda: kitchen.get("/api/status")["watermark"] > before, what="virtual time goes on")
    assert len(kitchen.get("/api/windows")) > 0


def test_every_control_answers_and_does_what_it_says(kitchen: Kitchen):
    begin(kitchen)
    assert kitchen.post("/api/pause").json()["paused"]
    assert wait_until(kitchen, "paused")
    for body in ({"kind": "event"}, {"kind": "order"}, {"kind": "minutes", "minutes": 5}):
        assert kitchen.post("/api/step", **body).status_code == 200
    assert kitchen.post("/api/speed", multiplier=3600).status_code == 200
    wait_for(lambda: kitchen.get("/api/status")["speed"] == 3600, what="the new speed")
    assert kitchen.post("/api/seek", day=0, time="12:00").json()["loop"] == 1
    assert wait_until(kitchen, "paused")["day"] == 0
    assert kitchen.post("/api/run-until", time="12:30").json()["until"].endswith("12:30:00Z")
    assert wait_until(kitchen, "paused")["watermark"].endswith("12:30:00Z")
    kitchen.post("/api/stop")
    wait_for(lambda: kitchen.get("/api/status")["state"] == "stopped", what="the replay is stopped")


def test_nonsense_is_answered_with_a_problem_document(kitchen: Kitchen):
    assert kitchen.post("/api/start").status_code == 409
    assert kitchen.post("/api/pause").json()["detail"] == "the replay has not begun"
    assert kitchen.post("/api/speed", multiplier=-1).status_code == 422
    assert kitchen.post("/api/step", kind="year").status_code == 422
    kitchen.order("replay", dataset="/Volumes/nowhere/at/all")
    failed = wait_for(
        lambda: (s := kitchen.get("/api/status"))["state"] == "failed" and s, what="the failure"
    )
    assert "/Volumes/nowhere/at/all" in failed["last_error"]


def test_killed_and_stopped_apps_go_on_without_loss_or_doubles(kitchen: Kitchen):
    begin(kitchen, speed_multiplier=600)
    for end in (kitchen.kill, kitchen.stop, kitchen.kill):
        end()
        kitchen.start()
        wait_until(kitchen, "running")
    kitchen.post("/api/pause")
    final = wait_until(kitchen, "paused")
    lines = kitchen.events()
    assert len(set(lines)) == len(lines) == final["events_written"]
    assert kitchen.get("/api/digest")["events"] == len(lines)


def test_the_page_shows_the_status_and_its_controls(kitchen: Kitchen):
    import httpx

    begin(kitchen)
    page = httpx.get(kitchen.url).text
    for words in ("virtual time, UTC", "Next event", "Run and pause", "/api/status"):
        assert words in page
