"""Jobs through the SDK: settings, Quartz schedules, runs of pipeline tasks."""

from collections.abc import Iterator
from typing import Any

import pytest
from databricks.sdk.errors import DatabricksError, NotFound, PermissionDenied
from databricks.sdk.service.jobs import (
    CronSchedule,
    JobSettings,
    NotebookTask,
    PauseStatus,
    PipelineTask,
    RunLifeCycleState,
    RunResultState,
    Task,
    TaskDependency,
)
from databricks.sdk.service.pipelines import PathPattern, PipelineLibrary
from databricks.sdk.service.workspace import ImportFormat

from tests.support.waiting import wait_for
from tests.support.workspace import LocalWorkspace

NUMBERS = """
from pyspark import pipelines as dp

@dp.materialized_view
def numbers():
    return spark.range(3)
"""
EVERY_SECOND = CronSchedule("* * * * * ?", "UTC")


@pytest.fixture
def pipeline_id(workspace: LocalWorkspace, catalog: str) -> Iterator[str]:
    """A small pipeline."""
    client = workspace.client
    folder = f"/Workspace/Shared/{catalog}"
    client.workspace.mkdirs(folder)
    client.workspace.upload(f"{folder}/numbers.py", NUMBERS.encode(), format=ImportFormat.RAW)  # pyright: ignore[reportArgumentType]  bytes work
    created = client.pipelines.create(
        name=catalog,
        catalog=catalog,
        schema="default",
        libraries=[PipelineLibrary(glob=PathPattern(include=f"{folder}/**"))],
    )
    assert created.pipeline_id is not None
    yield created.pipeline_id
    client.pipelines.delete(created.pipeline_id)


def _create(workspace: LocalWorkspace, pipeline_id: str, **settings: Any) -> int:
    task = Task(task_key="refresh", pipeline_task=PipelineTask(pipeline_id))
    created = workspace.client.jobs.create(**{"name": f"job of {pipeline_id}", "tasks": [task]} | settings)
    assert created.job_id is not None
    return created.job_id


def test_running_a_job_updates_its_pipeline(workspace: LocalWorkspace, pipeline_id: str):
    jobs = workspace.client.jobs
    job_id = _create(workspace, pipeline_id)
    run = jobs.run_now(job_id).result()
    assert run.state.result_state is RunResultState.SUCCESS
    assert run.status.termination_details.code.value == "SUCCESS"
    assert [task.task_key for task in run.tasks] == ["refresh"]
    updates = workspace.client.pipelines.list_updates(pipeline_id).updates
    assert updates[0].cause.value == "JOB_TASK"
    jobs.delete(job_id)


def test_a_schedule_runs_the_job_until_it_is_paused(workspace: LocalWorkspace, pipeline_id: str):
    jobs = workspace.client.jobs
    job_id = _create(workspace, pipeline_id, schedule=EVERY_SECOND)
    wait_for(lambda: _succeeded(workspace, job_id), seconds=60, what="a scheduled run succeeded")
    paused = CronSchedule("* * * * * ?", "UTC", pause_status=PauseStatus.PAUSED)
    jobs.update(job_id, new_settings=JobSettings(schedule=paused))
    wait_for(
        lambda: not list(jobs.list_runs(job_id=job_id, active_only=True)), seconds=60, what="no run is active"
    )
    count = len(list(jobs.list_runs(job_id=job_id)))
    assert jobs.get(job_id).settings.schedule.pause_status is PauseStatus.PAUSED
    jobs.run_now(job_id).result()
    assert len(list(jobs.list_runs(job_id=job_id))) == count + 1
    jobs.delete(job_id)


def test_a_run_beside_another_of_the_same_job_is_skipped(workspace: LocalWorkspace, pipeline_id: str):
    jobs = workspace.client.jobs
    job_id = _create(workspace, pipeline_id)
    first = jobs.run_now(job_id)
    second = jobs.get_run(jobs.run_now(job_id).run_id)
    assert second.state.life_cycle_state is RunLifeCycleState.SKIPPED
    assert first.result().state.result_state is RunResultState.SUCCESS
    jobs.delete(job_id)


def test_a_run_can_be_cancelled(workspace: LocalWorkspace, pipeline_id: str):
    jobs = workspace.client.jobs
    slow = "import threading; threading.Event().wait(2)\n"
    folder = f"/Workspace/Shared/{workspace.client.pipelines.get(pipeline_id).name}"
    workspace.client.workspace.upload(f"{folder}/slow.py", slow.encode(), format=ImportFormat.RAW)  # pyright: ignore[reportArgumentType]  bytes work
    job_id = _create(workspace, pipeline_id)
    run_id = jobs.run_now(job_id).run_id
    jobs.cancel_run(run_id)
    ended = wait_for(lambda: _ended(workspace, run_id), seconds=30, what="the run has ended")
    assert ended is RunResultState.CANCELED
    jobs.delete(job_id)


