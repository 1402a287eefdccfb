"""Resources attached to an app: what its service principal is granted, and what value their key stands for."""

from contextlib import suppress
from typing import Any

from local_workspace.api.permissions.rules import Permissions
from local_workspace.api.postgres.branch import Branch
from local_workspace.api.postgres.rules import Lakebase
from local_workspace.api.serving_endpoints.rules import OBJECT_TYPE as SERVING_ENDPOINTS
from local_workspace.api.serving_endpoints.rules import ServingEndpoints
from local_workspace.api.unity_catalog.rules import UnityCatalog
from local_workspace.errors import InvalidParameterValue, NotFound, NotImplementedHere
from local_workspace.identity import Identities, Principal

SECURABLE_PRIVILEGES = {
    "READ_VOLUME": ["READ_VOLUME"],
    "WRITE_VOLUME": ["READ_VOLUME", "WRITE_VOLUME"],
    "SELECT": ["SELECT"],
    "MODIFY": ["SELECT", "MODIFY"],
    "EXECUTE": ["EXECUTE"],
}
"""What a permission of an attached securable grants."""

SECURABLE_KINDS = {"VOLUME": "volume", "TABLE": "table", "FUNCTION": "function"}
SUPPORTED = ("uc_securable", "postgres", "sql_warehouse", "serving_endpoint", "job", "app")
WITH_PERMISSIONS = {"sql_warehouse": ("warehouses", "id"), "job": ("jobs", "id"), "app": ("apps", "name")}

Resource = dict[str, Any]
"""One AppResource of the wire."""


