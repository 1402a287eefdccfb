"""The complaint console's database and app for tests: a real Postgres, plausible triaged complaints, the real app.

How to use it (a fixture per test is enough, the cluster is shared by a session):

    cluster = complaint_cluster()                    # once per session; `cluster.remove()` at the end
    database = cluster.open(cluster.new_database())  # complaints.pg_complaint_responses and schema reviews, empty
    arrive(database, responses(200, seed=7))         # what the synced table would bring
    take_in(database)                                # as the worker `complaint_cases` does: now there are 200 cases
    with console(database) as served:                # the real app on a free port, in this process
        served.client.get("/api/queue", headers=reviewer("ada"))
"""

import json
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from caspers.clients.postgres import Postgres
from caspers.clock import SystemClock
from caspers.model.tables import COMPLAINT_RESPONSES
from caspers.settings import Settings
from caspers.web.app import base_app
from caspers.web.turns import share_few_threads
from caspers.worker.step import StepContext
from complaint_console import pages
from complaint_console.api import cases, history, queue, reviews
from complaint_console.cases_intake import case_intake
from complaint_console.desk import open_desk
from complaint_console.history import review_history
from complaint_console.schema import SCHEMA
from fastapi import APIRouter, FastAPI

from tests.caspers.serving import Served, free_port, serving
from tests.support.postgres import Cluster

_TYPES = {
    "STRING": "text",
    "TIMESTAMP": "timestamptz",
    "INT": "int",
    "DOUBLE": "float8",
    "DECIMAL(10,2)": "numeric(10,2)",
}
_COLUMNS = tuple(column.name for column in COMPLAINT_RESPONSES.columns)

#: The synced table as it stands in Lakebase, with the admin's index.
SYNCED_TABLE = (
    "CREATE SCHEMA complaints; CREATE TABLE complaints.pg_complaint_responses ("
    + ", ".join(f"{column.name} {_TYPES[column.sql_type]}" for column in COMPLAINT_RESPONSES.columns)
    + ", PRIMARY KEY (complaint_id)); "
    "CREATE INDEX pg_complaint_responses_ts ON complaints.pg_complaint_responses (ts);"
)

LOCATIONS = {1: "San Francisco", 2: "Silicon Valley", 3: "Bellevue", 4: "Chicago"}
CATEGORIES = ("delivery_delay", "missing_items", "food_quality", "service_issue", "other")
#: The moment of the newest made-up response.
NOW = datetime(2026, 3, 14, 18, 0, tzinfo=UTC)

Response = dict[str, Any]


def complaint_cluster() -> Cluster:
    """A running cluster whose new databases hold the synced table and the schema reviews, both empty."""
    return Cluster().start(SYNCED_TABLE, SCHEMA.decode())


def responses(count: int, seed: int = 1, *, until: datetime = NOW) -> list[Response]:
    """`count` plausible responses, one a second, the newest at `until`: same seed, same rows."""
    chance = Random(seed)
    return [response(chance, number, until - timedelta(seconds=count - number)) for number in range(count)]


def response(chance: Random, number: int, ts: datetime, **known: Any) -> Response:
    """One row of the synced table; `known` columns are taken as they are."""
    location_id = chance.choice(list(LOCATIONS))
    category = chance.choice(CATEGORIES)
    total = round(chance.uniform(12, 90), 2)
    escalated = category in {"service_issue", "other"}
    said = {
        "complaint_category": category,
        "decision": "escalate" if escalated else "suggest_credit",
        "credit_amount": None if escalated else round(total * 0.4) / 2,
        "confidence": None if escalated else "high",
        "priority": chance.choice(("standard", "standard", "urgent")) if escalated else None,
        "rationale": "The policy for this category applies.",
        "customer_response": "We are sorry. This is what we do about it.",
    }
    order_id = f"{chance.getrandbits(64):016x}-{number}"
    row = dict.fromkeys(_COLUMNS) | {
        "complaint_id": f"C-{order_id}",
        "order_id": order_id,
        "ts": ts,
        "complained_at": ts - timedelta(minutes=1),
        "order_ts": ts - timedelta(minutes=40),
        "delivered_ts": ts - timedelta(minutes=2),
        "location_id": location_id,
        "location": LOCATIONS[location_id],
        "brands": "Taco Harbor",
        "customer_addr": f"{chance.randint(1, 99)} Mission St, {LOCATIONS[location_id]}",
        "order_total": total,
        "delivery_minutes": 38.0,
        "p50_minutes": 25.0,
        "p75_minutes": 32.0,
        "p99_minutes": 53.0,
        "complaint_text": f"My {category.replace('_', ' ')} was a disappointment.",
        "origin": "rules",
        "agent_version": "complaint-1",
        "run_id": f"run-{number}",
    }
    return row | said | {"agent_response": json.dumps(said)} | known


def usual(complaint_id: str, **known: Any) -> Response:
    """The suggestion of $5 on an order of $20, `known` columns taken as they are."""
    said = {
        "complaint_id": complaint_id,
        "order_id": f"order-{complaint_id}",
        "complaint_category": "food_quality",
        "decision": "suggest_credit",
        "credit_amount": 5,
        "confidence": "high",
        "priority": None,
        "order_total": 20,
    }
    return response(Random(complaint_id), 0, NOW) | said | known


def escalated(complaint_id: str, priority: str = "standard", **known: Any) -> Response:
    """A complaint that the agent left to a person."""
    said = {"decision": "escalate", "credit_amount": None, "confidence": None, "priority": priority}
    return usual(complaint_id, **said) | known


def arrive(database: Postgres, rows: Iterable[Response]) -> None:
    """Write rows to the synced table, replacing those of the same complaint, as the sync does."""
    connection = database.connection()
    with connection, connection.transaction():
        for row in rows:
            connection.execute(_UPSERT, row)


_UPSERT = (
    f"INSERT INTO complaints.pg_complaint_responses ({', '.join(_COLUMNS)}) "
    f"VALUES ({', '.join(f'%({name})s' for name in _COLUMNS)}) "
    f"ON CONFLICT (complaint_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS[1:])}"
).encode()


def take_in(database: Postgres) -> None:
    """Let the worker's step run until the queue has everything that arrived."""
    intake = case_intake(database)
    while intake.step({}, StepContext(1, SystemClock(), lambda _: None)).again:
        pass


@asynccontextmanager
async def _taking_turns(_app: FastAPI) -> AsyncGenerator[None]:
    share_few_threads()
    yield


def console_app(database: Postgres, *routers: APIRouter, port: int = 0) -> FastAPI:
    """The complaint console's web app on this database; `routers` come on top of those that need Postgres only."""
    settings = Settings.model_validate({"app_name": "complaints", "app_port": port or free_port()})
    app = base_app("Casper's complaints", settings, look=pages.LOOK, lifespan=_taking_turns)
    desk, past = open_desk(database, SystemClock()), review_history(database)
    own = (queue.router(desk), cases.router(desk), reviews.router(desk), history.router(desk, past))
    for router in (*own, pages.router(desk, past), *routers):
        app.include_router(router)
    return app


@contextmanager
def console(database: Postgres, *routers: APIRouter) -> Generator[Served]:
    """`console_app`, serving on a free port until the end of the block; `served.client` speaks to it."""
    with serving(console_app(database, *routers)) as served:
        yield served
