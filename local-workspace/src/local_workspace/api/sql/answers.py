"""Small answers that the workspace makes itself, in the same form as the engine's: one Arrow IPC stream."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

Columns = Mapping[str, pa.DataType]


def answer(columns: Columns, rows: Iterable[tuple[Any, ...]] = ()) -> Iterator[bytes]:
    """Rows with these columns."""
    schema = pa.schema([pa.field(name, arrow) for name, arrow in columns.items()])
    values = list(zip(*rows, strict=True)) or [() for _ in schema]
    arrays = [pa.array(column, field.type) for column, field in zip(values, schema, strict=True)]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(pa.record_batch(arrays, schema=schema))
    yield sink.getvalue().to_pybytes()


def texts(*names: str) -> Columns:
    """Columns that are all strings."""
    return dict.fromkeys(names, pa.string())


def counts(**values: int) -> Iterator[bytes]:
    """What a change of rows answers: num_affected_rows and its like, one row of whole numbers."""
    return answer(dict.fromkeys(values, pa.int64()), [tuple(values.values())])


def nothing() -> Iterator[bytes]:
    """The answer of a statement that has none: no columns, no rows."""
    return answer({})