class Attachments:
    """Grants and values of the resources of all apps."""

    def __init__(
        self,
        identities: Identities,
        permissions: Permissions,
        unity_catalog: UnityCatalog,
        lakebase: Lakebase,
        branch: Branch,
        *,
        serving_endpoints: ServingEndpoints,
    ) -> None:
        self._identities = identities
        self._unity_catalog = unity_catalog
        self._lakebase = lakebase
        self._branch = branch
        self._serving_endpoints = serving_endpoints
        self._permissions = permissions

    def attach(self, caller: Principal, principal: Principal, resource: Resource) -> None:
        """Grant the app's principal what the resource says; the caller must be allowed to grant it.

        Raises:
            NotImplementedHere: a kind of resource that the local workspace does not have.
            PermissionDenied: the caller does not manage the resource.
        """
        kind = kind_of(resource)
        content = resource[kind]
        if kind == "uc_securable":
            self._grant_securable(caller, principal, content)
        elif kind == "postgres":
            self._lakebase.managed(caller, content["branch"])
            self._branch.admit(principal, content["branch"], self._database_name(content))
        elif kind == "serving_endpoint":
            self._share_endpoint(caller, principal, content)
        elif kind in WITH_PERMISSIONS:
            object_type, key = WITH_PERMISSIONS[kind]
            level = content.get("permission") or "CAN_USE"
            self._permissions.share(caller, object_type, content[key], principal, level)

    def replace(
        self, caller: Principal, principal: Principal, before: list[Resource], wanted: list[Resource]
    ) -> None:
        """Detach what is no longer wanted and attach what is new; a role stays while its branch is attached at all."""
        kept_branches = {it["postgres"]["branch"] for it in wanted if it.get("postgres")}
        for resource in before:
            stays = resource in wanted or (resource.get("postgres") or {}).get("branch") in kept_branches
            if not stays:
                self.detach(principal, resource)
        for resource in wanted:
            if resource not in before:
                self.attach(caller, principal, resource)

    def detach(self, principal: Principal, resource: Resource) -> None:
        """Take back what `attach` granted; USE_CATALOG and USE_SCHEMA stay, as other attachments may need them."""
        kind = kind_of(resource)
        content = resource[kind]
        with suppress(NotFound):  # what was attached may be gone by now
            if kind == "uc_securable":
                securable, full_name = (
                    SECURABLE_KINDS[content["securable_type"]],
                    content["securable_full_name"],
                )
                privileges = SECURABLE_PRIVILEGES[content["permission"]]
                admin = self._identities.ensure_local_user()
                self._unity_catalog.revoke(admin, securable, full_name, principal.name, privileges)
            elif kind == "postgres":
                self._branch.expel(principal, content["branch"])
            elif kind == "serving_endpoint":
                self._take_endpoint(principal, content["name"])
            elif kind in WITH_PERMISSIONS:
                object_type, key = WITH_PERMISSIONS[kind]
                self._permissions.take(object_type, content[key], principal.name)

    def value(self, resource: Resource) -> str:
        """What `valueFrom` gives for the resource's key."""
        kind = kind_of(resource)
        content = resource[kind]
        match kind:
            case "uc_securable" if content["securable_type"] == "VOLUME":
                return "/Volumes/" + content["securable_full_name"].replace(".", "/")
            case "uc_securable":
                return content["securable_full_name"]
            case "postgres":
                return f"{content['branch']}/endpoints/primary"
            case "sql_warehouse" | "job":
                return content["id"]
            case _:
                return content["name"]

    def postgres_environment(
        self, resources: list[Resource], principal: Principal, app: str
    ) -> dict[str, str]:
        """PGHOST and its like, for the first database that is attached."""
        first = next((it["postgres"] for it in resources if it.get("postgres")), None)
        if first is None:
            return {}
        database = self._database_name(first)
        address = self._lakebase.cluster(first["branch"].split("/")[1]).address
        return {
            "PGHOST": address.host,
            "PGPORT": str(address.port),
            "PGDATABASE": database,
            "PGUSER": principal.name,
            "PGSSLMODE": "prefer",
            "PGAPPNAME": app,
        }

    def _database_name(self, postgres: Resource) -> str:
        return self._lakebase.find(postgres["database"]).status["postgres_database"]

    def _share_endpoint(self, caller: Principal, principal: Principal, content: Resource) -> None:
        endpoint = self._serving_endpoints.get(caller, content["name"])
        level = content.get("permission") or "CAN_QUERY"
        self._permissions.share(caller, SERVING_ENDPOINTS, endpoint.id, principal, level)

    def _take_endpoint(self, principal: Principal, name: str) -> None:
        endpoint_id = self._serving_endpoints.id_of(name)
        if endpoint_id is not None:  # it may be gone by now
            self._permissions.take(SERVING_ENDPOINTS, endpoint_id, principal.name)

    def _grant_securable(self, caller: Principal, principal: Principal, content: Resource) -> None:
        securable, full_name = SECURABLE_KINDS[content["securable_type"]], content["securable_full_name"]
        catalog, schema, _name = full_name.split(".")
        privileges = SECURABLE_PRIVILEGES[content["permission"]]
        self._unity_catalog.grant(caller, securable, full_name, principal.name, privileges)
        self._unity_catalog.grant(caller, "catalog", catalog, principal.name, ["USE_CATALOG"])
        self._unity_catalog.grant(caller, "schema", f"{catalog}.{schema}", principal.name, ["USE_SCHEMA"])


def kind_of(resource: Resource) -> str:
    """Which kind of resource this is.

    Raises:
        NotImplementedHere: one that the local workspace does not have.
    """
    kind = next((kind for kind in SUPPORTED if resource.get(kind)), None)
    if kind is None:
        named = ", ".join(key for key in resource if key not in {"name", "description"}) or "no kind"
        raise NotImplementedHere(
            f"Resource {resource.get('name')!r} ({named}) is not supported by the local workspace."
        )
    if kind == "uc_securable" and resource[kind].get("securable_type") not in SECURABLE_KINDS:
        raise NotImplementedHere(
            f"Securables of type {resource[kind].get('securable_type')} cannot be attached here."
        )
    return kind


def by_key(resources: list[Resource], key: str) -> Resource:
    """The resource of that key.

    Raises:
        InvalidParameterValue: none has it.
    """
    found = next((it for it in resources if it["name"] == key), None)
    if found is None:
        raise InvalidParameterValue(
            f"valueFrom: {key} names no resource of the app; there are: {', '.join(it['name'] for it in resources) or 'none'}."
        )
    return found
