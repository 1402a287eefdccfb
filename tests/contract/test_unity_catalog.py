"""Unity Catalog through the SDK: catalogs, schemas, volumes, tables, grants, the metastore."""

from pathlib import Path

import pytest
from databricks.sdk import errors
from databricks.sdk.errors import (
    BadRequest,
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    ResourceAlreadyExists,
)
from databricks.sdk.service.catalog import (
    CatalogInfo,
    ColumnInfo,
    ColumnTypeName,
    DataSourceFormat,
    PermissionsChange,
    Privilege,
    SecurableType,
    TableType,
    VolumeType,
)
from databricks.sdk.service.sql import StatementState
from deltalake import DeltaTable, Schema
from deltalake.schema import Field, PrimitiveType

from tests.support.workspace import LocalWorkspace


def test_a_new_catalog_has_a_default_schema(workspace: LocalWorkspace, catalog: str):
    assert workspace.client.catalogs.get(catalog).owner == workspace.client.current_user.me().user_name
    assert [schema.name for schema in workspace.client.schemas.list(catalog)] == ["default"]


def test_names_are_kept_in_lower_case(workspace: LocalWorkspace, catalog: str):
    made = workspace.client.schemas.create("Sales", catalog.upper())
    assert made.full_name == f"{catalog}.sales"
    assert workspace.client.schemas.get(f"{catalog}.SALES").full_name == made.full_name


@pytest.mark.parametrize("name", ["", "a.b", "a b", "a/b", "..", "a\0b", "x" * 256])
def test_a_name_that_is_not_valid_is_refused(workspace: LocalWorkspace, catalog: str, name: str):
    with pytest.raises(InvalidParameterValue):
        workspace.client.schemas.create(name, catalog)


def test_creating_the_same_thing_twice_is_refused(workspace: LocalWorkspace, catalog: str):
    client = workspace.client
    client.volumes.create(catalog, "default", "files", VolumeType.MANAGED)
    with pytest.raises(ResourceAlreadyExists):
        client.catalogs.create(catalog)
    with pytest.raises(ResourceAlreadyExists):
        client.schemas.create("default", catalog)
    with pytest.raises(ResourceAlreadyExists):
        client.volumes.create(catalog, "default", "files", VolumeType.MANAGED)


def test_what_does_not_exist_is_not_found(workspace: LocalWorkspace, catalog: str):
    client = workspace.client
    for read in (
        lambda: client.catalogs.get("nowhere"),
        lambda: client.schemas.get(f"{catalog}.nowhere"),
        lambda: client.volumes.read(f"{catalog}.default.nowhere"),
        lambda: client.tables.get(f"{catalog}.default.nowhere"),
        lambda: client.functions.get(f"{catalog}.default.nowhere"),
        lambda: client.volumes.create(catalog, "nowhere", "files", VolumeType.MANAGED),
    ):
        with pytest.raises(NotFound):
            read()


def test_what_is_not_empty_is_deleted_with_force_only(workspace: LocalWorkspace):
    client = workspace.client
    client.catalogs.create("kept_full")
    client.volumes.create("kept_full", "default", "files", VolumeType.MANAGED)
    with pytest.raises(BadRequest):
        client.schemas.delete("kept_full.default")
    with pytest.raises(BadRequest):
        client.catalogs.delete("kept_full")
    client.catalogs.delete("kept_full", force=True)
    with pytest.raises(NotFound):
        client.volumes.read("kept_full.default.files")


def test_dropping_a_volume_removes_its_files(workspace: LocalWorkspace, catalog: str):
    client = workspace.client
    volume = client.volumes.create(catalog, "default", "files", VolumeType.MANAGED)
    directory = Path(str(volume.storage_location).removeprefix("file://"))
    (directory / "one.json").write_text("{}")
    client.volumes.delete(f"{catalog}.default.files")
    assert not directory.exists()
    client.volumes.create(catalog, "default", "files", VolumeType.MANAGED)
    assert list(directory.iterdir()) == []


def test_comments_properties_and_owners_can_be_changed(workspace: LocalWorkspace, catalog: str):
    client, principal = workspace.client, workspace.service_principal()
    client.catalogs.update(catalog, comment="kitchens", properties={"team": "ghosts"})
    client.schemas.update(f"{catalog}.default", owner=principal.client_id)
    changed: CatalogInfo = client.catalogs.get(catalog)
    assert (changed.comment, changed.properties) == ("kitchens", {"team": "ghosts"})
    assert client.schemas.get(f"{catalog}.default").owner == principal.client_id
    with pytest.raises(NotFound):
        client.catalogs.update(catalog, owner="nobody@localhost.test")


