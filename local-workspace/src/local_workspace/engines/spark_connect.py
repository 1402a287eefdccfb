"""A light Spark Connect client: SQL in, Arrow IPC streams out, without pandas and without pyspark's own start-up.

Only the generated protocol messages of `pyspark-client` are used. Its packages import pandas and more, which costs a
second and 70 MB in a process that needs none of it; `_protocol` loads the messages alone.
"""

import contextlib
import importlib.util
import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import grpc
from google.rpc import error_details_pb2, status_pb2

from local_workspace import ids
from local_workspace.clock import Clock

UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
USER = "local-workspace"
SAFE_IN_PATHS = "/&"
"""What the engine leaves as it is in paths, beside letters, digits, `_`, `.`, `-` and `~`; it percent-encodes the rest."""

SaveMode = Literal["APPEND", "OVERWRITE", "ERROR_IF_EXISTS"]


class EngineError(Exception):
    """The engine refused or failed a statement.

    Attributes:
        message: the engine's own words.
        kind: the Java class name that Spark would raise, such as java.lang.ArithmeticException; empty if unknown.
    """

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind


class EngineLost(EngineError):
    """The engine went away while it worked, or is not back yet; what it had not committed did not happen."""


class Interrupted(EngineError):
    """The statement was interrupted on request."""


@dataclass(frozen=True)
class Write:
    """Rows to be written to a Delta directory.

    Attributes:
        query: the SQL whose rows are written; columns are matched by name.
        path: the directory of the Delta table.
        partition_by: columns to partition a new table by.
    """

    query: str
    path: str
    mode: SaveMode
    partition_by: Sequence[str] = ()
    options: Mapping[str, str] | None = None


class SparkConnect:
    """One connection and one session, used by many threads; statements carry no session state.

    The engine forgets idle sessions for good, so after a long pause the next statement brings a new one.

    Args:
        idle_life_s: seconds without a statement after which the session is not used again.
    """

    def __init__(self, port: int, clock: Clock, idle_life_s: float) -> None:
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=UNLIMITED)
        self._stub: Any = base_grpc.SparkConnectServiceStub(self._channel)
        self._clock = clock
        self._idle_life_s = idle_life_s
        self._session = ids.new_uuid()
        self._used_at = clock.monotonic()
        self._interrupted: set[str] = set()

    def query(self, sql: str, operation: str | None = None) -> Iterator[bytes]:
        """Run a statement; yields Arrow IPC streams of one batch each, the first one even without rows.

        Raises:
            EngineError: the engine refused or failed it.
        """
        plan = base.Plan(root=_sql(sql))
        return self._execute(plan, operation or ids.new_uuid())

    def write(self, write: Write, operation: str | None = None) -> None:
        """Write the rows of a query to a Delta directory in one commit."""
        if quote(write.path, safe=SAFE_IN_PATHS) != write.path:
            raise EngineError(
                f"The SQL engine cannot use the directory {write.path}: it takes spaces and special characters for"
                " others. Choose a home for the workspace, and names of catalogs and schemas, without them."
            )
        mode = getattr(commands.WriteOperation.SaveMode, f"SAVE_MODE_{write.mode}")
        command = commands.WriteOperation(
            input=_sql(write.query),
            source="delta",
            path=write.path,
            mode=mode,
            partitioning_columns=write.partition_by,
            options=dict(write.options or {}),
        )
        plan = base.Plan(command=commands.Command(write_operation=command))
        for _ in self._execute(plan, operation or ids.new_uuid()):
            pass

    def interrupt(self, operation: str) -> None:
        """Stop a running statement; its caller gets `Interrupted`.

        The engine ends an interrupted stream as if it were complete, so we remember what we interrupted.
        """
        self._interrupted.add(operation)
        request = base.InterruptRequest(
            session_id=self._session,
            user_context=base.UserContext(user_id=USER),
            interrupt_type=base.InterruptRequest.INTERRUPT_TYPE_OPERATION_ID,
            operation_id=operation,
        )
        with contextlib.suppress(grpc.RpcError):
            self._stub.Interrupt(request)

    def close(self) -> None:
        """Give back the session's memory in the engine and close the connection."""
        request = base.ReleaseSessionRequest(
            session_id=self._session, user_context=base.UserContext(user_id=USER)
        )
        with contextlib.suppress(grpc.RpcError):
            self._stub.ReleaseSession(request, timeout=2)
        self._channel.close()

    def _execute(self, plan: Any, operation: str) -> Iterator[bytes]:
        request = base.ExecutePlanRequest(
            session_id=self._current_session(),
            user_context=base.UserContext(user_id=USER),
            client_type=USER,
            operation_id=operation,
            plan=plan,
        )
        try:
            for response in self._stub.ExecutePlan(request):
                if response.WhichOneof("response_type") == "arrow_batch":
                    yield response.arrow_batch.data
        except grpc.RpcError as error:
            raise _engine_error(error) from error
        finally:
            interrupted = operation in self._interrupted
            self._interrupted.discard(operation)
        if interrupted:
            raise Interrupted("The statement was canceled.")

    def _current_session(self) -> str:
        now = self._clock.monotonic()
        if now - self._used_at > self._idle_life_s:
            self._session = ids.new_uuid()
        self._used_at = now
        return self._session


def _sql(query: str) -> Any:
    return relations.Relation(common=relations.RelationCommon(plan_id=0), sql=relations.SQL(query=query))


def _engine_error(error: Any) -> EngineError:
    if error.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}:
        return EngineLost("The SQL engine was lost and is coming back; run the statement again.")
    return EngineError(error.details() or str(error.code()), _java_class(error))


def _java_class(error: Any) -> str:
    """The exception class that the engine names in google.rpc.ErrorInfo."""
    packed = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    info = error_details_pb2.ErrorInfo()
    for detail in status_pb2.Status.FromString(packed).details:
        if detail.Unpack(info):
            return info.reason
    return ""


def _protocol() -> tuple[Any, Any, Any, Any]:
    """The generated modules base, base_grpc, commands, relations, without running pyspark's package code."""
    found = importlib.util.find_spec("pyspark")
    if found is None or not found.submodule_search_locations:
        raise ImportError("pyspark-client is not installed: the SQL engine cannot be spoken to.")
    root = found.submodule_search_locations[0]
    bare = {"pyspark": root, "pyspark.sql": f"{root}/sql", "pyspark.sql.connect": f"{root}/sql/connect"}
    missing = {name: path for name, path in bare.items() if name not in sys.modules}
    for name, path in missing.items():
        package = types.ModuleType(name)
        package.__path__ = [path]
        sys.modules[name] = package
    try:
        from pyspark.sql.connect.proto import base_pb2, base_pb2_grpc, commands_pb2, relations_pb2  # noqa: PLC0415  only now

        return base_pb2, base_pb2_grpc, commands_pb2, relations_pb2
    finally:
        for name in missing:
            del sys.modules[name]


base, base_grpc, commands, relations = _protocol()
