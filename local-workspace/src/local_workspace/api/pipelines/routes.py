"""`/api/2.0/pipelines`: settings, updates, the event log."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query

from local_workspace.api.pipelines.rows import UPDATES_LISTED, Pipeline, UpdateRow
from local_workspace.api.pipelines.rules import Pipelines
from local_workspace.api.unity_catalog.names import like
from local_workspace.errors import InvalidParameterValue
from local_workspace.identity import Caller
from local_workspace.wire import page, without_empty

Json = Annotated[dict[str, Any], Body()]
OptionalJson = Annotated[dict[str, Any] | None, Body()]
LATEST_UPDATES = 5
PREFIX = "/api/2.0/pipelines"


def router(service: Pipelines) -> APIRouter:
    """The routes of pipelines."""
    api = APIRouter()
    for routes in (_settings_routes(service), _update_routes(service)):
        api.include_router(routes)
    return api


def _settings_routes(service: Pipelines) -> APIRouter:
    api = APIRouter(prefix=PREFIX)

    @api.post("")
    def create(caller: Caller, body: Json) -> dict[str, Any]:
        pipeline = service.create(caller, body)
        if body.get("dry_run"):
            return {"effective_settings": pipeline.spec}
        return {"pipeline_id": pipeline.pipeline_id, "effective_settings": _spec(pipeline)}

    @api.get("")
    def pipelines(
        caller: Caller,
        filter: str | None = None,  # noqa: A002  the API's name
        max_results: int | None = None,
        page_token: str | None = None,
    ) -> dict[str, Any]:
        found = [pipeline for pipeline in service.all(caller) if _matches(pipeline, filter)]
        shown, token = page(found, size=max_results, token=page_token, default=25)
        statuses = [
            _status(service, pipeline, service.updates(caller, pipeline.pipeline_id)) for pipeline in shown
        ]
        return without_empty({"statuses": statuses, "next_page_token": token})

    @api.get("/{pipeline_id}")
    def get(caller: Caller, pipeline_id: str) -> dict[str, Any]:
        pipeline = service.get(caller, pipeline_id)
        status = _status(service, pipeline, service.updates(caller, pipeline_id))
        return status | {"spec": _spec(pipeline), "last_modified": pipeline.modified_at}

    @api.put("/{pipeline_id}")
    def edit(caller: Caller, pipeline_id: str, body: Json) -> dict[str, Any]:
        service.edit(caller, pipeline_id, body)
        return {}

    @api.delete("/{pipeline_id}")
    def delete(caller: Caller, pipeline_id: str, *, cascade: bool = True) -> dict[str, Any]:
        service.delete(caller, pipeline_id, cascade=cascade)
        return {}

    return api


def _update_routes(service: Pipelines) -> APIRouter:
    api = APIRouter(prefix=PREFIX)

    @api.post("/{pipeline_id}/updates")
    def start_update(caller: Caller, pipeline_id: str, body: OptionalJson = None) -> dict[str, Any]:
        return {"update_id": service.start_update(caller, pipeline_id, body or {}).update_id}

    @api.get("/{pipeline_id}/updates")
    def updates(
        caller: Caller,
        pipeline_id: str,
        max_results: int | None = None,
        page_token: str | None = None,
        until_update_id: str | None = None,
    ) -> dict[str, Any]:
        found = service.updates(caller, pipeline_id)
        if until_update_id is not None:
            service.update(caller, pipeline_id, until_update_id)
            found = found[: [update.update_id for update in found].index(until_update_id) + 1]
        shown, token = page(found, size=max_results, token=page_token, default=UPDATES_LISTED)
        return without_empty({"updates": [_update(update) for update in shown], "next_page_token": token})

    @api.get("/{pipeline_id}/updates/{update_id}")
    def update(caller: Caller, pipeline_id: str, update_id: str) -> dict[str, Any]:
        return {"update": _update(service.update(caller, pipeline_id, update_id))}

    @api.post("/{pipeline_id}/stop")
    def stop(caller: Caller, pipeline_id: str) -> dict[str, Any]:
        service.stop(caller, pipeline_id)
        return {}

    @api.get("/{pipeline_id}/events")
    def events(  # noqa: PLR0917  FastAPI passes by name
        caller: Caller,
        pipeline_id: str,
        filter: str | None = None,  # noqa: A002  the API's name
        order_by: Annotated[list[str] | None, Query()] = None,
        max_results: int | None = None,
        page_token: str | None = None,
    ) -> dict[str, Any]:
        oldest_first = _oldest_first(order_by or [])
        found = service.events(caller, pipeline_id, filter, oldest_first=oldest_first)
        shown, token = page(found, size=max_results, token=page_token, default=25)
        return without_empty({"events": list(shown), "next_page_token": token})

    return api


def _spec(pipeline: Pipeline) -> dict[str, Any]:
    return {"id": pipeline.pipeline_id, **pipeline.spec}


def _status(service: Pipelines, pipeline: Pipeline, updates: list[UpdateRow]) -> dict[str, Any]:
    """The fields that get and list share."""
    failed = bool(updates) and updates[0].state == "FAILED"
    return {
        "pipeline_id": pipeline.pipeline_id,
        "name": pipeline.name,
        "state": service.state(pipeline),
        "health": "UNHEALTHY" if failed else "HEALTHY",
        "creator_user_name": pipeline.creator,
        "run_as_user_name": pipeline.creator,
        "latest_updates": [
            {"update_id": update.update_id, "state": update.state, "creation_time": _iso(update.created_at)}
            for update in updates[:LATEST_UPDATES]
        ],
    }


def _update(update: UpdateRow) -> dict[str, Any]:
    return {
        "update_id": update.update_id,
        "pipeline_id": update.pipeline_id,
        "state": update.state,
        "cause": update.cause,
        "creation_time": update.created_at,
        **update.request,
    }


def _iso(moment: int) -> str:
    return (
        datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def _matches(pipeline: Pipeline, text: str | None) -> bool:
    if not text:
        return True
    condition = re.fullmatch(r"\s*name\s+like\s+'(.*)'\s*", text, re.IGNORECASE)
    if condition is None:
        raise InvalidParameterValue(f"The filter {text!r} is not understood; use name LIKE '…'.")
    return like(pipeline.name, condition[1])


def _oldest_first(order_by: list[str]) -> bool:
    known = {"timestamp asc": True, "timestamp desc": False}
    wanted = " ".join(order_by).strip().lower() or "timestamp desc"
    if wanted not in known:
        raise InvalidParameterValue(f'order_by is {wanted!r}; use "timestamp asc" or "timestamp desc".')
    return known[wanted]
