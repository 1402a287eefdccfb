"""Which calls have a bad day: rules as they are asked for, and what each has seen. Knows no HTTP server."""

import re
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
CHANGES_NOTHING = re.compile(
    r"/oidc/"
    r"|/api/2\.0/postgres/credentials"
    r"|/api/2\.0/sql/(sessions|statements/|permissions)"
    r"|/serving-endpoints/[^/]+/invocations"
)
"""Paths whose POST and DELETE leave everything as it is: tokens, sessions, results, questions to models."""

READING_SQL = re.compile(r"\s*(select|with|values|show|describe|desc|explain|use|set)\b", re.IGNORECASE)

Fault = Literal["answer", "lose", "hold", "repeat", "delay"]
Kind = Literal["changing", "reading", "all"]


class Rule(BaseModel):
    """What happens to which calls.

    Attributes:
        fault: answer with an error; lose the answer (the connection is closed); hold the call, without an answer, until
            the rules are lifted; repeat it, so that the answer is that of the second time; delay it only.
        when: before the call has its effect, which it then never has, or after.
        calls: those that change something, those that do not, or all.
        method: only this one.
        path: a regular expression, found anywhere in the path.
        caller: only calls of this user name or application id.
        skip: so many of the matching calls go through first.
        times: so many after them are hit; None for all.
        each: `skip` and `times` count each distinct call (method, path, query and body) for itself.
        delay_ms: wait this long first.
        status, error_code, message, retry_after_s: the answer of fault `answer`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    fault: Fault
    when: Literal["before", "after"] = "before"
    calls: Kind = "changing"
    method: str | None = None
    path: str = ""
    caller: str | None = None
    skip: Annotated[int, Field(ge=0)] = 0
    times: Annotated[int | None, Field(ge=1)] = 1
    each: bool = False
    delay_ms: Annotated[int, Field(ge=0, le=120_000)] = 0
    status: Annotated[int, Field(ge=400, le=599)] = 503
    error_code: str = "TEMPORARILY_UNAVAILABLE"
    message: str = "A bad day: the call was not answered as usual."
    retry_after_s: Annotated[int | None, Field(ge=0)] = None

    @field_validator("path")
    @classmethod
    def _is_a_pattern(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from error
        return pattern


@dataclass(frozen=True)
class Arrival:
    """A call as it comes in.

    Attributes:
        identity: equal for calls that are the same in method, path, query and body; of a statement, in text and parameters.
        changing: whether it would change something.
    """

    method: str
    path: str
    query: str
    caller: str
    changing: bool
    identity: Hashable


@dataclass
class Standing:
    """A rule in force, with what it has seen.

    Attributes:
        seen: how many calls matched, by identity where the rule says `each`.
        fired: how many were hit.
        holding: how many are held just now.
    """

    rule: Rule
    seen: Counter[Hashable] = field(default_factory=Counter)
    fired: int = 0
    holding: int = 0

    def hits(self, arrival: Arrival) -> bool:
        """Whether this call is one of those; counts it."""
        if not _matches(self.rule, arrival):
            return False
        key = arrival.identity if self.rule.each else None
        self.seen[key] += 1
        beyond = self.seen[key] - self.rule.skip
        return beyond > 0 and (self.rule.times is None or beyond <= self.rule.times)


def changes_something(method: str, path: str, statement: str | None) -> bool:
    """Whether a call would change what the workspace holds; `statement` is the SQL that it brings, if any."""
    if method not in CHANGING or CHANGES_NOTHING.match(path):
        return False
    return statement is None or READING_SQL.match(statement) is None


def _matches(rule: Rule, arrival: Arrival) -> bool:
    return (
        (rule.calls == "all" or (rule.calls == "changing") == arrival.changing)
        and rule.method in {None, arrival.method}
        and rule.caller in {None, arrival.caller}
        and re.search(rule.path, arrival.path) is not None
    )
