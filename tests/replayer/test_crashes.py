"""The replay is killed before and after every single thing it writes, and for real, and nothing is lost or doubled."""

import itertools
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from replayer.watermark import Files

from tests.replayer.stage import Stage, unharmed
from tests.support.datasets import FolderFiles, generated
from tests.support.waiting import wait_for


class Killed(BaseException):
    """The end of the process, as far as the replay can tell."""


class Doomed:
    """Files that end the process at the nth write, before or after it took effect."""

    def __init__(self, files: Files, writes: "itertools.count[int]", at: int, *, after: bool) -> None:
        self._files, self._writes, self._at, self._after = files, writes, at, after

    def write(self, name: str, content: bytes, *, overwrite: bool = True) -> None:
        n = next(self._writes)
        if n > self._at or (n == self._at and not self._after):
            raise Killed
        self._files.write(name, content, overwrite=overwrite)
        if n == self._at:
            raise Killed

    def read_if_there(self, name: str) -> bytes | None:
        return self._files.read_if_there(name)


def play(root: Path, wrap: Callable[[Files], Files] = unharmed) -> Stage:
    """A first run, a pause, a jump; continues whatever was there."""
    stage = Stage(root, generated(), start_day=0, events_per_file=2_000, wrap=wrap)
    stage.run()
    stage.controls.pause()
    stage.replay.change_clock(lambda clock, now: clock.jump(72_000, now))
    stage.run()
    return stage


def dies(root: Path, at: int, moment: str) -> bool:
    """Whether a replay whose write number `at` is its last one gets that far."""
    writes = itertools.count()
    try:
        play(root, lambda files: Doomed(files, writes, at, after=moment == "after"))
    except Killed:
        return True
    return False


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_any_write_the_replay_ends_with_the_same_lines(tmp_path: Path, moment: str):
    calm = play(tmp_path / "calm")
    at = 0
    while dies(root := tmp_path / f"killed-{at}", at, moment):
        healed = play(root)
        assert sorted(healed.events.lines()) == sorted(calm.events.lines())
        assert healed.replay.watermark.digest == calm.replay.watermark.digest
        at += 1
    assert at > 10


def test_kill_9_at_random_moments_loses_and_doubles_nothing(tmp_path: Path):
    calm = play(tmp_path / "calm")
    chance = random.Random(5)
    for _ in range(3):
        start_and_kill(tmp_path / "killed", files=chance.randrange(1, 3))
    healed = play(tmp_path / "killed")
    assert sorted(healed.events.lines()) == sorted(calm.events.lines())
    assert healed.replay.watermark.digest == calm.replay.watermark.digest


def start_and_kill(root: Path, *, files: int) -> None:
    """Replay in a process of its own and kill it as soon as `files` more files are there."""
    events = FolderFiles(root / "events")
    script = Path(__file__).with_name("replay_process.py")
    enough = len(events.names()) + files
    with subprocess.Popen(
        [sys.executable, str(script), str(root), str(generated())],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    ) as child:
        wait_for(lambda: len(events.names()) >= enough or child.poll() == 0, what="more files", every=0.002)
        child.kill()
