"""Decisions about cases: one transaction each, append-only, and never two for the same thing.

A decision locks its case, is made on the version its maker saw, and is recorded under the key (case, round, step), which
the database holds unique. Whoever comes second is told which decision stands. What may be decided and what a record
holds differs between consoles: that is a `Bench`.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, Literal, LiteralString, Protocol, TypeVar

import orjson

from caspers.clients.postgres import Postgres, Writer
from caspers.clock import Clock
from caspers.errors import Conflict, NotFound
from caspers.ids import IdSource
from caspers.review.claims import ClaimedByAnother
from caspers.review.record import RecordColumns
from caspers.review.tables import ReviewTables

#: How long after it a decision can be undone.
UNDO_WITHIN = timedelta(minutes=10)

By = Literal["person", "policy"]
Decision = dict[str, Any]


class Undecided(Protocol):
    """What every case has; "second" waits for a second person."""

    @property
    def version(self) -> int: ...
    @property
    def status(self) -> Literal["pending", "second", "decided"]: ...
    @property
    def decision_id(self) -> Any: ...
    @property
    def decided_at(self) -> datetime | None: ...
    @property
    def claimed_until(self) -> datetime | None: ...
    def holder(self, now: datetime) -> str | None:
        """Who has claimed it at this moment."""
        ...


class Limits(Protocol):
    """What every policy has."""

    @property
    def version(self) -> int: ...


class Wish(Protocol):
    """What somebody wants to decide: a dataclass with an action and, perhaps, words about it."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def action(self) -> str: ...
    @property
    def reason_code(self) -> str | None: ...
    @property
    def note(self) -> str: ...


class Ruling(Protocol):
    """What a decision comes to: a dataclass of the outcome's columns, the step it is and how the case stands then."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


CaseT = TypeVar("CaseT", bound=Undecided)
PolicyT = TypeVar("PolicyT", bound=Limits)
WishT = TypeVar("WishT", bound=Wish)


class AlreadyDecided(Conflict):
    """Somebody was first; `winner` is the decision that stands."""

    def __init__(self, winner: Decision, outcome: str) -> None:
        super().__init__(
            f"{winner['decided_by']} decided this case at {winner['decided_at']}: {outcome}",
            what_now="Undo that decision if it is wrong, or go on to the next case.",
        )
        self.winner = winner


class CaseChanged(Conflict):
    """The case is no longer what the decision was made on."""

    def __init__(self, case_id: str, version: int, seen: int) -> None:
        super().__init__(
            f"case {case_id} has changed since it was shown (version {version}, shown {seen})",
            what_now="Look at it again before you decide.",
        )


class KeyUsedTwice(Conflict):
    """An idempotency key came back with another request."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"the idempotency key {key!r} was used for another request", what_now="Use a new key."
        )


class TooLate(Conflict):
    """The decision can no longer be undone."""


class AlreadyUndone(Conflict):
    """The decision does not stand any more."""


@dataclass(frozen=True)
class Ballot:
    """Who decides which case, on which version of it; `key` makes repeating the request harmless."""

    case_id: str
    version: int
    person: str
    key: str | None = None


@dataclass(frozen=True)
class Recorded:
    """A decision as it stands in the record, and whether this request put it there."""

    decision: Decision
    new: bool


@dataclass(frozen=True)
class Bench(Generic[CaseT, PolicyT, WishT]):
    """What a console decides by.

    `locked` reads a case that nobody else changes until the transaction ends, and the policy in force; it raises
    `NoSuchCase`. `judge` is pure and raises what breaks a rule. `outcome_of` says a decision in few words. `nothing` is
    the outcome that an undo records.
    """

    tables: ReviewTables
    columns: RecordColumns
    locked: Callable[[Writer, str], tuple[CaseT, PolicyT]]
    judge: Callable[[CaseT, WishT, str, PolicyT], Ruling]
    outcome_of: Callable[[Decision], str]
    nothing: Mapping[str, Any]


