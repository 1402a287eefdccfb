"""A job that triggers a pipeline by the clock."""

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.service.jobs import CronSchedule, Job, JobSettings, PauseStatus, PipelineTask, Task

from admin.resources.kind import Declared, Found


class PipelineJob:
    """Specification: `pipeline_id`, `quartz` (a Quartz cron expression, UTC). Offers `id`."""

    patience_s = 60.0
    stop_patience_s = 60.0
    parents = ()

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._workspace = workspace

    def read(self, wanted: Declared) -> Found | None:
        job = self._get(wanted.id) or self._get(self._find(wanted.name))
        if job is None:
            return None
        job_id = str(job.job_id)
        schedule = job.settings.schedule if job.settings else None
        quartz = schedule.quartz_cron_expression if schedule else None
        paused = schedule is not None and schedule.pause_status is PauseStatus.PAUSED
        return Found(
            job_id,
            "stopped" if paused else "ready",
            {"id": job_id},
            {"quartz": quartz},
            maker=job.creator_user_name or "",
            message="its schedule is paused" if paused else "",
        )

    def _get(self, job_id: str | None) -> Job | None:
        if not job_id:
            return None
        try:
            return self._workspace.jobs.get(int(job_id))
        except NotFound:
            return None

    def _find(self, name: str) -> str | None:
        return next((str(job.job_id) for job in self._workspace.jobs.list(name=name)), None)

    def create(self, wanted: Declared) -> str:
        settings = _settings(wanted)
        created = self._workspace.jobs.create(
            name=settings.name, tasks=settings.tasks, schedule=settings.schedule, max_concurrent_runs=1
        )
        return str(created.job_id)

    def update(self, wanted: Declared) -> None:
        self._workspace.jobs.reset(int(wanted.id), _settings(wanted))

    def stop(self, wanted: Declared) -> None:
        schedule = CronSchedule(wanted.spec["quartz"], timezone_id="UTC", pause_status=PauseStatus.PAUSED)
        self._workspace.jobs.update(int(wanted.id), new_settings=JobSettings(schedule=schedule))

    def delete(self, wanted: Declared) -> None:
        self._workspace.jobs.delete(int(wanted.id))


def _settings(wanted: Declared) -> JobSettings:
    task = Task(task_key="update", pipeline_task=PipelineTask(pipeline_id=wanted.spec["pipeline_id"]))
    schedule = CronSchedule(wanted.spec["quartz"], timezone_id="UTC", pause_status=PauseStatus.UNPAUSED)
    return JobSettings(name=wanted.name, tasks=[task], schedule=schedule, max_concurrent_runs=1)
