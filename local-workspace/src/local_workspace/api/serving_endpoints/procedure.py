"""The procedure that stands in a system message: the block ```procedure, read, checked and kept compiled.

    find:   {order_id: 'order ([A-Za-z0-9-]+)'}               # first group of a regular expression, or null
    calls:  [{tool: get_order, with: {oid: order_id}, as: order}]
    let:    [[total, 'order | sum(attribute="price")']]       # once all calls are answered, in this order
    answers:
      - {when: 'not order', say: {refund: '0', reason: "'There is no such order.'"}}
      - {text: "'It cost ' ~ total"}

Values are expressions (see `expressions`), numbers included. A name is read only after the line that gives it its value.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from local_workspace.api.serving_endpoints import patterns
from local_workspace.api.serving_endpoints.expressions import BadExpression, Expression

OPENING = "```procedure\n"
CLOSING = "\n```"
LARGEST_BLOCK = 64 * 1024
"""Characters."""

MOST_EXPRESSIONS = 500
PROCEDURES_KEPT = 64


class BadProcedure(ValueError):
    """The block is none; the message says where and why."""


@dataclass(frozen=True)
class Call:
    """A call of a tool; `name` is given its answer."""

    tool: str
    arguments: dict[str, Expression]
    name: str

    @property
    def needs(self) -> frozenset[str]:
        """The names that its arguments read."""
        return frozenset().union(*(expression.needs for expression in self.arguments.values()))


@dataclass(frozen=True)
class Answer:
    """What is said when `when` holds: a JSON object, or plain text."""

    when: Expression | None
    say: dict[str, Expression] | None
    text: Expression | None


@dataclass(frozen=True)
class Procedure:
    """A checked procedure; the names that its expressions read are there when they are evaluated."""

    find: dict[str, str]
    calls: tuple[Call, ...]
    let: tuple[tuple[str, Expression], ...]
    answers: tuple[Answer, ...]


def block(text: str) -> str | None:
    """The first procedure block of a text, if it has one.

    Raises:
        BadProcedure: it does not end, or is too large.
    """
    _before, found, rest = text.replace("\r\n", "\n").partition(OPENING)
    if not found:
        return None
    content, closed, _after = rest.partition(CLOSING)
    if not closed:
        raise BadProcedure("The block ```procedure is not closed by a line of ```.")
    if len(content) > LARGEST_BLOCK:
        raise BadProcedure(f"The procedure has {len(content)} characters; {LARGEST_BLOCK} are allowed.")
    return content


@lru_cache(PROCEDURES_KEPT)
def parse(content: str) -> Procedure:
    """The procedure of a block.

    Raises:
        BadProcedure: it is no YAML, no procedure, or has an expression that does not work.
    """
    try:
        written = _Procedure.model_validate(yaml.load(content, _PlainYaml))  # noqa: S506  it builds plain data only
        procedure = written.compiled()
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in fault["loc"]) or "it"
        raise BadProcedure(f"The procedure cannot be followed: {place}: {fault['msg']}.") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise BadProcedure(f"The procedure cannot be read: {' '.join(str(error).split())[:500]}") from None
    _check_names(procedure)
    return procedure


class _PlainYaml(yaml.BaseLoader):
    """YAML of texts, lists and maps: what is written is an expression, be it 0 or 'a'.

    There are no aliases, as a few lines of them stand for more than fits into memory.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not allowed")
        return super().compose_node(parent, index)


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class _Call(_Part):
    tool: str
    arguments: dict[str, str] = Field(default_factory=dict, alias="with")
    name: Name = Field(alias="as")

    def compiled(self) -> Call:
        return Call(self.tool, _compiled(self.arguments), self.name)


class _Answer(_Part):
    when: str | None = None
    say: dict[str, str] | None = None
    text: str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.say is None) == (self.text is None):
            raise ValueError("an answer has either `say` or `text`")
        return self

    def compiled(self) -> Answer:
        return Answer(
            Expression(self.when) if self.when is not None else None,
            _compiled(self.say) if self.say is not None else None,
            Expression(self.text) if self.text is not None else None,
        )


class _Procedure(_Part):
    find: dict[Name, str] = {}
    calls: list[_Call] = []
    let: list[tuple[Name, str]] = []
    answers: list[_Answer] = Field(min_length=1)

    def compiled(self) -> Procedure:
        """Compile every expression.

        Raises:
            BadExpression, BadPattern: one of them does not work.
        """
        count = sum(len(call.arguments) for call in self.calls) + len(self.let)
        count += sum(len(answer.say or "") + 2 for answer in self.answers) + len(self.find)
        if count > MOST_EXPRESSIONS:
            raise BadExpression(f"it has about {count} expressions; {MOST_EXPRESSIONS} are allowed")
        for pattern in self.find.values():
            patterns.check(pattern, groups=True)
        return Procedure(
            dict(self.find),
            tuple(call.compiled() for call in self.calls),
            tuple((name, Expression(source)) for name, source in self.let),
            tuple(answer.compiled() for answer in self.answers),
        )


def _compiled(sources: dict[str, str]) -> dict[str, Expression]:
    return {name: Expression(source) for name, source in sources.items()}


def _check_names(procedure: Procedure) -> None:
    """Every name is given a value once, before it is read."""
    known = set(procedure.find)
    for call in procedure.calls:
        _require(call.arguments.values(), known, f"The call of {call.tool}")
        _add(call.name, known)
    for name, expression in procedure.let:
        _require([expression], known, f"let {name}")
        _add(name, known)
    for number, answer in enumerate(procedure.answers, 1):
        said = [answer.when, answer.text, *(answer.say or {}).values()]
        _require([it for it in said if it is not None], known, f"Answer {number}")


def _require(expressions: Iterable[Expression], known: set[str], where: str) -> None:
    for expression in expressions:
        unknown = sorted(expression.needs - known)
        if unknown:
            raise BadProcedure(f"{where} reads {', '.join(unknown)}, which has no value there.")


def _add(name: str, known: set[str]) -> None:
    if name in known:
        raise BadProcedure(f"{name} is given a value twice.")
    known.add(name)
