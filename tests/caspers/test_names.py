"""Names follow from the catalog, are checked before use and quoted before they meet SQL."""

import re

import pytest
from caspers.errors import Invalid
from caspers.names import CATALOG_MAX_LENGTH, Names, endpoint_path, identifier, quoted
from hypothesis import given
from hypothesis import strategies as st

CATALOGS = st.from_regex(r"[a-z]([a-z0-9_]{0,17}[a-z0-9])?", fullmatch=True)
#: What Lakebase demands of a project's id, and Databricks of an app's name.
PROJECT_ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
APP_NAME = re.compile(r"[a-z0-9-]{2,30}")


def apps_and_projects(names: Names) -> tuple[list[str], list[str]]:
    apps = [names.admin_app, names.replayer_app, names.refund_app, names.complaint_app]
    return apps, [names.control_project, names.refund_project, names.complaint_project]


@given(CATALOGS)
def test_every_catalog_gives_names_that_the_platform_takes(catalog: str):
    apps, projects = apps_and_projects(Names(catalog))
    assert all(APP_NAME.fullmatch(app) for app in apps)
    assert all(PROJECT_ID.fullmatch(project) for project in projects)


@given(CATALOGS, CATALOGS)
def test_two_catalogs_never_share_an_app_or_a_project(one: str, other: str):
    if one != other:
        ours, theirs = (apps_and_projects(Names(catalog)) for catalog in (one, other))
        assert not set(ours[0]) & set(theirs[0])
        assert not set(ours[1]) & set(theirs[1])


@pytest.mark.parametrize(
    "catalog", ["", "A", "1a", "a-b", "a.b", "a_", "a b", "é", "a" * (CATALOG_MAX_LENGTH + 1), "a\n"]
)
def test_a_catalog_that_cannot_carry_the_names_is_refused(catalog: str):
    with pytest.raises(Invalid):
        Names(catalog)


@pytest.mark.parametrize("name", ["a`b", "a;b", "a b", "", "1a", "a\u0000", "a'--", "a\n"])
def test_nothing_but_a_plain_identifier_is_ever_quoted(name: str):
    with pytest.raises(Invalid):
        quoted(name)
    with pytest.raises(Invalid):
        identifier(name)


def test_a_full_name_is_quoted_part_by_part():
    assert quoted(Names("mine").table("lakeflow.all_events")) == "`mine`.`lakeflow`.`all_events`"


def test_paths_stay_inside_the_catalog():
    names = Names("mine", simulator_schema="sim", events_volume="in")
    assert names.events_volume_path == "/Volumes/mine/sim/in"
    assert names.misc_path == "/Volumes/mine/sim/misc"
    assert names.workspace_folder == "/Workspace/Shared/caspers/mine"
    assert (
        endpoint_path(names.control_project) == "projects/minecontrol/branches/production/endpoints/primary"
    )
