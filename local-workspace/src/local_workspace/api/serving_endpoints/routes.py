"""`/api/2.0/serving-endpoints`: make, look at, change and remove serving endpoints."""

from typing import Annotated, Any

from fastapi import APIRouter, Body

from local_workspace.api.serving_endpoints import entities
from local_workspace.api.serving_endpoints.rows import Endpoint
from local_workspace.api.serving_endpoints.rules import ServingEndpoints
from local_workspace.identity import Caller
from local_workspace.wire import without_empty

Json = Annotated[dict[str, Any], Body()]
SPECIFIED = ("name", "entity_name", "entity_version", "external_model", "foundation_model")
"""What a list tells of a served entity."""


def router(service: ServingEndpoints) -> APIRouter:
    """The routes of serving endpoints, without their invocation."""
    api = APIRouter(prefix="/api/2.0/serving-endpoints")

    @api.post("")
    def create(caller: Caller, body: Json) -> dict[str, Any]:
        endpoint = service.create(caller, body)
        return _detailed(endpoint, service.level(caller, endpoint))

    @api.get("")
    def endpoints(caller: Caller) -> dict[str, Any]:
        return {"endpoints": [_summary(it) for it in service.visible(caller)]}

    @api.get("/{name}")
    def get(caller: Caller, name: str) -> dict[str, Any]:
        endpoint = service.get(caller, name)
        return _detailed(endpoint, service.level(caller, endpoint))

    @api.put("/{name}/config")
    def configure(caller: Caller, name: str, body: Json) -> dict[str, Any]:
        endpoint = service.configure(caller, name, body)
        return _detailed(endpoint, service.level(caller, endpoint))

    @api.delete("/{name}")
    def delete(caller: Caller, name: str) -> dict[str, Any]:
        service.delete(caller, name)
        return {}

    return api


def _common(endpoint: Endpoint) -> dict[str, Any]:
    return without_empty(
        {
            "id": endpoint.id,
            "name": endpoint.name,
            "creator": endpoint.creator,
            "creation_timestamp": endpoint.created_at,
            "last_updated_timestamp": endpoint.updated_at,
            "state": {"ready": "READY", "config_update": "NOT_UPDATING"},
            "task": entities.CHAT,
            **endpoint.labels,
        }
    )


def _summary(endpoint: Endpoint) -> dict[str, Any]:
    entity = entities.shown(endpoint.entity)
    specified = {name: entity[name] for name in SPECIFIED if name in entity}
    return _common(endpoint) | {"config": {"served_entities": [specified]}}


def _detailed(endpoint: Endpoint, level: str) -> dict[str, Any]:
    served = without_empty(
        entities.shown(endpoint.entity)
        | {
            "creator": endpoint.creator,
            "creation_timestamp": endpoint.updated_at,
            "state": {"deployment": "DEPLOYMENT_READY", "deployment_state_message": ""},
        }
    )
    route = {"served_entity_name": served["name"], "served_model_name": served["name"]}
    config = {
        "served_entities": [served],
        "traffic_config": {"routes": [route | {"traffic_percentage": 100}]},
        "config_version": endpoint.version,
    }
    return _common(endpoint) | {"config": config, "permission_level": level, "route_optimized": False}
