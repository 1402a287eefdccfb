"""Unity Catalog as the other parts of the workspace use it: tables, functions, grants, files of what is dropped."""

from pathlib import Path

import pytest
from local_workspace.api.unity_catalog.rules import UnityCatalog
from local_workspace.api.unity_catalog.securables import (
    Column,
    FunctionSpec,
    Parameter,
    Table,
    TableSpec,
)
from local_workspace.clock import SystemClock
from local_workspace.engines.disk import Storage
from local_workspace.errors import InvalidParameterValue, NotFound, PermissionDenied, ResourceAlreadyExists
from local_workspace.identity import Identities, Principal
from local_workspace.state import State


@pytest.fixture
def identities(tmp_path: Path) -> Identities:
    return Identities(State(tmp_path / "state.sqlite"), SystemClock())


@pytest.fixture
def admin(identities: Identities) -> Principal:
    return identities.ensure_local_user()


@pytest.fixture
def unity_catalog(tmp_path: Path, identities: Identities, admin: Principal) -> UnityCatalog:
    """With a catalog `c` and a schema `c.s`."""
    storage = Storage(tmp_path / "catalogs")
    made = UnityCatalog(State(tmp_path / "state.sqlite"), identities, SystemClock(), storage)
    made.create_catalog(admin, "c")
    made.create_schema(admin, "c.s")
    return made


def test_a_managed_table_gets_a_directory_of_its_own(unity_catalog: UnityCatalog, admin: Principal):
    table = _managed(unity_catalog, admin, "c.s.T")
    assert table.full_name == "c.s.t"
    assert table.location
    assert table.table_id == table.location.name
    assert unity_catalog.managed_location("c.s.t") != table.location
    assert unity_catalog.find_table("C.S.t") == table


def test_dropping_a_managed_table_removes_its_data(unity_catalog: UnityCatalog, admin: Principal):
    table = _managed(unity_catalog, admin, "c.s.t")
    unity_catalog.drop_table(admin, "c.s.t")
    assert table.location
    assert not table.location.exists()
    with pytest.raises(NotFound):
        unity_catalog.drop_table(admin, "c.s.t")
    unity_catalog.drop_table(admin, "c.s.t", if_exists=True)


def test_dropping_an_external_table_keeps_its_data(
    unity_catalog: UnityCatalog, admin: Principal, tmp_path: Path
):
    location = tmp_path / "catalogs" / "elsewhere"
    location.mkdir()
    spec = TableSpec(full_name="c.s.t", table_type="EXTERNAL", location=location)
    unity_catalog.register_table(admin, spec)
    unity_catalog.drop_table(admin, "c.s.t")
    assert location.exists()


def test_replacing_a_table_keeps_grants_and_discards_old_data(
    unity_catalog: UnityCatalog, admin: Principal, identities: Identities
):
    principal, _secret = identities.create_service_principal("reader")
    old = _managed(unity_catalog, admin, "c.s.t")
    unity_catalog.grant(admin, "table", "c.s.t", principal.name, ["SELECT"])
    location = unity_catalog.managed_location("c.s.t")
    new = unity_catalog.replace_table(
        admin, TableSpec(full_name="c.s.t", table_type="MANAGED", location=location)
    )
    assert new.location == location
    assert old.location
    assert not old.location.exists()
    assert unity_catalog.grants("table", "c.s.t") == {principal.name: ["SELECT"]}


def test_renaming_a_table_keeps_grants_and_data(
    unity_catalog: UnityCatalog, admin: Principal, identities: Identities
):
    principal, _secret = identities.create_service_principal("reader")
    old = _managed(unity_catalog, admin, "c.s.t")
    unity_catalog.grant(admin, "table", "c.s.t", principal.name, ["SELECT"])
    unity_catalog.rename_table(admin, "c.s.t", "c.default.u")
    assert unity_catalog.find_table("c.s.t") is None
    assert unity_catalog.table("c.default.u").location == old.location
    assert unity_catalog.grants("table", "c.default.u") == {principal.name: ["SELECT"]}
    unity_catalog.create_catalog(admin, "other")
    with pytest.raises(InvalidParameterValue):
        unity_catalog.rename_table(admin, "c.default.u", "other.default.u")


def test_altering_a_table_changes_only_what_is_given(unity_catalog: UnityCatalog, admin: Principal):
    _managed(unity_catalog, admin, "c.s.t")
    unity_catalog.alter_table(admin, "c.s.t", comment="orders")
    altered = unity_catalog.alter_table(admin, "c.s.t", properties={"delta.enableChangeDataFeed": "true"})
    assert (altered.comment, altered.columns[0].name) == ("orders", "id")
    assert unity_catalog.table("c.s.t") == altered


