"""Serving endpoints: those that people make for models elsewhere, and the one that the workspace itself provides."""

import re
from dataclasses import replace
from typing import Any

from local_workspace import ids
from local_workspace.api.permissions.rules import EVERYONE, Permissions
from local_workspace.api.serving_endpoints import entities, rules_model
from local_workspace.api.serving_endpoints.entities import Destination
from local_workspace.api.serving_endpoints.rows import Endpoint, EndpointRows
from local_workspace.clock import Clock, milliseconds
from local_workspace.errors import (
    InvalidParameterValue,
    NotImplementedHere,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)
from local_workspace.identity import Principal

OBJECT_TYPE = "serving-endpoints"
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")
PROVIDED = entities.FOUNDATION_MODEL["name"]
"""Name of the endpoint that every workspace has."""

RESERVED_PREFIX = "databricks-"
LABELS = ("description", "tags")
WITHOUT_EFFECT = {"name", "config", "route_optimized", "email_notifications", "budget_policy_id", *LABELS}
"""What a request may hold; anything else would change what an endpoint does, and is not supported."""


class ServingEndpoints:
    """All serving endpoints. They are ready as soon as they are made: what they serve runs elsewhere, or within us.

    Args:
        provided: where the workspace's own endpoint forwards to; None for the rules model.
    """

    def __init__(
        self, rows: EndpointRows, permissions: Permissions, clock: Clock, provided: Destination | None
    ) -> None:
        self._rows = rows
        self._permissions = permissions
        self._clock = clock
        self._provided = provided
        permissions.enforce(OBJECT_TYPE, self._owner)

    def provide(self, owner: Principal) -> None:
        """Make the endpoint that every workspace has and everyone may query, where it is missing."""
        endpoint = self._new(PROVIDED, None, entities.FOUNDATION_MODEL, {})
        if self._rows.insert(endpoint):
            everyone = ("group_name", EVERYONE, "CAN_QUERY")
            self._permissions.change(owner, OBJECT_TYPE, endpoint.id, [everyone], replace=True)

    def create(self, caller: Principal, body: dict[str, Any]) -> Endpoint:
        """A new endpoint, owned by the caller.

        Raises:
            ResourceAlreadyExists: the name is taken.
            InvalidParameterValue, NotImplementedHere: it cannot be made like this.
        """
        name = body.get("name")
        if not isinstance(name, str) or not NAME.fullmatch(name) or name.startswith(RESERVED_PREFIX):
            raise InvalidParameterValue(
                f"{name!r} is no name for a serving endpoint: up to 63 letters, digits, - and _,"
                f" not beginning with {RESERVED_PREFIX!r}."
            )
        unsupported = [field for field in body if body[field] and field not in WITHOUT_EFFECT]
        if unsupported:
            raise NotImplementedHere(
                f"Endpoints with {', '.join(unsupported)} are not supported by the local workspace."
            )
        entity = entities.accepted(body.get("config"))
        endpoint = self._new(
            name, caller.name, entity, {label: body[label] for label in LABELS if body.get(label)}
        )
        if not self._rows.insert(endpoint):
            raise ResourceAlreadyExists(f"Serving endpoint {name} already exists.")
        return endpoint

    def get(self, caller: Principal, name: str) -> Endpoint:
        """Raises ResourceDoesNotExist, or PermissionDenied without CAN_VIEW."""
        return self._with_level(caller, name, "CAN_VIEW")

    def queried(self, caller: Principal, name: str) -> Endpoint:
        """The endpoint, for a caller who may query it."""
        return self._with_level(caller, name, "CAN_QUERY")

    def visible(self, caller: Principal) -> list[Endpoint]:
        """The endpoints that the caller may see."""
        return [
            it for it in self._rows.all() if self._permissions.may(caller, OBJECT_TYPE, it.id, "CAN_VIEW")
        ]

    def level(self, caller: Principal, endpoint: Endpoint) -> str:
        """The strongest level that the caller has; the weakest where there is none."""
        for level in ("CAN_MANAGE", "CAN_QUERY"):
            if self._permissions.may(caller, OBJECT_TYPE, endpoint.id, level):
                return level
        return "CAN_VIEW"

    def configure(self, caller: Principal, name: str, config: dict[str, Any]) -> Endpoint:
        """Serve something else under the same name."""
        before = self._changeable(caller, name)
        entity = entities.accepted(config)
        now = milliseconds(self._clock.now())
        after = replace(before, entity=entity, version=before.version + 1, updated_at=now)
        self._rows.reconfigure(after)
        return after

    def delete(self, caller: Principal, name: str) -> None:
        """Remove an endpoint and its permissions."""
        endpoint = self._changeable(caller, name)
        self._rows.delete(endpoint.id)
        self._permissions.forget(OBJECT_TYPE, endpoint.id)

    def id_of(self, name: str) -> str | None:
        """The id that permissions are given on, if there is such an endpoint."""
        endpoint = self._rows.find(name)
        return endpoint.id if endpoint else None

    def destination(self, endpoint: Endpoint) -> Destination | None:
        """Where an endpoint forwards to; None where the rules model answers."""
        external = endpoint.entity.get("external_model")
        return entities.destination(external) if external else self._provided

    def answers_from(self, endpoint: Endpoint) -> str:
        """The same, for people."""
        destination = self.destination(endpoint)
        return destination.url if destination else f"{rules_model.MODEL}, rules of this workspace"

    def _changeable(self, caller: Principal, name: str) -> Endpoint:
        endpoint = self._with_level(caller, name, "CAN_MANAGE")
        if endpoint.creator is None:
            raise InvalidParameterValue(
                f"Serving endpoint {name} is part of the workspace; make one of your own."
            )
        return endpoint

    def _with_level(self, caller: Principal, name: str, level: str) -> Endpoint:
        endpoint = self._rows.find(name)
        if endpoint is None:
            raise ResourceDoesNotExist(f"Serving endpoint {name} does not exist.")
        self._permissions.require(caller, OBJECT_TYPE, endpoint.id, level)
        return endpoint

    def _new(
        self, name: str, creator: str | None, entity: dict[str, Any], labels: dict[str, Any]
    ) -> Endpoint:
        now = milliseconds(self._clock.now())
        return Endpoint(ids.new_uuid().replace("-", ""), name, creator, now, now, 1, entity, labels)

    def _owner(self, endpoint_id: str) -> str | None:
        endpoint = self._rows.with_id(endpoint_id)
        if endpoint is None:
            raise ResourceDoesNotExist(f"There is no serving endpoint of id {endpoint_id}.")
        return endpoint.creator
