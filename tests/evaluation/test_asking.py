"""Cases are asked a few at a time; trouble with one case is its own, trouble with all ends the evaluation."""

from threading import Barrier, Lock
from typing import Any

import pytest
from admin.evaluation.asking import ask
from admin.evaluation.labelled_set import Case
from caspers.errors import CaspersError, Invalid, NotFound, Refused, Unavailable

ANSWER = {
    "outcome": "answered",
    "answer": {"n": 1},
    "error": None,
    "model": "m",
    "agent_version": "a-1",
    "took_ms": 1.0,
    "turns": 2,
    "prompt_tokens": 3,
    "completion_tokens": 4,
}


def cases(count: int) -> list[Case]:
    return [Case(case=str(n), branch="all", facts={"n": n}, expected={"n": 1}) for n in range(count)]


def test_cases_are_asked_side_by_side_but_no_more_than_allowed():
    together, lock, most, now = Barrier(4, timeout=10), Lock(), 0, 0

    def post(_path: str, _body: dict[str, Any]) -> Any:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        together.wait()
        with lock:
            now -= 1
        return ANSWER

    runs = list(ask(cases(12), post, in_flight=4))
    assert (len(runs), most) == (12, 4)
    assert {run.answer["n"] for _, run in runs if run.answer} == {1}


def test_a_case_that_nobody_answers_is_counted_as_unavailable():
    def post(_path: str, body: dict[str, Any]) -> Any:
        if body["n"] == 1:
            raise Unavailable("the model sleeps")
        return ANSWER

    outcomes = {case.case: run.outcome for case, run in ask(cases(3), post, in_flight=2)}
    assert outcomes == {"0": "answered", "1": "unavailable", "2": "answered"}


@pytest.mark.parametrize(
    "trouble", [NotFound("no such address"), Refused("not yours"), Invalid("order_id: too long")]
)
def test_trouble_that_is_everybodys_ends_the_evaluation(trouble: CaspersError):
    def post(_path: str, _body: dict[str, Any]) -> Any:
        raise trouble

    with pytest.raises(type(trouble), match=trouble.message):
        list(ask(cases(5), post, in_flight=2))
