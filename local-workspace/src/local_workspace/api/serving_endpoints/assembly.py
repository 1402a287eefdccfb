"""Puts the parts of serving endpoints together."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter

from local_workspace.api.permissions.rules import Permissions
from local_workspace.api.serving_endpoints import entities, invocations, routes
from local_workspace.api.serving_endpoints.forwarding import Forwarder
from local_workspace.api.serving_endpoints.rows import EndpointRows
from local_workspace.api.serving_endpoints.rules import ServingEndpoints
from local_workspace.clock import Clock
from local_workspace.config import ModelServer
from local_workspace.identity import Principal
from local_workspace.state import State


def serving_service(
    state: State, permissions: Permissions, owner: Principal, model: ModelServer | None, clock: Clock
) -> tuple[ServingEndpoints, list[APIRouter], Callable[[], Awaitable[None]]]:
    """The endpoints, their routes, and what closes their connections; the workspace's own forwards to `model`, if any."""
    provided = entities.model_server(model.base_url, model.name, model.api_key) if model else None
    service = ServingEndpoints(EndpointRows(state), permissions, clock, provided)
    service.provide(owner)
    forwarder = Forwarder()
    return service, [routes.router(service), invocations.router(service, forwarder)], forwarder.close
