"""Running updates: one at a time per pipeline; a continuous pipeline gets a new one when its update dies.

What runs is decided by the rows: a pipeline that is wanted and has no update under way is given one. So a restarted
workspace goes on where the rows say.
"""

import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from local_workspace import ids
from local_workspace.api.pipelines.answers import CatalogAnswers
from local_workspace.api.pipelines.events import event, flow_event
from local_workspace.api.pipelines.rows import FINAL, Pipeline, PipelineRows, UpdateRow
from local_workspace.api.pipelines.spec import WorkspacePaths, source_files
from local_workspace.api.pipelines.update_process import Runner, Runners
from local_workspace.api.unity_catalog.rules import UnityCatalog
from local_workspace.clock import Clock, milliseconds
from local_workspace.engines.processes import NotRunning
from local_workspace.engines.spark import Spark
from local_workspace.errors import ApiError, ResourceConflict
from local_workspace.identity import Identities
from local_workspace.pipeline_runs.spec import UpdateSpec
from local_workspace.restarts import Restarts

FIRST_PAUSE_S = 0.5
STOP_LIMIT_S = 20.0


class Copier(Protocol):
    """Keeps synced tables up to date."""

    def bring_up_to_date(self, pipeline_id: str, stopping: threading.Event) -> str | None:
        """Carry out an update of a synced table's pipeline; says what went wrong."""
        ...


@dataclass(frozen=True)
class Surroundings:
    """What updates work with.

    Attributes:
        copier: carries out the updates of synced tables' pipelines.
        directory: the pipelines' own state; on the file system of the tables.
    """

    catalog: UnityCatalog
    identities: Identities
    workspace: WorkspacePaths
    spark: Spark
    directory: Path
    copier: Copier


class Run:
    """One update under way."""

    def __init__(self, update: UpdateRow) -> None:
        self.update = update
        self.stopping = threading.Event()
        self.done = threading.Event()
        self.runner: Runner | None = None
        self.failure: dict[str, Any] | None = None

    def stop(self) -> None:
        """End it; returns when it has ended."""
        self.stopping.set()
        if self.runner is not None:
            self.runner.stop()
        self.done.wait(STOP_LIMIT_S)