def test_lists_come_in_pages(workspace: LocalWorkspace, catalog: str):
    client = workspace.client
    for number in range(5):
        client.schemas.create(f"s{number}", catalog)
    names = [schema.name for schema in client.schemas.list(catalog, max_results=2)]
    assert names == ["default", "s0", "s1", "s2", "s3", "s4"]


def test_a_service_principal_needs_a_grant_to_create_catalogs(workspace: LocalWorkspace):
    client, principal = workspace.client, workspace.service_principal()
    with pytest.raises(PermissionDenied, match="CREATE CATALOG"):
        principal.client.catalogs.create("of_principal")
    metastore = client.metastores.summary()
    _grant(
        workspace, ("metastore", str(metastore.metastore_id)), principal.client_id, Privilege.CREATE_CATALOG
    )
    made = principal.client.catalogs.create("of_principal")
    assert made.owner == principal.client_id
    principal.client.volumes.create("of_principal", "default", "files", VolumeType.MANAGED)
    principal.client.catalogs.delete("of_principal", force=True)


def test_privileges_are_inherited_from_catalog_and_schema(workspace: LocalWorkspace, catalog: str):
    principal = workspace.service_principal()
    assert catalog not in {item.name for item in principal.client.catalogs.list()}
    with pytest.raises(PermissionDenied, match="USE CATALOG"):
        principal.client.volumes.create(catalog, "default", "files", VolumeType.MANAGED)
    _grant(workspace, ("catalog", catalog), principal.client_id, Privilege.USE_CATALOG, Privilege.USE_SCHEMA)
    with pytest.raises(PermissionDenied, match="CREATE VOLUME"):
        principal.client.volumes.create(catalog, "default", "files", VolumeType.MANAGED)
    _grant(workspace, ("schema", f"{catalog}.default"), principal.client_id, Privilege.CREATE_VOLUME)
    principal.client.volumes.create(catalog, "default", "files", VolumeType.MANAGED)
    assert catalog in {item.name for item in principal.client.catalogs.list()}


def test_grants_are_listed_and_taken_back(workspace: LocalWorkspace, catalog: str):
    client, principal = workspace.client, workspace.service_principal()
    _grant(workspace, ("catalog", catalog), principal.client_id, Privilege.USE_CATALOG, Privilege.SELECT)
    effective = client.grants.get_effective("schema", f"{catalog}.default").privilege_assignments or []
    inherited = {item.privilege: item.inherited_from_name for item in effective[0].privileges or []}
    assert inherited == {Privilege.USE_CATALOG: catalog, Privilege.SELECT: catalog}
    assert (effective[0].privileges or [])[0].inherited_from_type == SecurableType.CATALOG
    change = PermissionsChange(
        principal=principal.client_id, remove=[Privilege.USE_CATALOG, Privilege.SELECT]
    )
    assert not client.grants.update("catalog", catalog, changes=[change]).privilege_assignments


def test_only_owners_and_managers_grant(workspace: LocalWorkspace, catalog: str):
    principal = workspace.service_principal()
    change = PermissionsChange(principal=principal.client_id, add=[Privilege.SELECT])
    with pytest.raises(PermissionDenied):
        principal.client.grants.update("catalog", catalog, changes=[change])
    _grant(workspace, ("catalog", catalog), principal.client_id, Privilege.MANAGE)
    principal.client.grants.update("catalog", catalog, changes=[change])


def test_grants_to_unknown_principals_or_of_strange_privileges_are_refused(
    workspace: LocalWorkspace, catalog: str
):
    with pytest.raises(NotFound):
        _grant(workspace, ("catalog", catalog), "nobody@localhost.test", Privilege.SELECT)
    me = str(workspace.client.current_user.me().user_name)
    with pytest.raises(InvalidParameterValue, match="CREATE CATALOG"):
        _grant(workspace, ("catalog", catalog), me, Privilege.CREATE_CATALOG)
    both = PermissionsChange(principal=me, add=[Privilege.SELECT], remove=[Privilege.SELECT])
    with pytest.raises(InvalidParameterValue):
        workspace.client.grants.update("catalog", catalog, changes=[both])


