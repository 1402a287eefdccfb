"""Pipelines in folders: orders as lines of JSON, updates in their own process, rows read back; no workspace around."""

import json
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from deltalake import DeltaTable
from local_workspace.api.pipelines.update_process import Runner
from local_workspace.clock import SystemClock
from local_workspace.engines.spark import Spark
from local_workspace.errors import NotFound
from local_workspace.pipeline_runs.definitions import SourceError
from local_workspace.pipeline_runs.host import HostRefused, Publication
from local_workspace.pipeline_runs.session import NotSupportedHere
from local_workspace.pipeline_runs.spec import UpdateSpec
from local_workspace.pipeline_runs.update import Update

ORDER_ITEMS = Path(__file__).parents[2] / "pipelines/order_items/transformations"
FIRST_MOMENT = datetime.fromisoformat("2024-01-01")
STEPS = ("gk_started", "gk_finished", "gk_ready", "driver_arrived")

Event = dict[str, Any]


def item(number: int = 1, *, price: float = 12.5, qty: int = 2, brand: int = 1) -> dict[str, Any]:
    """An item of an order."""
    return {
        "id": number,
        "category_id": 1,
        "menu_id": 1,
        "brand_id": brand,
        "name": f"Item {number}",
        "price": price,
        "qty": qty,
    }


def order(
    order_id: str, second: int, *, items: Sequence[dict[str, Any]] | None = None, location: int = 1
) -> list[Event]:
    """The events of a whole order; `second` counts from the first moment of 2024."""
    bodies: list[tuple[str, dict[str, Any]]] = [
        (
            "order_created",
            {
                "customer_lat": 1.0,
                "customer_lon": 2.0,
                "customer_addr": "1 Main St",
                "items": items or [item()],
            },
        ),
        *((step, {}) for step in STEPS),
        ("driver_picked_up", {"route_points": [[1.0, 2.0], [1.1, 2.1]]}),
        ("driver_ping", {"progress_pct": 50.0, "loc_lat": 1.05, "loc_lon": 2.05}),
        ("delivered", {"delivered_lat": 1.1, "delivered_lon": 2.1}),
    ]
    return [
        event(order_id, kind, body, second + 60 * number, number, location=location)
        for number, (kind, body) in enumerate(bodies)
    ]


def event(
    order_id: str, kind: str, body: dict[str, Any], second: int, sequence: int, *, location: int = 1
) -> Event:
    """One event as the replay writes it."""
    moment = FIRST_MOMENT + timedelta(seconds=second)
    return {
        "event_id": f"{order_id}/{sequence}",
        "event_type": kind,
        "ts": moment.strftime("%Y-%m-%d %H:%M:%S.000"),
        "location_id": location,
        "order_id": order_id,
        "sequence": sequence,
        "body": json.dumps(body),
    }


def lines(events: Iterable[Event]) -> bytes:
    """Events as lines of JSON."""
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


@dataclass
class Outcome:
    """How an update ended and what it reported."""

    code: int
    reports: list[dict[str, Any]] = field(default_factory=list)

    @property
    def failure(self) -> str:
        """Why it failed."""
        return next((report["message"] for report in self.reports if report["report"] == "failed"), "")

    def flow(self, name: str) -> dict[str, Any]:
        """What a flow's last step reported; empty when it did nothing."""
        return next((r for r in reversed(self.reports) if r.get("flow") == name), {})


class FolderHost:
    """The surroundings of an update that runs in the test's own process."""

    def __init__(self, pipeline: "PipelineFolder", reports: list[dict[str, Any]]) -> None:
        self._pipeline = pipeline
        self._reports = reports

    def location(self, name: str) -> Path:
        return self._pipeline.location(name)

    def table(self, name: str) -> Path:
        location = self._pipeline.location(name)
        if not location.exists():
            raise HostRefused(f"{name} does not exist.")
        return location

    def directory(self, path: str) -> Path:
        raise HostRefused(f"{path}: there are no volumes here.")

    def publish(self, publication: Publication) -> None:
        """Nothing to do: the test looks at the table itself."""

    def report(self, kind: str, **facts: Any) -> None:
        self._reports.append({"report": kind, **facts})


