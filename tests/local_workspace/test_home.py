"""The workspace's home page: it works with nothing there, shows what is, and to this machine only."""

import secrets
from pathlib import Path

import httpx
import pytest
from databricks.sdk.service.apps import App
from databricks.sdk.service.postgres import Project

from tests.support.workspace import LocalWorkspace


def section(workspace: LocalWorkspace, name: str) -> dict[str, list[str]]:
    """The texts of each row of a section, by the row's first text."""
    sections = httpx.get(f"{workspace.url}/overview.json").json()["sections"]
    (found,) = [it for it in sections if it["id"] == name]
    return {row[0]["text"]: [cell["text"] for cell in row[1:]] for row in found["rows"]}


def test_page_of_an_empty_workspace_says_what_is_missing(tmp_path: Path):
    workspace = LocalWorkspace(tmp_path / "home").start()
    page = httpx.get(workspace.url).text
    workspace.stop()
    for sentence in (
        "No app has been created yet.",
        "No table has been created yet.",
        "Serverless Starter Warehouse",
    ):
        assert sentence in page


def test_new_app_and_project_appear_with_their_state(workspace: LocalWorkspace):
    name = f"app-{secrets.token_hex(4)}"
    workspace.client.apps.create(App(name=name), no_compute=True)
    project = workspace.client.postgres.create_project(
        Project(), project_id=f"p{secrets.token_hex(4)}"
    ).wait()
    assert section(workspace, "apps")[name][0] == "unavailable"
    assert section(workspace, "lakebase")[project.name.removeprefix("projects/")][0] == "active"
    workspace.client.apps.delete(name)
    workspace.client.postgres.delete_project(project.name, purge=True)


def test_table_appears_with_rows_and_version(workspace: LocalWorkspace, catalog: str):
    with workspace.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {catalog}.default.orders AS SELECT 1 AS id UNION ALL SELECT 2")
        first = section(workspace, "tables")[f"{catalog}.default.orders"]
        cursor.execute(f"INSERT INTO {catalog}.default.orders SELECT 3")
        second = section(workspace, "tables")[f"{catalog}.default.orders"]
    assert first[:2] == ["managed", "2"]
    assert second[1] == "3"
    assert int(second[2]) > int(first[2])


@pytest.mark.parametrize(
    ("databricks_page", "place"),
    [
        ("explore/data/cat/sch/tab", "tables/cat.sch.tab"),
        ("explore/data/volumes/cat/sch/vol", "tables"),
        ("explore/data/cat", "tables"),
        ("apps/cat-admin", "apps/cat-admin"),
        ("jobs/17", "pipelines"),
        ("sql/warehouses/abc", "warehouses/abc"),
    ],
)
def test_addresses_of_databricks_pages_lead_to_their_rows(
    workspace: LocalWorkspace, databricks_page: str, place: str
):
    answer = httpx.get(f"{workspace.url}/{databricks_page}")
    assert (answer.status_code, answer.headers["Location"]) == (307, f"/#{place}")


def test_a_table_has_the_row_that_its_address_leads_to(workspace: LocalWorkspace, catalog: str):
    with workspace.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {catalog}.default.orders AS SELECT 1 AS id")
    assert f'<tr id="tables/{catalog}.default.orders">' in httpx.get(workspace.url).text


def test_page_is_refused_under_a_foreign_host_name(workspace: LocalWorkspace):
    assert httpx.get(workspace.url, headers={"Host": "evil.example"}).status_code == 403
    assert httpx.get(f"{workspace.url}/overview.json", headers={"Host": "evil.example"}).status_code == 403


def test_page_loads_nothing_from_elsewhere(workspace: LocalWorkspace):
    page = httpx.get(workspace.url).text
    assert "https://" not in page
    assert 'src="' not in page


@pytest.mark.browser
def test_open_page_shows_a_new_app_without_reloading(workspace: LocalWorkspace):
    from tests.support.pages import browser_page

    name = f"app-{secrets.token_hex(4)}"
    with browser_page() as page:
        page.goto(workspace.url)
        page.evaluate("window.sameDocument = true")
        workspace.client.apps.create(App(name=name), no_compute=True)
        page.get_by_role("link", name=name, exact=True).wait_for()
        assert page.evaluate("window.sameDocument")
    workspace.client.apps.delete(name)