def test_an_external_delta_table_is_entered_with_its_columns(workspace: LocalWorkspace, catalog: str):
    client = workspace.client
    location = _delta_table(workspace, catalog)
    column = ColumnInfo(name="price", type_text="decimal(10,2)", position=0)
    made = client.tables.create(
        "prices",
        catalog,
        "default",
        TableType.EXTERNAL,
        DataSourceFormat.DELTA,
        location.as_uri(),
        columns=[column],
    )
    assert client.tables.exists(str(made.full_name)).table_exists
    read = (client.tables.get(str(made.full_name)).columns or [])[0]
    assert (read.type_name, read.type_precision, read.type_scale) == (ColumnTypeName.DECIMAL, 10, 2)
    assert [item.full_name for item in client.tables.list_summaries(catalog)] == [made.full_name]
    client.tables.delete(str(made.full_name))
    assert not client.tables.exists(str(made.full_name)).table_exists
    assert DeltaTable.is_deltatable(str(location))


def test_an_external_table_outside_the_workspace_is_refused(workspace: LocalWorkspace, catalog: str):
    with pytest.raises(BadRequest):
        workspace.client.tables.create(
            "prices", catalog, "default", TableType.EXTERNAL, DataSourceFormat.DELTA, "file:///etc"
        )


def test_what_sql_made_is_described_with_its_types(workspace: LocalWorkspace, catalog: str):
    _sql(
        workspace, f"CREATE TABLE {catalog}.default.t (id BIGINT NOT NULL COMMENT 'key', tags ARRAY<STRING>)"
    )
    _sql(workspace, f"CREATE FUNCTION {catalog}.default.next(x INT DEFAULT 1) RETURNS INT RETURN x + 1")
    table = workspace.client.tables.get(f"{catalog}.default.t")
    key, tags = table.columns or []
    assert (key.type_name, key.nullable, key.comment) == (ColumnTypeName.LONG, False, "key")
    assert (tags.type_name, tags.type_text) == (ColumnTypeName.ARRAY, "array<string>")
    function = workspace.client.functions.get(f"{catalog}.default.next")
    assert (function.data_type, function.full_data_type) == (ColumnTypeName.INT, "int")
    assert function.input_params
    assert (function.input_params.parameters or [])[0].parameter_default == "1"
    workspace.client.functions.delete(f"{catalog}.default.next")
    with pytest.raises(NotFound):
        workspace.client.functions.get(f"{catalog}.default.next")


def test_what_is_not_supported_is_refused_and_not_ignored(workspace: LocalWorkspace, catalog: str):
    with pytest.raises(errors.NotImplemented):
        workspace.client.catalogs.create("elsewhere", storage_root="s3://bucket")
    with pytest.raises(errors.NotImplemented):
        workspace.client.catalogs.update(catalog, new_name="renamed")
    with pytest.raises(errors.NotImplemented):
        workspace.client.temporary_table_credentials.generate_temporary_table_credentials()


def test_the_current_metastore_is_known(workspace: LocalWorkspace):
    client = workspace.client
    assert client.metastores.current().metastore_id == client.metastores.summary().metastore_id


def test_a_killed_workspace_keeps_its_catalogs_and_grants(tmp_path: Path):
    crashing = LocalWorkspace(tmp_path / "home").start()
    principal = crashing.service_principal()
    crashing.client.catalogs.create("lasting")
    _grant(crashing, ("catalog", "lasting"), principal.client_id, Privilege.USE_CATALOG)
    crashing.kill()
    try:
        client = crashing.start().client
        assert client.catalogs.get("lasting").name == "lasting"
        kept = client.grants.get("catalog", "lasting").privilege_assignments or []
        assert [item.principal for item in kept] == [principal.client_id]
    finally:
        crashing.stop()


def _grant(
    workspace: LocalWorkspace, securable: tuple[str, str], principal: str, *privileges: Privilege
) -> None:
    change = PermissionsChange(principal=principal, add=list(privileges))
    workspace.client.grants.update(*securable, changes=[change])


def _sql(workspace: LocalWorkspace, statement: str) -> None:
    client = workspace.client
    warehouse = next(iter(client.warehouses.list()))
    done = client.statement_execution.execute_statement(statement, str(warehouse.id), wait_timeout="30s")
    assert done.status
    assert done.status.state == StatementState.SUCCEEDED, done.status.error


def _delta_table(workspace: LocalWorkspace, catalog: str) -> Path:
    location = workspace.home / "catalogs" / catalog / "default" / "prices"
    price = Field("price", PrimitiveType("decimal(10,2)"))
    DeltaTable.create(str(location), Schema([price]))
    return location
