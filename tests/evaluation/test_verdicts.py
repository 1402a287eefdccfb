"""An agent is right when its run ends as expected and every condition on its answer holds."""

from typing import Any

import pytest
from admin.evaluation.labelled_set import Case
from admin.evaluation.verdicts import Run, faults


def case(**expected: Any) -> Case:
    return Case.model_validate({"case": "one", "branch": "all", "facts": {}, "expected": expected})


def said(**answer: Any) -> Run:
    return Run("answered", answer)


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ("full", "full"),
        (None, None),
        (4.5, 4.5),
        ({"from": 0, "to": 0}, 0.0),
        ({"from": 4, "to": 5}, 4.9999999),
        ({"one_of": ["a", None]}, None),
        ({"with": "late"}, "It was LATE."),
        ({"without": "voucher"}, "Sorry."),
    ],
)
def test_what_is_as_expected_is_right(expected: Any, value: Any):
    assert faults(case(field=expected), said(field=value)) == []


@pytest.mark.parametrize(
    ("expected", "value", "fault"),
    [
        ("full", "none", "is 'none', not 'full'"),
        (None, 3.0, "is 3.0, not None"),
        ({"from": 1, "to": 2}, 2.5, "is 2.5, above 2"),
        ({"from": 1, "to": 2}, 0.5, "is 0.5, below 1"),
        ({"from": 0, "to": 2}, None, "is None, no number"),
        ({"from": 0}, "4", "no number"),
        ({"one_of": ["a", "b"]}, "c", "none of 'a', 'b'"),
        ({"with": "praise"}, None, "does not say 'praise'"),
        ({"without": "vou.her"}, "Here is a Voucher.", "says 'Voucher'"),
    ],
)
def test_what_is_not_as_expected_is_said_in_words(expected: Any, value: Any, fault: str):
    (found,) = faults(case(field=expected), said(field=value))
    assert found.startswith("field ")
    assert fault in found


def test_a_run_that_ends_otherwise_is_wrong_whatever_it_says():
    assert faults(case(field=1), Run("over_budget", error="no answer within 8 turns")) == [
        "outcome is over_budget, not answered: no answer within 8 turns"
    ]


def test_a_run_that_has_to_end_without_an_answer_is_right_when_it_does():
    assert faults(case(outcome="no_facts"), Run("no_facts", error="nothing is known")) == []
    assert faults(case(outcome="no_facts"), said(field=1)) == ["outcome is answered, not no_facts"]
