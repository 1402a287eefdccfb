"""The order items pipeline on what a volume may hold: every event once, sums that are right, nothing lost silently."""

import json
from typing import Any

from tests.support.order_sums import gold, keyed
from tests.support.pipelines import Event, PipelineFolder, event, item, lines, order

DAY = 86_400

GOOD = order("o-1", 0)[0]


def _with(**changes: Any) -> bytes:
    return json.dumps(GOOD | changes).encode()


def _without(name: str) -> bytes:
    return json.dumps({key: value for key, value in GOOD.items() if key != name}).encode()


RUBBISH = {
    b'{"event_id": "a", ': "not a JSON object",
    b"not json at all": "not a JSON object",
    b"[1, 2]": "not a JSON object",
    b'{"other": 1}': "not a JSON object with the fields of an event",
    b"\xff\xfe broken": "not a JSON object",
    _with(event_type="gk_exploded"): "unknown event_type: gk_exploded",
    _with(location_id="one"): "location_id is missing or not a whole number",
    _with(location_id=1.5): "location_id is missing or not a whole number",
    _with(location_id=2**40): "location_id is missing or not a whole number",
    _with(sequence=None): "sequence is missing or not a whole number",
    _with(ts="yesterday"): "ts is not a time",
    _with(ts="2024-02-30 00:00:00.000"): "ts is not a time",
    _with(body="{broken"): "body does not hold what the event asks for: order_created",
    _with(body='{"items": [{"id": 1}]}'): "body does not hold what the event asks for: order_created",
    _with(body=json.dumps({"items": [item(price=10**9)]})): "body does not hold what the event asks for",
    _with(event_type="driver_ping", body="{}"): "body does not hold what the event asks for: driver_ping",
    _without("order_id"): "order_id is missing",
    _without("body"): "body is missing",
}


def _assert_gold(pipeline: PipelineFolder, events: list[Event]) -> None:
    for table, expected in gold(events).items():
        assert keyed(table, pipeline.rows(table)) == expected, table


def test_every_event_lands_once_and_the_sums_are_right(pipeline: PipelineFolder):
    events = order("a", 0, items=[item(1, price=9.99), item(2, brand=2)]) + order("b", DAY, location=2)
    pipeline.put("events.json", lines(events))
    assert pipeline.update().code == 0
    assert {row["event_id"] for row in pipeline.rows("all_events")} == {event["event_id"] for event in events}
    assert len(pipeline.rows("all_events")) == len(events)
    _assert_gold(pipeline, events)


def test_rubbish_lines_are_quarantined_with_the_reason(pipeline: PipelineFolder):
    pipeline.put("mixed.json", b"\n".join([*RUBBISH, b"", b"   ", *lines([GOOD]).splitlines()]))
    pipeline.update()
    reasons = {row["raw_line"]: row["reason"] for row in pipeline.rows("quarantined_events")}
    assert len(reasons) == len(RUBBISH)
    for line, reason in RUBBISH.items():
        assert reason in reasons[line.decode("utf-8", "replace")], line
    assert [row["event_id"] for row in pipeline.rows("all_events")] == [GOOD["event_id"]]


def test_a_line_of_a_hundred_megabytes_is_quarantined_in_part(pipeline: PipelineFolder):
    pipeline.put("long.json", b'{"body": "' + b"x" * 100_000_000 + b'"}\n' + lines([GOOD]))
    assert pipeline.update().code == 0
    (row,) = pipeline.rows("quarantined_events")
    assert row["reason"] == "the line is too long: 100000012 characters"
    assert len(row["raw_line"]) == 4_096
    assert len(pipeline.rows("all_events")) == 1


def test_empty_and_truncated_files_disturb_nothing(pipeline: PipelineFolder):
    pipeline.put("empty.json", b"")
    pipeline.put("truncated.json", lines(order("a", 0))[:-20])
    pipeline.put("good.json", lines(order("b", 0)))
    assert pipeline.update().code == 0
    assert len(pipeline.rows("all_events")) == 15
    (row,) = pipeline.rows("quarantined_events")
    assert row["_source_file"].endswith("truncated.json")


