"""`/api/2.2/jobs`: jobs, their schedules and runs."""

from typing import Annotated, Any

from fastapi import APIRouter, Body

from local_workspace.api.jobs.rows import Job, JobRun
from local_workspace.api.jobs.rules import Jobs
from local_workspace.errors import InvalidParameterValue
from local_workspace.identity import Caller
from local_workspace.wire import page, without_empty

Json = Annotated[dict[str, Any], Body()]
CODES = {
    "SUCCESS": ("SUCCESS", "SUCCESS"),
    "CANCELED": ("USER_CANCELED", "SUCCESS"),
    "MAXIMUM_CONCURRENT_RUNS_REACHED": ("MAX_CONCURRENT_RUNS_EXCEEDED", "CLIENT_ERROR"),
}
"""Termination code and type by result; a run execution error for the others."""


def router(service: Jobs) -> APIRouter:
    """The routes of jobs."""
    api = APIRouter()
    for version in ("2.1", "2.2"):
        for routes in (_settings_routes(service), _run_routes(service)):
            api.include_router(routes, prefix=f"/api/{version}/jobs")
    return api


def _settings_routes(service: Jobs) -> APIRouter:
    api = APIRouter()

    @api.post("/create")
    def create(caller: Caller, body: Json) -> dict[str, Any]:
        return {"job_id": service.create(caller, _settings(body)).job_id}

    @api.get("/get")
    def get(caller: Caller, job_id: int) -> dict[str, Any]:
        return _job(service.get(caller, job_id))

    @api.get("/list")
    def jobs(
        caller: Caller, name: str | None = None, limit: int | None = None, page_token: str | None = None
    ) -> dict[str, Any]:
        shown, token = page(service.all(caller, name), size=limit, token=page_token, default=20)
        return without_empty(
            {"jobs": [_job(job) for job in shown], "has_more": bool(token), "next_page_token": token}
        )

    @api.post("/update")
    def update(caller: Caller, body: Json) -> dict[str, Any]:
        removed = list(body.get("fields_to_remove") or [])
        service.update(caller, _id(body, "job_id"), body.get("new_settings") or {}, removed)
        return {}

    @api.post("/reset")
    def reset(caller: Caller, body: Json) -> dict[str, Any]:
        service.reset(caller, _id(body, "job_id"), body.get("new_settings") or {})
        return {}

    @api.post("/delete")
    def delete(caller: Caller, body: Json) -> dict[str, Any]:
        service.delete(caller, _id(body, "job_id"))
        return {}

    return api


def _run_routes(service: Jobs) -> APIRouter:
    api = APIRouter()

    @api.post("/run-now")
    def run_now(caller: Caller, body: Json) -> dict[str, Any]:
        run_id = service.run_now(caller, body).run_id
        return {"run_id": run_id, "number_in_job": run_id}

    @api.get("/runs/get")
    def run(caller: Caller, run_id: int) -> dict[str, Any]:
        found = service.run(caller, run_id)
        return _run(found, service.get(caller, found.job_id))

    @api.get("/runs/list")
    def runs(  # noqa: PLR0917  FastAPI passes by name
        caller: Caller,
        job_id: int | None = None,
        active_only: bool = False,  # noqa: FBT001, FBT002  FastAPI passes by name
        completed_only: bool = False,  # noqa: FBT001, FBT002  FastAPI passes by name
        limit: int | None = None,
        page_token: str | None = None,
    ) -> dict[str, Any]:
        found = service.runs(caller, job_id, active=active_only, completed=completed_only)
        shown, token = page(found, size=limit, token=page_token, default=20)
        listed = [_run(run, service.get(caller, run.job_id)) for run in shown]
        return without_empty({"runs": listed, "has_more": bool(token), "next_page_token": token})

    @api.post("/runs/cancel")
    def cancel(caller: Caller, body: Json) -> dict[str, Any]:
        service.cancel(caller, _id(body, "run_id"))
        return {}

    @api.post("/runs/cancel-all")
    def cancel_all(caller: Caller, body: Json) -> dict[str, Any]:
        service.cancel_all(caller, _id(body, "job_id"))
        return {}

    return api


def _settings(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "access_control_list"}


def _id(body: dict[str, Any], name: str) -> int:
    value = body.get(name)
    if not isinstance(value, int) and not (isinstance(value, str) and value.isdecimal()):
        raise InvalidParameterValue(f"{name} is missing or no number.")
    return int(value)


def _job(job: Job) -> dict[str, Any]:
    return {
        "job_id": job.job_id,
        "creator_user_name": job.creator,
        "run_as_user_name": job.creator,
        "created_time": job.created_at,
        "settings": {"format": "MULTI_TASK", "timeout_seconds": 0, **job.settings},
    }


def _run(run: JobRun, job: Job) -> dict[str, Any]:
    return without_empty(
        {
            "job_id": run.job_id,
            "run_id": run.run_id,
            "run_name": job.settings["name"],
            "creator_user_name": job.creator,
            "trigger": run.trigger,
            "run_type": "JOB_RUN",
            "start_time": run.started_at,
            "end_time": run.ended_at or 0,
            "run_duration": (run.ended_at or run.started_at) - run.started_at,
            "schedule": job.settings.get("schedule") if run.trigger == "PERIODIC" else None,
            "tasks": [_task(task) for task in run.tasks],
            **_states(run.life_cycle_state, run.result_state, run.message),
        }
    )


def _task(task: dict[str, Any]) -> dict[str, Any]:
    described = {
        name: value for name, value in task.items() if name not in {"life_cycle_state", "result_state"}
    }
    message = described.pop("state_message")
    return described | _states(task["life_cycle_state"], task["result_state"], message)


def _states(life_cycle: str, result: str | None, message: str) -> dict[str, Any]:
    """`state` as the older clients read it, and `status`."""
    status: dict[str, Any] = {"state": "TERMINATED" if life_cycle == "SKIPPED" else life_cycle}
    if result is not None:
        code, kind = CODES.get(result, ("RUN_EXECUTION_ERROR", "CLIENT_ERROR"))
        status["termination_details"] = {"code": code, "type": kind, "message": message}
    state = {"life_cycle_state": life_cycle, "result_state": result, "state_message": message}
    return {"state": without_empty(state), "status": status}
