"""What carries out a statement: reads it, decides what kind it is, and hands it to the part that knows that kind."""

from collections.abc import Iterator

from local_workspace.api.sql.statements import Request
from local_workspace.engines.spark import Spark


class SqlInterpreter:
    """Carries out statements against Unity Catalog and the engine."""

    def __init__(self, spark: Spark) -> None:
        self._spark = spark

    def run(self, request: Request, operation: str) -> Iterator[bytes]:
        """Arrow IPC streams of the rows that a statement gives."""
        return self._spark.query(request.text, operation)

    def interrupt(self, operation: str) -> None:
        """Stop a statement as soon as possible."""
        self._spark.interrupt(operation)
