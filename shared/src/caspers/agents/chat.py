"""The chat protocol of model endpoints as plain records: what is asked, what came back, nothing trusted.

No I/O. `read_completion` takes the bytes of a 200 answer; whatever they hold, it either finds a message in them or
raises `NotACompletion` with the text as it came.
"""

import json
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from caspers.errors import Invalid

#: Longest piece of a refused answer that an error message repeats, in characters.
EXCERPT = 200

Message = dict[str, Any]


@dataclass(frozen=True)
class ToolCall:
    """A tool that the model asks for; `arguments` is the model's own text, JSON if all is well."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Completion:
    """One turn of a model. `took_s` is the time of the call that was answered, without waits and repeats."""

    model: str
    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    cut_off: bool = False
    prompt_tokens: int = 0
    completion_tokens: int = 0
    took_s: float = 0.0


class NotACompletion(Invalid):
    """The endpoint accepted the call and answered with something else than a chat completion; `raw` is what came."""

    def __init__(self, message: str, raw: str) -> None:
        super().__init__(message)
        self.raw = raw


def read_completion(content: bytes, took_s: float) -> Completion:
    """The completion in an answer's bytes. Raises `NotACompletion`."""
    try:
        body = _Body.model_validate_json(content)
    except ValidationError as error:
        raw = content.decode(errors="replace")
        raise NotACompletion(f"the endpoint's answer is no chat completion: {raw[:EXCERPT]}", raw) from error
    choice = body.choices[0]
    return Completion(
        model=body.model,
        text=_text(choice.message.content),
        tool_calls=tuple(
            ToolCall(call.id, call.function.name, _as_text(call.function.arguments))
            for call in choice.message.tool_calls or ()
        ),
        cut_off=choice.finish_reason == "length",
        prompt_tokens=body.usage.prompt_tokens if body.usage else 0,
        completion_tokens=body.usage.completion_tokens if body.usage else 0,
        took_s=took_s,
    )


def asked_for(calls: tuple[ToolCall, ...]) -> list[Message]:
    """Tool calls as they go back to the model in the transcript."""
    return [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in calls
    ]


class _Function(BaseModel):
    name: str
    arguments: str | dict[str, Any] = "{}"


class _ToolCall(BaseModel):
    id: str
    function: _Function


class _Message(BaseModel):
    content: str | list[dict[str, Any]] | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


#: A count of tokens that fits the record of a run.
_Tokens = Annotated[int, AfterValidator(lambda count: min(max(count, 0), 2**31 - 1))]


class _Usage(BaseModel):
    prompt_tokens: _Tokens = 0
    completion_tokens: _Tokens = 0


class _Body(BaseModel):
    model: str = ""
    choices: Annotated[list[_Choice], Field(min_length=1)]
    usage: _Usage | None = None


def _text(content: str | list[dict[str, Any]] | None) -> str:
    """The text of a message's content, which is a string or a list of blocks."""
    if isinstance(content, list):
        return "".join(str(block.get("text", "")) for block in content if block.get("type") == "text")
    return content or ""


def _as_text(arguments: str | dict[str, Any]) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments)
