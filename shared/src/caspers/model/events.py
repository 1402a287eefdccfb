"""The eight events of an order: as the canonical dataset stores them, and as the replay puts them on the volume."""

from datetime import UTC, datetime
from enum import IntEnum

import pyarrow as pa

#: Second 0 of every canonical dataset, as Unix seconds: 2024-01-01 00:00:00 UTC.
DATASET_EPOCH_S = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())
DAY_S = 86_400


class EventType(IntEnum):
    """What happens to an order, numbered as in the dataset; `name.lower()` is the volume's `event_type`."""

    ORDER_CREATED = 1
    GK_STARTED = 2
    GK_FINISHED = 3
    GK_READY = 4
    DRIVER_ARRIVED = 5
    DRIVER_PICKED_UP = 6
    DRIVER_PING = 7
    DELIVERED = 8

    @property
    def label(self) -> str:
        """The name on the volume: "order_created"."""
        return self.name.lower()


#: `events.parquet` of a canonical dataset; a field that an event type has no use for is null.
CANONICAL_EVENTS = pa.schema(
    [
        pa.field("event_type_id", pa.int8(), nullable=False),
        pa.field("ts_seconds", pa.int64(), nullable=False),
        pa.field("location_id", pa.int8(), nullable=False),
        pa.field("order_id", pa.string(), nullable=False),
        pa.field("sequence", pa.int8(), nullable=False),
        pa.field("customer_lat", pa.float32()),
        pa.field("customer_lon", pa.float32()),
        pa.field("customer_addr", pa.string()),
        pa.field("items_json", pa.string()),
        pa.field("route_json", pa.string()),
        pa.field("ping_lat", pa.float32()),
        pa.field("ping_lon", pa.float32()),
        pa.field("ping_progress", pa.float32()),
    ]
)

#: The fields of one JSON line on the events volume, in order; `body` is itself a JSON string.
VOLUME_FIELDS = ("event_id", "event_type", "ts", "location_id", "order_id", "sequence", "body")

#: How the volume writes `ts` (UTC), in Spark's notation.
VOLUME_TS_FORMAT = "yyyy-MM-dd HH:mm:ss.SSS"

#: The keys inside `body`, by event type; the types that are not listed have an empty body.
BODY_FIELDS: dict[EventType, tuple[str, ...]] = {
    EventType.ORDER_CREATED: ("customer_lat", "customer_lon", "customer_addr", "items"),
    EventType.DRIVER_PICKED_UP: ("route_points",),
    EventType.DRIVER_PING: ("progress_pct", "loc_lat", "loc_lon"),
    EventType.DELIVERED: ("delivered_lat", "delivered_lon"),
}

#: The keys of one entry of `items` in an order_created body.
ITEM_FIELDS = ("id", "category_id", "menu_id", "brand_id", "name", "price", "qty")
