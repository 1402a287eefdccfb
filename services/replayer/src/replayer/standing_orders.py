"""Start, stop and speed of the replay: changes of its worker's orders, where the admin and every restart find them."""

from typing import Any

from caspers.clients.postgres import Postgres
from caspers.errors import Conflict
from caspers.worker.orders import Desired, WorkerOrders, read_orders, write_orders

WORKER = "replay"


class StandingOrders:
    """The orders of worker `replay` in the control database. All raise `Conflict` while there are none."""

    def __init__(self, database: Postgres) -> None:
        self._database = database

    def start(self) -> WorkerOrders:
        return self._change(desired="running")

    def stop(self) -> WorkerOrders:
        return self._change(desired="stopped")

    def set_speed(self, multiplier: float) -> WorkerOrders:
        """Virtual seconds per real second."""
        return self._change(speed_multiplier=multiplier)

    def _change(self, desired: Desired | None = None, **parameters: Any) -> WorkerOrders:
        with self._database.transaction() as writer:
            orders = read_orders(writer, WORKER)
            if orders is None:
                raise Conflict(
                    "nobody has said yet which dataset to replay",
                    what_now="Run the stage Spark_Declarative_Pipeline, which gives the replay its orders.",
                )
            return write_orders(
                writer, WORKER, desired=desired or orders.desired, parameters=orders.parameters | parameters
            )
