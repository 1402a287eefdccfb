"""Which keys a table holds already, so that a stream's dropDuplicates costs by what is new.

A sorted array of 64-bit hashes, kept beside the pipeline. It is a cache: it says which table version it covers, is
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
        self._hashes: Hashes = np.empty(0, np.int64)
        self._pending: Hashes = np.empty(0, np.int64)
        self._load()

    def suspects(self, rows: DataFrame) -> Hashes:
        """The hashes of rows whose key may be in the table, or come twice among themselves."""
        self._catch_up()
        self._pending, counts = np.unique(self._hashes_of(rows), return_counts=True)
        return self._pending[_contains(self._hashes, self._pending) | (counts > 1)]

    def hashed(self, rows: DataFrame) -> DataFrame:
        """The rows with their hash, in the column HASH."""
        return connect_frame(rows.withColumn(HASH, F.xxhash64(*self._columns)))

    def committed(self) -> None:
        """The rows last asked about are in the table now, but for duplicates: remember their keys."""
        self._add(self._pending)
        self._version = self._table.version
        self._save()

    def _load(self) -> None:
        for kept in self._directory.glob("version-*.npy"):
            version = int(kept.stem.removeprefix("version-"))
            if self._version < version <= self._table.version:
                self._hashes, self._version = np.load(kept), version

    def _save(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        partial = self._directory / "partial.npy"
        np.save(partial, self._hashes)
        kept = partial.rename(self._directory / f"version-{self._version}.npy")
        for old in set(self._directory.glob("version-*.npy")) - {kept}:
            old.unlink()

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
        self._hashes = np.empty(0, np.int64)
        return self._session.delta(str(location), self._table.version) if self._table.files() else None

    def _add(self, new: Hashes) -> None:
        fresh = new[~_contains(self._hashes, new)]
        self._hashes = np.insert(self._hashes, np.searchsorted(self._hashes, fresh), fresh)

    def _hashes_of(self, rows: DataFrame) -> Hashes:
        return self.hashed(rows).select(HASH).toArrow().column(0).to_numpy()


def _contains(ordered: Hashes, wanted: Hashes) -> NDArray[np.bool_]:
    if not len(ordered):
        return np.zeros(len(wanted), np.bool_)
    return ordered[np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)] == wanted
