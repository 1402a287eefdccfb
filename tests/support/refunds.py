"""The refund manager's database and console for tests: a real Postgres, plausible recommendations, the real app.

How to use it (a fixture per test is enough, the cluster is shared by a session):

    cluster = refund_cluster()                       # once per session; `cluster.remove()` at the end
    database = cluster.open(cluster.new_database())  # recommender.pg_recommendations and schema refunds, empty
    arrive(database, recommendations(200, seed=7))   # what the synced table would bring
    take_in(database)                                # as the worker `refund_cases` does: now there are 200 cases
    with console(database) as served:                # the real app on a free port, in this process
        served.client.get("/api/queue", headers=reviewer("ada"))

`python -m tests.support.refunds [CASES]` serves a console with made-up cases until Ctrl-C and prints its address.
"""

import json
import sys
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from caspers.clients.postgres import Postgres
from caspers.clock import SystemClock
from caspers.settings import Settings
from caspers.web.app import base_app, server
from caspers.web.turns import share_few_threads
from caspers.worker.step import StepContext
from fastapi import APIRouter, FastAPI
from refund_manager import pages
from refund_manager.api import cases, decisions, history, policy, queue, upstream
from refund_manager.cases_intake import case_intake
from refund_manager.desk import open_desk
from refund_manager.history import refund_history
from refund_manager.schema import SCHEMA

from tests.caspers.serving import Served, free_port, serving
from tests.support.postgres import Cluster

#: The synced table as it stands in Lakebase (caspers.model.tables.REFUND_RECOMMENDATIONS), with the admin's index.
SYNCED_TABLE = """
CREATE SCHEMA recommender;
CREATE TABLE recommender.pg_recommendations (
    order_id text PRIMARY KEY, ts timestamptz, order_ts timestamptz, delivered_ts timestamptz, location_id int,
    location text, brands text, customer_addr text, order_total numeric(10,2), delivery_minutes float8,
    p50_minutes float8, p75_minutes float8, p99_minutes float8, agent_response text, refund_usd numeric(10,2),
    refund_class text, reason text, origin text, agent_version text, run_id text
);
CREATE INDEX pg_recommendations_ts ON recommender.pg_recommendations (ts);
"""

LOCATIONS = {1: "San Francisco", 2: "Silicon Valley", 3: "Bellevue", 4: "Chicago"}
BRANDS = ("Nonna's Oven", "Green Bowl", "Taco Harbor", "Seoul Fire", "Patty Lab", "Curry Post", "Noodle Loft")
STREETS = ("Main St", "Oak Ave", "Harbor Rd", "Mission St", "Lake View Dr", "5th Ave")
#: The moment of the newest made-up recommendation.
NOW = datetime(2026, 3, 14, 18, 0, tzinfo=UTC)

Recommendation = dict[str, Any]


def refund_cluster() -> Cluster:
    """A running cluster whose new databases hold the synced table and the schema refunds, both empty."""
    return Cluster().start(SYNCED_TABLE, SCHEMA.decode())


def recommendations(count: int, seed: int = 1, *, until: datetime = NOW) -> list[Recommendation]:
    """`count` plausible recommendations, one a second, the newest at `until`: same seed, same rows."""
    chance = Random(seed)
    return [
        recommendation(chance, number, until - timedelta(seconds=count - number)) for number in range(count)
    ]


def recommendation(chance: Random, number: int, ts: datetime, **known: Any) -> Recommendation:
    """One row of the synced table; `known` columns are taken as they are."""
    location_id = chance.choice(list(LOCATIONS))
    p50, p75, p99 = 24.0 + location_id, 31.0 + location_id, 52.0 + location_id
    minutes = round(chance.lognormvariate(3.25, 0.35), 2)
    total = round(chance.uniform(12, 90), 2)
    row = {
        "order_id": f"{chance.getrandbits(64):016x}-{number}",
        "ts": ts,
        "order_ts": ts - timedelta(minutes=minutes + 1),
        "delivered_ts": ts - timedelta(minutes=1),
        "location_id": location_id,
        "location": LOCATIONS[location_id],
        "brands": ", ".join(chance.sample(BRANDS, chance.choice((1, 1, 1, 2)))),
        "customer_addr": f"{chance.randint(1, 999)} {chance.choice(STREETS)}, {LOCATIONS[location_id]}",
        "order_total": total,
        "delivery_minutes": minutes,
        "p50_minutes": p50,
        "p75_minutes": p75,
        "p99_minutes": p99,
        "origin": "rules" if chance.random() < 0.7 else "model",
        "agent_version": "refund-1",
        "run_id": f"run-{chance.getrandbits(48):012x}",
    }
    failed = chance.random() < 0.03
    said = _error() if failed else _answer(minutes, p75, p99, total)
    return row | said | known


