"""An agent's run: turns between a model and its tools, until there is an answer that holds or the limits are reached.

Whatever a model says ends in a `Run`, never in an exception: broken or wrong answers are told to the model, which may
try again, and the last resort is an outcome that says honestly that there is none. Only the platform raises: an
endpoint or a warehouse that is away (`Unavailable`) says nothing about the case, so nothing is recorded for it.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol

from caspers.agents.answers import Answer, UnusableAnswer, read_answer
from caspers.agents.chat import Completion, Message, NotACompletion, asked_for
from caspers.agents.model_endpoint import ModelRefused
from caspers.agents.runs import Outcome, Run, run_id
from caspers.agents.tools import Tool, ToolStep, use_tool
from caspers.clock import Clock

#: Longest part of a refused answer that stays in the conversation, in characters.
_KEPT = 2_000


class Model(Protocol):
    """What answers the turns; `caspers.agents.model_endpoint.ModelEndpoint` is one."""

    async def chat(self, body: dict[str, Any]) -> Completion: ...


@dataclass(frozen=True)
class RunLimits:
    """What a run may use up.

    Attributes:
        turns: calls to the model.
        seconds: of the model and the tools themselves; waiting for a place in the line does not count.
        tokens: prompt and completion together.
        answer_tokens: of one turn.
        calls_a_turn: tools that one turn may ask for.
        second_chances: invalid answers that the model may correct.
    """

    turns: int = 8
    seconds: float = 90.0
    tokens: int = 60_000
    answer_tokens: int = 1_000
    calls_a_turn: int = 8
    second_chances: int = 2


@dataclass(frozen=True)
class AgentSpec(Generic[Answer]):
    """What makes an agent: who it is, how it is told to work, the shape of its answers, its limits."""

    name: str
    version: str
    instructions: str
    answer: type[Answer]
    limits: RunLimits = RunLimits()


@dataclass(frozen=True)
class Task(Generic[Answer]):
    """One thing to answer.

    Attributes:
        subject: what it is about, an order's id for instance; goes to the record.
        message: what the agent is asked.
        tools: what it may use.
        fault: what is wrong with an answer, given what the tools said; empty when it holds.
        hopeless: why there is no point in going on, given what the tools said; empty when there is one.
    """

    subject: str
    message: str
    tools: Sequence[Tool] = ()
    fault: Callable[[Answer, Sequence[ToolStep]], str] = lambda _answer, _steps: ""
    hopeless: Callable[[Sequence[ToolStep]], str] = lambda _steps: ""


async def run_agent(spec: AgentSpec[Answer], task: Task[Answer], model: Model, clock: Clock) -> Run[Answer]:
    """Let the agent do its task. Raises only what the platform raises, above all `Unavailable`."""
    running = _Running(spec, task, model, clock)
    try:
        answer = await running.answer()
    except _Ended as end:
        return running.record(end.outcome, error=end.why)
    return running.record("answered", answer=answer)


def without_facts(spec: AgentSpec[Answer], subject: str, why: str, clock: Clock) -> Run[Answer]:
    """The run of an agent that was not even asked, because nothing is known of the subject."""
    now = clock.now()
    return Run(
        run_id=run_id(spec.name, subject, now),
        agent=spec.name,
        agent_version=spec.version,
        subject=subject,
        started_at=now,
        took_ms=0.0,
        outcome="no_facts",
        error=why,
    )


class _Ended(Exception):
    """The run is over without an answer."""

    def __init__(self, outcome: Outcome, why: str) -> None:
        super().__init__(why)
        self.outcome: Outcome = outcome
        self.why = why


class _Running(Generic[Answer]):
    """One run in progress."""

    def __init__(self, spec: AgentSpec[Answer], task: Task[Answer], model: Model, clock: Clock) -> None:
        self._spec, self._task, self._model, self._clock = spec, task, model, clock
        self._tools = {tool.name: tool for tool in task.tools}
        self._offers = [tool.offer() for tool in task.tools]
        self._messages: list[Message] = _opening(spec.instructions, task.message)
        self._started_at: datetime = clock.now()
        self._began_s = clock.monotonic()
        self._steps: list[ToolStep] = []
        self._chances = spec.limits.second_chances
        self._turns = self._prompt_tokens = self._completion_tokens = 0
        self._busy_s = 0.0
        self._model_name = self._raw_output = ""

    async def answer(self) -> Answer:
        """Turn after turn, until one of them is an answer that holds. Raises `_Ended`."""
        while True:
            turn = await self._turn()
            if turn.tool_calls:
                await self._use_tools(turn)
                continue
            try:
                return self._held(turn)
            except UnusableAnswer as error:
                self._second_chance(turn, str(error))

    def record(
        self, outcome: Outcome, *, error: str | None = None, answer: Answer | None = None
    ) -> Run[Answer]:
        return Run(
            run_id=run_id(self._spec.name, self._task.subject, self._started_at),
            agent=self._spec.name,
            agent_version=self._spec.version,
            subject=self._task.subject,
            started_at=self._started_at,
            took_ms=round((self._clock.monotonic() - self._began_s) * 1000, 1),
            outcome=outcome,
            model=self._model_name,
            turns=self._turns,
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._completion_tokens,
            steps=tuple(self._steps),
            raw_output=self._raw_output,
            error=error,
            answer=answer,
        )

    async def _turn(self) -> Completion:
        self._check_budget()
        body: dict[str, Any] = {
            "messages": self._messages,
            "max_tokens": self._spec.limits.answer_tokens,
            "temperature": 0.0,
        }
        if self._offers:
            body |= {"tools": self._offers, "tool_choice": "auto"}
        self._turns += 1
        try:
            turn = await self._model.chat(body)
        except NotACompletion as error:
            self._raw_output = error.raw
            raise _Ended("model_failed", error.message) from error
        except ModelRefused as error:
            raise _Ended("model_failed", error.message) from error
        self._note(turn)
        return turn

    def _note(self, turn: Completion) -> None:
        self._model_name = turn.model
        self._raw_output = turn.text
        self._prompt_tokens += turn.prompt_tokens
        self._completion_tokens += turn.completion_tokens
        self._busy_s += turn.took_s

    def _check_budget(self) -> None:
        limits = self._spec.limits
        used = (
            (self._turns, limits.turns, "turns"),
            (self._busy_s, limits.seconds, "seconds"),
            (self._prompt_tokens + self._completion_tokens, limits.tokens, "tokens"),
        )
        for spent, most, unit in used:
            if spent >= most:
                raise _Ended("over_budget", f"no answer within {most:g} {unit}")

    async def _use_tools(self, turn: Completion) -> None:
        """Run the tools that a turn asks for side by side, and tell the model what they said."""
        calls = turn.tool_calls[: self._spec.limits.calls_a_turn]
        began_s = self._clock.monotonic()
        steps = await asyncio.gather(*(use_tool(self._tools, call, self._clock) for call in calls))
        self._busy_s += self._clock.monotonic() - began_s
        self._steps += steps
        self._messages.append(
            {"role": "assistant", "content": turn.text or None, "tool_calls": asked_for(calls)}
        )
        for call, step in zip(calls, steps, strict=True):
            self._messages.append(
                {"role": "tool", "tool_call_id": call.id, "content": json.dumps(step.result)}
            )
        if hopeless := self._task.hopeless(self._steps):
            raise _Ended("no_facts", hopeless)

    def _held(self, turn: Completion) -> Answer:
        """The answer in a turn, if it holds. Raises `UnusableAnswer`."""
        if turn.cut_off:
            raise UnusableAnswer("the answer was cut off; be brief")
        answer = read_answer(turn.text, self._spec.answer)
        if fault := self._task.fault(answer, self._steps):
            raise UnusableAnswer(fault)
        return answer

    def _second_chance(self, turn: Completion, why: str) -> None:
        """Tell the model what is wrong with its answer. Raises `_Ended` when it has had its chances."""
        if self._chances == 0:
            raise _Ended("invalid_answer", why)
        self._chances -= 1
        self._messages += [
            {"role": "assistant", "content": turn.text[:_KEPT]},
            {
                "role": "user",
                "content": f"That answer was refused: {why}. Answer again, with the JSON object only.",
            },
        ]


def _opening(instructions: str, message: str) -> list[Message]:
    system = [{"role": "system", "content": instructions}] if instructions else []
    return [*system, {"role": "user", "content": message}]
