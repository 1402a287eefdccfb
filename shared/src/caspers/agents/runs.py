"""The record of an agent's run, whatever came of it: one row of `ai.agent_runs`, written once."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID, uuid5

from caspers.agents.tools import ToolStep

#: Namespace of the ids of runs.
_RUNS = UUID("b7c8a1e4-54a0-5c1d-8f43-0c3f1a5f9d21")

Outcome = Literal["answered", "invalid_answer", "over_budget", "model_failed", "no_facts"]
Origin = Literal["model", "rules", "error"]

A = TypeVar("A", covariant=True)  # noqa: PLC0105  one letter reads well in Run[A]


@dataclass(frozen=True)
class Run(Generic[A]):
    """One run of an agent.

    `answer` is there when `outcome` is "answered", and else `error` says in a sentence what went wrong; `raw_output`
    is the model's last text exactly as it came. `origin` says whose answer it is: a language model's, that of rules
    under the same protocol, or nobody's.
    """

    run_id: str
    agent: str
    agent_version: str
    subject: str
    started_at: datetime
    took_ms: float
    outcome: Outcome
    model: str = ""
    turns: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    steps: tuple[ToolStep, ...] = ()
    raw_output: str = ""
    error: str | None = None
    answer: A | None = None

    @property
    def origin(self) -> Origin:
        if self.outcome != "answered":
            return "error"
        return "rules" if self.model.startswith("rules") else "model"


def run_id(agent: str, subject: str, started_at: datetime) -> str:
    """The id of the run that began then: the same for the same run, another for every attempt."""
    return str(uuid5(_RUNS, f"{agent}/{subject}/{started_at.isoformat()}"))


def rows_of(runs: Sequence[Run[Any]]) -> list[dict[str, Any]]:
    """Rows of `caspers.model.tables.AGENT_RUNS` as JSON values."""
    return [_row(run) for run in runs]


def _row(run: Run[Any]) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "agent": run.agent,
        "subject": run.subject,
        "started_at": run.started_at.isoformat(),
        "took_ms": run.took_ms,
        "model": run.model,
        "agent_version": run.agent_version,
        "origin": run.origin,
        "outcome": run.outcome,
        "turns": run.turns,
        "prompt_tokens": run.prompt_tokens,
        "completion_tokens": run.completion_tokens,
        "steps": steps_text(run.steps),
        "raw_output": run.raw_output,
        "error": run.error,
    }


def steps_text(steps: Sequence[ToolStep]) -> str:
    """Steps as the JSON text that is recorded."""
    return json.dumps(
        [
            {"tool": step.tool, "arguments": step.arguments, "result": step.result, "took_ms": step.took_ms}
            for step in steps
        ]
    )