class Runs:
    """All updates under way."""

    def __init__(self, rows: PipelineRows, surroundings: Surroundings, clock: Clock) -> None:
        self._rows = rows
        self._around = surroundings
        self._clock = clock
        self._runners = Runners()
        self._active: dict[str, Run] = {}
        self._lock = threading.Lock()

    def resume(self) -> None:
        """After a start of the workspace: close what was cut off, start what is wanted."""
        for update in self._rows.unfinished():
            self._rows.set_state(update.update_id, "CANCELED")
        for pipeline in self._rows.all():
            if pipeline.wanted:
                self.begin(pipeline, {}, "INFRASTRUCTURE_MAINTENANCE")

    def close(self) -> None:
        """Stop everything; what is wanted stays wanted."""
        with self._lock:
            active = list(self._active.values())
        for run in active:
            run.stopping.set()
        for run in active:
            run.stop()
        self._runners.close()

    def active(self, pipeline_id: str) -> UpdateRow | None:
        """The update under way."""
        run = self._active.get(pipeline_id)
        return self._rows.update(pipeline_id, run.update.update_id) if run else None

    def begin(self, pipeline: Pipeline, request: dict[str, Any], cause: str) -> UpdateRow:
        """Start an update.

        Raises:
            ResourceConflict: one is under way.
        """
        update = UpdateRow(
            ids.new_uuid(), pipeline.pipeline_id, "CREATED", cause, milliseconds(self._clock.now()), request
        )
        run = Run(update)
        with self._lock:
            if pipeline.pipeline_id in self._active:
                raise ResourceConflict(
                    f"An active update {self._active[pipeline.pipeline_id].update.update_id} already exists for "
                    f"pipeline {pipeline.name}. Wait for it, or stop the pipeline."
                )
            self._active[pipeline.pipeline_id] = run
        self._rows.add_update(update)
        self._log(pipeline, update, "create_update", f"Update {update.update_id[:6]} started by {cause}.")
        threading.Thread(
            target=self._carry_out, args=(pipeline, run), name=f"pipeline {pipeline.name}", daemon=True
        ).start()
        return update

    def stop(self, pipeline_id: str) -> None:
        """End the update under way, if there is one."""
        run = self._active.get(pipeline_id)
        if run is not None:
            self._rows.set_state(run.update.update_id, "STOPPING")
            run.stop()

    def state_directory(self, pipeline_id: str) -> Path:
        """Where a pipeline keeps how far it has read."""
        return self._around.directory / pipeline_id

    def _carry_out(self, pipeline: Pipeline, run: Run) -> None:
        restarts = Restarts(FIRST_PAUSE_S)
        while True:
            began_s = self._clock.monotonic()
            state = self._one_life(pipeline, run)
            self._end(pipeline, run, state)
            if run.stopping.is_set() or not pipeline.continuous or run.update.request.get("validate_only"):
                break
            run.stopping.wait(restarts.pause_s(self._clock.monotonic() - began_s))
            wanted = self._rows.find(pipeline.pipeline_id)
            if run.stopping.is_set() or wanted is None or not wanted.wanted:
                break
            pipeline = wanted
            self._next(pipeline, run)
        with self._lock:
            del self._active[pipeline.pipeline_id]
        run.done.set()
        if not pipeline.continuous and not pipeline.copies:
            self._runners.prepare()

    def _next(self, pipeline: Pipeline, run: Run) -> None:
        """A further update in place of one that died; it finishes what a full refresh had begun."""
        update = UpdateRow(
            ids.new_uuid(),
            pipeline.pipeline_id,
            "CREATED",
            "RETRY_ON_FAILURE",
            milliseconds(self._clock.now()),
        )
        run.update, run.runner, run.failure = update, None, None
        self._rows.add_update(update)
        self._log(
            pipeline, update, "create_update", f"Update {update.update_id[:6]} started by RETRY_ON_FAILURE."
        )

    def _one_life(self, pipeline: Pipeline, run: Run) -> str:
        """Run the update's process to its end; returns the final state."""
        if pipeline.copies:
            return self._copied(pipeline, run)
        self._move(pipeline, run, "WAITING_FOR_RESOURCES")
        owner = self._around.identities.find(pipeline.creator) or self._around.identities.ensure_local_user()
        try:
            self._around.spark.wait_until_running()
            spec = self._spec(pipeline, run)
        except (ApiError, NotRunning) as error:
            run.failure = {"message": str(error), "error_class": type(error).__name__}
            return "FAILED"
        run.runner = self._runners.take()
        if run.stopping.is_set():
            run.runner.dismiss()
            return "CANCELED"
        answers = CatalogAnswers(self._around.catalog, pipeline, owner)
        code = run.runner.run(spec, answers, lambda message: self._hear(pipeline, run, message))
        if code == 0:
            return "COMPLETED"
        if run.stopping.is_set():
            return "CANCELED"
        if run.failure is None:
            died = f"The update's process died (exit code {code}). {run.runner.last_words}".strip()
            run.failure = {"message": died, "error_class": "UpdateProcessLost"}
        return "FAILED"

    def _copied(self, pipeline: Pipeline, run: Run) -> str:
        """Have a synced table brought up to date; returns the final state."""
        self._move(pipeline, run, "RUNNING")
        said = self._around.copier.bring_up_to_date(pipeline.pipeline_id, run.stopping)
        if run.stopping.is_set():
            return "CANCELED"
        if said is None:
            return "COMPLETED"
        run.failure = {"message": said, "error_class": "SyncFailed"}
        return "FAILED"

    def _spec(self, pipeline: Pipeline, run: Run) -> UpdateSpec:
        spec, request = pipeline.spec, run.update.request
        root = spec.get("root_path")
        return UpdateSpec(
            pipeline_id=pipeline.pipeline_id,
            engine=self._around.spark.address,
            catalog=spec["catalog"],
            schema_name=spec["schema"],
            state=self.state_directory(pipeline.pipeline_id),
            sources=source_files(spec, self._around.workspace),
            root=self._around.workspace.local_path(root) if root else None,
            configuration=spec.get("configuration", {}),
            continuous=pipeline.continuous and not request.get("validate_only"),
            full_refresh=bool(request.get("full_refresh")),
            refresh_selection=request.get("refresh_selection") or [],
            full_refresh_selection=request.get("full_refresh_selection") or [],
            validate_only=bool(request.get("validate_only")),
        )

    def _hear(self, pipeline: Pipeline, run: Run, message: dict[str, Any]) -> None:
        kind = message.pop("report")
        if kind == "update_progress" and message["state"] not in FINAL:
            self._move(pipeline, run, message["state"])
        elif kind == "flow_progress":
            self._rows.add_event(
                pipeline.pipeline_id, flow_event(pipeline, run.update.update_id, self._now(), message)
            )
        elif kind == "failed":
            run.failure = message

    def _move(self, pipeline: Pipeline, run: Run, state: str) -> None:
        if not run.stopping.is_set():
            self._rows.set_state(run.update.update_id, state)
            self._log(
                pipeline,
                run.update,
                "update_progress",
                f"Update {run.update.update_id[:6]} is {state}.",
                state=state,
            )

    def _end(self, pipeline: Pipeline, run: Run, state: str) -> None:
        update = run.update
        self._rows.set_state(update.update_id, state)
        message = f"Update {update.update_id[:6]} is {state}."
        if state != "FAILED" or run.failure is None:
            self._log(pipeline, update, "update_progress", message, state=state)
            return
        exception = {"class_name": run.failure["error_class"], "message": run.failure["message"]}
        self._log(
            pipeline, update, "update_progress", f"{message} {exception['message']}", state=state,
            level="ERROR", error={"fatal": True, "exceptions": [exception]},
        )  # fmt: skip

    def _log(self, pipeline: Pipeline, update: UpdateRow, kind: str, message: str, **more: Any) -> None:
        state = more.pop("state", None)
        details = {"details": {kind: {"state": state}}} if state else {}
        self._rows.add_event(
            pipeline.pipeline_id,
            event(pipeline, update.update_id, self._now(), kind, message, **details, **more),
        )

    def _now(self) -> datetime:
        return self._clock.now()
