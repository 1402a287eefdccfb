"""The process of one update: started, listened to, answered, stopped.

One runner stands ready with its libraries loaded, so that an update begins at once. A runner ends by itself when the
workspace goes away: its input closes.
"""

import importlib.util
import json
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from local_workspace.config import child_environment
from local_workspace.errors import ApiError
from local_workspace.pipeline_runs.spec import UpdateSpec

WORDS_KEPT = 20  # lines of a runner's standard error
GRACE_S = 5.0
LOADED = "loaded"
"""What a runner reports when it waits for its update."""


class Answers(Protocol):
    """Answers what an update asks; refuses with an ApiError."""

    def answer(self, question: str, facts: dict[str, Any]) -> str:
        """The answer to a question of pipeline_runs.host.Host."""
        ...


class Runner:
    """A process that will run one update."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "local_workspace.pipeline_runs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=child_environment(SPARK_HOME=pyspark_directory(), TZ="UTC"),
        )
        self._last_words: deque[str] = deque(maxlen=WORDS_KEPT)
        self._listener = threading.Thread(target=self._listen, name="pipeline runner's errors", daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """True while the process runs."""
        return self._process.poll() is None

    @property
    def last_words(self) -> str:
        """The end of what it wrote to standard error."""
        self._listener.join(1)
        return "\n".join(self._last_words)

    def wait_until_loaded(self) -> None:
        """Return when the process waits for its update, or has died."""
        if self._process.stdout is not None:
            self._process.stdout.readline()

    def run(self, spec: UpdateSpec, answers: Answers, report: Callable[[dict[str, Any]], None]) -> int:
        """Run the update to its end; returns the exit code (negative: the signal that killed it)."""
        if self._say(spec.model_dump_json()):
            for line in self._process.stdout or ():
                message = json.loads(line)
                if message.get("report") == LOADED:
                    continue
                if "report" in message:
                    report(message)
                else:
                    self._say(json.dumps(_answer(answers, message)))
        return self._process.wait()

    def stop(self) -> None:
        """Ask it to end after the round in hand; make it end when it takes too long."""
        self._process.terminate()
        try:
            self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def dismiss(self) -> None:
        """End a runner that has nothing to do."""
        self._process.kill()
        self._process.wait()

    def _say(self, line: str) -> bool:
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return False
        return True

    def _listen(self) -> None:
        for line in self._process.stderr or ():
            self._last_words.append(line.rstrip())


class Runners:
    """Keeps one runner ready from the first use on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ready: Runner | None = None
        self._closed = False

    def take(self) -> Runner:
        """A runner for one update."""
        with self._lock:
            runner, self._ready = self._ready, None
        return runner if runner is not None and runner.alive else Runner()

    def prepare(self) -> None:
        """Have a runner ready for the next update."""
        with self._lock:
            if self._ready is None and not self._closed:
                self._ready = Runner()

    def close(self) -> None:
        """Dismiss the runner that waits."""
        with self._lock:
            self._closed = True
            runner, self._ready = self._ready, None
        if runner is not None:
            runner.dismiss()


def pyspark_directory() -> str:
    """What PySpark's client takes for Spark's home; without it, it does not load."""
    found = importlib.util.find_spec("pyspark")
    assert found is not None
    assert found.origin is not None
    return str(Path(found.origin).parent)


def _answer(answers: Answers, message: dict[str, Any]) -> dict[str, str]:
    question = message.pop("ask")
    try:
        return {"answer": answers.answer(question, message)}
    except ApiError as error:
        return {"refused": error.message}
