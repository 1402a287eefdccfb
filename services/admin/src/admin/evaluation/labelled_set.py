"""A labelled set: cases with the facts that an agent is given and what people expect of its answer, a line of JSON each.

What is expected of a field is a value, or an object of conditions: `from` and `to` (a number's bounds), `one_of` (values),
`with` and `without` (patterns in a text, whatever the case of letters). `outcome` is how the run must end; left out it is
"answered".
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from caspers.errors import Invalid, NotFound
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

ANSWERED = "answered"
DIGEST_LENGTH = 16


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no pattern: {error}") from error
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]


class Conditions(BaseModel):
    """What must hold of a field; everything that is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_least: float | None = Field(None, alias="from")
    at_most: float | None = Field(None, alias="to")
    one_of: tuple[str | float | None, ...] | None = None
    holds: Pattern | None = Field(None, alias="with")
    lacks: Pattern | None = Field(None, alias="without")


Expectation = Conditions | str | float | None


class Case(BaseModel):
    """One case; `branch` is the part of the policy that it is about, and groups it in reports."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    case: str
    branch: str
    facts: dict[str, Any]
    expected: dict[str, Expectation]

    @property
    def name(self) -> str:
        """Unique in the set."""
        return f"{self.branch}: {self.case}"

    @property
    def outcome(self) -> str:
        return str(self.expected.get("outcome", ANSWERED))

    @property
    def fields(self) -> Mapping[str, Expectation]:
        """What is expected of the answer's fields."""
        return {name: wanted for name, wanted in self.expected.items() if name != "outcome"}


@dataclass(frozen=True)
class LabelledSet:
    """The cases of one file; the digest tells whether two reports are about the same."""

    name: str
    digest: str
    cases: tuple[Case, ...]


def read_set(file: Path) -> LabelledSet:
    """The cases in a file. Raises `NotFound`, and `Invalid` naming the first line that makes no sense."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise NotFound(
            f"the labelled set {file} cannot be read: {error.strerror}", what_now="Name one with --set."
        ) from error
    cases = tuple(
        _case(line, f"{file}, line {number}")
        for number, line in enumerate(content.splitlines(), 1)
        if line.strip()
    )
    if not cases:
        raise Invalid(f"{file} holds no case")
    names = [case.name for case in cases]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise Invalid(f"{file} holds cases of the same name: {', '.join(twice)}")
    return LabelledSet(file.name, hashlib.sha256(content).hexdigest()[:DIGEST_LENGTH], cases)


def _case(line: bytes, where: str) -> Case:
    try:
        return Case.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise Invalid(f"{where}: {place}: {first['msg']}" if place else f"{where}: {first['msg']}") from error
