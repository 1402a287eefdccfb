"""The tables that every reviewers' console keeps in a schema of its own, by the same names: what statements are written for.

A statement of this room says {cases}, {key} and the like; `ReviewTables.statement` makes it one of a console's. All parts
are literals of ours, so a statement stays a literal.
"""

from dataclasses import dataclass
from typing import LiteralString

from caspers.errors import NotFound


@dataclass(frozen=True)
class ReviewTables:
    """A console's schema, the column that names a case, its append-only record, the channel it announces changes on."""

    schema: LiteralString
    key: LiteralString
    record: LiteralString
    channel: LiteralString

    def statement(self, template: LiteralString) -> LiteralString:
        """The statement for these tables."""
        names: tuple[tuple[LiteralString, LiteralString], ...] = (
            ("{key}", self.key),
            ("{channel}", self.channel),
            ("{schema}", self.schema),
            ("{record}", self.schema + "." + self.record),
            ("{cases}", self.schema + ".cases"),
            ("{counts}", self.schema + ".case_counts"),
            ("{claim_events}", self.schema + ".claim_events"),
            ("{drafts}", self.schema + ".drafts"),
            ("{policies}", self.schema + ".policies"),
            ("{ratings}", self.schema + ".ratings"),
        )
        for place, name in names:
            template = template.replace(place, name)
        return template


class NoSuchCase(NotFound):
    """The agent has said nothing about this (yet)."""

    def __init__(self, case_id: str) -> None:
        super().__init__(f"there is no case {case_id[:200]!r}")
