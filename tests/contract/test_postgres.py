"""Lakebase through `w.postgres` and psycopg: roles, tokens and privileges are Postgres' own."""

import secrets
from collections.abc import Iterator

import psycopg
import pytest
from databricks.sdk import WorkspaceClient, errors
from databricks.sdk.errors import (
    AlreadyExists,
    BadRequest,
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
)
from databricks.sdk.service.catalog import CatalogType
from databricks.sdk.service.iam import AccessControlRequest, PermissionLevel
from databricks.sdk.service.postgres import Branch as PostgresBranch
from databricks.sdk.service.postgres import (
    Catalog,
    CatalogCatalogSpec,
    Database,
    DatabaseDatabaseSpec,
    EndpointStatusState,
    Project,
    ProjectSpec,
    Role,
    RoleRoleSpec,
)
from google.protobuf.duration_pb2 import Duration

from tests.support.workspace import LocalWorkspace, ServicePrincipal


@pytest.fixture
def project(workspace: LocalWorkspace) -> Iterator[str]:
    """The name of a new Lakebase project of the local user, purged after the test."""
    name = make_project(workspace.client)
    yield name
    workspace.client.postgres.delete_project(name, purge=True).wait()


def make_project(client: WorkspaceClient) -> str:
    project_id = f"p{secrets.token_hex(4)}"
    spec = ProjectSpec(display_name="Kitchen", pg_version=17)
    created = client.postgres.create_project(Project(spec=spec), project_id=project_id).wait()
    assert created.name is not None
    return created.name


def log_in(
    client: WorkspaceClient, project: str, database: str = "databricks_postgres", token: str = ""
) -> psycopg.Connection:
    endpoint = f"{project}/branches/production/endpoints/primary"
    host, _, port = (client.postgres.get_endpoint(endpoint).status.hosts.host or "").partition(":")
    password = token or client.postgres.generate_database_credential(endpoint=endpoint).token
    user = client.current_user.me().user_name
    return psycopg.connect(
        host=host, port=port or 5432, user=user, password=password, dbname=database, autocommit=True
    )


def make_role(client: WorkspaceClient, project: str, principal: ServicePrincipal) -> Role:
    spec = RoleRoleSpec(postgres_role=principal.client_id)
    branch = f"{project}/branches/production"
    return client.postgres.create_role(branch, Role(spec=spec), role_id=f"sp-{principal.client_id}").wait()


def test_new_project_comes_with_branch_endpoint_database_and_role(
    workspace: LocalWorkspace, project: str
) -> None:
    postgres = workspace.client.postgres
    (branch,) = postgres.list_branches(project)
    (endpoint,) = postgres.list_endpoints(branch.name)
    (database,) = postgres.list_databases(branch.name)
    (role,) = postgres.list_roles(branch.name)

    assert branch.name == f"{project}/branches/production"
    assert branch.status.default
    assert endpoint.status.current_state == EndpointStatusState.ACTIVE
    assert database.status.postgres_database == "databricks_postgres"
    assert role.status.postgres_role == workspace.client.current_user.me().user_name


def test_owner_logs_in_with_a_token_as_password(workspace: LocalWorkspace, project: str) -> None:
    with log_in(workspace.client, project) as connection:
        connection.execute("CREATE SCHEMA kitchen")
        connection.execute("CREATE TABLE kitchen.orders (id int)")
        assert connection.execute("SELECT current_user").fetchone() == (
            workspace.client.current_user.me().user_name,
        )


