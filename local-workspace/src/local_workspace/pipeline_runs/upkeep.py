"""Keeping tables that are written often quick to read: small files merged, old ones deleted, now and then."""

from local_workspace.engines import delta
from local_workspace.pipeline_runs.delta_table import PipelineTable


def keep_up(table: PipelineTable, before: int) -> None:
    """Do what is due when a table has gone from version `before` to its newest."""
    delta.keep_up(table.location, before, table.version)
    table.refresh()
