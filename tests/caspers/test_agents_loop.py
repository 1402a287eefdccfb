"""An agent against a real endpoint of the workspace, forwarded to a model that behaves as the test tells it to."""

import asyncio
import json
import secrets
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from caspers.agents.loop import AgentSpec, RunLimits, Task, run_agent
from caspers.agents.model_endpoint import CallLimits, ModelEndpoint
from caspers.agents.runs import Run
from caspers.agents.tools import Arguments, Rows, Tool
from caspers.clients.backoff import Backoff
from caspers.clock import SystemClock
from caspers.errors import NotFound, Unavailable
from pydantic import BaseModel

from tests.support.model_server import ModelServer, Reply, completion, external_endpoint, too_many
from tests.support.workspace import LocalWorkspace

Say = Callable[[dict[str, Any]], dict[str, Any] | Reply]
FAST = CallLimits(tries=2, timeout_s=1, backoff=Backoff(first_s=0.01, ceiling_s=0.02))
CLOCK = SystemClock()


class Verdict(BaseModel):
    amount: Decimal


class OfOrder(Arguments):
    oid: str


async def look_up(of: OfOrder) -> Rows:
    return [{"oid": of.oid, "price": 7.5}]


LOOK_UP = Tool("look_up", "Looks an order up.", OfOrder, look_up)
SPEC = AgentSpec("tester", "tester-1", "Be exact.", Verdict, RunLimits(turns=4, second_chances=1))


def run(
    workspace: LocalWorkspace, say: Say, task: Task[Verdict] | None = None, **server: Any
) -> Run[Verdict]:
    """One run of an agent with a model that says so."""

    async def one(endpoint: ModelEndpoint) -> Run[Verdict]:
        try:
            return await run_agent(SPEC, task or Task("A-1", "Decide A-1.", [LOOK_UP]), endpoint, CLOCK)
        finally:
            await endpoint.close()

    with ModelServer(say, **server) as model:
        name = external_endpoint(workspace.client, f"model-{secrets.token_hex(4)}", model)
        return asyncio.run(one(ModelEndpoint(workspace.client, name, CLOCK, FAST)))


def in_turn(*answers: dict[str, Any] | Reply) -> Say:
    """A model that says one after the other, and the last for ever."""
    left = list(answers)
    return lambda _body: left.pop(0) if len(left) > 1 else left[0]


def test_tools_are_used_and_the_answer_is_validated(workspace: LocalWorkspace):
    asked = completion(tools={"look_up": {"oid": "A-1"}})
    done = run(workspace, in_turn(asked, completion('{"amount": 7.5}')))
    assert done.answer == Verdict(amount=Decimal("7.5"))
    assert (done.outcome, done.origin, done.turns) == ("answered", "model", 2)
    assert done.steps[0].rows == [{"oid": "A-1", "price": 7.5}]


def test_a_model_may_correct_an_answer_that_was_refused(workspace: LocalWorkspace):
    task = Task[Verdict]("A-1", "Decide.", fault=lambda answer, _: "too much" if answer.amount > 10 else "")
    done = run(workspace, in_turn(completion('{"amount": 11}'), completion('{"amount": 9}')), task)
    assert done.answer == Verdict(amount=Decimal(9))


@pytest.mark.parametrize("text", ["no", '{"amount": NaN}', "<script>", "x" * 1_000_000])
def test_what_is_no_answer_is_recorded_as_it_came(workspace: LocalWorkspace, text: str):
    done = run(workspace, in_turn(completion(text)))
    assert (done.outcome, done.origin, done.answer) == ("invalid_answer", "error", None)
    assert done.raw_output == text
    assert done.turns == 2


def test_wrong_tool_calls_go_back_to_the_model_as_their_result(workspace: LocalWorkspace):
    calls = completion(tools={"delete_all": {}, "look_up": {"oid": 3, "sql": "x"}})
    done = run(workspace, in_turn(calls, completion('{"amount": 1}')))
    assert done.outcome == "answered"
    assert all(step.rows == [] and "error" in json.dumps(step.result) for step in done.steps)


def test_a_model_that_only_calls_tools_runs_out_of_turns(workspace: LocalWorkspace):
    done = run(workspace, in_turn(completion(tools={"look_up": {"oid": "A-1"}})))
    assert (done.outcome, done.turns, len(done.steps)) == ("over_budget", 4, 4)


@pytest.mark.parametrize("reply", [Reply(400, {"error": {"message": "too long"}}), Reply(200, b"<html>")])
def test_an_endpoint_that_refuses_the_request_ends_the_run(workspace: LocalWorkspace, reply: Reply):
    assert run(workspace, in_turn(reply)).outcome in {"model_failed", "invalid_answer"}


def test_a_busy_model_is_asked_again_when_it_says_so(workspace: LocalWorkspace):
    began_s = CLOCK.monotonic()
    done = run(workspace, in_turn(too_many(1), completion('{"amount": 1}')))
    assert done.outcome == "answered"
    assert CLOCK.monotonic() - began_s >= 1


@pytest.mark.parametrize("reply", [Reply(500), Reply(503), Reply(200, completion("{}"), latency_s=5)])
def test_a_model_that_is_down_says_nothing_about_the_case(workspace: LocalWorkspace, reply: Reply):
    with pytest.raises(Unavailable, match="does not answer"):
        run(workspace, in_turn(reply))


def test_an_endpoint_that_is_not_there_is_named(workspace: LocalWorkspace):
    async def ask() -> None:
        endpoint = ModelEndpoint(workspace.client, "no-such-model", CLOCK, FAST)
        await endpoint.chat({"messages": [{"role": "user", "content": "x"}]})

    with pytest.raises(NotFound, match="no-such-model"):
        asyncio.run(ask())


def test_no_more_calls_are_in_flight_than_allowed(workspace: LocalWorkspace):
    async def many(name: str) -> None:
        endpoint = ModelEndpoint(workspace.client, name, CLOCK, CallLimits(in_flight=3, per_minute=60_000))
        body = {"messages": [{"role": "user", "content": "x"}]}
        await asyncio.gather(*(endpoint.chat(body) for _ in range(20)))
        await endpoint.close()

    with ModelServer(latency_s=0.02) as model:
        asyncio.run(many(external_endpoint(workspace.client, f"model-{secrets.token_hex(4)}", model)))
        assert model.in_flight_max == 3
        assert len(model.calls) == 20
