"""A synced table: the first copy of 200,000 rows beside a plain COPY, 50 live merges until they are seen, and doing nothing."""

import io
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pyarrow as pa
import pyarrow.csv as arrow_csv
from caspers.model.tables import REFUND_RECOMMENDATIONS
from databricks.sdk.service import postgres as lakebase
from databricks.sdk.service.postgres import (
    SyncedTableSyncedTableSpecSyncedTableSchedulingPolicy as Policy,
)

from benchmarks.measure import Figure, report, seconds
from tests.support.waiting import wait_for
from tests.support.workspace import LocalWorkspace

ROWS = 200_000
MERGES = 50
ROWS_PER_MERGE = 20
IDLE_S = 10
BRANCH = "projects/bench/branches/production"
SOURCE = "bench.default.recommendations"
TARGET = "bench_pg.recommender.pg_recommendations"
TEXTS = {
    "order_id": "concat('order-', id)",
    "agent_response": '\'{"refund_usd": 4.5, "refund_class": "partial", "reason": "later than three of four orders"}\'',
    "reason": "concat('delivered ', id % 90, ' minutes after it was ordered, later than three of four orders here')",
}
VALUES = {
    "STRING": "concat('text ', id % 1000)",
    "TIMESTAMP": "timestamp_seconds(1700000000 + id)",
    "INT": "CAST(id % 1000 AS INT)",
    "DOUBLE": "id * 0.37",
    "DECIMAL(10,2)": "CAST(id % 5000 / 100 AS DECIMAL(10,2))",
}


def _rows(start: int, count: int, run: str) -> str:
    """SQL of made-up recommendations of one run."""
    texts = TEXTS | {"run_id": f"'{run}'"}
    columns = (
        f"{texts.get(column.name, VALUES[column.sql_type])} AS {column.name}"
        for column in REFUND_RECOMMENDATIONS.columns
    )
    return f"SELECT {', '.join(columns)} FROM range({start}, {start + count})"


def _create(workspace: LocalWorkspace) -> None:
    spec = lakebase.SyncedTableSyncedTableSpec(
        source_table_full_name=SOURCE,
        primary_key_columns=["order_id"],
        scheduling_policy=Policy.CONTINUOUS,
        create_database_objects_if_missing=True,
    )
    api = workspace.client.postgres
    api.create_synced_table(lakebase.SyncedTable(spec=spec), synced_table_id=TARGET).wait()
    wait_for(lambda: _is_online(api), seconds=120, what="the synced table is online", every=0.02)


def _is_online(api: lakebase.PostgresAPI) -> bool:
    status = api.get_synced_table(f"synced_tables/{TARGET}").status
    online = lakebase.SyncedTableState.SYNCED_TABLE_ONLINE_CONTINUOUS_UPDATE
    return status is not None and status.detailed_state == online


def _postgres(workspace: LocalWorkspace) -> psycopg.Connection[Any]:
    endpoint = f"{BRANCH}/endpoints/primary"
    api = workspace.client.postgres
    status = api.get_endpoint(endpoint).status
    assert status is not None
    assert status.hosts is not None
    host, _, port = (status.hosts.host or "").partition(":")
    return psycopg.connect(
        host=host,
        port=port or 5432,
        user=workspace.client.current_user.me().user_name,
        password=api.generate_database_credential(endpoint=endpoint).token,
        dbname="databricks_postgres",
        autocommit=True,
    )


def _plain_copy(connection: psycopg.Connection[Any], rows: pa.Table) -> float:
    """Seconds for the same rows as CSV, made beforehand, and the same key; what Postgres itself needs."""
    text = io.BytesIO()
    arrow_csv.write_csv(rows, text, arrow_csv.WriteOptions(include_header=False))

    def copy() -> None:
        with connection.transaction():
            connection.execute("CREATE TABLE plain (LIKE recommender.pg_recommendations)")
            with connection.cursor() as cursor, cursor.copy("COPY plain FROM STDIN (FORMAT csv)") as stream:
                stream.write(text.getbuffer())
            connection.execute("ALTER TABLE plain ADD PRIMARY KEY (order_id)")

    return seconds(copy)


