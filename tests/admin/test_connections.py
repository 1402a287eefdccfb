"""The admin's connections outlive what they lead to."""

import secrets

from admin.connections import Connections
from admin.resources.kind import Declared
from admin.resources.lakebase_project import LakebaseProject
from caspers.names import endpoint_path
from caspers.settings import Settings

from tests.support.waiting import wait_for
from tests.support.workspace import LocalWorkspace


def test_a_database_whose_project_was_made_anew_is_found_again(workspace: LocalWorkspace):
    name = f"test-{secrets.token_hex(4)}"
    projects = LakebaseProject(workspace.client)
    connections = Connections(workspace.client, Settings.model_validate({"PGSSLMODE": "prefer"}))
    database = connections.database(endpoint_path(name), "databricks_postgres")
    for _made in range(2):
        projects.create(Declared(name, {}))
        wait_for(lambda: _is_ready(projects, name), seconds=30, what="the project is there")
        with database.reading() as reader:
            assert reader.row("SELECT 1 AS one") is not None
        projects.delete(Declared(name, {}, id=f"projects/{name}"))
        wait_for(lambda: projects.read(Declared(name, {})) is None, seconds=30, what="the project is gone")
    connections.close()


def _is_ready(projects: LakebaseProject, name: str) -> bool:
    found = projects.read(Declared(name, {}))
    return found is not None and found.state == "ready"
