"""Questions to a warehouse side by side: a few sessions, each with one statement at a time, and an end to waiting."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass
from typing import Any, LiteralString

import pyarrow as pa

from caspers.clients.warehouse import Values, Warehouse
from caspers.errors import Unavailable

#: A person waits for the answer: by then the page says what is wrong.
PATIENCE_S = 10.0


@dataclass(frozen=True)
class Answer:
    """The answer to a question that was asked."""

    _future: Future[pa.Table]
    _patience_s: float

    def rows(self) -> list[dict[str, Any]]:
        """Wait for the rows. Raises what the statement raised, and `Unavailable` when patience ends."""
        try:
            return self._future.result(self._patience_s).to_pylist()
        except TookTooLong as error:
            self._future.cancel()
            raise Unavailable(
                f"the warehouse did not answer within {self._patience_s:g} s",
                what_now="Try again in a moment.",
            ) from error


class WarehousePool:
    """Reads on at most `sessions` sessions of a warehouse, each opened when it is first needed."""

    def __init__(
        self, open_one: Callable[[], Warehouse], *, sessions: int = 4, patience_s: float = PATIENCE_S
    ) -> None:
        self._open_one = open_one
        self._patience_s = patience_s
        self._opened: list[Warehouse] = []
        self._mine = threading.local()
        self._threads = ThreadPoolExecutor(sessions, thread_name_prefix="warehouse", initializer=self._begin)

    def ask(self, statement: LiteralString, values: Values | None = None) -> Answer:
        """Begin a statement that only reads; ask several before the first answer is looked at."""
        return Answer(self._threads.submit(self._query, statement, values), self._patience_s)

    def close(self) -> None:
        """Drop what was not begun and close the sessions; a statement in hand ends with its session."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for warehouse in self._opened:
            warehouse.close()

    def _begin(self) -> None:
        self._mine.warehouse = self._open_one()
        self._opened.append(self._mine.warehouse)

    def _query(self, statement: LiteralString, values: Values | None) -> pa.Table:
        warehouse: Warehouse = self._mine.warehouse
        return warehouse.query(statement, values)
