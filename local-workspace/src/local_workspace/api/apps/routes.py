"""`/api/2.0/apps`: apps and their deployments on the wire."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from fastapi.responses import PlainTextResponse

from local_workspace.api.apps.rules import SETTINGS, Apps
from local_workspace.api.apps.shapes import Shapes
from local_workspace.identity import Caller
from local_workspace.wire import page, without_empty

CHANGEABLE = {"description", "resources", *SETTINGS}
LOG_LINES = 1000

Json = Annotated[dict[str, Any], Body()]
Answer = dict[str, Any]


def router(apps: Apps, write: Shapes) -> APIRouter:
    """The routes of apps."""
    api = APIRouter(prefix="/api/2.0/apps")
    _add_apps(api, apps, write)
    _add_life(api, apps, write)
    _add_updates(api, apps, write)
    _add_deployments(api, apps, write)
    return api


def _add_apps(api: APIRouter, apps: Apps, write: Shapes) -> None:
    @api.post("")
    def create(body: Json, caller: Caller, *, no_compute: bool = False) -> Answer:
        return write.app(apps.create(caller, body, no_compute=no_compute))

    @api.get("")
    def list_apps(caller: Caller, page_size: int | None = None, page_token: str | None = None) -> Answer:
        items, following = page(apps.visible(caller), size=page_size, token=page_token)
        return without_empty({"apps": [write.app(it) for it in items], "next_page_token": following})

    @api.get("/{name}")
    def get(name: str, caller: Caller) -> Answer:
        return write.app(apps.get(caller, name))

    @api.delete("/{name}")
    def delete(name: str, caller: Caller) -> Answer:
        return write.app(apps.delete(caller, name))


def _add_life(api: APIRouter, apps: Apps, write: Shapes) -> None:
    @api.post("/{name}/start")
    def start(name: str, caller: Caller) -> Answer:
        return write.app(apps.start(caller, name))

    @api.post("/{name}/stop")
    def stop(name: str, caller: Caller) -> Answer:
        return write.app(apps.stop(caller, name))

    @api.get("/{name}/logs")
    def logs(name: str, caller: Caller, lines: int = LOG_LINES) -> PlainTextResponse:
        app = apps.managed(caller, name)
        return PlainTextResponse(apps.deployments.fleet.last_words(app.name, lines))


def _add_updates(api: APIRouter, apps: Apps, write: Shapes) -> None:
    @api.patch("/{name}")
    def replace_fields(name: str, body: Json, caller: Caller) -> Answer:
        return write.app(apps.update(caller, name, body, CHANGEABLE))

    @api.post("/{name}/update")
    def create_update(name: str, body: Json, caller: Caller) -> Answer:
        asked = {field.strip() for field in (body.get("update_mask") or "").split(",")}
        fields = CHANGEABLE if asked in ({""}, {"*"}) else asked & CHANGEABLE
        app = apps.update(caller, name, body.get("app") or {}, fields)
        return {"description": app.description, "resources": app.resources, "status": {"state": "SUCCEEDED"}}

    @api.get("/{name}/update")
    def get_update(name: str, caller: Caller) -> Answer:
        app = apps.get(caller, name)
        state = "SUCCEEDED" if app.updated else "NOT_UPDATED"
        return {"description": app.description, "resources": app.resources, "status": {"state": state}}


def _add_deployments(api: APIRouter, apps: Apps, write: Shapes) -> None:
    @api.post("/{name}/deployments")
    def deploy(name: str, body: Json, caller: Caller) -> Answer:
        return write.deployment(apps.deploy(caller, name, body))

    @api.get("/{name}/deployments")
    def list_deployments(
        name: str, caller: Caller, page_size: int | None = None, page_token: str | None = None
    ) -> Answer:
        found = apps.rows.deployments(apps.get(caller, name).name)
        items, following = page(found, size=page_size, token=page_token)
        return without_empty(
            {"app_deployments": [write.deployment(it) for it in items], "next_page_token": following}
        )

    @api.get("/{name}/deployments/{deployment_id}")
    def get_deployment(name: str, deployment_id: str, caller: Caller) -> Answer:
        return write.deployment(apps.deployments.find(apps.get(caller, name).name, deployment_id))
