"""A Lakeflow pipeline, and its first update."""

from typing import Any

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.service.pipelines import PathPattern, PipelineLibrary, PipelineState

from admin.resources.kind import Declared, Found


class Pipeline:
    """Specification: `catalog`, `schema`, `root_path`, `continuous`, `configuration`. Offers `id`.

    Deleting a pipeline drops the tables it owns.
    """

    patience_s = 300.0
    part_of_parent = False

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._workspace = workspace

    def read(self, wanted: Declared) -> Found | None:
        pipeline_id = wanted.id or self._find(wanted.name)
        if not pipeline_id:
            return None
        try:
            pipeline = self._workspace.pipelines.get(pipeline_id)
        except NotFound:
            return None
        if pipeline.state is PipelineState.DELETED:
            return None
        spec = pipeline.spec
        settings: dict[str, Any] = {}
        if spec is not None:
            settings = {
                "catalog": spec.catalog,
                "continuous": bool(spec.continuous),
                "configuration": dict(spec.configuration or {}),
            }
        return Found(pipeline_id, outputs={"id": pipeline_id}, settings=settings)

    def _find(self, name: str) -> str | None:
        """The name as registered on the platform; underscores would match any character, so we compare again."""
        found = self._workspace.pipelines.list_pipelines(filter=f"name LIKE '{name}'")
        return next((pipeline.pipeline_id for pipeline in found if pipeline.name == name), None)

    def create(self, wanted: Declared) -> str:
        return self._workspace.pipelines.create(**_arguments(wanted)).pipeline_id or ""

    def update(self, wanted: Declared) -> None:
        self._workspace.pipelines.update(wanted.id, **_arguments(wanted))

    def delete(self, wanted: Declared) -> None:
        self._workspace.pipelines.delete(wanted.id, force=True)


class FirstUpdate:
    """The update that starts a pipeline off. Specification: `pipeline_id`. Ready once an update has begun."""

    patience_s = 600.0
    part_of_parent = True

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._workspace = workspace

    def read(self, wanted: Declared) -> Found | None:
        try:
            pipeline = self._workspace.pipelines.get(wanted.spec["pipeline_id"])
        except NotFound:
            return None
        updates = pipeline.latest_updates or []
        return Found(updates[-1].update_id or "") if updates else None

    def create(self, wanted: Declared) -> str:
        return self._workspace.pipelines.start_update(wanted.spec["pipeline_id"]).update_id or ""

    def update(self, wanted: Declared) -> None:
        """An update that began stays begun."""

    def delete(self, wanted: Declared) -> None:
        """It goes with its pipeline."""


def _arguments(wanted: Declared) -> dict[str, Any]:
    root = wanted.spec["root_path"]
    return {
        "name": wanted.name,
        "catalog": wanted.spec["catalog"],
        "schema": wanted.spec["schema"],
        "root_path": root,
        "libraries": [PipelineLibrary(glob=PathPattern(include=f"{root}/transformations/**"))],
        "configuration": wanted.spec["configuration"],
        "continuous": wanted.spec["continuous"],
        "serverless": True,
        "channel": "CURRENT",
    }
