"""EXTERNAL Delta tables entered over REST: where they may lie, and their columns as the request has them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from local_workspace.api.unity_catalog.securables import Column, TableSpec
from local_workspace.errors import BadRequest, InvalidParameterValue, NotImplementedHere


def spec(full_name: str, body: dict[str, Any], storage: Path) -> TableSpec:
    """The table of a `POST /tables`.

    Raises:
        NotImplementedHere: it is not an EXTERNAL Delta table.
        BadRequest: its location is not in the workspace's storage, or holds no Delta table.
    """
    if body.get("table_type") != "EXTERNAL" or body.get("data_source_format") != "DELTA":
        raise NotImplementedHere(
            "Only EXTERNAL tables in DELTA format are entered this way; use CREATE TABLE on a warehouse for others."
        )
    return TableSpec(
        full_name=full_name,
        table_type="EXTERNAL",
        columns=tuple(_columns(body.get("columns") or [])),
        location=_location(body.get("storage_location"), storage),
        comment=body.get("comment"),
        properties=body.get("properties") or {},
    )


def _location(uri: object, storage: Path) -> Path:
    if not isinstance(uri, str):
        raise InvalidParameterValue("storage_location is missing.")
    parts = urlsplit(uri)
    location = Path(unquote(parts.path)).resolve()
    if parts.scheme not in {"", "file"} or storage.resolve() not in location.parents:
        raise BadRequest(f"{uri} is not in the workspace's own storage, {storage.as_uri()}.")
    if not (location / "_delta_log").is_dir():
        raise BadRequest(f"There is no Delta table at {uri}; write one there first.")
    return location


def _columns(items: Any) -> Iterator[Column]:
    try:
        for position, item in enumerate(items):
            yield Column(
                name=item["name"],
                type_text=item["type_text"],
                type_json=item.get("type_json"),
                position=item.get("position", position),
                nullable=item.get("nullable", True),
                comment=item.get("comment"),
            )
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidParameterValue(
            "columns is a list of objects with at least name and type_text."
        ) from error
