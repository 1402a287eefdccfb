"""Pipelines as the platform keeps them: settings, updates, event log; who may do what with them."""

import shutil
from contextlib import suppress
from dataclasses import replace
from typing import Any

from local_workspace import ids
from local_workspace.api.permissions.rules import Permissions
from local_workspace.api.pipelines.events import matching
from local_workspace.api.pipelines.rows import FINAL, Pipeline, PipelineRows, UpdateRow
from local_workspace.api.pipelines.runs import Runs
from local_workspace.api.pipelines.spec import checked
from local_workspace.api.unity_catalog.rules import UnityCatalog
from local_workspace.clock import Clock, milliseconds
from local_workspace.errors import (
    NotFound,
    NotImplementedHere,
    ResourceConflict,
    ResourceDoesNotExist,
)
from local_workspace.identity import Principal

NOT_SUPPORTED = ("replace_where_overrides", "reset_checkpoint_selection", "rewind_spec", "parameters")
SELECTIONS = ("full_refresh", "refresh_selection", "full_refresh_selection", "validate_only")
STATES = {"RUNNING": "RUNNING", "STOPPING": "STOPPING", "RESETTING": "RESETTING", "FAILED": "RECOVERING"}
"""A pipeline's state while an update of this state is under way; STARTING for the others."""


