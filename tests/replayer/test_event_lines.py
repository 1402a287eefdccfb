from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from caspers.ids import event_id
from caspers.model.events import BODY_FIELDS, CANONICAL_EVENTS, VOLUME_FIELDS, EventType
from hypothesis import given
from hypothesis import strategies as st
from replayer.event_lines import add_digests, content, event_lines, lines_digest

from tests.support.datasets import event, generated

#: All there are but surrogates, which no UTF-8 text can hold.
any_character = st.characters(codec="utf-8")


def lines_of(*rows: dict[str, Any], loop: int = 0, shift_s: int = 0) -> list[dict[str, Any]]:
    text = content(event_lines(pa.Table.from_pylist(list(rows), CANONICAL_EVENTS), loop, shift_s))
    return [orjson.loads(line) for line in text.split(b"\n")[:-1]]


def test_an_event_has_the_seven_fields_and_a_stable_identity():
    (line,) = lines_of(event("ABC", 2, second=61, sequence=1))
    assert tuple(line) == VOLUME_FIELDS
    assert line["event_id"] == event_id("ABC", 1)
    assert line["event_type"] == "gk_started"
    assert line["ts"] == "2024-01-01 00:01:01.000"
    assert line["body"] == "{}"


def test_later_loops_mark_the_order_and_get_ids_of_their_own():
    (line,) = lines_of(event("ABC", 2, second=0, sequence=1), loop=3, shift_s=86_400)
    assert line["order_id"] == "ABC-L3"
    assert line["event_id"] == event_id("ABC-L3", 1)
    assert line["ts"] == "2024-01-02 00:00:00.000"


def test_each_event_type_has_the_body_that_is_promised():
    rows = pq.read_table(generated() / "events.parquet").slice(0, 3_000)
    text = content(event_lines(rows, 0, 0))
    for line, row in zip(text.splitlines(), rows.to_pylist(), strict=True):
        found = orjson.loads(line)
        kind = EventType(row["event_type_id"])
        body = orjson.loads(found["body"])
        assert found["event_type"] == kind.label
        assert tuple(body) == BODY_FIELDS.get(kind, ())
        assert body.get("items") == orjson.loads(row["items_json"] or "null")


@given(st.text(any_character, max_size=20), st.text(any_character, min_size=1, max_size=8))
def test_any_characters_survive_both_layers_of_json(address: str, order_id: str):
    (line,) = lines_of(event(order_id, 1, 0, customer_addr=address, items_json="[]"))
    assert line["order_id"] == order_id
    assert orjson.loads(line["body"])["customer_addr"] == address


def test_missing_and_infinite_values_become_null_or_empty():
    nothing = event("A", 1, 0)
    endless = event("A", 7, 1, sequence=6, ping_lat=float("inf"), ping_lon=float("nan"), ping_progress=50.0)
    created, ping = (orjson.loads(line["body"]) for line in lines_of(nothing, endless))
    assert created == {"customer_lat": None, "customer_lon": None, "customer_addr": None, "items": []}
    assert ping == {"progress_pct": 50.0, "loc_lat": None, "loc_lon": None}


def test_broken_items_stay_inside_their_line():
    (line,) = lines_of(event("A", 1, 0, items_json='[{"name": "two\nlines"'))
    assert line["body"].endswith('[{"name": "two\nlines"}')


def test_the_digest_does_not_depend_on_order_or_grouping():
    rows = pq.read_table(generated() / "events.parquet").slice(0, 500)
    backwards = rows.take(list(range(499, -1, -1)))
    whole = lines_digest(content(event_lines(rows, 0, 0)))
    parts = [
        lines_digest(content(event_lines(backwards.slice(*cut), 0, 0))) for cut in ((0, 100), (100, 400))
    ]
    assert add_digests(*parts) == whole != lines_digest(content(event_lines(rows, 0, 1)))
