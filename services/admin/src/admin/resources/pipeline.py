"""A Lakeflow pipeline, and its first update."""

from contextlib import suppress
from typing import Any

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound, ResourceConflict
from databricks.sdk.service.pipelines import (
    GetPipelineResponse,
    PathPattern,
    PipelineLibrary,
    PipelineState,
    UpdateStateInfo,
    UpdateStateInfoState,
)

from admin.resources.kind import Declared, Found, Readiness

RESTING = {PipelineState.IDLE, PipelineState.FAILED}
"""States in which no update is under way."""


class Pipeline:
    """Specification: `catalog`, `schema`, `root_path`, `continuous`, `configuration`. Offers `id`.

    Deleting a pipeline drops the tables it owns.
    """

    patience_s = 300.0
    parents = ()

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._workspace = workspace

    def read(self, wanted: Declared) -> Found | None:
        pipeline = self._get(wanted.id) or self._get(self._find(wanted.name))
        if pipeline is None:
            return None
        pipeline_id = pipeline.pipeline_id or ""
        spec, maker = pipeline.spec, pipeline.creator_user_name or ""
        settings: dict[str, Any] = {}
        if spec is not None:
            settings = {
                "catalog": spec.catalog,
                "continuous": bool(spec.continuous),
                "configuration": dict(spec.configuration or {}),
            }
        return Found(pipeline_id, outputs={"id": pipeline_id}, settings=settings, maker=maker)

    def _get(self, pipeline_id: str | None) -> GetPipelineResponse | None:
        if not pipeline_id:
            return None
        try:
            pipeline = self._workspace.pipelines.get(pipeline_id)
        except NotFound:
            return None
        return None if pipeline.state is PipelineState.DELETED else pipeline

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


class PipelineUpdate:
    """The update that a pipeline starts off with, or goes on with after a stop or a failure.

    Specification: `pipeline_id`. Ready once an update has begun; a continuous pipeline has one under way all the time.
    """

    patience_s = 600.0
    stop_patience_s = 120.0
    parents = ("pipeline",)

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._workspace = workspace

    def read(self, wanted: Declared) -> Found | None:
        try:
            pipeline = self._workspace.pipelines.get(wanted.spec["pipeline_id"])
        except NotFound:
            return None
        newest = max(pipeline.latest_updates or [], key=lambda it: it.creation_time or "", default=None)
        if newest is None:
            return None
        state, message = update_state(pipeline, newest)
        resting = pipeline.state in RESTING
        return Found(newest.update_id or "", state, resting=resting, message=message)

    def create(self, wanted: Declared) -> str:
        return self._workspace.pipelines.start_update(wanted.spec["pipeline_id"]).update_id or ""

    def update(self, wanted: Declared) -> None:
        with suppress(ResourceConflict):  # one is under way by now, which is what we want
            self.create(wanted)

    def stop(self, wanted: Declared) -> None:
        self._workspace.pipelines.stop(wanted.spec["pipeline_id"])

    def delete(self, wanted: Declared) -> None:
        """It goes with its pipeline."""


def update_state(pipeline: GetPipelineResponse, newest: UpdateStateInfo) -> tuple[Readiness, str]:
    """Whether a pipeline does what it should, given its newest update. Pure."""
    if pipeline.state not in RESTING:
        return "ready", ""
    if newest.state is UpdateStateInfoState.FAILED:
        return "failed", "its newest update failed; its events say why"
    if pipeline.spec is not None and pipeline.spec.continuous:
        return "stopped", "it is stopped"
    return "ready", ""


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
