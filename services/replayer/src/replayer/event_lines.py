"""Dataset rows → the JSON lines of the events volume, whole columns at a time.

The bytes follow from the rows, the loop and the shift of time alone. `body` is JSON inside a JSON string, so its text is
escaped once more; whatever characters an order id or an address holds, a line stays one line of valid JSON. Pure.
"""

from collections.abc import Callable
from hashlib import sha1
from itertools import pairwise

import numpy as np
import pyarrow as pa
import xxhash
from caspers.ids import EVENT_NAMESPACE
from caspers.model.events import EventType

from replayer.arrow_text import as_text, compute, joined
from replayer.windows import order_suffix

#: The 32 digits of a UUID stand in five groups with hyphens between them.
_UUID_GROUPS = (0, 8, 12, 16, 20, 32)
#: Characters that cannot stand in a JSON string as they are. Control characters are rare: rows that hold one are
#: escaped in a Python loop.
_SPECIAL = r'["\\\x00-\x1f]'
_CONTROL = r"[\x00-\x1f]"

DIGEST_BYTES = 16


def event_lines(rows: pa.Table, loop: int, shift_s: int) -> pa.Array:
    """One line per row, each with its line break; `shift_s` is added to the dataset's `ts_seconds`."""
    # An order has a dozen events: what is done to its id is done once per order.
    orders = _column(rows, "order_id").dictionary_encode()
    order_ids = joined(orders.dictionary.cast(pa.string()), order_suffix(loop))
    order_id = order_ids.take(orders.indices)
    sequence = as_text(_column(rows, "sequence"))
    event_type = _column(rows, "event_type_id")
    moment = (
        compute.add(_column(rows, "ts_seconds"), shift_s).cast(pa.timestamp("s")).cast(pa.timestamp("ms"))
    )
    return joined(
        '{"event_id":"',
        _event_ids(order_id, sequence),
        '","event_type":"',
        _LABELS.take(event_type),
        '","ts":"',
        moment.cast(pa.string()),
        '","location_id":',
        as_text(_column(rows, "location_id")),
        ',"order_id":"',
        _escaped(order_ids).take(orders.indices),
        '","sequence":',
        sequence,
        ',"body":"',
        _bodies(rows, event_type.to_numpy()),
        '"}\n',
    )


def content(lines: pa.Array) -> bytes:
    """The lines as one piece of text."""
    _, offsets, data = lines.buffers()
    starts = np.frombuffer(offsets, dtype=np.int32)[lines.offset : lines.offset + len(lines) + 1]
    return data.slice(int(starts[0]), int(starts[-1] - starts[0])).to_pybytes()


