"""Some files of a table as a table of their own: a Delta log of one version over hard links.

This is how a flow reads only what is new, and a refresh only what can matter: the engine sees an ordinary table, with
its partition values, and nothing that is compacted or vacuumed meanwhile can take the files away.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from local_workspace.pipeline_runs.delta_table import DataFile, PipelineTable

PROTOCOL = {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}


def cut(table: PipelineTable, files: Iterable[DataFile], directory: Path) -> Path:
    """Make the slice in the empty or missing `directory`, on the same file system; returns it."""
    log = directory / "_delta_log"
    log.mkdir(parents=True)
    actions: list[dict[str, Any]] = [PROTOCOL, _metadata(table)]
    for number, file in enumerate(files):
        name = f"{number:06d}.parquet"
        os.link(table.location / file.path, directory / name)
        actions.append(
            {
                "add": {
                    "path": name,
                    "partitionValues": dict(file.partition),
                    "size": file.size,
                    "modificationTime": 0,
                    "dataChange": True,
                    "stats": json.dumps({"numRecords": file.rows}),
                }
            }
        )
    (log / f"{0:020d}.json").write_text("\n".join(json.dumps(action) for action in actions))
    return directory


def _metadata(table: PipelineTable) -> dict[str, Any]:
    return {
        "metaData": {
            "id": "slice",
            "format": {"provider": "parquet", "options": {}},
            "schemaString": table.schema_json,
            "partitionColumns": list(table.partition_columns),
            "configuration": {},
            "createdTime": 0,
        }
    }
