"""The first replay run, dataset to files in the volume through the Files API, beside DuckDB writing plain JSON lines.

DuckDB's COPY … TO (FORMAT json) is the fastest plain way we found (polars' write_ndjson takes about twice as long). It
writes the same fields from the same parquet into one local file; it is spared the UUIDs, the checksum and the upload.
"""

import argparse
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from caspers.clients.volume import Volume
from caspers.clock import ManualClock
from caspers.model.events import DATASET_EPOCH_S, DAY_S
from caspers.worker.step import StepContext
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.catalog import VolumeType
from replayer.canonical.write import Recipe, write_dataset
from replayer.dataset import fetch_dataset
from replayer.replay import Replay
from replayer.watermark import ReplayMemory

from benchmarks.measure import Figure, median_of, report, seconds
from tests.support.workspace import LocalWorkspace

TIMES = 3
START_DAY = 70
BEGAN = datetime(2026, 11, 21, 10, tzinfo=UTC)

PLAIN_LINES = """
COPY (
    SELECT md5(order_id || '/' || sequence) AS event_id,
           ['order_created', 'gk_started', 'gk_finished', 'gk_ready', 'driver_arrived', 'driver_picked_up',
            'driver_ping', 'delivered'][event_type_id] AS event_type,
           strftime(to_timestamp(ts_seconds) AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S.000') AS ts,
           location_id, order_id, sequence,
           CASE event_type_id
               WHEN 1 THEN '{{"customer_lat":' || customer_lat || ',"customer_lon":' || customer_lon
                    || ',"customer_addr":' || to_json(customer_addr) || ',"items":' || items_json || '}}'
               WHEN 6 THEN '{{"route_points":' || route_json || '}}'
               WHEN 7 THEN '{{"progress_pct":' || ping_progress || ',"loc_lat":' || ping_lat
                    || ',"loc_lon":' || ping_lon || '}}'
               WHEN 8 THEN '{{"delivered_lat":' || customer_lat || ',"delivered_lon":' || customer_lon || '}}'
               ELSE '{{}}'
           END AS body
    FROM read_parquet('{source}') WHERE ts_seconds < {end}
) TO '{target}' (FORMAT json)
"""


@dataclass
class Bench:
    """A dataset on disk and in a volume, and the catalog that takes the replays."""

    client: WorkspaceClient
    catalog: str
    folder: Path
    runs: int = 0
    events: int = 0

    def prepare(self) -> None:
        write_dataset(Recipe(days=90, seed=42), self.folder / "dataset")
        self.client.catalogs.create(self.catalog)
        self.client.schemas.create("dataset", self.catalog)
        self.client.volumes.create(self.catalog, "dataset", "canonical", VolumeType.MANAGED)
        volume = Volume(self.client, f"/Volumes/{self.catalog}/dataset/canonical")
        volume.write("events.parquet", (self.folder / "dataset" / "events.parquet").read_bytes())

    def replay(self) -> float:
        """The first run of a new replay: fetch and check the dataset, write all of day 0 to START_DAY and the morning."""
        self.runs += 1
        schema = f"run{self.runs}"
        self.client.schemas.create(schema, self.catalog)
        for name in ("events", "misc"):
            self.client.volumes.create(self.catalog, schema, name, VolumeType.MANAGED)
        root = f"/Volumes/{self.catalog}/{schema}"
        clock = ManualClock(BEGAN)
        replay = Replay(
            Volume(self.client, f"{root}/events"),
            ReplayMemory(Volume(self.client, f"{root}/misc")),
            lambda folder: fetch_dataset(Volume(self.client, folder), self.folder / f"work{self.runs}"),
            clock,
        )
        orders = {"dataset": f"/Volumes/{self.catalog}/dataset/canonical", "start_day": START_DAY}

        def run() -> None:
            while replay.step(orders, StepContext(1, clock, lambda _progress: None)).again:
                pass

        took = seconds(run)
        self.events = replay.watermark.events
        return took

    def plain(self) -> float:
        """DuckDB on the same rows."""
        statement = PLAIN_LINES.format(
            source=self.folder / "dataset" / "events.parquet",
            end=DATASET_EPOCH_S + START_DAY * DAY_S + BEGAN.hour * 3600,
            target=self.folder / "plain.json",
        )
        return seconds(lambda: duckdb.sql(statement))


@contextmanager
def workspace(host: str | None, token: str | None, folder: Path) -> Generator[WorkspaceClient]:
    """The workspace at `host`, or a local one of our own."""
    if host:
        yield WorkspaceClient(host=host, token=token, auth_type="pat")
        return
    local = LocalWorkspace(folder / "home").start()
    try:
        yield local.client
    finally:
        local.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", help="a running workspace; empty = one of our own")
    parser.add_argument("--token")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-replay-") as name:
        folder = Path(name)
        with workspace(wanted.host, wanted.token, folder) as client:
            bench = Bench(client, "bench_replay", folder)
            bench.prepare()
            try:
                measured = [(bench.replay(), bench.plain()) for _ in range(TIMES)]
            finally:
                client.catalogs.delete(bench.catalog, force=True)
    _report(bench.events, measured)


def _report(events: int, measured: list[tuple[float, float]]) -> None:
    def figure(values: list[float]) -> tuple[float, tuple[float, ...]]:
        left = iter(values)
        return median_of(len(values), lambda: next(left))

    took, took_runs = figure([replay for replay, _ in measured])
    rate, rates = figure([events / replay for replay, _ in measured])
    plain, plain_runs = figure([plain for _, plain in measured])
    share, shares = figure([plain / replay for replay, plain in measured])
    report(
        f"first replay run, {events:,} events",
        [
            Figure("dataset to files in the volume", took, "s", "", took_runs),
            Figure("events per second", rate, "events/s", "≥ 150,000", rates),
            Figure("DuckDB writing plain JSON lines to a local file", plain, "s", "", plain_runs),
            Figure("our speed as a share of DuckDB's", share, "", "≥ 0.5", shares),
        ],
    )


if __name__ == "__main__":
    main()
