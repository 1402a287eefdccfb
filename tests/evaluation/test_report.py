"""A report counts what was right by branch and what was taken for what; two of them can be compared."""

from datetime import UTC, datetime
from typing import Any

import pytest
from admin.evaluation.labelled_set import Case, LabelledSet
from admin.evaluation.report import Occasion, compare, report
from admin.evaluation.verdicts import Run
from caspers.errors import Invalid

WANTED = {"early": "none", "on time": "none", "late": "partial", "unknown": None}


def labelled() -> LabelledSet:
    cases = [
        {
            "case": name,
            "branch": "no facts" if kind is None else kind,
            "facts": {},
            "expected": {"outcome": "no_facts"} if kind is None else {"refund_class": kind},
        }
        for name, kind in WANTED.items()
    ]
    return LabelledSet("some.jsonl", "abc", tuple(map(Case.model_validate, cases)))


def made(agent: str = "refund", **said: str) -> dict[str, Any]:
    """The report of an agent that is right about everything but what `said` says."""
    wanted = {name: kind for name, kind in WANTED.items() if kind} | said
    runs = {
        case.name: Run(
            "answered", {"refund_class": wanted[case.case]}, model="m-1", took_ms=20, prompt_tokens=100
        )
        if case.case in wanted
        else Run("no_facts", error="nothing is known", took_ms=5)
        for case in labelled().cases
    }
    return report(Occasion(agent, "demo", datetime(2031, 3, 1, tzinfo=UTC), 1.5), labelled(), runs)


def test_accuracy_is_counted_by_branch():
    found = made(early="full")
    assert (found["right"], found["accuracy"]) == (3, 0.75)
    assert found["by_branch"]["none"] == {"cases": 2, "right": 1, "accuracy": 0.5}
    assert found["by_branch"]["no facts"]["accuracy"] == 1


def test_the_confusion_says_what_was_taken_for_what():
    (confusion,) = made(early="full")["confusion"]
    assert confusion["counts"] == {
        "no_facts": {"no_facts": 1},
        "none": {"full": 1, "none": 1},
        "partial": {"partial": 1},
    }


def test_the_cost_is_that_of_all_runs():
    found = made()
    assert found["cost"]["prompt_tokens"] == 300
    assert (found["cost"]["median_ms"], found["cost"]["slowest_ms"]) == (20, 20)
    assert found["models"] == ["m-1"]


def test_a_comparison_names_the_cases_that_changed():
    found = compare(made(late="none"), made(early="full"))
    assert (found["worse"], found["better"]) == (["none: early"], ["partial: late"])
    assert found["by_branch"]["none"] == [1.0, 0.5]
    assert found["same_set"]


def test_reports_about_different_agents_are_not_compared():
    with pytest.raises(Invalid, match="one report is about the refund agent"):
        compare(made(), made("complaint"))