def _answer(minutes: float, p75: float, p99: float, total: float) -> Recommendation:
    refund_class = "none" if minutes < p75 else "partial" if minutes < p99 else "full"
    usd = {"none": 0.0, "partial": round(total * 0.25, 2), "full": total}[refund_class]
    reason = f"Delivered in {minutes} minutes; the location's P75 is {p75} and its P99 {p99}."
    said = {"refund_usd": usd, "refund_class": refund_class, "reason": reason}
    return said | {"agent_response": json.dumps(said)}


def _error() -> Recommendation:
    said = {"error": "the answer is no JSON object", "run_id": "run-error"}
    none = {"refund_usd": None, "refund_class": None, "reason": None}
    return none | {"agent_response": json.dumps(said), "origin": "error"}


def arrive(database: Postgres, rows: Iterable[Recommendation]) -> None:
    """Write rows to the synced table, replacing those of the same order, as the sync does."""
    connection = database.connection()
    with connection, connection.transaction():
        for row in rows:
            connection.execute(_UPSERT, row)


_COLUMNS = (
    "order_id", "ts", "order_ts", "delivered_ts", "location_id", "location", "brands", "customer_addr", "order_total",
    "delivery_minutes", "p50_minutes", "p75_minutes", "p99_minutes", "agent_response", "refund_usd", "refund_class",
    "reason", "origin", "agent_version", "run_id",
)  # fmt: skip
_UPSERT = (
    f"INSERT INTO recommender.pg_recommendations ({', '.join(_COLUMNS)}) "
    f"VALUES ({', '.join(f'%({name})s' for name in _COLUMNS)}) "
    f"ON CONFLICT (order_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS[1:])}"
).encode()


def usual(order_id: str, **known: Any) -> Recommendation:
    """The recommendation of $5 back on an order of $20, `known` columns taken as they are."""
    said = {
        "refund_usd": 5,
        "refund_class": "partial",
        "reason": "late",
        "origin": "rules",
        "order_total": 20,
    }
    return recommendation(Random(order_id), 0, NOW) | {"order_id": order_id} | said | known


def take_in(database: Postgres) -> None:
    """Let the worker's step run until the queue has everything that arrived."""
    intake = case_intake(database)
    while intake.step({}, StepContext(1, SystemClock(), lambda _: None)).again:
        pass


def reviewer(name: str) -> dict[str, str]:
    """The headers that the platform's proxy sets for this person."""
    email = f"{name}@example.com"
    return {"X-Forwarded-User": name, "X-Forwarded-Email": email, "X-Forwarded-Preferred-Username": name}


@asynccontextmanager
async def _taking_turns(_app: FastAPI) -> AsyncGenerator[None]:
    share_few_threads()
    yield


def console_app(database: Postgres, *routers: APIRouter, port: int = 0) -> FastAPI:
    """The refund manager's web app on this database; `routers` come on top of those that need Postgres only."""
    settings = Settings.model_validate({"app_name": "refunds", "app_port": port or free_port()})
    app = base_app("Casper's refunds", settings, look=pages.LOOK, lifespan=_taking_turns)
    desk, past = open_desk(database, SystemClock()), refund_history(database)
    own = (queue.router, cases.router, decisions.router, policy.router)
    kept = upstream.router(desk, lambda _order_id: [])
    shown = (history.router(desk, past), pages.router(desk, past))
    for router in (*(make(desk) for make in own), kept, *shown, *routers):
        app.include_router(router)
    return app


@contextmanager
def console(database: Postgres, *routers: APIRouter) -> Generator[Served]:
    """`console_app`, serving on a free port until the end of the block; `served.client` speaks to it."""
    with serving(console_app(database, *routers)) as served:
        yield served


def main(cases: int) -> None:
    """Serve a console with made-up cases until Ctrl-C."""
    cluster = refund_cluster()
    database = cluster.open(cluster.new_database())
    try:
        arrive(database, recommendations(cases))
        take_in(database)
        app = console_app(database)
        print(f"http://127.0.0.1:{app.state.settings.app_port}/", flush=True)  # noqa: T201  its purpose
        server(app, app.state.settings).run()
    finally:
        database.close()
        cluster.remove()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
