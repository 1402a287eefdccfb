from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from caspers.model.events import CANONICAL_EVENTS
from caspers.model.tables import DIMENSIONS
from replayer.canonical.brands import catalogue
from replayer.canonical.kitchens import serve
from replayer.canonical.orders import generate_events
from replayer.canonical.write import Recipe, write_dataset

from tests.support.datasets import generated


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path: Path):
    again, other = tmp_path / "again", tmp_path / "other"
    write_dataset(Recipe(2, 7), again)
    write_dataset(Recipe(2, 8), other)
    for path in generated().iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes()
    assert (other / "events.parquet").read_bytes() != (again / "events.parquet").read_bytes()


def test_the_catalogue_has_the_promised_size_and_unique_names():
    whole = catalogue()
    sizes = [table.num_rows for table in (whole.brands, whole.menus, whole.categories, whole.items)]
    assert sizes == [24, 24, 112, 181]
    assert len(set(whole.brands["name"].to_pylist())) == 24
    assert (
        len(set(zip(whole.items["brand_id"].to_pylist(), whole.items["name"].to_pylist(), strict=True)))
        == 181
    )


def test_every_dimension_is_written_in_the_type_of_its_table():
    for table in DIMENSIONS:
        found = pq.read_table(generated() / f"{table.short_name}.parquet")
        assert found.schema.remove_metadata() == table.arrow_schema
        assert found.num_rows > 0


def test_every_order_runs_through_all_steps_and_ends_delivered():
    events = generate_events(days=1, seed=3)
    assert events.schema == CANONICAL_EVENTS
    orders = events.group_by("order_id").aggregate([("sequence", "count"), ("sequence", "max")])
    assert pc.all(pc.equal(pc.add(orders["sequence_max"], 1), orders["sequence_count"])).as_py()
    kinds = pc.value_counts(events["event_type_id"]).to_pylist()
    counts = {entry["values"]: entry["counts"] for entry in kinds}
    assert {counts[kind] for kind in (1, 2, 3, 4, 5, 6, 8)} == {orders.num_rows}


def test_a_busy_kitchen_is_slower_than_a_quiet_one():
    def waits(between_s: int) -> float:
        created = np.arange(200) * between_s
        rng = np.random.default_rng(1)
        return float((serve(created, np.full(200, 10.0), np.ones(200), 4, rng).started - created).mean())

    assert waits(between_s=20) > 5 * waits(between_s=600)