def test_functions_keep_parameters_defaults_and_result_columns(unity_catalog: UnityCatalog, admin: Principal):
    spec = FunctionSpec(
        full_name="c.s.f",
        parameters=(Parameter(name="x", type_text="int", default="1"),),
        returns=(Parameter(name="y", type_text="string"),),
        body_sql="SELECT CAST(x AS STRING)",
    )
    made = unity_catalog.register_function(admin, spec)
    assert unity_catalog.function("c.s.F") == made
    assert made.returns_table
    with pytest.raises(ResourceAlreadyExists):
        unity_catalog.register_function(admin, spec)
    scalar = FunctionSpec(full_name="c.s.f", returns="int", body_sql="1")
    assert not unity_catalog.register_function(admin, scalar, replace=True).returns_table


def test_a_reader_needs_use_and_select(unity_catalog: UnityCatalog, admin: Principal, identities: Identities):
    reader, _secret = identities.create_service_principal("reader")
    _managed(unity_catalog, admin, "c.s.t")
    for privilege, on in [("USE_CATALOG", "c"), ("USE_SCHEMA", "c.s"), ("SELECT", "c.s.t")]:
        kind = ("catalog", "schema", "table")[on.count(".")]
        with pytest.raises(PermissionDenied, match=privilege.replace("_", " ")):
            unity_catalog.require(reader, "SELECT", "table", "c.s.t")
        unity_catalog.grant(admin, kind, on, reader.name, [privilege])
    unity_catalog.require(reader, "SELECT", "table", "C.S.T")
    with pytest.raises(PermissionDenied, match="MODIFY"):
        unity_catalog.require(reader, "MODIFY", "table", "c.s.t")
    unity_catalog.revoke(admin, "schema", "c.s", reader.name, ["USE SCHEMA"])
    with pytest.raises(PermissionDenied, match="USE SCHEMA"):
        unity_catalog.require(reader, "SELECT", "table", "c.s.t")


def test_who_creates_a_table_owns_it(unity_catalog: UnityCatalog, admin: Principal, identities: Identities):
    writer, _secret = identities.create_service_principal("writer")
    unity_catalog.grant(admin, "catalog", "c", writer.name, ["USE_CATALOG", "USE_SCHEMA", "CREATE_TABLE"])
    table = _managed(unity_catalog, writer, "c.s.t")
    assert table.owner == writer.name
    for privilege in ("SELECT", "MODIFY", "MANAGE"):
        unity_catalog.require(writer, privilege, "table", "c.s.t")
    with pytest.raises(PermissionDenied):
        unity_catalog.create_volume(writer, "c.s.v")


def test_grants_to_all_account_users_count_for_everyone(
    unity_catalog: UnityCatalog, admin: Principal, identities: Identities
):
    anyone, _secret = identities.create_service_principal("anyone")
    unity_catalog.grant(admin, "catalog", "c", "account users", ["USE_CATALOG"])
    unity_catalog.require(anyone, "USE_CATALOG", "catalog", "c")


def test_dropping_a_schema_takes_grants_and_neighbours_stay(
    unity_catalog: UnityCatalog, admin: Principal, identities: Identities
):
    reader, _secret = identities.create_service_principal("reader")
    unity_catalog.create_schema(admin, "c.s2")
    _managed(unity_catalog, admin, "c.s2.t")
    _managed(unity_catalog, admin, "c.s.t")
    unity_catalog.grant(admin, "table", "c.s.t", reader.name, ["SELECT"])
    unity_catalog.drop_schema(admin, "c.s", cascade=True)
    assert unity_catalog.find_table("c.s.t") is None
    assert unity_catalog.find_table("c.s2.t")
    unity_catalog.create_schema(admin, "c.s")
    _managed(unity_catalog, admin, "c.s.t")
    assert unity_catalog.grants("table", "c.s.t") == {}


def _managed(unity_catalog: UnityCatalog, caller: Principal, full_name: str) -> Table:
    location = unity_catalog.managed_location(full_name)
    location.mkdir(parents=True)
    columns = (Column(name="id", type_text="bigint", position=0),)
    return unity_catalog.register_table(
        caller, TableSpec(full_name=full_name, table_type="MANAGED", columns=columns, location=location)
    )
