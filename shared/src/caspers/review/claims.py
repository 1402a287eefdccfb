"""Who works on a case: a lease of a few minutes that the open page renews, so that a closed laptop blocks nobody.

The lease stands in two columns of the console's own cases table (`claimed_by`, `claimed_until`); every change of hands
is appended to its table of events. A lease that has run out is nobody's, without anything having to happen.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from caspers.clients.postgres import Writer
from caspers.errors import Conflict, NotFound
from caspers.review.tables import ReviewTables

#: How long a claim lasts without being renewed.
LEASE = timedelta(minutes=3)

_HELD: LiteralString = "SELECT claimed_by, claimed_until FROM {cases} WHERE {key} = :case_id FOR UPDATE"
_TAKE: LiteralString = (
    "UPDATE {cases} SET claimed_by = :reviewer, claimed_until = :until WHERE {key} = :case_id"
)
_RELEASE: LiteralString = """
UPDATE {cases} SET claimed_by = NULL, claimed_until = NULL WHERE {key} = :case_id AND claimed_by = :reviewer
"""
_EVENT: LiteralString = """
INSERT INTO {claim_events} ({key}, event, reviewer, taken_from, at) VALUES (:case_id, :event, :reviewer, :taken_from, :at)
"""
_ANNOUNCE: LiteralString = "SELECT pg_notify(:channel, :case_id)"


class ClaimedByAnother(Conflict):
    """Somebody else works on this case right now."""

    def __init__(self, holder: str, until: datetime) -> None:
        super().__init__(
            f"{holder} works on this case (until {until:%H:%M:%S} UTC, unless renewed)",
            what_now="Take it over if they have left it.",
        )
        self.holder = holder
        self.until = until


@dataclass(frozen=True)
class Claim:
    """A lease on a case; `taken_from` names the person it was taken over from."""

    case_id: str
    reviewer: str
    until: datetime
    taken_from: str | None = None


class Claims:
    """The claims of one console. Every method works inside the transaction that it is given."""

    def __init__(self, tables: ReviewTables) -> None:
        self._channel: LiteralString = tables.channel
        self._held: LiteralString = tables.statement(_HELD)
        self._take: LiteralString = tables.statement(_TAKE)
        self._release: LiteralString = tables.statement(_RELEASE)
        self._event: LiteralString = tables.statement(_EVENT)

    def take(
        self, writer: Writer, case_id: str, reviewer: str, now: datetime, *, take_over: bool = False
    ) -> Claim:
        """Claim a case, or renew one's claim. Raises `ClaimedByAnother` unless `take_over`, and `NotFound`."""
        row = writer.row(self._held, case_id=case_id)
        if row is None:
            raise NotFound(f"there is no case {case_id[:200]!r}")
        holder = row.claimed_by if row.claimed_until and row.claimed_until > now else None
        if holder is not None and holder != reviewer and not take_over:
            raise ClaimedByAnother(holder, row.claimed_until)
        taken_from = holder if holder != reviewer else None
        claim = Claim(case_id, reviewer, now + LEASE, taken_from)
        writer.execute(self._take, case_id=case_id, reviewer=reviewer, until=claim.until)
        if holder != reviewer:
            self._record(writer, claim, "taken_over" if taken_from else "taken", now)
        return claim

    def release(self, writer: Writer, case_id: str, reviewer: str, now: datetime) -> bool:
        """Give a case back; False when it was not this reviewer's."""
        if not writer.execute(self._release, case_id=case_id, reviewer=reviewer):
            return False
        self._record(writer, Claim(case_id, reviewer, now), "released", now)
        return True

    def _record(self, writer: Writer, claim: Claim, event: str, now: datetime) -> None:
        writer.execute(
            self._event,
            case_id=claim.case_id,
            event=event,
            reviewer=claim.reviewer,
            taken_from=claim.taken_from,
            at=now,
        )
        writer.row(_ANNOUNCE, channel=self._channel, case_id=claim.case_id)
