"""A job's settings: what is accepted and what is refused; the order of its tasks."""

from graphlib import CycleError, TopologicalSorter
from typing import Any

from local_workspace.api.jobs.quartz import trigger
from local_workspace.errors import InvalidParameterValue, NotImplementedHere

NOT_SUPPORTED = ("continuous", "trigger", "triggers", "git_source", "run_as", "parameters")
"""Settings that would change what a job does, and that the workspace cannot honour."""

NOT_A_TASK = {
    "task_key", "depends_on", "description", "timeout_seconds", "max_retries", "min_retry_interval_millis",
    "email_notifications", "notification_settings", "webhook_notifications", "retry_on_timeout", "health",
    "environment_key", "disabled", "run_if", "libraries", "disable_auto_optimization",
}  # fmt: skip
"""Fields of a task that do not say what it runs."""


def checked(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings, if the workspace can run them.

    Raises:
        InvalidParameterValue: a field has no meaning.
        NotImplementedHere: a setting or a kind of task is not supported.
    """
    settings = {"name": "Untitled", "max_concurrent_runs": 1, **settings}
    for name in NOT_SUPPORTED:
        if settings.get(name):
            raise NotImplementedHere(
                f"Jobs with {name} are not supported by the local workspace; use a schedule."
            )
    schedule = settings.get("schedule")
    if schedule is not None:
        trigger(str(schedule.get("quartz_cron_expression", "")), str(schedule.get("timezone_id", "")))
        if schedule.get("pause_status", "UNPAUSED") not in {"PAUSED", "UNPAUSED"}:
            raise InvalidParameterValue("pause_status is PAUSED or UNPAUSED.")
    for task in settings.get("tasks", []):
        _check_task(task)
    in_order(settings)
    return settings


def in_order(settings: dict[str, Any]) -> list[dict[str, Any]]:
    """The tasks, each after those it depends on.

    Raises:
        InvalidParameterValue: they depend on each other in a circle, or on a task that is not there.
    """
    tasks = {task["task_key"]: task for task in settings.get("tasks", [])}
    needs = {key: [need["task_key"] for need in task.get("depends_on", [])] for key, task in tasks.items()}
    missing = {need for wanted in needs.values() for need in wanted} - tasks.keys()
    if missing:
        raise InvalidParameterValue(
            f"Tasks depend on {', '.join(sorted(missing))}, which the job does not have."
        )
    try:
        return [tasks[key] for key in TopologicalSorter(needs).static_order()]
    except CycleError:
        raise InvalidParameterValue("The job's tasks depend on each other in a circle.") from None


def _check_task(task: dict[str, Any]) -> None:
    key = task.get("task_key")
    if not isinstance(key, str) or not key:
        raise InvalidParameterValue("A task needs a task_key.")
    kinds = [name for name in task if name.endswith("_task") and name not in NOT_A_TASK]
    if kinds != ["pipeline_task"]:
        wanted = ", ".join(kinds) or "nothing to run"
        raise NotImplementedHere(f"Task {key} has {wanted}; the local workspace runs pipeline_task only.")
    if not task["pipeline_task"].get("pipeline_id"):
        raise InvalidParameterValue(f"The pipeline_task of {key} needs a pipeline_id.")
