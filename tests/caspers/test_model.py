"""The event model and the tables say the same thing everywhere."""

from caspers.ids import event_id, new_id
from caspers.model.events import BODY_FIELDS, CANONICAL_EVENTS, EventType
from caspers.model.tables import DIMENSIONS, LAKEFLOW, TABLES


def test_there_are_eight_events_with_the_names_on_the_volume():
    labels = [event.label for event in EventType]
    assert labels == [
        "order_created", "gk_started", "gk_finished", "gk_ready",
        "driver_arrived", "driver_picked_up", "driver_ping", "delivered",
    ]  # fmt: skip
    assert set(BODY_FIELDS) < set(EventType)


def test_an_event_keeps_its_id_for_ever():
    assert event_id("o-1", 3) == "c72c019c-bb94-54b8-b4b4-6cded292e1fd"
    assert event_id("o-1", 3) != event_id("o-1", 4)
    assert new_id() != new_id()


def test_every_event_has_an_order_a_place_and_a_moment():
    required = [field.name for field in CANONICAL_EVENTS if not field.nullable]
    assert required == ["event_type_id", "ts_seconds", "location_id", "order_id", "sequence"]


def test_keys_and_partitions_are_columns_of_their_table():
    for table in TABLES:
        columns = {column.name for column in table.columns}
        assert columns >= {*table.key, *table.partitioned_by}, table.name


def test_every_table_has_an_arrow_schema_and_one_writer():
    assert len({table.name for table in TABLES}) == len(TABLES)
    assert all(len(table.arrow_schema) == len(table.columns) and table.writer for table in TABLES)
    assert {table.short_name for table in DIMENSIONS} >= {"brands", "items"}
    assert all(table.name.startswith("lakeflow.") for table in LAKEFLOW)
