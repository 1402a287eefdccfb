"""What an agent did to reach its answer: the record of one run, made fit to be shown.

A run holds what a model said, and that is untrusted text: it is shown as text, cut where it is too long to look at, and a
record that cannot be read is said to be unreadable instead of failing the page.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

#: Characters of a text that a person gets to see, and steps of a run.
LONGEST_TEXT = 20_000
MOST_STEPS = 100


@dataclass(frozen=True)
class AgentStep:
    """A tool that the agent called; arguments and result as JSON text, perhaps cut."""

    tool: str
    arguments: str
    result: str
    took_ms: float | None


@dataclass(frozen=True)
class AgentRun:
    """One run: who answered, how long it took, the tools, and the last text exactly as it came (perhaps cut)."""

    run_id: str
    agent: str
    agent_version: str
    model: str
    origin: str
    outcome: str
    started_at: datetime
    took_ms: float
    turns: int
    prompt_tokens: int
    completion_tokens: int
    steps: tuple[AgentStep, ...]
    steps_unreadable: bool
    raw_output: str
    raw_output_cut: bool
    error: str | None


def agent_run(row: dict[str, Any]) -> AgentRun:
    """The run in a row of `evidence_statements.AGENT_RUN`."""
    steps = _steps(row["steps"])
    raw_output = row["raw_output"] or ""
    return AgentRun(
        run_id=row["run_id"],
        agent=row["agent"] or "",
        agent_version=row["agent_version"] or "",
        model=row["model"] or "",
        origin=row["origin"] or "",
        outcome=row["outcome"] or "",
        started_at=row["started_at"],
        took_ms=row["took_ms"] or 0.0,
        turns=row["turns"] or 0,
        prompt_tokens=row["prompt_tokens"] or 0,
        completion_tokens=row["completion_tokens"] or 0,
        steps=steps or (),
        steps_unreadable=steps is None,
        raw_output=raw_output[:LONGEST_TEXT],
        raw_output_cut=len(raw_output) > LONGEST_TEXT,
        error=row["error"],
    )


def _steps(text: str | None) -> tuple[AgentStep, ...] | None:
    """The steps in their JSON text; None when it is none."""
    try:
        steps = orjson.loads(text or "[]")
    except orjson.JSONDecodeError:
        return None
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        return None
    return tuple(_step(step) for step in steps[:MOST_STEPS])


def _step(step: dict[str, Any]) -> AgentStep:
    took_ms = step.get("took_ms")
    return AgentStep(
        tool=str(step.get("tool", ""))[:200],
        arguments=_shown(step.get("arguments")),
        result=_shown(step.get("result")),
        took_ms=float(took_ms) if isinstance(took_ms, int | float) else None,
    )


def _shown(value: Any) -> str:
    """A value as text: a string as it is, anything else as JSON."""
    text = value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]} … ({len(text):,} characters)"
