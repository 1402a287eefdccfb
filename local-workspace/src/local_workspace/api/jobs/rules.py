"""Jobs as the platform keeps them: settings, schedules, runs; who may do what with them."""

from dataclasses import replace
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler

from local_workspace import ids
from local_workspace.api.jobs.execution import FINISHED, Execution
from local_workspace.api.jobs.quartz import trigger
from local_workspace.api.jobs.rows import Job, JobRows, JobRun
from local_workspace.api.jobs.settings import checked
from local_workspace.api.permissions.rules import Permissions
from local_workspace.clock import Clock, milliseconds
from local_workspace.errors import InvalidParameterValue, NotImplementedHere, ResourceDoesNotExist
from local_workspace.identity import Principal

LATE_S = 30
"""A scheduled run that could not start in time, on a machine that slept, is still started within these seconds."""

RUN_NOW_FIELDS = {"job_id", "idempotency_token", "queue", "only", "performance_target"}


class Jobs:
    """Creates, changes, runs and deletes jobs for a caller, and runs them on their schedules."""

    def __init__(self, rows: JobRows, execution: Execution, permissions: Permissions, clock: Clock) -> None:
        self._rows = rows
        self._execution = execution
        self._permissions = permissions
        self._clock = clock
        self._scheduler = BackgroundScheduler(timezone="UTC")
        permissions.enforce("jobs", lambda job_id: self._existing(_whole(job_id)).creator)

    def start(self) -> None:
        """Begin to follow the schedules."""
        self._execution.close_unfinished()
        for job in self._rows.all():
            self._follow(job)
        self._scheduler.start()

    def stop(self) -> None:
        """End all runs and follow no schedule any more."""
        self._scheduler.shutdown(wait=False)
        self._execution.close()

    def create(self, caller: Principal, settings: dict[str, Any]) -> Job:
        """Create a job with its schedule."""
        job = Job(ids.new_number(), caller.name, milliseconds(self._clock.now()), checked(settings))
        self._rows.save(job)
        self._follow(job)
        return job

    def get(self, caller: Principal, job_id: int) -> Job:
        """Raises ResourceDoesNotExist when there is none of that id."""
        return self._allowed(caller, job_id, "CAN_VIEW")

    def all(self, caller: Principal, name: str | None = None) -> list[Job]:
        """The jobs that the caller may see, newest first; `name` without regard to case."""
        return [
            job
            for job in self._rows.all()
            if self._permissions.may(caller, "jobs", str(job.job_id), "CAN_VIEW")
            and (name is None or job.settings["name"].lower() == name.lower())
        ]

    def update(
        self, caller: Principal, job_id: int, new_settings: dict[str, Any], fields_to_remove: list[str]
    ) -> None:
        """Change the top-level settings that are given, after removing others."""
        job = self._allowed(caller, job_id, "CAN_MANAGE")
        kept = {name: value for name, value in job.settings.items() if name not in fields_to_remove}
        self._change(job, kept | new_settings)

    def reset(self, caller: Principal, job_id: int, new_settings: dict[str, Any]) -> None:
        """Replace all settings."""
        self._change(self._allowed(caller, job_id, "CAN_MANAGE"), new_settings)

    def delete(self, caller: Principal, job_id: int) -> None:
        """Delete a job; its runs end."""
        self._allowed(caller, job_id, "CAN_MANAGE")
        for run in self._rows.runs(job_id):
            self._execution.cancel(run.run_id)
        self._unfollow(job_id)
        self._rows.delete(job_id)
        self._permissions.forget("jobs", str(job_id))

    def run_now(self, caller: Principal, body: dict[str, Any]) -> JobRun:
        """Start a run."""
        job = self._allowed(caller, _number(body, "job_id"), "CAN_MANAGE_RUN")
        further = sorted(name for name, value in body.items() if value and name not in RUN_NOW_FIELDS)
        if further:
            raise NotImplementedHere(
                f"run-now with {', '.join(further)} is not supported by the local workspace."
            )
        return self._execution.begin(job, "ONE_TIME")

    def run(self, caller: Principal, run_id: int) -> JobRun:
        """One run.

        Raises:
            ResourceDoesNotExist: there is none of that id.
        """
        run = self._rows.run(run_id)
        if run is None:
            raise ResourceDoesNotExist(f"Run {run_id} does not exist.")
        self._allowed(caller, run.job_id, "CAN_VIEW")
        return run

    def runs(self, caller: Principal, job_id: int | None, *, active: bool, completed: bool) -> list[JobRun]:
        """Runs, newest first: of one job or of all; only those under way, or only those over."""
        visible = {job.job_id for job in self.all(caller)}
        runs = [run for run in self._rows.runs(job_id) if run.job_id in visible]
        if active or completed:
            runs = [run for run in runs if (run.life_cycle_state in FINISHED) == completed]
        return runs

    def cancel(self, caller: Principal, run_id: int) -> None:
        """End a run."""
        run = self.run(caller, run_id)
        self._allowed(caller, run.job_id, "CAN_MANAGE_RUN")
        self._execution.cancel(run_id)

    def cancel_all(self, caller: Principal, job_id: int) -> None:
        """End all runs of a job."""
        self._allowed(caller, job_id, "CAN_MANAGE_RUN")
        for run in self._rows.runs(job_id):
            self._execution.cancel(run.run_id)

    def _change(self, job: Job, settings: dict[str, Any]) -> None:
        changed = replace(job, settings=checked(settings))
        self._rows.save(changed)
        self._follow(changed)

    def _follow(self, job: Job) -> None:
        """Let the scheduler do what the job's schedule says now."""
        self._unfollow(job.job_id)
        schedule = job.settings.get("schedule")
        if schedule is None or schedule.get("pause_status") == "PAUSED":
            return
        self._scheduler.add_job(
            self._run_scheduled,
            trigger(schedule["quartz_cron_expression"], schedule["timezone_id"]),
            args=[job.job_id],
            id=str(job.job_id),
            coalesce=True,
            misfire_grace_time=LATE_S,
        )

    def _unfollow(self, job_id: int) -> None:
        if self._scheduler.get_job(str(job_id)) is not None:
            self._scheduler.remove_job(str(job_id))

    def _run_scheduled(self, job_id: int) -> None:
        job = self._rows.find(job_id)
        if job is not None:
            self._execution.begin(job, "PERIODIC")

    def _allowed(self, caller: Principal, job_id: int, level: str) -> Job:
        job = self._existing(job_id)
        self._permissions.require(caller, "jobs", str(job_id), level)
        return job

    def _existing(self, job_id: int) -> Job:
        job = self._rows.find(job_id)
        if job is None:
            raise ResourceDoesNotExist(f"Job {job_id} does not exist.")
        return job


def _whole(job_id: str) -> int:
    return int(job_id) if job_id.isdecimal() else 0


def _number(body: dict[str, Any], name: str) -> int:
    try:
        return int(body[name])
    except (KeyError, TypeError, ValueError):
        raise InvalidParameterValue(f"{name} is missing or no number.") from None
