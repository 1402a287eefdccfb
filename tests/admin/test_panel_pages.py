"""The panel's pages without a browser: each renders, announces its twin, and shows the twin's figures."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.admin.panel import Panel, panel
from tests.support.admin import give_orders, person, report
from tests.support.postgres import Cluster
from tests.support.workspace import LocalWorkspace

ADA = person("ada")
PAGES = (
    "/",
    "/?stages=Canonical_Data",
    "/?target=all",
    "/start?target=default",
    "/start?action=stop&stages=Canonical_Data",
    "/start?action=teardown",
    "/runs",
    "/runs?state=failed&action=provision",
    "/workers",
    "/replay",
    "/resources",
    "/resources?check=true",
    "/verify",
    "/verify?gone=true",
    "/tables",
    "/activity",
    "/roles",
)


@pytest.fixture(scope="module")
def filled(
    tmp_path_factory: pytest.TempPathFactory, workspace: LocalWorkspace, cluster: Cluster
) -> Iterator[Panel]:
    """A panel over a target that was run, a run that failed, and a worker."""
    with panel(tmp_path_factory.mktemp("panel"), workspace, cluster) as shown:
        _fill(shown)
        yield shown


def _fill(shown: Panel) -> None:
    control = shown.admin.control
    assert control is not None
    shown.admin.run("free", parameters={"start_day": 5})
    shown.admin.kind.fails.add("Refund_Recommender_Stream b")
    shown.admin.run("default")
    shown.admin.kind.fails.clear()
    give_orders(control, "replay", speed=60)
    report(control, "replay", "running", events_written=4_321)


def _get(shown: Panel, path: str, **headers: str) -> httpx.Response:
    return shown.served.client.get(path, headers={**ADA, **headers}, timeout=30)


def _twin(page: str) -> str:
    found = re.search(r'<link rel="alternate" type="application/json" href="([^"]*)">', page)
    assert found, "the page announces no twin"
    return unescape(found[1])


def _figures(shown: Panel, path: str) -> tuple[str, Any]:
    page = _get(shown, path)
    assert page.status_code == 200, page.text
    twin = _get(shown, _twin(page.text))
    assert twin.status_code == 200, twin.text
    return unescape(page.text), twin.json()


@pytest.mark.parametrize("path", sorted({*PAGES} - {"/replay"}))
def test_every_page_renders_and_its_twin_answers(filled: Panel, path: str):
    page, _ = _figures(filled, path)
    assert "</html>" in page


def test_without_a_replayer_page_and_twin_say_the_same(filled: Panel):
    page = _get(filled, "/replay")
    problem = _get(filled, _twin(page.text))
    assert (page.status_code, problem.status_code) == (200, 404)
    assert problem.json()["detail"] in page.text


@pytest.mark.parametrize("path", PAGES)
def test_a_script_gets_the_living_part_alone(filled: Panel, path: str):
    part = _get(filled, path, **{"HX-Target": "live"})
    assert part.status_code == 200
    assert "<html" not in part.text
    assert "data-follow" in part.text


def test_the_graph_shows_what_the_stages_say(filled: Panel):
    page, stages = _figures(filled, "/")
    for stage in stages:
        node = page[page.index(f'data-name="{stage["name"]}"') :].partition("</a>")[0]
        assert stage["title"] in node
        assert f"{stage['registered']} of {stage['declared']}" in node


def test_the_runs_show_what_their_twin_says(filled: Panel):
    page, runs = _figures(filled, "/runs")
    assert len(runs["entries"]) == 2
    for run in runs["entries"]:
        row = page[page.index(f'data-id="run-{run["run_id"]}"') :].partition("</tr>")[0]
        assert run["state"] in row
        for state in run["stage_states"].values():
            assert f"cell-mark {state}" in row


def test_a_run_shows_its_error_and_what_to_do(filled: Panel):
    failed = filled.admin.desk.overview.stages()
    run_id = next(
        stage.last_run.run_id for stage in failed if stage.last_run and stage.last_run.state == "failed"
    )
    page, run = _figures(filled, f"/runs/{run_id}")
    assert "no room for Refund_Recommender_Stream b" in page
    for step in run["steps"]:
        assert step["stage"].replace("_", " ") in page


def test_resources_and_workers_show_what_their_twins_say(filled: Panel):
    page, resources = _figures(filled, "/resources")
    assert all(f'data-id="resource-{each["key"]}"' in page for each in resources)
    page, workers = _figures(filled, "/workers")
    assert [worker["name"] for worker in workers] == ["replay"]
    assert "4,321" in page


def test_activity_and_verification_show_what_their_twins_say(filled: Panel):
    page, activity = _figures(filled, "/activity")
    assert activity["entries"]
    assert all(f'data-id="entry-{each["seq"]}"' in page for each in activity["entries"])
    page, found = _figures(filled, "/verify")
    assert all(finding["what"] in page for finding in found["findings"])


def test_two_runs_are_compared_side_by_side(filled: Panel):
    runs = _get(filled, "/api/v1/runs").json()["entries"]
    page, compared = _figures(filled, f"/runs/compare?one={runs[1]['run_id']}&other={runs[0]['run_id']}")
    assert "start_day" in [each["what"] for each in compared["parameters"]]
    assert all(each["what"].replace("_", " ") in page for each in compared["stages"])


def test_what_is_typed_into_an_address_is_only_shown(filled: Panel):
    evil = "<script>alert(1)</script>"
    for path in ("/runs?by=", "/activity?who=", "/resources?text=", "/start?stages=", "/?stages="):
        shown = _get(filled, f"{path}{evil}")
        assert shown.status_code < 500
        assert evil not in shown.text


def test_an_empty_demo_says_what_to_do_first(tmp_path: Path, workspace: LocalWorkspace, cluster: Cluster):
    with panel(tmp_path, workspace, cluster) as shown:
        assert "Nothing of the demo is there" in _get(shown, "/").text
        for path in ("/runs", "/resources", "/workers"):
            assert "/start?target=default" in _get(shown, path).text


def test_nobody_sees_the_panel_without_an_identity(filled: Panel):
    assert filled.served.client.get("/").status_code == 403
