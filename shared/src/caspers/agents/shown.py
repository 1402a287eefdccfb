"""How an agent's run is shown to programs that ask the agent: what came of it, and each tool that it used."""

from typing import Any, Self

from pydantic import BaseModel

from caspers.agents.runs import Run


class StepShown(BaseModel):
    """A tool that the agent used."""

    tool: str
    arguments: dict[str, Any] | str
    result: list[dict[str, Any]] | dict[str, str]
    took_ms: float


class RunShown(BaseModel):
    """How the agent came to its answer."""

    run_id: str
    outcome: str
    origin: str
    agent_version: str
    turns: int
    took_ms: float
    error: str | None
    steps: list[StepShown]

    @classmethod
    def of(cls, run: Run[Any]) -> Self:
        return cls(
            run_id=run.run_id,
            outcome=run.outcome,
            origin=run.origin,
            agent_version=run.agent_version,
            turns=run.turns,
            took_ms=run.took_ms,
            error=run.error,
            steps=[
                StepShown(tool=step.tool, arguments=step.arguments, result=step.result, took_ms=step.took_ms)
                for step in run.steps
            ],
        )