class PipelineFolder:
    """A pipeline whose volume, tables and state are folders."""

    def __init__(self, folder: Path, engine: str, sources: Path = ORDER_ITEMS) -> None:
        self.folder = folder
        self.events = folder / "events"
        self.events.mkdir(parents=True)
        self._engine = engine
        self._sources = sources

    def put(self, name: str, content: bytes) -> None:
        """Let a file appear in the volume, whole."""
        partial = self.events / f".{name}"
        partial.write_bytes(content)
        partial.rename(self.events / name)

    def update(self, **spec: Any) -> Outcome:
        """Run an update to its end, in this process."""
        outcome = Outcome(0)
        update = Update(
            self.spec(**spec), FolderHost(self, outcome.reports), SystemClock(), threading.Event()
        )
        try:
            update.run()
        except (SourceError, NotSupportedHere, HostRefused) as error:
            outcome.reports.append({"report": "failed", "message": str(error)})
            outcome.code = 1
        finally:
            update.close()
        return outcome

    def update_apart(self, runner: Runner, **spec: Any) -> Outcome:
        """Run an update in a process of its own, as the workspace does."""
        outcome = Outcome(0)
        outcome.code = runner.run(self.spec(**spec), self, outcome.reports.append)
        return outcome

    def spec(self, **more: Any) -> UpdateSpec:
        """The spec of an update."""
        return UpdateSpec(
            pipeline_id="p",
            engine=self._engine,
            catalog="c",
            schema_name="s",
            state=self.folder / "state",
            sources=sorted(self._sources.glob("*.py")),
            configuration={"caspers.events_path": str(self.events)} | more.pop("configuration", {}),
            **more,
        )

    def answer(self, question: str, facts: dict[str, Any]) -> str:
        """Answer an update as the workspace would."""
        if question == "publish":
            return ""
        location = self.location(facts["name"])
        if question == "table" and not location.exists():
            raise NotFound(f"{facts['name']} does not exist.")
        return str(location)

    def location(self, name: str) -> Path:
        """Where a table is, by its last name."""
        return self.folder / "tables" / name.rpartition(".")[2]

    def rows(self, name: str) -> list[dict[str, Any]]:
        """All rows of a table."""
        return DeltaTable(self.location(name)).to_pyarrow_table().to_pylist()

    def count(self, name: str) -> int:
        """The number of rows of a table."""
        return DeltaTable(self.location(name)).count()

    def commits(self) -> int:
        """The commits of all tables."""
        return sum(1 for _ in self.folder.glob("tables/*/_delta_log/*.json"))

    @contextmanager
    def killed_at_commit(self, number: int) -> Generator[Runner]:
        """A runner that is killed as soon as that many commits are there."""
        runner = Runner()
        with self._at_commit(number, lambda: os.kill(runner.pid, signal.SIGKILL)):
            yield runner

    @contextmanager
    def engine_killed_at_commit(self, number: int, engine: Spark) -> Generator[Runner]:
        """A runner whose engine is killed as soon as that many commits are there."""
        with self._at_commit(number, lambda: os.kill(engine.status.pid or 0, signal.SIGKILL)):
            yield Runner()

    @contextmanager
    def _at_commit(self, number: int, act: Callable[[], None]) -> Generator[None]:
        over = threading.Event()

        def watch() -> None:
            while self.commits() < number:
                if over.wait(0.001):
                    return
            with suppress(ProcessLookupError):  # the last commit may have been the end
                act()

        watcher = threading.Thread(target=watch)
        watcher.start()
        yield
        over.set()
        watcher.join()
        assert self.commits() >= number, "the update ended before it could be disturbed"


@contextmanager
def running_engine(folder: Path) -> Generator[Spark]:
    """The SQL engine, on its own."""
    engine = Spark(folder / "scratch", folder / "engine.log", SystemClock())
    engine.start()
    engine.wait_until_running()
    yield engine
    engine.stop()
