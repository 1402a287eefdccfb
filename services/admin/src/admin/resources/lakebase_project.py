"""A Lakebase project: branch `production`, endpoint `primary` and the owner's role come with it."""

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.service.postgres import (
    EndpointStatusState,
    Project,
    ProjectDefaultEndpointSettings,
    ProjectSpec,
)

from admin.resources.kind import Declared, Found

BRANCH = "production"
POSTGRES_VERSION = 17
SMALLEST_CU = 0.5
LARGEST_CU = 2.0
USABLE = {EndpointStatusState.ACTIVE, EndpointStatusState.IDLE}


class LakebaseProject:
    """Named by its project id; no specification. Offers `branch`, `endpoint` and `owner` (our role's path)."""

    patience_s = 900.0
    parents = ()

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._workspace = workspace
        self._postgres = workspace.postgres
        self._user = ""

    def read(self, wanted: Declared) -> Found | None:
        project = f"projects/{wanted.name}"
        branch = f"{project}/branches/{BRANCH}"
        try:
            there = self._postgres.get_project(project)
            endpoint = next(iter(self._postgres.list_endpoints(branch)), None)
            owner = self._own_role(branch)
        except NotFound:
            return None
        maker = (there.status.owner if there.status else "") or ""
        uid = there.uid or project
        if endpoint is None or not endpoint.name or not owner:
            return Found(uid, "working", maker=maker, message="the project is being made")
        state = endpoint.status.current_state if endpoint.status else None
        outputs = {"branch": branch, "endpoint": endpoint.name, "owner": owner}
        if state not in USABLE:
            message = f"its endpoint is {state.value if state else 'starting'}"
            return Found(uid, "working", outputs, maker=maker, message=message)
        return Found(uid, outputs=outputs, maker=maker)

    def _own_role(self, branch: str) -> str:
        """The path of our own role, which may own databases; empty while there is none."""
        if not self._user:
            self._user = self._workspace.current_user.me().user_name or ""
        for role in self._postgres.list_roles(branch):
            if role.status is not None and role.status.postgres_role == self._user:
                return role.name or ""
        return ""

    def create(self, wanted: Declared) -> str:
        # Workers LISTEN on the control database, and a suspended endpoint forgets its listeners.
        endpoint = ProjectDefaultEndpointSettings(
            autoscaling_limit_min_cu=SMALLEST_CU, autoscaling_limit_max_cu=LARGEST_CU, no_suspension=True
        )
        spec = ProjectSpec(
            display_name=wanted.name, pg_version=POSTGRES_VERSION, default_endpoint_settings=endpoint
        )
        self._postgres.create_project(Project(spec=spec), project_id=wanted.name)
        return f"projects/{wanted.name}"

    def update(self, wanted: Declared) -> None:
        """Sizes are the operator's choice once the project exists."""

    def delete(self, wanted: Declared) -> None:
        self._postgres.delete_project(f"projects/{wanted.name}", purge=True)
