from collections.abc import Iterable

import pytest
from admin.declarations import Entry, EntryState, Output, Resource, Spec, Stage
from admin.engine import plan
from admin.resources.kind import Found
from caspers.errors import Invalid

SPEC = {"size": 1}


def entry(key: str = "a", state: EntryState = "ready", spec: Spec = SPEC, needs: Iterable[str] = ()) -> Entry:
    return Entry(key, "kind", f"name-of-{key}", "Stage", tuple(needs), spec, id=f"id-of-{key}", state=state)


def stage(name: str, *needs: str) -> Stage:
    return Stage(name, name, needs, (Resource(f"resource of {name}", "kind", name),))


def test_what_does_not_exist_is_created():
    assert plan.decide(SPEC, None, None).verb == "create"


def test_what_went_missing_is_created_again_and_says_so():
    decision = plan.decide(SPEC, entry(), None)
    assert (decision.verb, decision.reason) == ("create", "it went missing")


def test_what_is_as_wanted_is_kept():
    assert plan.decide(SPEC, entry(), Found("id", settings={"size": 1})).verb == "keep"


def test_what_drifted_on_the_platform_is_updated():
    decision = plan.decide(SPEC, entry(), Found("id", settings={"size": 2}))
    assert (decision.verb, decision.reason) == ("update", "it differs from what is wanted: size")


def test_a_changed_specification_leads_to_an_update():
    decision = plan.decide({"size": 3}, entry(), Found("id"))
    assert (decision.verb, decision.reason) == ("update", "its specification changed: size")


@pytest.mark.parametrize("known", [None, entry(state="planned")])
def test_what_exists_but_was_not_recorded_is_adopted(known: Entry | None):
    assert "adopting" in plan.decide(SPEC, known, Found("id")).reason


def test_what_is_being_deleted_is_replaced():
    assert plan.decide(SPEC, entry(), Found("id", "going")).verb == "replace"


def test_what_failed_is_tried_again():
    decision = plan.decide(SPEC, entry(), Found("id", "failed", message="out of space"))
    assert (decision.verb, decision.reason) == ("update", "it failed: out of space")


def test_settings_the_platform_adds_are_no_drift():
    assert plan.decide(SPEC, entry(), Found("id", settings={"size": 1, "colour": "red"})).verb == "keep"


def test_ancestors_of_an_asked_stage_come_along_in_order():
    stages = [stage("A"), stage("B", "A"), stage("C", "B"), stage("D", "A")]
    assert [each.name for each in plan.with_ancestors(stages, ["C"])] == ["A", "B", "C"]


def test_an_unknown_stage_is_refused_with_the_known_ones():
    with pytest.raises(Invalid, match="the stages are A"):
        plan.with_ancestors([stage("A")], ["Z"])


def test_an_output_in_a_specification_is_a_need():
    resources = [
        Resource("a", "kind", "a"),
        Resource("b", "kind", "b", {"list": [{"id": Output("a", "id")}]}),
    ]
    assert plan.provisioning_graph(resources)["b"] == {"a"}


def test_a_need_that_nothing_declares_is_refused():
    with pytest.raises(Invalid, match="b needs a, which nothing declares"):
        plan.provisioning_graph([Resource("b", "kind", "b", needs=("a",))])


def test_resources_that_need_each_other_in_a_circle_are_refused():
    with pytest.raises(Invalid, match="circle"):
        plan.provisioning_graph(
            [Resource("a", "kind", "a", needs=("b",)), Resource("b", "kind", "b", needs=("a",))]
        )


def test_what_cannot_be_made_at_once_waits_only_where_both_are_made():
    first, second = Resource("a", "kind", "a"), Resource("b", "kind", "b", after=("a",))
    assert plan.provisioning_graph([second])["b"] == frozenset()
    assert plan.provisioning_graph([first, second])["b"] == {"a"}


def test_stages_may_share_what_they_declare_alike():
    shared = Resource("schema", "kind", "schema")
    stages = [Stage("One", "One", (), (shared,)), Stage("Two", "Two", (), (shared,))]
    assert plan.declared(stages) == {"schema": ("One", shared)}


def test_stages_that_mean_different_things_by_one_key_are_refused():
    stages = [Stage(name, name, (), (Resource("schema", "kind", name),)) for name in ("One", "Two")]
    with pytest.raises(Invalid, match="One and Two declare schema differently"):
        plan.declared(stages)


def test_outputs_are_filled_in_at_any_depth():
    spec = {"plain": 1, "deep": [{"id": Output("a", "id")}]}
    assert plan.resolve(spec, {"a": {"id": "7"}}) == {"plain": 1, "deep": [{"id": "7"}]}


def test_a_missing_output_names_the_resource_that_lacks_it():
    with pytest.raises(Invalid, match="a offers no 'id'"):
        plan.resolve({"id": Output("a", "id")}, {"a": {}})


def test_teardown_removes_dependents_before_what_they_need():
    entries = [entry("catalog"), entry("schema", needs=["catalog"]), entry("volume", needs=["schema"])]
    assert plan.in_order(plan.teardown_graph(entries)) == ["volume", "schema", "catalog"]


def test_teardown_ignores_needs_that_are_not_registered():
    assert plan.teardown_graph([entry("volume", needs=["schema"])]) == {"volume": frozenset()}


def test_only_undeclared_resources_of_the_same_stages_are_orphans():
    ours = Stage("Stage", "Stage", (), (Resource("kept", "kind", "kept"),))
    other = Entry("other", "kind", "other", "Another", (), {})
    assert [each.key for each in plan.orphans([entry("kept"), entry("left"), other], [ours])] == ["left"]


def test_what_was_here_before_us_is_left_as_it_is():
    assert plan.decide({"size": 3}, entry(), Found("id", shared=True, settings={"size": 1})).verb == "leave"


def test_what_is_stopped_is_started_by_the_next_run():
    decision = plan.decide(SPEC, entry(), Found("id", "stopped", settings=SPEC))
    assert (decision.verb, decision.reason) == ("update", "it is stopped")


@pytest.mark.parametrize(
    ("known", "found", "foreign"),
    [
        (entry(), Found("id-of-a", maker="them"), False),
        (entry(), Found("another id", maker="them"), True),
        (entry(state="planned"), Found("id-of-a", maker="them"), True),
        (None, Found("id", maker="them"), True),
        (None, Found("id", maker="us"), False),
        (None, Found("id"), False),
        (None, Found("id", maker="them", shared=True), False),
    ],
)
def test_ours_is_what_we_made_or_recorded_with_its_id(known: Entry | None, found: Found, *, foreign: bool):
    assert plan.is_foreign(known, found, "us") == foreign


def test_an_order_holds_through_what_is_left_out_of_it():
    graph = {"app": frozenset({"release"}), "release": frozenset({"orders"}), "orders": frozenset[str]()}
    assert plan.reduced(graph, {"app", "orders"}) == {"app": {"orders"}, "orders": frozenset()}
