"""What a branch holds: roles that log in with their principals' tokens, databases that belong to roles, and the tokens."""

from typing import Any

from local_workspace.api.postgres.rows import Resource
from local_workspace.api.postgres.rules import Lakebase, check_id, role_id_of, role_status
from local_workspace.engines import postgres_roles
from local_workspace.engines.postgres_roles import Password, RoleAttributes, RoleOwnsObjects
from local_workspace.errors import BadRequest, InvalidParameterValue, NotImplementedHere, PermissionDenied
from local_workspace.identity import Principal

ADMINS_OWN_ROLE = RoleAttributes(superuser_member=True, createdb=True, createrole=True)


class Branch:
    """Roles, databases and credentials of the branches of all projects."""

    def __init__(self, lakebase: Lakebase) -> None:
        self._lakebase = lakebase

    def create_role(
        self, caller: Principal, branch: str, role_id: str, spec: dict[str, Any], *, replace: bool
    ) -> Resource:
        """A role that logs in with its principal's tokens.

        Raises:
            BadRequest: the branch has a role of this name already.
        """
        check_id(role_id)
        postgres_role = spec.get("postgres_role")
        if not postgres_role:
            raise InvalidParameterValue("spec.postgres_role is required: a user's e-mail or a client id.")
        if spec.get("auth_method", "LAKEBASE_OAUTH_V1") != "LAKEBASE_OAUTH_V1":
            raise NotImplementedHere(
                "The local workspace supports roles with auth_method LAKEBASE_OAUTH_V1 only."
            )
        self._lakebase.managed(caller, branch)
        if not replace and self.role_of(branch, postgres_role) is not None:
            raise BadRequest(f"A role with that name already exists: {postgres_role}.")
        return self._put_role(f"{branch}/roles/{role_id}", postgres_role, _attributes(spec))

    def delete_role(self, caller: Principal, name: str, reassign_owned_to: str | None) -> None:
        """Drop a role; what it owns goes to another one, if one is named."""
        role = self._lakebase.managed(caller, name)
        heir = self._lakebase.find(reassign_owned_to).status["postgres_role"] if reassign_owned_to else None
        self._drop_role(role, heir)

    def create_database(
        self, caller: Principal, branch: str, database_id: str, spec: dict[str, Any], *, replace: bool
    ) -> Resource:
        """A database owned by a role of the branch.

        Raises:
            BadRequest: the branch has a database of this name already.
        """
        check_id(database_id)
        if not spec.get("role"):
            raise InvalidParameterValue(f"spec.role is required: a full path such as {branch}/roles/ROLE_ID.")
        self._lakebase.managed(caller, branch)
        role = self._lakebase.find(spec["role"])
        owner = role.status["postgres_role"]
        postgres_database = spec.get("postgres_database") or database_id.replace("-", "_")
        with self._lakebase.exclusive(role.project_id) as cluster, cluster.admin() as connection:
            if not postgres_roles.create_database(connection, postgres_database, owner):
                if not replace:
                    raise BadRequest(f"A database with that name already exists: {postgres_database}.")
                postgres_roles.set_owner(connection, postgres_database, owner)
            status = {"database_id": database_id, "postgres_database": postgres_database, "role": role.name}
            return self._lakebase.put(f"{branch}/databases/{database_id}", role.owner, status)

    def delete_database(self, caller: Principal, name: str) -> None:
        """Drop a database with all that is in it."""
        database = self._lakebase.managed(caller, name)
        with self._lakebase.exclusive(database.project_id) as cluster, cluster.admin() as connection:
            postgres_roles.drop_database(connection, database.status["postgres_database"])
            self._lakebase.rows.remove(name)

    def credential(self, caller: Principal, endpoint: str) -> Password:
        """A password for the caller's role in the endpoint's branch; an admin who has none gets one.

        Raises:
            PermissionDenied: the caller has no role there.
        """
        branch = self._lakebase.get(caller, endpoint).parent
        role = self.role_of(branch, caller.name)
        if role is None and caller.admin:
            role = self._put_role(f"{branch}/roles/{role_id_of(caller)}", caller.name, ADMINS_OWN_ROLE)
        if role is None:
            raise PermissionDenied(
                f"{caller.name} has no role in {branch}: create one, or attach its database to the app."
            )
        with self._lakebase.exclusive(role.project_id) as cluster:
            return postgres_roles.password(
                cluster, caller.name, self._lakebase.clock.now(), self._lakebase.token_life
            )

    def admit(self, principal: Principal, branch: str, postgres_database: str) -> None:
        """What attaching a database to an app does: a role that may connect and create schemas, nothing else."""
        role = self.role_of(branch, principal.name)
        if role is None:
            role = self._put_role(f"{branch}/roles/{role_id_of(principal)}", principal.name, RoleAttributes())
        with self._lakebase.exclusive(role.project_id) as cluster, cluster.admin() as connection:
            postgres_roles.allow_connect_and_create(connection, postgres_database, principal.name)

    def expel(self, principal: Principal, branch: str) -> None:
        """Undo `admit` when the app goes: its role is dropped, what it owns falls to the project's owner."""
        role = self.role_of(branch, principal.name)
        if role is not None:
            self._drop_role(role, role.owner)

    def owner_role(self, branch: str) -> Resource:
        """The role of the project's creator.

        Raises:
            BadRequest: that role was deleted.
        """
        role = self.role_of(branch, self._lakebase.find(branch).owner)
        if role is None:
            raise BadRequest(
                f"The project's creator has no role in {branch}; create the database with another role."
            )
        return role

    def role_of(self, branch: str, postgres_role: str) -> Resource | None:
        """The role of that name in Postgres."""
        roles = self._lakebase.rows.children(branch, "roles")
        return next((role for role in roles if role.status["postgres_role"] == postgres_role), None)

    def _put_role(self, name: str, postgres_role: str, attributes: RoleAttributes) -> Resource:
        owner = self._lakebase.find("/".join(name.split("/")[:2])).owner
        with self._lakebase.exclusive(name.split("/")[1]) as cluster, cluster.admin() as connection:
            postgres_roles.ensure_role(connection, postgres_role, attributes)
            return self._lakebase.put(name, owner, role_status(postgres_role, name, attributes))

    def _drop_role(self, role: Resource, heir: str | None) -> None:
        with self._lakebase.exclusive(role.project_id) as cluster:
            try:
                postgres_roles.drop_role(cluster, role.status["postgres_role"], reassign_owned_to=heir)
            except RoleOwnsObjects as error:
                raise BadRequest(f"{error} Name a role to take them: reassign_owned_to.") from error
            self._lakebase.rows.remove(role.name)


def _attributes(spec: dict[str, Any]) -> RoleAttributes:
    asked = spec.get("attributes") or {}
    return RoleAttributes(
        superuser_member="DATABRICKS_SUPERUSER" in (spec.get("membership_roles") or []),
        createdb=bool(asked.get("createdb")),
        createrole=bool(asked.get("createrole")),
        bypassrls=bool(asked.get("bypassrls")),
    )
