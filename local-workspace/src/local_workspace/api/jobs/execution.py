"""Running a job: its tasks one after another, each an update of a pipeline."""

import threading
from dataclasses import replace
from typing import Any

from local_workspace import ids
from local_workspace.api.jobs.rows import Job, JobRows, JobRun
from local_workspace.api.jobs.settings import in_order
from local_workspace.api.pipelines.rules import Pipelines
from local_workspace.clock import Clock, milliseconds
from local_workspace.errors import ApiError
from local_workspace.identity import Identities, Principal

FINISHED = ("TERMINATED", "SKIPPED", "INTERNAL_ERROR")
LOOK_EVERY_S = 0.2
RESULTS = {"COMPLETED": "SUCCESS", "CANCELED": "CANCELED"}
"""A task's result by its update's end; FAILED for any other."""


class Execution:
    """Runs under way, each in a thread of its own."""

    def __init__(self, rows: JobRows, pipelines: Pipelines, identities: Identities, clock: Clock) -> None:
        self._rows = rows
        self._pipelines = pipelines
        self._identities = identities
        self._clock = clock
        self._stops: dict[int, threading.Event] = {}
        self._threads: list[threading.Thread] = []

    def close_unfinished(self) -> None:
        """Say of runs that an earlier life of the workspace left that they are over."""
        for run in self._rows.runs():
            if run.life_cycle_state not in FINISHED:
                self._finish(run, "CANCELED", "The workspace was stopped.")

    def begin(self, job: Job, trigger: str) -> JobRun:
        """Start a run; it is skipped when as many as allowed are under way."""
        run = JobRun(ids.new_number(), job.job_id, trigger, self._now())
        under_way = [other for other in self._rows.runs(job.job_id) if other.life_cycle_state not in FINISHED]
        if len(under_way) >= job.settings.get("max_concurrent_runs", 1):
            run = replace(
                run,
                life_cycle_state="SKIPPED",
                result_state="MAXIMUM_CONCURRENT_RUNS_REACHED",
                message="Skipped: another run of the job is under way.",
                ended_at=self._now(),
            )
            self._rows.save_run(run)
            return run
        self._rows.save_run(run)
        self._stops[run.run_id] = threading.Event()
        thread = threading.Thread(
            target=self._carry_out, args=(job, run), name=f"job run {run.run_id}", daemon=True
        )
        self._threads = [other for other in self._threads if other.is_alive()] + [thread]
        thread.start()
        return run

    def cancel(self, run_id: int) -> None:
        """End a run; one that is over stays as it is."""
        stop = self._stops.get(run_id)
        if stop is not None:
            stop.set()

    def close(self) -> None:
        """End all runs."""
        for stop in list(self._stops.values()):
            stop.set()
        for thread in self._threads:
            thread.join()

    def _carry_out(self, job: Job, run: JobRun) -> None:
        stop = self._stops[run.run_id]
        owner = self._identities.find(job.creator) or self._identities.ensure_local_user()
        run = replace(run, life_cycle_state="RUNNING")
        result, message = "SUCCESS", ""
        for task in in_order(job.settings):
            started = self._now()
            if result == "SUCCESS":
                self._rows.save_run(replace(run, tasks=(*run.tasks, self._task(task, started, None, ""))))
                result, message = self._run_task(task["pipeline_task"], owner, stop)
                outcome = result
            else:
                outcome = "UPSTREAM_CANCELED" if result == "CANCELED" else "UPSTREAM_FAILED"
            run = replace(run, tasks=(*run.tasks, self._task(task, started, outcome, message)))
        self._finish(run, result, message)
        del self._stops[run.run_id]

    def _run_task(self, task: dict[str, Any], owner: Principal, stop: threading.Event) -> tuple[str, str]:
        """Run one pipeline task to its end; returns the result and what to say."""
        pipeline_id = task["pipeline_id"]
        request = {name: value for name, value in task.items() if name != "pipeline_id"}
        try:
            update = self._pipelines.start_update(owner, pipeline_id, {**request, "cause": "JOB_TASK"})
            while not self._pipelines.is_over(pipeline_id, update.update_id):
                if stop.wait(LOOK_EVERY_S):
                    self._pipelines.stop(owner, pipeline_id)
            state = self._pipelines.update(owner, pipeline_id, update.update_id).state
        except ApiError as error:
            return "FAILED", error.message
        if state == "COMPLETED":
            return "SUCCESS", ""
        return RESULTS.get(
            state, "FAILED"
        ), f"Update {update.update_id} of pipeline {pipeline_id} is {state}."

    def _task(self, task: dict[str, Any], started: int, result: str | None, message: str) -> dict[str, Any]:
        return {
            **task,
            "run_id": ids.new_number(),
            "start_time": started,
            "end_time": self._now() if result else 0,
            "life_cycle_state": "TERMINATED" if result else "RUNNING",
            "result_state": result,
            "state_message": message,
        }

    def _finish(self, run: JobRun, result: str, message: str) -> None:
        self._rows.save_run(
            replace(
                run, life_cycle_state="TERMINATED", result_state=result, message=message, ended_at=self._now()
            )
        )

    def _now(self) -> int:
        return milliseconds(self._clock.now())
