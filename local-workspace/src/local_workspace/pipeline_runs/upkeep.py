"""Keeping tables that are written often quick to read: small files merged, old ones deleted, now and then."""

from local_workspace.pipeline_runs.delta_table import PipelineTable

COMPACT_EVERY = 16  # versions
VACUUM_EVERY = 256  # versions
SMALL_FILE = 16 * 2**20
"""Bytes; files are merged up to this size, and then left alone, so that a row is rewritten a few times at most."""


def keep_up(table: PipelineTable, before: int) -> None:
    """Do what is due when a table has gone from version `before` to its newest."""
    now = table.version
    if before // COMPACT_EVERY != now // COMPACT_EVERY:
        table.compact(SMALL_FILE)
    if before // VACUUM_EVERY != now // VACUUM_EVERY:
        table.vacuum()
