"""rules-1: a model that is none. It follows the procedure of the system message to the letter, and says so of itself.

Same input, same bytes: ids come from a hash of the input, `created` is 0, and the tokens of `usage` are estimated from the
length of the texts. Calls asked for and answered count from the last message of the user on.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from pydantic import BaseModel, Field, ValidationError

from local_workspace.api.serving_endpoints import patterns, procedure
from local_workspace.api.serving_endpoints.expressions import BadExpression
from local_workspace.api.serving_endpoints.procedure import BadProcedure, Call, Procedure

MODEL = "rules-1"
CHARACTERS_PER_TOKEN = 4
INTRODUCTION = (
    f"I am {MODEL}, the rules model of the local workspace, and no language model: I follow the procedure that stands in "
    "the system message in a block ```procedure. This system message has none, so I have nothing to say."
)


class BadRequest(ValueError):
    """The body is no chat that can be answered; the message says why."""


class _Block(BaseModel):
    type: str
    text: str = ""


class _Function(BaseModel):
    name: str
    arguments: str = "{}"


class _ToolCall(BaseModel):
    id: str
    function: _Function


class _Message(BaseModel):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[_Block] | None = None
    tool_calls: list[_ToolCall] | None = None
    tool_call_id: str | None = None

    @property
    def text(self) -> str:
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        return "\n".join(block.text for block in self.content if block.type == "text")


class _OfferedFunction(BaseModel):
    name: str


class _Tool(BaseModel):
    function: _OfferedFunction


class _Chat(BaseModel):
    messages: list[_Message] = Field(min_length=1)
    tools: list[_Tool] | None = None
    tool_choice: Any = None
    n: int | None = None


@dataclass(frozen=True)
class _Wish:
    """A call that the model asks for."""

    tool: str
    arguments: str

    @property
    def id(self) -> str:
        return "call_" + _digest(f"{self.tool}\n{self.arguments}".encode())


@dataclass(frozen=True)
class _Turn:
    """What the model says: text, or calls."""

    content: str | None = None
    wishes: tuple[_Wish, ...] = ()


def answer(body: bytes) -> dict[str, Any]:
    """The chat completion for a chat body.

    Raises:
        BadRequest: it is no chat, its procedure is broken, or does not fit what the tools answered.
    """
    try:
        chat = _Chat.model_validate_json(body)
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in fault["loc"]) or "body"
        raise BadRequest(f"This is no chat: {place}: {fault['msg']}.") from None
    if chat.n not in {None, 1}:
        raise BadRequest(f"{MODEL} gives one choice; leave n out.")
    try:
        turn = _turn(chat)
    except (BadProcedure, BadExpression, patterns.BadPattern) as error:
        raise BadRequest(str(error)) from None
    return _completion(chat, turn, _digest(body))


def _turn(chat: _Chat) -> _Turn:
    system = "\n".join(it.text for it in chat.messages if it.role in {"system", "developer"})
    block = procedure.block(system)
    if block is None:
        return _Turn(INTRODUCTION)
    return _Follower(procedure.parse(block), chat).turn()


class _Follower:
    """Follows a procedure through one chat."""

    def __init__(self, followed: Procedure, chat: _Chat) -> None:
        self._procedure = followed
        self._chat = chat
        asked_at = max((at for at, it in enumerate(chat.messages) if it.role == "user"), default=None)
        self._results = _results(chat.messages[asked_at:])
        text = "" if asked_at is None else chat.messages[asked_at].text
        self._values: dict[str, Any] = {
            name: patterns.first_group(pattern, text) for name, pattern in followed.find.items()
        }

    def turn(self) -> _Turn:
        wishes: dict[_Wish, None] = {}
        for call in self._procedure.calls:
            if call.needs <= self._values.keys():
                wish = self._wish(call)
                if wish is not None:
                    wishes[wish] = None
        if wishes:
            return _Turn(wishes=tuple(wishes))
        for name, expression in self._procedure.let:
            self._values[name] = expression.evaluate(self._values)
        return _Turn(self._said())

    def _wish(self, call: Call) -> _Wish | None:
        """The call to ask for; None once its answer is known, or none can come."""
        arguments = {name: it.evaluate(self._values) for name, it in call.arguments.items()}
        wish = _Wish(call.tool, _json(arguments, orjson.OPT_SORT_KEYS))
        if wish in self._results:
            self._values[call.name] = self._results[wish]
        elif None in arguments.values() or self._chat.tool_choice == "none":
            self._values[call.name] = None
        elif call.tool not in {it.function.name for it in self._chat.tools or ()}:
            raise BadProcedure(
                f"The procedure calls {call.tool}, which is not among the tools of the request."
            )
        else:
            return wish
        return None

    def _said(self) -> str:
        for it in self._procedure.answers:
            if it.when is None or it.when.evaluate(self._values):
                if it.text is not None:
                    text = it.text.evaluate(self._values)
                    return text if isinstance(text, str) else _json(text)
                return _json({name: part.evaluate(self._values) for name, part in (it.say or {}).items()})
        raise BadProcedure("No answer of the procedure fits; end it with one that has no `when`.")


def _results(messages: list[_Message]) -> dict[_Wish, Any]:
    """What the tools answered, by what was asked of them."""
    answers = {it.tool_call_id: it.text for it in messages if it.role == "tool"}
    return {
        _Wish(call.function.name, _canonical(call.function.arguments)): _parsed(answers[call.id])
        for message in messages
        for call in message.tool_calls or ()
        if call.id in answers
    }


def _canonical(text: str) -> str:
    value = _parsed(text)
    return text if isinstance(value, str) else _json(value, orjson.OPT_SORT_KEYS)


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _json(value: Any, options: int | None = None) -> str:
    try:
        return orjson.dumps(value, option=options).decode()
    except TypeError as error:
        raise BadExpression(f"A value of the procedure cannot be written as JSON: {error}") from None


def _completion(chat: _Chat, turn: _Turn, digest: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": turn.content}
    if turn.wishes:
        message["tool_calls"] = [
            {"id": it.id, "type": "function", "function": {"name": it.tool, "arguments": it.arguments}}
            for it in turn.wishes
        ]
    asked = _tokens(sum(len(it.text) for it in chat.messages))
    said = _tokens(len(turn.content or "") + sum(len(it.arguments) for it in turn.wishes))
    return {
        "id": f"chatcmpl-{digest}",
        "object": "chat.completion",
        "created": 0,
        "model": MODEL,
        "choices": [
            {"index": 0, "message": message, "finish_reason": "tool_calls" if turn.wishes else "stop"}
        ],
        "usage": {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said},
    }


def _tokens(characters: int) -> int:
    return -(-characters // CHARACTERS_PER_TOKEN)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:24]
