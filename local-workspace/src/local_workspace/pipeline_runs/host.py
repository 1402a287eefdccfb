"""The workspace as an update sees it: it asks where things are, publishes tables, and reports what happens.

An update runs in a process of its own; `StdioHost` speaks to the workspace that started it in JSON lines: questions
and reports on standard output, answers on standard input. Nothing else is written there.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol, TextIO


class HostRefused(Exception):
    """The workspace refused what the update asked; the message is the workspace's."""


@dataclass(frozen=True)
class Column:
    """A column as Unity Catalog lists it."""

    name: str
    type_text: str


@dataclass(frozen=True)
class Publication:
    """A table to list in Unity Catalog."""

    name: str
    kind: str
    comment: str
    columns: tuple[Column, ...]
    properties: dict[str, str]


class Host(Protocol):
    """What an update needs from its surroundings."""

    def location(self, name: str) -> Path:
        """Where the pipeline's table of that full name lives or is to live.

        Raises:
            HostRefused: another owner has a table of that name.
        """
        ...

    def table(self, name: str) -> Path:
        """Where a table that is not the pipeline's lives.

        Raises:
            HostRefused: there is none, or the pipeline may not read it.
        """
        ...

    def directory(self, path: str) -> Path:
        """The directory behind a /Volumes/… path.

        Raises:
            HostRefused: there is no such volume.
        """
        ...

    def publish(self, publication: Publication) -> None:
        """List a table that exists now."""
        ...

    def report(self, kind: str, **facts: Any) -> None:
        """Say what happens: the kinds are update_progress, flow_progress and maintenance."""
        ...


class StdioHost:
    """The workspace at the other end of our standard streams.

    Args:
        questions: where questions and reports go; nobody else may write there.
        answers: where answers come from.
        gone: called, from a thread of its own, when the workspace closes the other end.
    """

    def __init__(self, questions: TextIO, answers: TextIO, gone: Callable[[], None]) -> None:
        self._questions = questions
        self._answers: SimpleQueue[str] = SimpleQueue()
        self._lock = threading.Lock()
        threading.Thread(target=self._listen, args=(answers, gone), name="answers", daemon=True).start()

    def location(self, name: str) -> Path:
        """Where the pipeline's table lives."""
        return Path(self._ask("location", name=name))

    def table(self, name: str) -> Path:
        """Where another table lives."""
        return Path(self._ask("table", name=name))

    def directory(self, path: str) -> Path:
        """The directory of a volume."""
        return Path(self._ask("directory", path=path))

    def publish(self, publication: Publication) -> None:
        """List a table."""
        self._ask("publish", publication=asdict(publication))

    def report(self, kind: str, **facts: Any) -> None:
        """Say what happens."""
        with self._lock:
            self._send({"report": kind, **facts})

    def _ask(self, question: str, **facts: Any) -> str:
        with self._lock:
            self._send({"ask": question, **facts})
            answer = json.loads(self._answers.get())
        if "refused" in answer:
            raise HostRefused(answer["refused"])
        return answer["answer"]

    def _send(self, message: dict[str, Any]) -> None:
        self._questions.write(json.dumps(message) + "\n")
        self._questions.flush()

    def _listen(self, answers: TextIO, gone: Callable[[], None]) -> None:
        for line in answers:
            self._answers.put(line)
        gone()
