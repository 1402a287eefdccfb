"""What the panel reads from an address and says in words: parameters, plans, commands, durations."""

import json
import shlex
from collections.abc import Mapping
from typing import Any

import pytest
from admin.pages import looks, planned
from admin.pages.command_lines import started
from admin.pages.wishes import read_form, with_complaints
from admin.shapes import ParameterView, PlannedAction, RunPlan, Verb

DAYS = ParameterView("days", "integer", "days of the dataset", 90, 7)
MODEL = ParameterView("llm_model", "string", "the model", "llama", "llama")
SPEED = ParameterView("speed_multiplier", "number", "how fast", 60.0, 60.0)


def _plan(*verbs: Verb) -> RunPlan:
    actions = tuple(
        PlannedAction(f"k{number}", "One", "app", f"n{number}", verb, "", "the app restarts")
        for number, verb in enumerate(verbs)
    )
    return RunPlan("provision", ("One",), (), {}, actions, "", "d")


def test_a_parameter_left_as_it_was_is_not_sent():
    form = read_form([DAYS, SPEED], {"p.days": "7", "p.speed_multiplier": "60"}, {"days": 7})
    assert form.values == {}
    assert form.changed == []


def test_changed_parameters_are_sent_in_their_own_type():
    asked = {"p.days": "3", "p.llm_model": "mine", "p.speed_multiplier": "0.5"}
    form = read_form([DAYS, MODEL, SPEED], asked, {"days": 7})
    assert form.values == {"days": 3, "llm_model": "mine", "speed_multiplier": 0.5}


@pytest.mark.parametrize(("view", "text"), [(DAYS, "3.5"), (DAYS, "many"), (SPEED, "fast")])
def test_what_is_no_number_is_said_beside_its_field(view: ParameterView, text: str):
    form = read_form([view], {f"p.{view.name}": text}, {})
    assert not form.sound
    assert text in form.fields[0].wrong


def test_complaints_stand_beside_the_parameters_they_are_about():
    form = read_form([DAYS, SPEED], {"p.days": "0", "p.speed_multiplier": "-1"}, {})
    said = "days: 0 days make no dataset; use 1 to 3650; speed_multiplier: -1 is not positive"
    form, rest = with_complaints(form, said)
    assert [field.wrong for field in form.fields] == [
        "0 days make no dataset; use 1 to 3650",
        "-1 is not positive",
    ]
    assert rest == ""


def test_a_plan_without_changes_says_so():
    assert planned.sums(_plan("keep", "leave")) == []
    assert not planned.groups(_plan("keep"), {})[0].changes


def test_a_plan_counts_what_it_does_and_shows_changes_first():
    plan = _plan("keep", "create", "update")
    assert planned.sums(plan) == [("create", 1), ("update", 1), ("keep", 1)]
    assert [action.verb for action in planned.groups(plan, {})[0].actions] == ["create", "update", "keep"]


def test_only_what_changes_has_consequences():
    assert planned.consequences(_plan("update", "keep")) == [("the app restarts", ["n0"])]


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ({"target": "all", "parameters": {"days": 7}}, "./caspers run all -p days=7"),
        ({"stages": ["A", "B"]}, "./caspers run A B"),
    ],
)
def test_a_start_reads_as_a_command(body: Mapping[str, Any], line: str):
    assert started("provision", body, "http://admin").caspers == line


def test_the_request_in_a_curl_line_is_the_body_itself():
    body = {"action": "teardown", "confirm": "it's"}
    words = shlex.split(started("teardown", body, "http://admin").curl)
    assert json.loads(words[words.index("-d") + 1]) == body


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "–"), (0.34, "0.3 s"), (42.4, "42 s"), (75, "1 min 15 s"), (7_300, "2 h 1 min")],
)
def test_durations_read_as_people_say_them(seconds: float | None, said: str):
    assert looks.lasted(seconds) == said