class Pipelines:
    """Creates, changes, runs, stops and deletes pipelines for a caller."""

    def __init__(
        self, rows: PipelineRows, runs: Runs, catalog: UnityCatalog, permissions: Permissions, clock: Clock
    ) -> None:
        self._rows = rows
        self._runs = runs
        self._catalog = catalog
        self._permissions = permissions
        self._clock = clock
        permissions.enforce("pipelines", lambda pipeline_id: self._existing(pipeline_id).creator)

    def start(self) -> None:
        """Go on with the pipelines that were running when the workspace ended."""
        self._runs.resume()

    def stop_all(self) -> None:
        """End all updates; continuous pipelines go on when the workspace comes back."""
        self._runs.close()

    def create(self, caller: Principal, body: dict[str, Any]) -> Pipeline:
        """Create a pipeline; a continuous one starts at once.

        Raises:
            ResourceConflict: another has the name, and duplicates were not allowed.
        """
        spec = checked(body)
        if not body.get("allow_duplicate_names"):
            self._refuse_name(spec["name"])
        self._catalog.require(caller, "USE_CATALOG", "catalog", spec["catalog"])
        pipeline = Pipeline(
            ids.new_uuid(), spec["name"], caller.name, spec, self._now(), wanted=bool(spec.get("continuous"))
        )
        if body.get("dry_run"):
            return pipeline
        self._rows.save(pipeline)
        if pipeline.continuous:
            self._runs.begin(pipeline, {}, "USER_ACTION")
        return pipeline

    def get(self, caller: Principal, pipeline_id: str) -> Pipeline:
        """Raises ResourceDoesNotExist when there is none of that id."""
        pipeline = self._existing(pipeline_id)
        self._permissions.require(caller, "pipelines", pipeline_id, "CAN_VIEW")
        return pipeline

    def all(self, caller: Principal) -> list[Pipeline]:
        """The pipelines that the caller may see, by name."""
        return [
            pipeline
            for pipeline in self._rows.all()
            if self._permissions.may(caller, "pipelines", pipeline.pipeline_id, "CAN_VIEW")
        ]

    def edit(self, caller: Principal, pipeline_id: str, body: dict[str, Any]) -> None:
        """Replace the settings; a continuous pipeline starts again with them.

        Raises:
            ResourceConflict: the pipeline changed since `expected_last_modified`.
        """
        pipeline = self._existing(pipeline_id)
        self._permissions.require(caller, "pipelines", pipeline_id, "CAN_MANAGE")
        expected = body.get("expected_last_modified")
        if expected is not None and expected != pipeline.modified_at:
            raise ResourceConflict(f"Pipeline {pipeline.name} was changed by somebody else; read it again.")
        if pipeline.copies:
            raise NotImplementedHere(
                f"{pipeline.name} has no settings to change; create the synced table anew."
            )
        given = {name: value for name, value in body.items() if name not in {"id", "pipeline_id"}}
        spec = checked({"name": pipeline.name, **given})
        if spec["name"] != pipeline.name and not body.get("allow_duplicate_names"):
            self._refuse_name(spec["name"])
        changed = replace(pipeline, name=spec["name"], spec=spec, modified_at=self._now())
        self._rows.save(replace(changed, wanted=changed.continuous))
        if pipeline.continuous or changed.continuous:
            self._runs.stop(pipeline_id)
        if changed.continuous:
            self._runs.begin(changed, {}, "USER_ACTION")

    def delete(self, caller: Principal, pipeline_id: str, *, cascade: bool = True) -> None:
        """Delete a pipeline, with its tables unless `cascade` is off."""
        pipeline = self._existing(pipeline_id)
        self._permissions.require(caller, "pipelines", pipeline_id, "CAN_MANAGE")
        self._rows.set_wanted(pipeline_id, wanted=False)
        self._runs.stop(pipeline_id)
        if cascade:
            self._drop_tables(caller, pipeline)
        self._rows.delete(pipeline_id)
        self._permissions.forget("pipelines", pipeline_id)
        shutil.rmtree(self._runs.state_directory(pipeline_id), ignore_errors=True)

    def start_update(self, caller: Principal, pipeline_id: str, body: dict[str, Any]) -> UpdateRow:
        """Start an update with the selections of `body`."""
        pipeline = self._existing(pipeline_id)
        self._permissions.require(caller, "pipelines", pipeline_id, "CAN_RUN")
        for name in NOT_SUPPORTED:
            if body.get(name):
                raise NotImplementedHere(f"Updates with {name} are not supported by the local workspace.")
        request = {name: body[name] for name in SELECTIONS if body.get(name)}
        update = self._runs.begin(pipeline, request, body.get("cause") or "API_CALL")
        if pipeline.continuous and not request.get("validate_only"):
            self._rows.set_wanted(pipeline_id, wanted=True)
        return update

    def stop(self, caller: Principal, pipeline_id: str) -> None:
        """End the update under way; nothing happens to an idle pipeline."""
        self._existing(pipeline_id)
        self._permissions.require(caller, "pipelines", pipeline_id, "CAN_RUN")
        self._rows.set_wanted(pipeline_id, wanted=False)
        self._runs.stop(pipeline_id)

    def update(self, caller: Principal, pipeline_id: str, update_id: str) -> UpdateRow:
        """One update of a pipeline."""
        self.get(caller, pipeline_id)
        update = self._rows.update(pipeline_id, update_id)
        if update is None:
            raise ResourceDoesNotExist(f"Pipeline {pipeline_id} has no update {update_id}.")
        return update

    def is_over(self, pipeline_id: str, update_id: str) -> bool:
        """True when an update has ended, and another may begin."""
        update = self._rows.update(pipeline_id, update_id)
        active = self._runs.active(pipeline_id)
        return (update is None or update.state in FINAL) and (active is None or active.update_id != update_id)

    def updates(self, caller: Principal, pipeline_id: str) -> list[UpdateRow]:
        """The updates of a pipeline, newest first."""
        self.get(caller, pipeline_id)
        return self._rows.updates(pipeline_id)

    def events(
        self, caller: Principal, pipeline_id: str, text: str | None, *, oldest_first: bool
    ) -> list[dict[str, Any]]:
        """The event log, filtered."""
        self.get(caller, pipeline_id)
        found = matching(self._rows.events(pipeline_id), text)
        return found if oldest_first else found[::-1]

    def state(self, pipeline: Pipeline) -> str:
        """What the pipeline is doing: a PipelineState of the API."""
        active = self._runs.active(pipeline.pipeline_id)
        if active is not None:
            return STATES.get(active.state, "STARTING")
        newest = next(iter(self._rows.updates(pipeline.pipeline_id)), None)
        return "FAILED" if newest is not None and newest.state == "FAILED" else "IDLE"

    def _existing(self, pipeline_id: str) -> Pipeline:
        pipeline = self._rows.find(pipeline_id)
        if pipeline is None:
            raise ResourceDoesNotExist(f"The specified pipeline {pipeline_id} was not found.")
        return pipeline

    def _refuse_name(self, name: str) -> None:
        if any(pipeline.name == name for pipeline in self._rows.all()):
            raise ResourceConflict(
                f"The pipeline name {name!r} is already used by another pipeline. Choose another, "
                "or set allow_duplicate_names."
            )

    def _drop_tables(self, caller: Principal, pipeline: Pipeline) -> None:
        catalog = pipeline.spec["catalog"]
        if all(known.name != catalog for known in self._catalog.catalogs()):
            return
        for schema in self._catalog.schemas(catalog):
            with suppress(NotFound):  # somebody else drops this schema at the same moment
                self._drop_tables_of(caller, pipeline, schema.name)

    def _drop_tables_of(self, caller: Principal, pipeline: Pipeline, schema: str) -> None:
        for table in self._catalog.tables(pipeline.spec["catalog"], schema):
            if table.pipeline_id == pipeline.pipeline_id:
                self._catalog.drop_table(caller, table.full_name, if_exists=True)

    def _now(self) -> int:
        return milliseconds(self._clock.now())