def lines_digest(text: bytes) -> int:
    """A checksum of the set of lines in `text`: the sum of their hashes, so neither order nor grouping matters.

    Add the digests of several texts with `add_digests`.
    """
    hashes = b"".join(map(xxhash.xxh3_128_digest, text.split(b"\n")[:-1]))
    lanes = np.frombuffer(hashes, dtype="<u4").reshape(-1, DIGEST_BYTES // 4).sum(axis=0, dtype=np.uint64)
    return add_digests(*(int(lane) << (32 * place) for place, lane in enumerate(lanes)))


def add_digests(*digests: int) -> int:
    """The digest of all those lines together."""
    return sum(digests) % (1 << (8 * DIGEST_BYTES))


def _column(rows: pa.Table, name: str) -> pa.Array:
    return rows[name].combine_chunks()


def _event_ids(order_id: pa.Array, sequence: pa.Array) -> pa.Array:
    """`caspers.ids.event_id` for every row: UUIDv5 of "order id/sequence"."""
    names = joined(order_id, "/", sequence).cast(pa.binary()).to_numpy(zero_copy_only=False)
    namespace = EVENT_NAMESPACE.bytes
    hashes = b"".join([sha1(namespace + name, usedforsecurity=False).digest() for name in names])
    ids = np.frombuffer(hashes, dtype=np.uint8).reshape(-1, 20)[:, :16].copy()
    ids[:, 6] = ids[:, 6] & 0x0F | 0x50  # version 5
    ids[:, 8] = ids[:, 8] & 0x3F | 0x80  # RFC 9562 variant
    digits = np.frombuffer(ids.tobytes().hex().encode(), dtype=np.uint8).reshape(-1, 32)
    text = np.full((len(names), 36), ord("-"), dtype=np.uint8)
    for place, (start, stop) in enumerate(pairwise(_UUID_GROUPS)):
        text[:, start + place : stop + place] = digits[:, start:stop]
    offsets = np.arange(len(names) + 1, dtype=np.int32) * 36
    return pa.StringArray.from_buffers(len(names), pa.py_buffer(offsets), pa.py_buffer(text))


def _bodies(rows: pa.Table, event_type: np.ndarray) -> pa.Array:
    """The bodies, already escaped for the string they stand in: made by type, then put back in row order."""
    parts: list[pa.Array] = []
    places: list[np.ndarray] = []
    rest = np.ones(event_type.size, dtype=bool)
    for kind, body in _BODIES.items():
        mine = event_type == kind
        rest &= ~mine
        if mine.any():
            places.append(np.flatnonzero(mine))
            parts.append(body(rows.take(pa.array(places[-1]))))
    places.append(np.flatnonzero(rest))
    parts.append(pa.array(["{}"]).take(pa.array(np.zeros(places[-1].size, dtype=np.int32))))
    back = np.empty(event_type.size, dtype=np.int64)
    back[np.concatenate(places)] = np.arange(event_type.size)
    return pa.concat_arrays(parts).take(pa.array(back))


def _order_created(rows: pa.Table) -> pa.Array:
    address = joined('\\"', _escaped(_escaped(_text_column(rows, "customer_addr"))), '\\"')
    return joined(
        '{\\"customer_lat\\":',
        _number(rows, "customer_lat"),
        ',\\"customer_lon\\":',
        _number(rows, "customer_lon"),
        ',\\"customer_addr\\":',
        compute.fill_null(address, "null"),
        ',\\"items\\":',
        compute.fill_null(_escaped(_text_column(rows, "items_json")), "[]"),
        "}",
    )


def _picked_up(rows: pa.Table) -> pa.Array:
    route = compute.fill_null(_escaped(_text_column(rows, "route_json")), "[]")
    return joined('{\\"route_points\\":', route, "}")


def _ping(rows: pa.Table) -> pa.Array:
    return joined(
        '{\\"progress_pct\\":',
        _number(rows, "ping_progress"),
        ',\\"loc_lat\\":',
        _number(rows, "ping_lat"),
        ',\\"loc_lon\\":',
        _number(rows, "ping_lon"),
        "}",
    )


def _delivered(rows: pa.Table) -> pa.Array:
    lat, lon = _number(rows, "customer_lat"), _number(rows, "customer_lon")
    return joined('{\\"delivered_lat\\":', lat, ',\\"delivered_lon\\":', lon, "}")


_BODIES: dict[EventType, Callable[[pa.Table], pa.Array]] = {
    EventType.ORDER_CREATED: _order_created,
    EventType.DRIVER_PICKED_UP: _picked_up,
    EventType.DRIVER_PING: _ping,
    EventType.DELIVERED: _delivered,
}

_LABELS = pa.array([None, *(kind.label for kind in EventType)])


def _text_column(rows: pa.Table, name: str) -> pa.Array:
    return _column(rows, name).cast(pa.string())


def _number(rows: pa.Table, name: str) -> pa.Array:
    """JSON numbers; what is missing, infinite or not a number is null."""
    values = _column(rows, name)
    return compute.fill_null(
        compute.if_else(compute.is_finite(values), as_text(values), pa.scalar(None, pa.string())), "null"
    )


def _escaped(texts: pa.Array) -> pa.Array:
    """Texts as they stand inside a JSON string, without its quotes."""
    if not compute.any(compute.match_substring_regex(texts, _SPECIAL)).as_py():
        return texts
    escaped = compute.replace_substring(compute.replace_substring(texts, "\\", "\\\\"), '"', '\\"')
    if not compute.any(compute.match_substring_regex(texts, _CONTROL)).as_py():
        return escaped
    return pa.array([_without_controls(text) for text in escaped.to_pylist()], pa.string())


def _without_controls(text: str | None) -> str | None:
    if text is None:
        return None
    return "".join(c if c >= " " else f"\\u{ord(c):04x}" for c in text)
