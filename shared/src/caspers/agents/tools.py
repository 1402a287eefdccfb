"""Tools that a model may ask for: a name, a meaning, arguments of a shape, and what they do.

A model's arguments are untrusted: they are validated before anything runs, and what is wrong with them goes back to
the model as the tool's result. A tool over a Unity Catalog function is one literal statement with bound parameters.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, LiteralString

from pydantic import BaseModel, ConfigDict, ValidationError

from caspers.agents.answers import faults_of
from caspers.agents.chat import ToolCall
from caspers.clients.warehouse import Warehouse
from caspers.clock import Clock

#: What a tool gives back: rows, as JSON knows them.
Rows = list[dict[str, Any]]

#: Longest arguments that are read, in characters.
LONGEST_ARGUMENTS = 10_000


class Arguments(BaseModel):
    """Arguments of a tool; a model may give those of its fields and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Tool:
    """One tool; `run` gets validated arguments. What it raises is the platform's trouble, never the model's."""

    name: str
    description: str
    arguments: type[Arguments]
    run: Callable[[Any], Awaitable[Rows]]

    def offer(self) -> dict[str, Any]:
        """The tool as the chat protocol describes it to a model."""
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": _schema_of(self.arguments),
            },
        }


@dataclass(frozen=True)
class ToolStep:
    """A tool that was called: with what, what it said, and how long it took.

    `arguments` are the validated ones, or the model's own text where they were refused; `result` is rows, or
    {"error": sentence}.
    """

    tool: str
    arguments: dict[str, Any] | str
    result: Rows | dict[str, str]
    took_ms: float

    @property
    def rows(self) -> Rows:
        """The rows of the result; none where the call was refused."""
        return self.result if isinstance(self.result, list) else []


def function_tool(
    warehouse: Warehouse,
    name: str,
    description: str,
    arguments: type[Arguments],
    statement: LiteralString,
) -> Tool:
    """A tool that runs one statement, whose parameters are the fields of `arguments`."""

    async def run(values: Arguments) -> Rows:
        table = await asyncio.to_thread(warehouse.query, statement, values.model_dump())
        return [plain_row(row) for row in table.to_pylist()]

    return Tool(name, description, arguments, run)


async def use_tool(tools: dict[str, Tool], call: ToolCall, clock: Clock) -> ToolStep:
    """Run the tool that a model asked for. Raises only what the tool itself raises."""
    began_s = clock.monotonic()
    try:
        tool, values = _understood(tools, call)
    except _Misunderstood as error:
        return ToolStep(call.name, call.arguments, {"error": str(error)}, 0.0)
    rows = await tool.run(values)
    took_ms = round((clock.monotonic() - began_s) * 1000, 1)
    return ToolStep(call.name, values.model_dump(mode="json"), rows, took_ms)


@cache
def _schema_of(arguments: type[Arguments]) -> dict[str, Any]:
    """The shape of a tool's arguments; it costs more to make than all the rest of a call's preparation."""
    return arguments.model_json_schema()


def plain_row(row: dict[str, Any]) -> dict[str, Any]:
    """A row with nothing in it that JSON does not know: moments as ISO 8601 text, decimals as numbers."""
    return {name: _plain(value) for name, value in row.items()}


class _Misunderstood(ValueError):
    """The call makes no sense; the message is for the model."""


def _understood(tools: dict[str, Tool], call: ToolCall) -> tuple[Tool, Arguments]:
    tool = tools.get(call.name)
    if tool is None:
        raise _Misunderstood(f"there is no tool of that name; there are {', '.join(sorted(tools))}")
    if len(call.arguments) > LONGEST_ARGUMENTS:
        raise _Misunderstood("the arguments are too long")
    try:
        return tool, tool.arguments.model_validate(json.loads(call.arguments))
    except ValidationError as error:
        raise _Misunderstood(faults_of(error)) from error
    except (ValueError, RecursionError) as error:
        raise _Misunderstood(f"the arguments are not JSON: {type(error).__name__}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value
