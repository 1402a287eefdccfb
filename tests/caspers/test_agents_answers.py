"""What a model says is untrusted: rubbish of every kind is refused with a sentence, and only strict JSON is an answer."""

from decimal import Decimal

import pytest
from caspers.agents.answers import UnusableAnswer, read_answer
from caspers.agents.chat import NotACompletion, read_completion
from caspers.agents.pacing import CallBudget, Circuit
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel


class Verdict(BaseModel):
    amount: Decimal
    why: str


GOOD = '{"amount": 12.50, "why": "slow"}'


@pytest.mark.parametrize("text", [GOOD, f"```json\n{GOOD}\n```", f"\n```\n{GOOD}\n```\n", f"  {GOOD}\n"])
def test_json_alone_or_in_a_fence_is_an_answer(text: str):
    assert read_answer(text, Verdict) == Verdict(amount=Decimal("12.50"), why="slow")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '{"amount": NaN, "why": "x"}',
        '{"amount": -Infinity, "why": "x"}',
        '{"amount": 1, "amount": 2, "why": "x"}',
        '{"amount": ' + "9" * 5_000 + ', "why": "x"}',
        '{"amount": 1e' + "9" * 40 + ', "why": "x"}',
        '{"amount": {}, "why": "x"}',
        '{"amount": 1}',
        f"Sure! {GOOD}",
        f"{GOOD} {GOOD}",
        GOOD[:-1],
        "[" * 100_000,
        '{"a":' * 10_000,
        GOOD + " " * 1_000_000,
    ],
)
def test_rubbish_is_refused_with_a_short_sentence(text: str):
    with pytest.raises(UnusableAnswer) as refusal:
        read_answer(text, Verdict)
    assert 0 < len(str(refusal.value)) < 600


@given(st.text())
def test_any_text_is_an_answer_or_is_refused(text: str):
    with pytest.raises(UnusableAnswer):
        read_answer(text, Verdict)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_completion_or_are_refused(content: bytes):
    with pytest.raises(NotACompletion) as refusal:
        read_completion(content, 0.1)
    assert refusal.value.raw == content.decode(errors="replace")


def test_the_text_of_a_completion_may_come_in_blocks():
    content = b'{"choices": [{"message": {"content": [{"type": "text", "text": "a"}, {"type": "x"}, {"type": "text", "text": "b"}]}}]}'
    assert read_completion(content, 0.1).text == "ab"


@given(st.integers(1, 600), st.integers(1, 20), st.integers(1, 100))
def test_a_budget_lets_no_more_than_its_calls_into_a_minute(per_minute: int, burst: int, calls: int):
    budget = CallBudget(per_minute, burst)
    moments = sorted(budget.reserve(0.0) for _ in range(calls))
    assert sum(moment < 60 for moment in moments) <= per_minute + burst
    assert sum(moment == 0 for moment in moments) <= burst


def test_a_circuit_opens_after_failures_and_lets_one_call_try():
    circuit = Circuit()
    for _ in range(3):
        assert circuit.admits(0.0)
        circuit.failed(0.0)
    assert not circuit.admits(4.9)
    assert circuit.admits(5.1)
    assert not circuit.admits(5.2)
    circuit.succeeded()
    assert circuit.admits(5.3)
