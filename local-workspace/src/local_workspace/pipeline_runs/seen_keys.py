"""Which keys a table holds already, so that a stream's dropDuplicates costs by what is new.

Two sorted arrays of 64-bit hashes, the old and the recent ones, kept beside the pipeline. They are a cache: it says which table version it covers, is
brought up to date from the files that came since, and is made anew when it is lost. A hash that was seen only raises
suspicion; whether the key is really there is asked of the table.
"""

from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyspark.sql.connect import functions as F  # noqa: N812  as everyone calls it
from pyspark.sql.connect.dataframe import DataFrame

from local_workspace.pipeline_runs.delta_table import PipelineTable, RowsRewritten
from local_workspace.pipeline_runs.session import PipelineSession, connect_frame

HASH = "__hash"
NONE_YET = -1
MERGE_AT = 0.25
"""The recent keys join the old ones when they are more than this share of them."""

Hashes = NDArray[np.int64]


class SeenKeys:
    """The hashes of some columns of one table.

    Args:
        columns: the columns that make a row's key.
        directory: where the cache lives.
    """

    def __init__(
        self, session: PipelineSession, table: PipelineTable, columns: tuple[str, ...], directory: Path
    ) -> None:
        self._session = session
        self._table = table
        self._columns = columns
        self._directory = directory
        self._version = NONE_YET
        self._generation = 0
        self._old: Hashes = np.empty(0, np.int64)
        self._recent: Hashes = np.empty(0, np.int64)
        self._pending: Hashes = np.empty(0, np.int64)
        self._load()

    def suspects(self, rows: DataFrame) -> Hashes:
        """The hashes of rows whose key may be in the table, or come twice among themselves."""
        self._catch_up()
        self._pending, counts = np.unique(self._hashes_of(rows), return_counts=True)
        return self._pending[self._contains(self._pending) | (counts > 1)]

    def hashed(self, rows: DataFrame) -> DataFrame:
        """The rows with their hash, in the column HASH."""
        return connect_frame(rows.withColumn(HASH, F.xxhash64(*self._columns)))

    def committed(self) -> None:
        """The rows last asked about are in the table now, but for duplicates: remember their keys."""
        self._add(self._pending)
        self._version = self._table.version
        self._save()

    def _load(self) -> None:
        for kept in self._directory.glob("recent-*.npy"):
            _, version, generation = kept.stem.split("-")
            old = self._directory / f"old-{generation}.npy"
            if self._version < int(version) <= self._table.version and old.exists():
                self._recent, self._old = np.load(kept), np.load(old, mmap_mode="r")
                self._version, self._generation = int(version), int(generation)

    def _save(self) -> None:
        """Write what changed; what is named last is complete, whenever the process ends."""
        self._directory.mkdir(parents=True, exist_ok=True)
        old = self._directory / f"old-{self._generation}.npy"
        if not old.exists():
            _write(old, self._old)
        recent = self._directory / f"recent-{self._version}-{self._generation}.npy"
        _write(recent, self._recent)
        for outdated in set(self._directory.glob("*.npy")) - {old, recent}:
            outdated.unlink()

    def _catch_up(self) -> None:
        if self._version != self._table.version:
            rows = self._rows_not_covered()
            if rows is not None:
                self._add(np.unique(self._hashes_of(rows)))
            self._version = self._table.version

    def _rows_not_covered(self) -> DataFrame | None:
        """The table's rows whose keys are still to be added; all of them when the cache is of no use."""
        location = self._table.location
        if self._version != NONE_YET:
            with suppress(RowsRewritten):
                added = self._table.added_since(self._version)
                return (
                    self._session.parquet(*(str(location / file.path) for file in added)) if added else None
                )
        self._forget()
        return self._session.delta(str(location), self._table.version) if self._table.files() else None

    def _add(self, new: Hashes) -> None:
        fresh = new[~self._contains(new)]
        self._recent = np.sort(np.concatenate((self._recent, fresh)))
        if len(self._recent) > MERGE_AT * len(self._old):
            self._old = np.sort(np.concatenate((self._old, self._recent)), kind="stable")
            self._recent = np.empty(0, np.int64)
            self._generation += 1

    def _contains(self, wanted: Hashes) -> NDArray[np.bool_]:
        return _among(self._old, wanted) | _among(self._recent, wanted)

    def _forget(self) -> None:
        self._old = self._recent = np.empty(0, np.int64)
        self._generation += 1

    def _hashes_of(self, rows: DataFrame) -> Hashes:
        return self.hashed(rows).select(HASH).toArrow().column(0).to_numpy()


def _among(ordered: Hashes, wanted: Hashes) -> NDArray[np.bool_]:
    if not len(ordered):
        return np.zeros(len(wanted), np.bool_)
    return ordered[np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)] == wanted


def _write(path: Path, hashes: Hashes) -> None:
    partial = path.with_name(f"partial-{path.name}")
    np.save(partial, hashes)
    partial.rename(path)
