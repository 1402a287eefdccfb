"""What one principal may do with one Unity Catalog securable."""

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.service.catalog import PermissionsChange, Privilege

from admin.resources.kind import Declared, Found


class Grants:
    """Specification: `on` (catalog, schema, volume, metastore…), `securable` (its full name or id),
    `principal` (a service principal's application id, a user, a group), `privileges`.

    Privileges are only ever added; those that others granted stay.
    """

    patience_s = 60.0
    parents = ()

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._grants = workspace.grants

    def read(self, wanted: Declared) -> Found | None:
        if not wanted.spec:
            return None
        spec = wanted.spec
        try:
            answer = self._grants.get(spec["on"], spec["securable"], principal=spec["principal"])
        except NotFound:
            return None
        held = {
            privilege.value
            for assignment in answer.privilege_assignments or []
            if assignment.principal == spec["principal"]
            for privilege in assignment.privileges or []
        }
        covered = [privilege for privilege in spec["privileges"] if privilege in held]
        return Found(_id(wanted), settings={"privileges": covered}) if covered else None

    def create(self, wanted: Declared) -> str:
        self._change(wanted, add=_privileges(wanted))
        return _id(wanted)

    def update(self, wanted: Declared) -> None:
        self._change(wanted, add=_privileges(wanted))

    def delete(self, wanted: Declared) -> None:
        self._change(wanted, remove=_privileges(wanted))

    def _change(
        self, wanted: Declared, add: list[Privilege] | None = None, remove: list[Privilege] | None = None
    ) -> None:
        change = PermissionsChange(principal=wanted.spec["principal"], add=add, remove=remove)
        self._grants.update(wanted.spec["on"], wanted.spec["securable"], changes=[change])


def _privileges(wanted: Declared) -> list[Privilege]:
    return [Privilege(privilege) for privilege in wanted.spec["privileges"]]


def _id(wanted: Declared) -> str:
    return f"{wanted.spec['on']} {wanted.spec['securable']} to {wanted.spec['principal']}"
