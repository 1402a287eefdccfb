"""Very many events, quickly: whole orders of 14 events as lines of JSON, about 800 orders a day."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

ORDERS_A_DAY = 800
EVENTS_AN_ORDER = 14
PINGS = 7
FIRST_DAY = datetime.fromisoformat("2024-01-01")
STEPS = ("gk_started", "gk_finished", "gk_ready", "driver_arrived")
ROUTE = '{\\"route_points\\":[' + ",".join(f"[37.{700 + step},-122.4{step:02}]" for step in range(20)) + "]}"


def write_days(folder: Path, first: int, count: int, *, files_a_day: int = 2) -> int:
    """Write the events of some days, by the day, into files of a folder; returns their number."""
    folder.mkdir(parents=True, exist_ok=True)
    for day in range(first, first + count):
        orders = list(_orders(day))
        size = -(-len(orders) // files_a_day)
        for number in range(files_a_day):
            partial = folder / f".{day:05}-{number}.json"
            partial.write_text("".join(orders[number * size : (number + 1) * size]))
            partial.rename(folder / f"{day:05}-{number}.json")
    return count * ORDERS_A_DAY * EVENTS_AN_ORDER


def _orders(day: int) -> Iterator[str]:
    chance = random.Random(day)
    for number in range(ORDERS_A_DAY):
        second = day * 86_400 + number * 100 + chance.randrange(100)
        yield "".join(_events(f"{day:05}-{number:04}-{chance.getrandbits(64):016x}", second, chance))


def _events(order_id: str, second: int, chance: random.Random) -> Iterator[str]:
    location = chance.randint(1, 4)
    items = ",".join(_item(chance.randrange(181), chance.randint(1, 3)) for _ in range(chance.randint(1, 4)))
    created = f'{{\\"customer_lat\\":37.7,\\"customer_lon\\":-122.4,\\"customer_addr\\":\\"1 Main St\\",\\"items\\":[{items}]}}'
    bodies = [("order_created", created), *((step, "{}") for step in STEPS), ("driver_picked_up", ROUTE)]
    ping = '{\\"progress_pct\\":50.0,\\"loc_lat\\":37.7,\\"loc_lon\\":-122.4}'
    bodies += [("driver_ping", ping)] * PINGS
    bodies.append(("delivered", '{\\"delivered_lat\\":37.7,\\"delivered_lon\\":-122.4}'))
    for sequence, (kind, body) in enumerate(bodies):
        moment = (FIRST_DAY + timedelta(seconds=second + 60 * sequence)).strftime("%Y-%m-%d %H:%M:%S.000")
        yield (
            f'{{"event_id":"{order_id}-{sequence:02}","event_type":"{kind}","ts":"{moment}","location_id":{location},'
            f'"order_id":"{order_id}","sequence":{sequence},"body":"{body}"}}\n'
        )


def _item(number: int, qty: int) -> str:
    fields = {
        "id": number,
        "category_id": number // 2,
        "menu_id": number // 8,
        "brand_id": number // 8,
        "qty": qty,
    }
    written = ",".join(f'\\"{name}\\":{value}' for name, value in fields.items())
    return f'{{{written},\\"name\\":\\"Item {number}\\",\\"price\\":{5 + number * 0.37:.2f}}}'
