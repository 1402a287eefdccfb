"""EXTERNAL Delta tables entered over REST: where they may lie, and their columns as the request has them."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from local_workspace.api.unity_catalog.bodies import NewColumn, NewTable
from local_workspace.api.unity_catalog.securables import Column, TableSpec
from local_workspace.errors import BadRequest, NotImplementedHere


def spec(body: NewTable, storage: Path) -> TableSpec:
    """The table of a `POST /tables`.

    Raises:
        NotImplementedHere: it is not an EXTERNAL Delta table.
        BadRequest: its location is not in the workspace's storage, or holds no Delta table.
    """
    if body.table_type != "EXTERNAL" or body.data_source_format != "DELTA":
        raise NotImplementedHere(
            "Only EXTERNAL tables in DELTA format are entered this way; use CREATE TABLE on a warehouse for others."
        )
    return TableSpec(
        full_name=f"{body.catalog_name}.{body.schema_name}.{body.name}",
        table_type="EXTERNAL",
        columns=tuple(_column(*item) for item in enumerate(body.columns)),
        location=_location(body.storage_location, storage),
        comment=body.comment,
        properties=body.properties,
    )


def _location(uri: str, storage: Path) -> Path:
    parts = urlsplit(uri)
    location = Path(unquote(parts.path).replace("\0", "")).resolve()
    if parts.scheme not in {"", "file"} or storage.resolve() not in location.parents:
        raise BadRequest(f"{uri} is not in the workspace's own storage, {storage.as_uri()}.")
    if not (location / "_delta_log").is_dir():
        raise BadRequest(f"There is no Delta table at {uri}; write one there first.")
    return location


def _column(position: int, column: NewColumn) -> Column:
    return Column(
        name=column.name,
        type_text=column.type_text,
        type_json=column.type_json,
        position=position if column.position is None else column.position,
        nullable=column.nullable,
        comment=column.comment,
    )
