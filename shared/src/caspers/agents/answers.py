"""From a model's last text to a validated answer: the text is untrusted, and only strict JSON of the right shape counts.

No I/O. A fence around the JSON is forgiven, because models like to put one; everything else that is not exactly one
JSON object (prose around it, NaN, a key twice, depths and numbers without end) is refused with a sentence that a model
can act on.
"""

import json
import re
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

Answer = TypeVar("Answer", bound=BaseModel)

#: Longest text that is read as an answer, in characters; a longer one is refused unread.
LONGEST_ANSWER = 20_000
#: Longest number that is read, in characters: beyond it a number is an attack on whoever does sums with it.
LONGEST_NUMBER = 30
#: Faults of an answer that the model is told at once.
FAULTS_TOLD = 5

_FENCED = re.compile(r"\s*```(?:json)?\s*\n(?P<inside>.*?)\n\s*```\s*", re.DOTALL | re.IGNORECASE)


def _money(value: object) -> object:
    if not isinstance(value, Decimal):
        raise ValueError("not a JSON number")  # noqa: TRY004  pydantic reports ValueErrors as faults of the field
    return value


#: An amount of money in an answer: a JSON number of dollars with at most two decimals, nothing below zero.
Usd = Annotated[
    Decimal, BeforeValidator(_money), Field(ge=0, max_digits=10, decimal_places=2, allow_inf_nan=False)
]


class UnusableAnswer(ValueError):
    """The text is no answer; the message says why, in words for the model."""


def read_answer(text: str, shape: type[Answer]) -> Answer:
    """The answer in a model's text. Raises `UnusableAnswer`."""
    if len(text) > LONGEST_ANSWER:
        raise UnusableAnswer(f"the answer is too long: {len(text):,} characters")
    fenced = _FENCED.fullmatch(text)
    values = _parsed(fenced["inside"] if fenced else text)
    try:
        return shape.model_validate(values)
    except ValidationError as error:
        raise UnusableAnswer(faults_of(error)) from error


def faults_of(error: ValidationError) -> str:
    """What is wrong with the values, in words for a model: the first few faults."""
    first = error.errors(include_url=False, include_input=False)[:FAULTS_TOLD]
    return "; ".join(f"{'.'.join(map(str, fault['loc']))[:80]}: {fault['msg']}" for fault in first)


def _parsed(text: str) -> dict[str, Any]:
    try:
        values = json.loads(
            text,
            parse_float=_number,
            parse_int=_number,
            parse_constant=_no_number,
            object_pairs_hook=_without_repeats,
        )
    except (json.JSONDecodeError, RecursionError) as error:
        raise UnusableAnswer(f"the answer is not JSON alone: {type(error).__name__} {error}") from error
    if not isinstance(values, dict):
        raise UnusableAnswer("the answer is not a JSON object")
    return values


def _number(text: str) -> Decimal:
    if len(text) > LONGEST_NUMBER:
        raise UnusableAnswer(f"the answer holds a number of {len(text)} characters")
    return Decimal(text)


def _no_number(name: str) -> Any:
    raise UnusableAnswer(f"{name} is not a JSON number")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise UnusableAnswer("the answer holds a key twice")
    return values
