"""The events of every order: what was bought, how the kitchen and the driver fared, and where the driver was."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
from caspers.model.events import CANONICAL_EVENTS, DATASET_EPOCH_S, EventType

from replayer.arrow_text import as_text, joined, joined_lists
from replayer.canonical.brands import MAX_QTY, catalogue
from replayer.canonical.cities import CITIES, City
from replayer.canonical.demand import Demand, city_demand
from replayer.canonical.kitchens import serve
from replayer.canonical.roads import Roads, build_roads

#: How many different lines an order has (1, 2, …) and how many pieces a line (1, 2, 3): shares.
LINES = (0.12, 0.30, 0.30, 0.18, 0.10)
QTY = (0.80, 0.16, 0.04)
#: Share of lines that come from a second brand of the same kitchen.
SECOND_BRAND = 0.06
PING_EVERY_S = 60
#: `sequence` is an int8: six events before the pings, one after.
MAX_PINGS = 120
#: Customers live this many seconds of travel away, at most; nearer ones are likelier.
REACH_S = 1_100.0
TRAFFIC_SIGMA = 0.12
PARKING_S = (30, 110)
DOOR_DEGREES = 0.0004
ID_LETTERS = 6
ID_STRIDE = 104_395_303  # a prime: consecutive orders get far-apart ids, and none twice


@dataclass(frozen=True)
class Trip:
    """Where each order goes and how long the driver takes."""

    corner: np.ndarray
    lat: np.ndarray
    lon: np.ndarray
    drive_s: np.ndarray

    @property
    def pings(self) -> np.ndarray:
        """How many times each driver reports a position on the way."""
        return np.minimum((self.drive_s - 1) // PING_EVERY_S, MAX_PINGS)


def generate_events(days: int, seed: int) -> pa.Table:
    """All events of `days` days in order of time. The same arguments give the same table, row by row."""
    sources = np.random.SeedSequence(seed).spawn(len(CITIES))
    demands: list[tuple[City, Demand, np.random.Generator]] = []
    for city, source in zip(CITIES, sources, strict=True):
        rng = np.random.default_rng(source)
        demands.append((city, city_demand(city, days, rng), rng))
    tables: list[pa.Table] = []
    first = 0
    for city, demand, rng in demands:
        ids = _order_ids(np.arange(first, first + demand.created_s.size), seed)
        tables.append(_city_events(city, demand, ids, rng))
        first += demand.created_s.size
    events = pa.concat_tables(tables)
    return events.take(pa.array(np.argsort(events["ts_seconds"].to_numpy(), kind="stable"))).combine_chunks()


def _city_events(city: City, demand: Demand, order_ids: pa.Array, rng: np.random.Generator) -> pa.Table:
    lines, items = _baskets(demand.brand, rng)
    prep_min = catalogue().prep_minutes[demand.brand]
    service = serve(demand.created_s, prep_min, lines, city.kitchen_capacity, rng)
    roads = build_roads(city, rng)
    trip = _trips(roads, demand.created_s.size, rng)
    door = {"customer_lat": _float32(trip.lat), "customer_lon": _float32(trip.lon)}
    created = door | {"customer_addr": _addresses(city, trip.corner, rng), "items_json": items}
    steps = (
        (EventType.ORDER_CREATED, demand.created_s, created),
        (EventType.GK_STARTED, service.started, {}),
        (EventType.GK_FINISHED, service.finished, {}),
        (EventType.GK_READY, service.ready, {}),
        (EventType.DRIVER_ARRIVED, service.arrived, {}),
        (EventType.DRIVER_PICKED_UP, service.picked_up, {"route_json": _routes(roads, trip)}),
    )
    before_the_way = [
        _rows(city, kind, order_ids, ts, np.full(ts.size, sequence), **columns)
        for sequence, (kind, ts, columns) in enumerate(steps)
    ]
    on_the_way = _ping_events(city, order_ids, service.picked_up, roads, trip)
    at_the_door = _rows(
        city, EventType.DELIVERED, order_ids, service.picked_up + trip.drive_s, 6 + trip.pings, **door
    )
    return pa.concat_tables([*before_the_way, on_the_way, at_the_door])


def _ping_events(
    city: City, order_ids: pa.Array, picked_up: np.ndarray, roads: Roads, trip: Trip
) -> pa.Table:
    pings = trip.pings
    order = np.repeat(np.arange(pings.size), pings)
    nth = np.arange(order.size) - np.repeat(np.cumsum(pings) - pings, pings) + 1
    share = nth * PING_EVERY_S / trip.drive_s[order]
    lat, lon = roads.position(trip.corner[order], share)
    return _rows(
        city,
        EventType.DRIVER_PING,
        order_ids.take(pa.array(order)),
        picked_up[order] + nth * PING_EVERY_S,
        nth + 5,
        ping_lat=_float32(lat),
        ping_lon=_float32(lon),
        ping_progress=_float32(share * 100),
    )


def _rows(
    city: City,
    kind: EventType,
    order_ids: pa.Array,
    ts: np.ndarray,
    sequence: np.ndarray,
    **columns: pa.Array,
) -> pa.Table:
    """Events of one type; the columns that the type has no use for are null."""
    n = len(order_ids)
    filled: dict[str, pa.Array] = columns | {
        "event_type_id": pa.array(np.full(n, kind, dtype=np.int8)),
        "ts_seconds": pa.array(ts + DATASET_EPOCH_S),
        "location_id": pa.array(np.full(n, city.location_id, dtype=np.int8)),
        "order_id": order_ids,
        "sequence": pa.array(sequence.astype(np.int8)),
    }
    return pa.table(
        [
            filled[field.name] if field.name in filled else pa.nulls(n, field.type)
            for field in CANONICAL_EVENTS
        ],
        schema=CANONICAL_EVENTS,
    )


def _baskets(brand: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, pa.Array]:
    """The number of lines of each order, and its items as JSON."""
    lines = 1 + np.searchsorted(np.cumsum(LINES)[:-1], rng.random(brand.size), side="right")
    brand_of_line = np.repeat(brand, lines)
    first_line = np.cumsum(lines) - lines
    other = rng.random(brand_of_line.size) < SECOND_BRAND
    other[first_line] = False
    brand_of_line = np.where(other, rng.permutation(brand_of_line), brand_of_line)
    item = _pick_items(brand_of_line, rng.random(brand_of_line.size))
    qty = np.searchsorted(np.cumsum(QTY)[:-1], rng.random(item.size), side="right")
    texts = catalogue().order_lines().take(pa.array(item * MAX_QTY + qty))
    offsets = pa.array(np.concatenate([[0], np.cumsum(lines)]), pa.int32())
    items = joined_lists(pa.ListArray.from_arrays(offsets, texts), ", ")
    return lines, joined("[", items, "]")


def _pick_items(brand: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """An item row for each line, by popularity within its brand."""
    popularity = catalogue().popularity
    keys = (np.arange(popularity.shape[0])[:, None] + np.minimum(popularity, 1.0)).ravel()
    at = np.searchsorted(keys, brand + chance, side="right")
    return at - brand * popularity.shape[1]


def _trips(roads: Roads, n: int, rng: np.random.Generator) -> Trip:
    near = np.maximum(0.05, 1 - roads.travel_s[roads.reachable] / REACH_S)
    corner = roads.reachable[np.searchsorted(np.cumsum(near) / near.sum(), rng.random(n), side="right")]
    travel = roads.travel_s[corner] * rng.lognormal(0.0, TRAFFIC_SIGMA, n) + rng.integers(*PARKING_S, n)
    lat = roads.lat[corner] + rng.uniform(-DOOR_DEGREES, DOOR_DEGREES, n)
    lon = roads.lon[corner] + rng.uniform(-DOOR_DEGREES, DOOR_DEGREES, n)
    return Trip(corner, np.round(lat, 6), np.round(lon, 6), travel.astype(np.int64))


def _routes(roads: Roads, trip: Trip) -> pa.Array:
    """The JSON points from the kitchen to each customer's door."""
    points = [
        f"[{lat:.6f}, {lon:.6f}]" for lat, lon in zip(roads.lat.tolist(), roads.lon.tolist(), strict=True)
    ]
    on_the_way = [", ".join(points[p] for p in route) for route in np.split(roads.point, roads.start[1:-1])]
    ways = pa.array(on_the_way).take(pa.array(trip.corner))
    return joined("[", ways, ", [", as_text(trip.lat), ", ", as_text(trip.lon), "]]")


def _addresses(city: City, corner: np.ndarray, rng: np.random.Generator) -> pa.Array:
    street = pa.array(city.streets).take(pa.array(corner % len(city.streets)))
    number = 100 + corner // len(city.streets) * 10 + rng.integers(0, 10, corner.size)
    return joined(as_text(number), " ", street)


@cache
def _alphabet() -> np.ndarray:
    return np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", dtype=np.uint8)


def _order_ids(number: np.ndarray, seed: int) -> pa.Array:
    """Six letters for each order, far apart for neighbours and never the same twice."""
    code = (number * ID_STRIDE + seed % 26**ID_LETTERS) % 26**ID_LETTERS
    digits = code[:, None] // 26 ** np.arange(ID_LETTERS) % 26
    letters = _alphabet()[digits].tobytes()
    offsets = np.arange(number.size + 1, dtype=np.int32) * ID_LETTERS
    return pa.StringArray.from_buffers(number.size, pa.py_buffer(offsets), pa.py_buffer(letters))


def _float32(values: np.ndarray) -> pa.Array:
    return pa.array(values.astype(np.float32))
