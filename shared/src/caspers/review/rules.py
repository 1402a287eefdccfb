"""What every console's rules of deciding have: states, origins, who holds a case, when a reason is needed. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from caspers.errors import Invalid, Refused

#: "second" waits for a second person.
Status = Literal["pending", "second", "decided"]
Origin = Literal["model", "rules", "error"]
Step = Literal["first", "second"]


class BreaksRule(Invalid):
    """The decision contradicts a rule; the message says which."""


class NeedsAnotherPerson(Refused):
    """The person who decided first cannot be the second person as well."""


@dataclass(frozen=True)
class Lease:
    """Who has claimed a case, and until when; what has run out is nobody's."""

    claimed_by: str | None
    claimed_until: datetime | None

    def holder(self, now: datetime) -> str | None:
        """Who has claimed the case at this moment."""
        return self.claimed_by if self.claimed_until and self.claimed_until > now else None


class Reasoned(Protocol):
    """A wish to decide that may say why."""

    @property
    def reason_code(self) -> str | None: ...
    @property
    def note(self) -> str: ...


def check_reason(asked: Reasoned) -> None:
    """What differs from the agent says why. Raises `BreaksRule`."""
    if asked.reason_code is None:
        raise BreaksRule("a decision that differs from what the agent said needs a reason code")
    if asked.reason_code == "other" and not asked.note.strip():
        raise BreaksRule("the reason 'other' needs a note that says what it is")


def check_another_person(person: str, decided_by: str | None, what_now: str) -> None:
    """The second person is not the first. Raises `NeedsAnotherPerson`."""
    if person == decided_by:
        raise NeedsAnotherPerson(f"{person} decided this case first", what_now=what_now)
