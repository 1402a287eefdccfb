from collections.abc import Iterable
from typing import Any

import pytest
from admin.declarations import Resource, Stage
from admin.engine import plan
from admin.functions import definitions
from admin.stages import Demo, all_stages
from admin.stages.medallion import quartz_every
from admin.stages.targets import TARGETS, target
from caspers.errors import Invalid
from caspers.settings import Parameters

DIGESTS = {"replayer": "r", "order_items": "o", "refund-manager": "m", "complaint-console": "c"}


def declared(**parameters: Any) -> list[Stage]:
    return all_stages(Demo(Parameters(**parameters), DIGESTS, definitions()))


def resources(every: Iterable[Stage]) -> dict[str, Resource]:
    return {resource.key: resource for stage in every for resource in stage.resources}


def test_all_declared_needs_exist_and_run_in_no_circle():
    graph = plan.provisioning_graph(list(resources(declared()).values()))
    assert graph["table brands"] >= {"orders canonical_data", "registry"}


def test_nothing_but_the_foundation_is_made_before_the_registry():
    foundation, *later = declared()
    assert all("registry" in resource.needs for stage in later for resource in stage.resources)
    assert "registry" in {resource.key for resource in foundation.resources}


def test_the_names_of_two_catalogs_never_meet():
    one, two = (
        {(each.kind, each.name) for each in resources(declared(catalog=catalog)).values()}
        for catalog in ("one", "two")
    )
    assert {kind for kind, _name in one & two} == {
        "warehouse",  # shared on purpose
        "lakebase_database",  # lives in a project of its own
        "control_schema",
        "postgres_index",
        "worker_orders",
        "model_endpoint",  # not ours
    }


def test_a_continuous_pipeline_has_no_trigger():
    assert "order_items trigger" not in resources(declared(pipeline_schedule_minutes=0))


def test_a_triggered_pipeline_starts_after_the_first_replay():
    every = resources(declared(pipeline_schedule_minutes=3))
    assert every["order_items trigger"].spec["quartz"] == "0 0/3 * * * ?"
    assert "orders replay" in every["order_items first update"].needs


@pytest.mark.parametrize(
    ("minutes", "expression"),
    [(0.5, "0/30 * * * * ?"), (1, "0 0/1 * * * ?"), (20, "0 0/20 * * * ?"), (120, "0 0 0/2 * * ?")],
)
def test_minutes_become_a_quartz_expression(minutes: float, expression: str):
    assert quartz_every(minutes) == expression


@pytest.mark.parametrize("minutes", [7, 0.7, 90, 10_000])
def test_a_rhythm_that_cron_cannot_keep_is_refused(minutes: float):
    with pytest.raises(Invalid, match="cannot be triggered every"):
        quartz_every(minutes)


def test_every_stage_of_every_target_exists():
    known = {stage.name for stage in declared()}
    assert {name for target in TARGETS.values() for name in target.stages} <= known


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_can_be_brought_up_by_itself(name: str):
    wanted = plan.with_ancestors(declared(), TARGETS[name].stages)
    graph = plan.provisioning_graph([resource for _, resource in plan.declared(wanted).values()])
    assert "order_items first update" in graph


def test_the_two_consoles_are_never_made_at_the_same_time():
    graph = plan.provisioning_graph(list(resources(declared()).values()))
    assert "refunds app" in graph["complaints app"]


def test_the_complaint_line_comes_without_the_refund_line():
    wanted = plan.with_ancestors(declared(), TARGETS["complaints"].stages)
    assert {"complaints app", "function get_location_timings"} <= resources(wanted).keys()
    assert "refunds app" not in resources(wanted)


def test_an_endpoint_of_ones_own_is_checked_and_attached_to_the_console():
    every = resources(declared(llm_model="words", complaint_agent_endpoint_name="triage"))
    assert every["complaint model endpoint"].name == "triage"
    attached = every["complaints app"].spec["resources"]
    endpoints = [each["serving_endpoint"]["name"] for each in attached if "serving_endpoint" in each]
    assert endpoints == ["triage", "words"]


def test_an_unknown_target_is_refused_with_the_known_ones():
    with pytest.raises(Invalid, match="no target 'half'"):
        target("half")
