"""What a worker is told to do: the desired state, kept in the control database so that a restart finds it there.

Every write gives the orders a new generation and notifies the worker, which listens on a channel of its own. The
admin writes, workers read; this module also holds the text that makes the schema (the admin applies it).
"""

import json
from collections.abc import Mapping
from typing import Any, LiteralString

from sqlalchemy import Row

from caspers.clients.postgres import Reader, Writer
from caspers.names import identifier
from caspers.worker.states import Desired, WorkerOrders

#: Schema and tables of the control database; safe to apply again.
SCHEMA: LiteralString = """
CREATE SCHEMA IF NOT EXISTS control;
CREATE TABLE IF NOT EXISTS control.worker_orders (
    worker     text PRIMARY KEY,
    desired    text NOT NULL CHECK (desired IN ('running', 'stopped')),
    generation bigint NOT NULL,
    parameters jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS control.worker_reports (
    worker       text PRIMARY KEY,
    generation   bigint NOT NULL,
    observed     text NOT NULL,
    heartbeat_at timestamptz NOT NULL,
    progress     jsonb NOT NULL,
    last_error   text,
    started_at   timestamptz NOT NULL,
    since        timestamptz NOT NULL
);
"""

_READ: LiteralString = """
SELECT worker, desired, generation, parameters, updated_at FROM control.worker_orders WHERE worker = :worker
"""

_READ_ALL: LiteralString = """
SELECT worker, desired, generation, parameters, updated_at FROM control.worker_orders ORDER BY worker
"""

_WRITE: LiteralString = """
INSERT INTO control.worker_orders AS mine (worker, desired, generation, parameters)
VALUES (:worker, :desired, 1, CAST(:parameters AS jsonb))
ON CONFLICT (worker) DO UPDATE
   SET desired = excluded.desired, parameters = excluded.parameters,
       generation = mine.generation + 1, updated_at = now()
RETURNING worker, desired, generation, parameters, updated_at
"""

#: Sent by the same transaction, so the worker hears of it exactly when it can read it.
_NOTIFY: LiteralString = "SELECT pg_notify(:channel, :generation)"


def read_orders(reader: Reader, worker: str) -> WorkerOrders | None:
    """The worker's orders, or None when nobody gave any yet."""
    row = reader.row(_READ, worker=worker)
    return None if row is None else _orders(row)


def read_all_orders(reader: Reader) -> list[WorkerOrders]:
    return [_orders(row) for row in reader.rows(_READ_ALL)]


def write_orders(
    writer: Writer, worker: str, *, desired: Desired, parameters: Mapping[str, Any]
) -> WorkerOrders:
    """Give orders and notify the worker; the answer carries the generation to wait for in its report."""
    channel = orders_channel(worker)
    row = writer.row(_WRITE, worker=worker, desired=desired, parameters=json.dumps(dict(parameters)))
    assert row is not None
    orders = _orders(row)
    writer.row(_NOTIFY, channel=channel, generation=str(orders.generation))
    return orders


def orders_channel(worker: str) -> str:
    """The Postgres channel that announces new orders of this worker. Raises `Invalid` for an odd worker name."""
    return f"orders_{identifier(worker)}"


def _orders(row: Row[Any]) -> WorkerOrders:
    return WorkerOrders(row.worker, row.desired, row.generation, row.parameters, row.updated_at)