def test_names_with_unicode_and_control_characters_survive(pipeline: PipelineFolder):
    name = 'Crème brûlée 🍮 \u0001 "quoted" \\ \t'
    pipeline.put("events.json", lines(order("ö-1", 0, items=[item() | {"name": name}])))
    pipeline.update()
    (row,) = pipeline.rows("silver_order_items")
    assert row["item_name"] == name
    assert row["order_id"] == "ö-1"


def test_an_order_that_comes_days_late_still_counts(pipeline: PipelineFolder):
    first = order("a", 0) + order("b", 40 * DAY)
    pipeline.put("1.json", lines(first))
    pipeline.update()
    late = order("c", 3_000, items=[item(price=1.11)])
    pipeline.put("2.json", lines(late))
    outcome = pipeline.update()
    assert outcome.flow("gold_brand_sales_day")["how"] == "1 touched groups"
    _assert_gold(pipeline, first + late)


def test_many_small_updates_equal_one_computation_of_everything(pipeline: PipelineFolder):
    events: list[Event] = []
    for number in range(6):
        new = order(
            f"o-{number}",
            number * 7_000,
            items=[item(number % 3, price=round(0.1 * number + 0.05, 2))],
            location=number % 2,
        )
        pipeline.put(f"{number}.json", lines(new))
        events += new
        assert pipeline.update().code == 0
    _assert_gold(pipeline, events)


def test_the_same_events_in_another_file_count_once(pipeline: PipelineFolder):
    events = order("a", 0)
    pipeline.put("1.json", lines(events))
    pipeline.update()
    more = order("b", 60)
    pipeline.put("2.json", lines(events + more))
    assert pipeline.update().flow("all_events")["duplicates"] == len(events)
    assert len(pipeline.rows("all_events")) == len(events) + len(more)
    _assert_gold(pipeline, events + more)


def test_an_event_that_comes_twice_in_one_file_counts_once(pipeline: PipelineFolder):
    events = order("a", 0)
    pipeline.put("1.json", lines(events + events))
    pipeline.update()
    assert len(pipeline.rows("all_events")) == len(events)
    _assert_gold(pipeline, events)


def test_duplicates_are_known_even_when_the_cache_of_keys_is_lost(pipeline: PipelineFolder):
    pipeline.put("1.json", lines(order("a", 0)))
    pipeline.update()
    for kept in (pipeline.folder / "state").glob("seen/*/*.npy"):
        kept.unlink()
    pipeline.put("2.json", lines(order("a", 0)))
    pipeline.update()
    assert len(pipeline.rows("all_events")) == 8


def test_a_file_is_read_once_even_when_it_changes_later(pipeline: PipelineFolder):
    pipeline.put("1.json", lines(order("a", 0)))
    pipeline.update()
    pipeline.put("1.json", lines(order("b", 0)))
    pipeline.put(".hidden.json", lines(order("c", 0)))
    pipeline.put("_watermark", b"{}")
    assert not pipeline.update().flow("all_events")
    assert len(pipeline.rows("all_events")) == 8


def test_a_full_refresh_reads_everything_again_and_gives_the_same(pipeline: PipelineFolder):
    events = order("a", 0) + order("b", DAY)
    pipeline.put("1.json", lines(events[:9]))
    pipeline.update()
    pipeline.put("2.json", lines(events[9:]))
    assert pipeline.update(full_refresh=True).code == 0
    assert len(pipeline.rows("all_events")) == len(events)
    _assert_gold(pipeline, events)


def test_an_update_without_new_files_commits_nothing(pipeline: PipelineFolder):
    pipeline.put("1.json", lines(order("a", 0)))
    pipeline.update()
    before = pipeline.commits()
    assert pipeline.update().code == 0
    assert pipeline.commits() == before


def test_an_order_without_items_is_an_event_and_sells_nothing(pipeline: PipelineFolder):
    pipeline.put("1.json", lines([event("a", "order_created", {"items": []}, 0, 0)]))
    assert pipeline.update().code == 0
    assert len(pipeline.rows("all_events")) == 1
    assert pipeline.rows("silver_order_items") == []