def test_all_runs_of_a_job_can_be_cancelled_at_once(workspace: LocalWorkspace, pipeline_id: str):
    jobs = workspace.client.jobs
    job_id = _create(workspace, pipeline_id, max_concurrent_runs=2)
    runs = [jobs.run_now(job_id).run_id for _ in range(2)]
    jobs.cancel_all_runs(job_id=job_id)
    for run_id in runs:
        wait_for(lambda run_id=run_id: _ended(workspace, run_id), seconds=60, what=f"run {run_id} has ended")
    assert not list(jobs.list_runs(job_id=job_id, active_only=True))
    jobs.delete(job_id)


def test_older_clients_find_jobs_under_their_own_version(workspace: LocalWorkspace):
    api = workspace.client.api_client

    def ask(method: str, path: str, **given: Any) -> dict[str, Any]:
        where = {"query": given} if method == "GET" else {"body": given}
        answer = api.do(method, f"/api/2.1/jobs/{path}", **where)
        assert isinstance(answer, dict)
        return answer

    job_id = ask("POST", "create", name="older")["job_id"]
    ask("POST", "update", job_id=job_id, new_settings={"description": "changed"})
    assert ask("GET", "get", job_id=job_id)["settings"]["description"] == "changed"
    ask("POST", "reset", job_id=job_id, new_settings={"name": "older"})
    assert job_id in [job["job_id"] for job in ask("GET", "list", limit=100)["jobs"]]
    run_id = ask("POST", "run-now", job_id=job_id)["run_id"]
    ask("POST", "runs/cancel", run_id=run_id)
    ask("POST", "runs/cancel-all", job_id=job_id)
    assert ask("GET", "runs/get", run_id=run_id)["job_id"] == job_id
    assert [run["run_id"] for run in ask("GET", "runs/list", job_id=job_id)["runs"]] == [run_id]
    ask("POST", "delete", job_id=job_id)


def test_tasks_run_in_order_and_stop_after_a_failure(workspace: LocalWorkspace, pipeline_id: str):
    jobs = workspace.client.jobs
    later = Task(
        task_key="later", depends_on=[TaskDependency("first")], pipeline_task=PipelineTask(pipeline_id)
    )
    first = Task(task_key="first", pipeline_task=PipelineTask("0" * 32))
    job_id = _create(workspace, pipeline_id, tasks=[later, first])
    run = jobs.run_now(job_id).result()
    assert run.state.result_state is RunResultState.FAILED
    results = {task.task_key: task.state.result_state for task in run.tasks}
    assert results == {"first": RunResultState.FAILED, "later": RunResultState.UPSTREAM_FAILED}
    jobs.delete(job_id)


def test_settings_are_changed_in_part_replaced_or_removed(workspace: LocalWorkspace, pipeline_id: str):
    jobs = workspace.client.jobs
    job_id = _create(workspace, pipeline_id, tags={"a": "b"})
    jobs.update(job_id, new_settings=JobSettings(description="changed"), fields_to_remove=["tags"])
    settings = jobs.get(job_id).settings
    assert (settings.description, settings.tags) == ("changed", None)
    jobs.reset(job_id, JobSettings(name="other"))
    assert not jobs.get(job_id).settings.tasks
    assert [job.job_id for job in jobs.list(name="OTHER")] == [job_id]
    jobs.delete(job_id)
    with pytest.raises(NotFound):
        jobs.get(job_id)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"schedule": CronSchedule("0 * * * * *", "UTC")}, "exactly one of day of month"),
        ({"schedule": CronSchedule("0 * * * * ?", "Nowhere/Land")}, "time zone"),
        ({"tasks": [Task(task_key="n", notebook_task=NotebookTask("/n"))]}, "runs pipeline_task only"),
        ({"tasks": [Task(task_key="n")]}, "nothing to run"),
    ],
)
def test_what_the_workspace_cannot_run_is_refused(
    workspace: LocalWorkspace, settings: dict[str, Any], says: str
):
    with pytest.raises(DatabricksError, match=says):
        workspace.client.jobs.create(name="refused", **settings)


def test_strangers_may_neither_see_nor_run_a_job(workspace: LocalWorkspace, pipeline_id: str):
    job_id = _create(workspace, pipeline_id)
    stranger = workspace.service_principal().client
    for attempt in (stranger.jobs.get, stranger.jobs.run_now, stranger.jobs.delete):
        with pytest.raises(PermissionDenied):
            attempt(job_id)
    assert not list(stranger.jobs.list())
    workspace.client.jobs.delete(job_id)


def _succeeded(workspace: LocalWorkspace, job_id: int) -> bool:
    runs = list(workspace.client.jobs.list_runs(job_id=job_id))
    return any(run.state.result_state is RunResultState.SUCCESS for run in runs)


def _ended(workspace: LocalWorkspace, run_id: int) -> RunResultState | None:
    return workspace.client.jobs.get_run(run_id).state.result_state
