"""What the workspace answers an update that runs: where tables and volumes are, and what may be published."""

from pathlib import Path
from typing import Any

from local_workspace.api.pipelines.rows import Pipeline
from local_workspace.api.unity_catalog.rules import UnityCatalog
from local_workspace.api.unity_catalog.securables import Column, TableSpec
from local_workspace.errors import InvalidParameterValue, NotFound, ResourceAlreadyExists
from local_workspace.identity import Principal


class CatalogAnswers:
    """Answers for one pipeline; it acts with the privileges of its owner.

    Args:
        owner: the principal that created the pipeline.
    """

    def __init__(self, catalog: UnityCatalog, pipeline: Pipeline, owner: Principal) -> None:
        self._catalog = catalog
        self._pipeline = pipeline
        self._owner = owner
        self._locations: dict[str, Path] = {}

    def answer(self, question: str, facts: dict[str, Any]) -> str:
        """Answer one question of pipeline_runs.host.Host."""
        match question:
            case "location":
                return str(self._location(facts["name"]))
            case "table":
                return str(self._table(facts["name"]))
            case "directory":
                return str(self._directory(facts["path"]))
            case "publish":
                self._publish(facts["publication"])
                return ""
            case _:
                raise InvalidParameterValue(f"An update asked {question!r}, which is no question.")

    def _location(self, name: str) -> Path:
        table = self._catalog.find_table(name)
        if table is None:
            self._ensure_schema(name)
            return self._locations.setdefault(name, self._catalog.managed_location(name))
        if table.pipeline_id != self._pipeline.pipeline_id or table.location is None:
            raise ResourceAlreadyExists(
                f"{name} exists and is not managed by this pipeline. Drop it, or give the dataset another name."
            )
        return table.location

    def _ensure_schema(self, name: str) -> None:
        catalog, schema, _ = name.split(".")
        if all(known.name != schema for known in self._catalog.schemas(catalog)):
            self._catalog.create_schema(self._owner, f"{catalog}.{schema}")

    def _table(self, name: str) -> Path:
        table = self._catalog.table(name)
        self._catalog.require(self._owner, "SELECT", "table", table.full_name)
        if table.location is None:
            raise InvalidParameterValue(f"{name} is a view; a local pipeline can read tables only.")
        return table.location

    def _directory(self, path: str) -> Path:
        parts = path.strip("/").split("/")
        if len(parts) < 4 or parts[0] != "Volumes" or ".." in parts:
            raise NotFound(f"{path} is not a path in a volume (/Volumes/catalog/schema/volume/…).")
        volume = self._catalog.volume(".".join(parts[1:4]))
        self._catalog.require(self._owner, "READ_VOLUME", "volume", volume.full_name)
        return volume.directory.joinpath(*parts[4:])

    def _publish(self, publication: dict[str, Any]) -> None:
        name = publication["name"]
        columns = tuple(
            Column(name=column["name"], type_text=column["type_text"], position=position)
            for position, column in enumerate(publication["columns"])
        )
        existing = self._catalog.find_table(name)
        spec = TableSpec(
            full_name=name,
            table_type=publication["kind"],
            columns=columns,
            location=existing.location if existing else self._locations[name],
            comment=publication["comment"] or None,
            properties=publication["properties"],
            pipeline_id=self._pipeline.pipeline_id,
        )
        if existing is None:
            self._catalog.register_table(self._owner, spec)
        elif existing.columns != columns or existing.comment != spec.comment:
            self._catalog.replace_table(self._owner, spec)
