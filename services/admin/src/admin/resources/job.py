"""A job that triggers a pipeline by the clock."""

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.service.jobs import CronSchedule, JobSettings, PauseStatus, PipelineTask, Task

from admin.resources.kind import Declared, Found


class PipelineJob:
    """Specification: `pipeline_id`, `quartz` (a Quartz cron expression, UTC). Offers `id`."""

    patience_s = 60.0
    part_of_parent = False

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._workspace = workspace

    def read(self, wanted: Declared) -> Found | None:
        job_id = wanted.id or self._find(wanted.name)
        if not job_id:
            return None
        try:
            job = self._workspace.jobs.get(int(job_id))
        except NotFound:
            return None
        schedule = job.settings.schedule if job.settings else None
        quartz = schedule.quartz_cron_expression if schedule else None
        return Found(job_id, outputs={"id": job_id}, settings={"quartz": quartz})

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

    def delete(self, wanted: Declared) -> None:
        self._workspace.jobs.delete(int(wanted.id))


def _settings(wanted: Declared) -> JobSettings:
    task = Task(task_key="update", pipeline_task=PipelineTask(pipeline_id=wanted.spec["pipeline_id"]))
    schedule = CronSchedule(wanted.spec["quartz"], timezone_id="UTC", pause_status=PauseStatus.UNPAUSED)
    return JobSettings(name=wanted.name, tasks=[task], schedule=schedule, max_concurrent_runs=1)
