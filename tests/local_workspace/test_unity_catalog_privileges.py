"""What follows from grants: inheritance, what is needed, what can be granted."""

import pytest
from local_workspace.api.unity_catalog.privileges import (
    ALL_PRIVILEGES,
    GRANTABLE,
    MANAGE,
    lineage,
    needed,
    normal,
    satisfied,
)


def test_a_table_is_held_by_its_schema_and_catalog():
    assert lineage("table", "c.s.t") == [("table", "c.s.t"), ("schema", "c.s"), ("catalog", "c")]
    assert lineage("schema", "c.s") == [("schema", "c.s"), ("catalog", "c")]
    assert lineage("catalog", "c") == [("catalog", "c")]
    assert lineage("metastore", "id") == [("metastore", "id")]


def test_using_a_table_needs_use_on_what_holds_it():
    assert needed("SELECT", "table", "c.s.t") == [
        ("USE_CATALOG", "catalog", "c"),
        ("USE_SCHEMA", "schema", "c.s"),
        ("SELECT", "table", "c.s.t"),
    ]


def test_creating_a_schema_needs_use_of_the_catalog_first():
    assert needed("CREATE_SCHEMA", "catalog", "c") == [("CREATE_SCHEMA", "catalog", "c")]
    assert needed("CREATE_TABLE", "schema", "c.s")[0] == ("USE_CATALOG", "catalog", "c")


def test_all_privileges_include_everything_but_manage():
    assert satisfied("SELECT", [ALL_PRIVILEGES])
    assert not satisfied(MANAGE, [ALL_PRIVILEGES])
    assert not satisfied("SELECT", ["MODIFY"])


@pytest.mark.parametrize("written", ["use catalog", "USE CATALOG", "use_catalog", " USE_CATALOG "])
def test_privileges_are_the_same_however_they_are_written(written: str):
    assert normal(written) == "USE_CATALOG"


def test_a_catalog_can_grant_what_its_tables_inherit_but_not_the_reverse():
    assert {"SELECT", "READ_VOLUME", "EXECUTE", "USE_SCHEMA"} <= GRANTABLE["catalog"]
    assert "USE_CATALOG" not in GRANTABLE["table"]
    assert "CREATE_CATALOG" not in GRANTABLE["catalog"]
