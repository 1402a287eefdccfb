"""The worker's ear: its current orders, heard of by notification for speed and read by polling for certainty."""

import threading
from collections.abc import Callable
from random import Random
from typing import Any

import psycopg

from caspers.clients.backoff import Backoff
from caspers.clients.postgres import Postgres
from caspers.errors import CaspersError
from caspers.worker.orders import orders_channel, read_orders
from caspers.worker.states import WorkerOrders
from caspers.worker.troubles import Troubles

#: Seconds after which the listener looks up from its connection to see whether it is time to end.
_LISTEN_SLICE_S = 0.5

#: Called with the orders before and after, when they are not the same.
OnChange = Callable[[WorkerOrders | None, WorkerOrders | None], None]


class OrdersWatch:
    """Keeps `current` as fresh as it can; while the database is away the last orders known stay in force."""

    def __init__(self, worker: str, database: Postgres, troubles: Troubles, on_change: OnChange) -> None:
        self.current: WorkerOrders | None = None
        self._worker = worker
        self._channel = orders_channel(worker)
        self._database = database
        self._troubles = troubles
        self._on_change = on_change
        self._one_at_a_time = threading.Lock()

    def read(self) -> None:
        """Read the orders now."""
        with self._one_at_a_time:
            try:
                with self._database.reading() as reader:
                    orders = read_orders(reader, self._worker)
            except CaspersError as error:
                self._troubles.begin("orders", error)
                return
            self._troubles.end("orders")
            before, self.current = self.current, orders
        if before != orders:
            self._on_change(before, orders)

    def listen(self, stopping: threading.Event, backoff: Backoff, chance: Random) -> None:
        """Listen until `stopping`, on a connection of its own that is opened anew whenever it is lost."""
        failures = 0
        while not stopping.is_set():
            try:
                with self._database.listen(self._channel) as connection:
                    failures = 0
                    self._troubles.end("listening")
                    self._hear(connection, stopping)
            except (CaspersError, psycopg.Error) as error:
                failures += 1
                self._troubles.begin("listening", error)
                stopping.wait(backoff.delay_s(failures, chance))

    def _hear(self, connection: psycopg.Connection[Any], stopping: threading.Event) -> None:
        self.read()  # what was announced while nobody listened
        while not stopping.is_set():
            for _ in connection.notifies(timeout=_LISTEN_SLICE_S, stop_after=1):
                self.read()