def _merge_until_seen(cursor: Any, connection: psycopg.Connection[Any], number: int) -> float:
    """Seconds from the end of a merge, of half old and half new rows, until Postgres shows it."""
    half = ROWS_PER_MERGE // 2
    run = f"merge {number}"
    source = f"{_rows(number * half, half, run)} UNION ALL {_rows(ROWS + number * half, half, run)}"
    cursor.execute(
        f"MERGE INTO {SOURCE} AS t USING ({source}) AS s"
        " ON t.order_id = s.order_id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    )
    count = b"SELECT count(*) FROM recommender.pg_recommendations WHERE run_id = %s"
    seen = (ROWS_PER_MERGE,)
    return seconds(
        lambda: wait_for(
            lambda: connection.execute(count, (run,)).fetchone() == seen,
            seconds=30,
            what="the merge is seen",
            every=0.01,
        )
    )


def _measure(workspace: LocalWorkspace) -> list[Figure]:
    project = lakebase.Project(spec=lakebase.ProjectSpec(display_name="bench"))
    workspace.client.postgres.create_project(project, project_id="bench").wait()
    catalog = lakebase.CatalogCatalogSpec(postgres_database="databricks_postgres", branch=BRANCH)
    workspace.client.postgres.create_catalog(lakebase.Catalog(spec=catalog), catalog_id="bench_pg").wait()
    with workspace.connect() as warehouse, warehouse.cursor() as cursor:
        cursor.execute("CREATE CATALOG bench")
        columns = ", ".join(f"{it.name} {it.sql_type}" for it in REFUND_RECOMMENDATIONS.columns)
        cursor.execute(
            f"CREATE TABLE {SOURCE} ({columns}) TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')"
        )
        cursor.execute(f"INSERT INTO {SOURCE} {_rows(0, ROWS, 'first')}")
        before, idle = _own_mb(workspace.pid), _idle_percent(workspace.pid)
        initial = seconds(lambda: _create(workspace))
        cursor.execute(f"SELECT * FROM {SOURCE}")
        rows = cursor.fetchall_arrow()
        with _postgres(workspace) as connection:
            plain = _plain_copy(connection, rows)
            connection.execute("CREATE INDEX ON recommender.pg_recommendations (run_id)")
            waits = sorted(_merge_until_seen(cursor, connection, number) for number in range(MERGES))
    return [
        Figure("first copy of 200,000 rows", ROWS / initial, "rows/s", "≥ 30,000"),
        Figure("the same rows by plain COPY", ROWS / plain, "rows/s"),
        Figure("first copy, times as long as plain COPY", initial / plain, ""),
        Figure("merge of 20 rows seen in Postgres after, median", waits[len(waits) // 2] * 1000, "ms"),
        Figure(
            "merge of 20 rows seen in Postgres after, p95",
            waits[int(len(waits) * 0.95)] * 1000,
            "ms",
            "≤ 1,500",
        ),
        Figure("memory added to the workspace's own process", _own_mb(workspace.pid) - before, "MB"),
        Figure("processor, when nothing is synced", idle, "%"),
        Figure("processor, when a table follows and nothing happens", _idle_percent(workspace.pid), "%"),
    ]


def _own_mb(pid: int) -> float:
    return psutil.Process(pid).memory_info().rss / 1e6


def _idle_percent(pid: int) -> float:
    """Of one core, by the workspace's own process, over some seconds."""
    process = psutil.Process(pid)
    before = sum(process.cpu_times()[:2])
    time.sleep(IDLE_S)
    return (sum(process.cpu_times()[:2]) - before) / IDLE_S * 100


def main() -> None:
    """Measure and report."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = LocalWorkspace(Path(folder) / "home").start()
        try:
            figures = _measure(workspace)
        finally:
            workspace.stop()
    report("Synced table", figures)


if __name__ == "__main__":
    main()