class Decisions(Generic[CaseT, PolicyT, WishT]):
    """Records decisions of people and of the policy."""

    def __init__(
        self, database: Postgres, clock: Clock, ids: IdSource, bench: Bench[CaseT, PolicyT, WishT]
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._bench = bench
        self._statements = _Statements(bench.tables, bench.columns)

    def decide(self, ballot: Ballot, asked: WishT) -> Recorded:
        """Decide a case, or confirm what another person decided.

        Raises `NoSuchCase`, what `judge` raises, or a `Conflict` that says who was first.
        """
        digest = _digest(ballot.case_id, ballot.version, asdict(asked))
        with self._database.transaction() as writer:
            case, policy = self._bench.locked(writer, ballot.case_id)
            earlier = self._earlier(writer, ballot.person, ballot.key, digest)
            if earlier is not None:
                return Recorded(earlier, new=False)
            self._check_open(writer, case, ballot)
            verdict = self._bench.judge(case, asked, ballot.person, policy)
            said = _by_person(ballot, asked, digest)
            held = _Held(ballot.case_id, case, policy)
            decision = self._record(writer, self._statements.record, held, asdict(verdict) | said)
        return Recorded(decision, new=True)

    def approve(
        self, writer: Writer, case_id: str, case: CaseT, verdict: Ruling, policy: PolicyT
    ) -> Decision:
        """Record a decision that the policy takes on a case that the transaction has locked."""
        said: dict[str, Any] = {"action": "accept", "decided_by": f"policy {policy.version}", "by": "policy"}
        nothing = dict.fromkeys(("reason_code", "note", "idempotency_key", "request_digest"))
        said |= asdict(verdict) | nothing
        return self._record(writer, self._statements.record, _Held(case_id, case, policy), said)

    def undo(self, decision_id: str, person: str, *, note: str = "", key: str | None = None) -> Recorded:
        """Take back a decision that stands and is recent; its case is pending again. The record keeps both.

        Raises `NotFound`, `AlreadyUndone`, `TooLate`.
        """
        digest = _digest("undo", decision_id, note)
        with self._database.transaction() as writer:
            row = writer.row(self._statements.by_id, decision_id=decision_id)
            if row is None:
                raise NotFound(f"there is no decision {decision_id}")
            case, policy = self._bench.locked(writer, row.case_id)
            earlier = self._earlier(writer, person, key, digest)
            if earlier is not None:
                return Recorded(earlier, new=False)
            self._check_stands(writer, row.case_id, case, orjson.loads(row.document))
            _check_recent(case, self._clock.now())
            said: dict[str, Any] = {
                "action": "undo",
                "step": "undo",
                "note": note or None,
                "decided_by": person,
            }
            said |= {"idempotency_key": key, "request_digest": digest, "by": "person", "reason_code": None}
            held = _Held(row.case_id, case, policy)
            undone = self._record(writer, self._statements.record_undo, held, {**said, **self._bench.nothing})
        return Recorded(undone, new=True)

    def _check_open(self, writer: Writer, case: CaseT, ballot: Ballot) -> None:
        if case.status == "decided" or (case.status == "second" and case.version != ballot.version):
            standing = self._standing(writer, case)
            raise AlreadyDecided(standing, self._bench.outcome_of(standing))
        if case.version != ballot.version:
            raise CaseChanged(ballot.case_id, case.version, ballot.version)
        holder = case.holder(self._clock.now())
        if holder is not None and holder != ballot.person:
            assert case.claimed_until is not None
            raise ClaimedByAnother(holder, case.claimed_until)

    def _record(
        self, writer: Writer, statement: LiteralString, held: "_Held[CaseT, PolicyT]", said: dict[str, Any]
    ) -> Decision:
        row = writer.row(
            statement,
            decision_id=self._ids(),
            case_id=held.case_id,
            decided_at=self._clock.now(),
            policy_version=held.policy.version,
            refers_to=held.case.decision_id,
            **said,
        )
        assert row is not None
        return orjson.loads(row.document)

    def _earlier(self, writer: Writer, person: str, key: str | None, digest: str) -> Decision | None:
        """What the same request recorded before; the case is locked, so nobody is just doing it."""
        if key is None:
            return None
        row = writer.row(self._statements.by_key, decided_by=person, key=key)
        if row is None:
            return None
        if row.request_digest != digest:
            raise KeyUsedTwice(key)
        return orjson.loads(row.document)

    def _standing(self, writer: Writer, case: CaseT) -> Decision:
        row = writer.row(self._statements.by_id, decision_id=case.decision_id)
        assert row is not None
        return orjson.loads(row.document)

    def _check_stands(self, writer: Writer, case_id: str, case: CaseT, decision: Decision) -> None:
        if str(case.decision_id) == decision["decision_id"]:
            return
        undone = writer.row(self._statements.undone_by, case_id=case_id, round=decision["round"])
        if undone is None:
            raise AlreadyUndone(
                f"decision {decision['decision_id']} was followed by another one of the same case"
            )
        by = orjson.loads(undone.document)
        raise AlreadyUndone(f"{by['decided_by']} has undone this decision at {by['decided_at']}")


@dataclass(frozen=True)
class _Held(Generic[CaseT, PolicyT]):
    """A case that the transaction has locked, and the policy it is decided under."""

    case_id: str
    case: CaseT
    policy: PolicyT


class _Statements:
    """The statements of the record, for one console."""

    def __init__(self, tables: ReviewTables, columns: RecordColumns) -> None:
        self.record: LiteralString = tables.statement(columns.record)
        self.record_undo: LiteralString = tables.statement(columns.record_undo)
        self.by_key: LiteralString = tables.statement(_BY_KEY)
        self.by_id: LiteralString = tables.statement(_BY_ID)
        self.undone_by: LiteralString = tables.statement(_UNDONE_BY)


_BY_KEY: LiteralString = """
SELECT CAST(row_to_json(d) AS text) AS document, request_digest FROM {record} AS d
 WHERE decided_by = :decided_by AND idempotency_key = :key
"""

_BY_ID: LiteralString = """
SELECT CAST(row_to_json(d) AS text) AS document, {key} AS case_id FROM {record} AS d
 WHERE decision_id = CAST(:decision_id AS uuid)
"""

_UNDONE_BY: LiteralString = """
SELECT CAST(row_to_json(d) AS text) AS document FROM {record} AS d
 WHERE {key} = :case_id AND round = :round AND step = 'undo'
"""


def _by_person(ballot: Ballot, asked: Wish, digest: str) -> dict[str, Any]:
    return {
        "action": asked.action,
        "reason_code": asked.reason_code,
        "note": asked.note or None,
        "decided_by": ballot.person,
        "by": "person",
        "idempotency_key": ballot.key,
        "request_digest": digest,
    }


def _check_recent(case: Undecided, now: datetime) -> None:
    assert case.decided_at is not None
    if now - case.decided_at > UNDO_WITHIN:
        raise TooLate(
            f"a decision can be undone within {UNDO_WITHIN.seconds // 60} minutes, this one is of "
            f"{case.decided_at:%Y-%m-%d %H:%M} UTC"
        )


def _digest(*request: Any) -> str:
    return hashlib.sha256(orjson.dumps(request, default=str)).hexdigest()
