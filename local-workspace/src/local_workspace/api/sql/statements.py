"""Statements from submission to the last fetched row: queued, run by a few threads, polled, canceled, forgotten.

A statement's result lives for an hour or until the client closes it, whichever is first.
"""

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Protocol

from local_workspace import ids
from local_workspace.api.sql import results
from local_workspace.api.sql.failures import SqlFailure, from_api, from_engine
from local_workspace.api.sql.parameters import Parameter
from local_workspace.api.sql.results import Result, Shape
from local_workspace.api.sql.sessions import Session
from local_workspace.clock import Clock
from local_workspace.engines.spark_connect import EngineError, Interrupted
from local_workspace.errors import ApiError, NotFound, TooManyRequests
from local_workspace.identity import Principal

THREADS = 8
QUEUE_LIMIT = 1000
RESULT_LIFE = timedelta(hours=1)

StatementState = Literal["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELED", "CLOSED"]
UNFINISHED: set[StatementState] = {"PENDING", "RUNNING"}
Disposition = Literal["INLINE", "EXTERNAL_LINKS", "INLINE_OR_EXTERNAL_LINKS"]


@dataclass(frozen=True)
class Request:
    """What a client asks for."""

    session: Session
    text: str
    parameters: Sequence[Parameter] = ()
    shape: Shape = field(default_factory=Shape)
    disposition: Disposition = "INLINE_OR_EXTERNAL_LINKS"


@dataclass
class Statement:
    """One statement and how far it is.

    Attributes:
        link_secret: proves, in a result link, the right to read this result.
        done: resolved when the statement has ended, however it ended.
    """

    request: Request
    submitted_at: float
    id: str = field(default_factory=ids.new_uuid)
    link_secret: str = field(default_factory=lambda: ids.new_secret(""))
    state: StatementState = "PENDING"
    failure: SqlFailure | None = None
    result: Result | None = None
    done: Future[None] = field(default_factory=Future)

    def status(self) -> dict[str, Any]:
        """The status as it goes over the wire."""
        if self.failure is None:
            return {"state": self.state}
        error = {"error_code": self.failure.code, "message": self.failure.text}
        return {"state": self.state, "error": error, "sql_state": self.failure.sql_state}


class Interpreter(Protocol):
    """What carries out a statement's text."""

    def run(self, request: Request, operation: str) -> Iterator[bytes]:
        """Arrow IPC streams of the rows it gives."""
        ...

    def interrupt(self, operation: str) -> None:
        """Stop it as soon as possible."""
        ...


class Statements:
    """All statements of the last hour."""

    def __init__(self, interpreter: Interpreter, directory: Path, clock: Clock) -> None:
        self._interpreter = interpreter
        self._directory = directory
        self._clock = clock
        self._statements: dict[str, Statement] = {}
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="statement")
        shutil.rmtree(directory, ignore_errors=True)

    def submit(self, request: Request) -> Statement:
        """Queue a statement.

        Raises:
            TooManyRequests: a thousand are waiting already.
        """
        self._forget_old()
        statement = Statement(request, self._clock.monotonic())
        with self._lock:
            waiting = sum(known.state in UNFINISHED for known in self._statements.values())
            if waiting >= QUEUE_LIMIT:
                raise TooManyRequests(f"{waiting} statements are waiting already; try again later.")
            self._statements[statement.id] = statement
        self._threads.submit(self._run, statement)
        return statement

    def get(self, caller: Principal, statement_id: str) -> Statement:
        """The caller's statement of that id.

        Raises:
            NotFound: it is unknown, has been closed or forgotten, or is somebody else's.
        """
        statement = self._statements.get(statement_id)
        if statement is None or statement.request.session.principal.name != caller.name:
            raise NotFound(f"The statement {statement_id} was not found; results are kept for an hour.")
        return statement

    def linked(self, statement_id: str, secret: str) -> Statement:
        """The statement of a result link.

        Raises:
            NotFound: the link is wrong or has expired.
        """
        statement = self._statements.get(statement_id)
        if statement is None or statement.link_secret != secret:
            raise NotFound("The link to this result is wrong or has expired; ask for the chunk again.")
        return statement

    def cancel(self, statement: Statement) -> None:
        """Stop a statement that has not ended; one that has ended stays as it is."""
        self._end(
            statement, "CANCELED", SqlFailure("CANCELED", "The statement was canceled.", code="CANCELLED")
        )
        self._interpreter.interrupt(statement.id)

    def close(self, statement: Statement) -> None:
        """Stop a statement and forget its result."""
        if statement.state in UNFINISHED:
            self.cancel(statement)
        with self._lock:
            self._statements.pop(statement.id, None)
        if statement.result is not None:
            statement.result.discard()

    def cancel_all(self, concerned: Callable[[Session], bool] = lambda _session: True) -> None:
        """Cancel what runs in the sessions concerned."""
        for statement in list(self._statements.values()):
            if statement.state in UNFINISHED and concerned(statement.request.session):
                self.cancel(statement)

    def stop(self) -> None:
        """Cancel everything and take no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.cancel_all()

    def _run(self, statement: Statement) -> None:
        with self._lock:
            if statement.state != "PENDING":
                return
            statement.state = "RUNNING"
        try:
            streams = self._interpreter.run(statement.request, statement.id)
            result = results.collect(streams, statement.request.shape, self._directory / statement.id)
        except Interrupted:
            self._end(
                statement, "CANCELED", SqlFailure("CANCELED", "The statement was canceled.", code="CANCELLED")
            )
        except SqlFailure as failure:
            self._end(statement, "FAILED", failure)
        except EngineError as error:
            self._end(statement, "FAILED", from_engine(error))
        except ApiError as error:
            self._end(statement, "FAILED", from_api(error))
        except results.TooLarge as error:
            self._end(statement, "FAILED", SqlFailure("INVALID_STATEMENT", str(error)))
        except Exception as error:  # noqa: BLE001  a fault of ours must end the statement, not leave it running for ever
            self._end(
                statement,
                "FAILED",
                SqlFailure("INTERNAL_ERROR", f"{type(error).__name__}: {error}", code="INTERNAL_ERROR"),
            )
        else:
            self._end(statement, "SUCCEEDED", result=result)

    def _end(
        self,
        statement: Statement,
        state: StatementState,
        failure: SqlFailure | None = None,
        *,
        result: Result | None = None,
    ) -> None:
        """Give a statement its final state, once; a result that comes too late is discarded."""
        with self._lock:
            late = statement.state not in UNFINISHED
            if not late:
                statement.state, statement.failure, statement.result = state, failure, result
        if late and result is not None:
            result.discard()
        if not late:
            statement.done.set_result(None)

    def _forget_old(self) -> None:
        oldest = self._clock.monotonic() - RESULT_LIFE.total_seconds()
        for statement in list(self._statements.values()):
            if statement.submitted_at < oldest and statement.state not in UNFINISHED:
                self.close(statement)
