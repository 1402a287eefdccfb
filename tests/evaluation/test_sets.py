"""The labelled sets of the repository, and what the rules make of them through the apps' own addresses."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from admin.evaluation.asking import ask
from admin.evaluation.labelled_set import Case, LabelledSet, read_set
from admin.evaluation.verdicts import Run, faults
from caspers.agents.model_endpoint import CallLimits, ModelEndpoint
from caspers.clock import SystemClock
from caspers.settings import Settings
from caspers.web.app import base_app
from complaint_console.api import evaluation as complaints
from complaint_console.complaint_mix import Category
from fastapi import APIRouter
from fastapi.testclient import TestClient
from refund_manager.api import evaluation as refunds

from tests.support.source import ROOT
from tests.support.workspace import LocalWorkspace

CLOCK = SystemClock()
RULES = "databricks-meta-llama-3-3-70b-instruct"
SETS = {"refund": refunds.router, "complaint": complaints.router}


def labelled(agent: str) -> LabelledSet:
    return read_set(ROOT / "evaluation" / f"{agent}.jsonl")


@contextmanager
def console(router: APIRouter) -> Generator[TestClient]:
    app = base_app("Casper's test", Settings(app_name="test"), clock=CLOCK)
    app.include_router(router)
    with TestClient(app) as client:
        yield client


def asked(workspace: LocalWorkspace, agent: str) -> list[tuple[Case, Run]]:
    """Every case of a set with what the agent makes of it, with the rules for a model."""
    model = ModelEndpoint(workspace.client, RULES, CLOCK, CallLimits(per_minute=60_000))
    with console(SETS[agent](model, CLOCK)) as client:

        def post(path: str, body: dict[str, Any]) -> Any:
            answer = client.post(f"/api{path}", json=body)
            assert answer.status_code == 200, answer.text
            return answer.json()

        return list(ask(labelled(agent).cases, post, in_flight=8))


@pytest.mark.parametrize("agent", SETS)
def test_a_set_holds_many_cases_and_some_of_every_branch(agent: str):
    branches = Counter(case.branch for case in labelled(agent).cases)
    assert branches.total() >= 60
    assert min(branches.values()) >= 2


@pytest.mark.parametrize("agent", SETS)
def test_the_rules_are_right_about_every_case(workspace: LocalWorkspace, agent: str):
    runs = asked(workspace, agent)
    assert {case.name: wrong for case, run in runs if (wrong := faults(case, run))} == {}
    assert {run.model for _, run in runs} == {"rules-1"}


def test_complaints_of_every_category_and_priority_are_expected_somewhere():
    cases = labelled("complaint").cases
    assert {str(case.fields.get("complaint_category")) for case in cases} >= set(Category)
    assert {str(case.fields["priority"]) for case in cases} == {"None", "standard", "urgent"}


def test_every_class_of_refund_is_expected_somewhere():
    expected = {str(case.fields.get("refund_class")) for case in labelled("refund").cases}
    assert expected >= {"none", "partial", "full"}