def test_wrong_password_is_refused_by_postgres(workspace: LocalWorkspace, project: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        log_in(workspace.client, project, token="guessed")


def test_same_token_is_handed_out_until_it_nears_expiry(workspace: LocalWorkspace, project: str) -> None:
    endpoint = f"{project}/branches/production/endpoints/primary"
    first = workspace.client.postgres.generate_database_credential(
        endpoint=endpoint, ttl=Duration(seconds=300)
    )
    second = workspace.client.postgres.generate_database_credential(endpoint=endpoint)
    assert first.token == second.token
    assert first.expire_time == second.expire_time


def test_token_life_out_of_bounds_is_refused(workspace: LocalWorkspace, project: str) -> None:
    endpoint = f"{project}/branches/production/endpoints/primary"
    with pytest.raises(InvalidParameterValue, match="ttl"):
        workspace.client.postgres.generate_database_credential(endpoint=endpoint, ttl=Duration(seconds=10))


def test_service_principal_without_role_gets_no_access(workspace: LocalWorkspace, project: str) -> None:
    stranger = workspace.service_principal().client
    endpoint = f"{project}/branches/production/endpoints/primary"
    with pytest.raises(PermissionDenied):
        stranger.postgres.get_endpoint(endpoint)
    with pytest.raises(PermissionDenied):
        stranger.postgres.generate_database_credential(endpoint=endpoint)
    assert project not in [it.name for it in stranger.postgres.list_projects()]


def test_another_roles_table_is_refused_until_granted(workspace: LocalWorkspace, project: str) -> None:
    guest = workspace.service_principal()
    make_role(workspace.client, project, guest)
    with log_in(workspace.client, project) as owner, log_in(guest.client, project) as visitor:
        owner.execute("CREATE SCHEMA s")
        owner.execute("CREATE TABLE s.t AS SELECT 1 AS one")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            visitor.execute("SELECT * FROM s.t")
        owner.execute(f'GRANT USAGE ON SCHEMA s TO "{guest.client_id}"')
        owner.execute(f'GRANT SELECT ON s.t TO "{guest.client_id}"')
        assert visitor.execute("SELECT one FROM s.t").fetchone() == (1,)


def test_service_principal_owns_the_project_it_creates(workspace: LocalWorkspace) -> None:
    creator = workspace.service_principal().client
    project = make_project(creator)
    with log_in(creator, project) as connection:
        connection.execute("CREATE SCHEMA own")
    creator.postgres.delete_project(project, purge=True).wait()
    with pytest.raises(NotFound):
        creator.postgres.get_project(project)


def test_granted_principal_sees_the_project_but_does_not_manage_it(
    workspace: LocalWorkspace, project: str
) -> None:
    guest = workspace.service_principal()
    grant = AccessControlRequest(
        service_principal_name=guest.client_id, permission_level=PermissionLevel.CAN_USE
    )
    project_id = project.removeprefix("projects/")
    workspace.client.permissions.update("database-projects", project_id, access_control_list=[grant])
    assert guest.client.postgres.get_project(project).name == project
    with pytest.raises(PermissionDenied):
        guest.client.postgres.delete_project(project, purge=True)


def test_database_belongs_to_the_role_that_was_named(workspace: LocalWorkspace, project: str) -> None:
    owner = workspace.service_principal()
    role = make_role(workspace.client, project, owner)
    branch = f"{project}/branches/production"
    spec = DatabaseDatabaseSpec(role=role.name or "", postgres_database="control")
    made = workspace.client.postgres.create_database(
        branch, Database(spec=spec), database_id="control"
    ).wait()
    assert made.status.postgres_database == "control"
    with log_in(owner.client, project, "control") as connection:
        connection.execute("CREATE SCHEMA control")
    with pytest.raises(BadRequest, match="already exists"):
        workspace.client.postgres.create_database(branch, Database(spec=spec), database_id="control")


def test_database_without_an_owner_role_is_refused(workspace: LocalWorkspace, project: str) -> None:
    branch = f"{project}/branches/production"
    spec = DatabaseDatabaseSpec(role="", postgres_database="control")
    with pytest.raises(InvalidParameterValue, match=r"spec\.role"):
        workspace.client.postgres.create_database(branch, Database(spec=spec), database_id="control")


def test_second_project_or_role_of_a_name_is_refused(workspace: LocalWorkspace, project: str) -> None:
    with pytest.raises(AlreadyExists):
        workspace.client.postgres.create_project(Project(), project_id=project.removeprefix("projects/"))
    guest = workspace.service_principal()
    make_role(workspace.client, project, guest)
    with pytest.raises(BadRequest, match="already exists"):
        make_role(workspace.client, project, guest)


def test_role_is_dropped_once_somebody_takes_what_it_owns(workspace: LocalWorkspace, project: str) -> None:
    guest = workspace.service_principal()
    role = make_role(workspace.client, project, guest)
    with log_in(workspace.client, project) as owner, log_in(guest.client, project) as visitor:
        owner.execute(f'GRANT CREATE ON DATABASE databricks_postgres TO "{guest.client_id}"')
        visitor.execute("CREATE SCHEMA theirs")
    with pytest.raises(BadRequest, match="reassign_owned_to"):
        workspace.client.postgres.delete_role(role.name or "")
    heir = f"{project}/branches/production/roles/me"
    workspace.client.postgres.delete_role(role.name or "", reassign_owned_to=heir).wait()
    with pytest.raises(NotFound):
        workspace.client.postgres.get_role(role.name or "")


def test_deleted_project_comes_back_with_its_data(workspace: LocalWorkspace, project: str) -> None:
    postgres = workspace.client.postgres
    with log_in(workspace.client, project) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
    postgres.delete_project(project).wait()
    with pytest.raises(NotFound):
        postgres.get_project(project)
    assert project in [it.name for it in postgres.list_projects(show_deleted=True)]
    postgres.undelete_project(project).wait()
    with log_in(workspace.client, project) as connection:
        assert connection.execute("SELECT seven FROM kept").fetchone() == (7,)


def test_database_is_registered_as_a_catalog_and_made_when_missing(
    workspace: LocalWorkspace, project: str
) -> None:
    client = workspace.client
    name = f"lake_{secrets.token_hex(4)}"
    branch = f"{project}/branches/production"
    spec = CatalogCatalogSpec(branch=branch, postgres_database="orders", create_database_if_missing=True)
    made = client.postgres.create_catalog(Catalog(spec=spec), catalog_id=name).wait()
    assert made.status.project == project
    assert client.catalogs.get(name).catalog_type == CatalogType.MANAGED_ONLINE_CATALOG
    log_in(client, project, "orders").close()
    client.postgres.delete_catalog(f"catalogs/{name}").wait()
    with pytest.raises(NotFound):
        client.postgres.get_catalog(f"catalogs/{name}")


def test_what_is_not_there_answers_not_implemented(workspace: LocalWorkspace, project: str) -> None:
    with pytest.raises(errors.NotImplemented, match="one branch"):
        workspace.client.postgres.create_branch(project, PostgresBranch(), branch_id="dev")
