"""Decisions about refunds: one transaction each, append-only, and never two for the same money.

A decision locks its case, is made on the version its maker saw, and is recorded under the key (order, round, step),
which the database holds unique. Whoever comes second is told which decision stands.
"""

import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, LiteralString

import orjson
from caspers.clients.postgres import Postgres, Writer
from caspers.clock import Clock
from caspers.errors import Conflict, NotFound
from caspers.ids import IdSource
from caspers.review.claims import ClaimedByAnother

from refund_manager import cases
from refund_manager.approval_rules import Asked, Case, Policy, Verdict, judge

#: How long after it a decision can be undone.
UNDO_WITHIN = timedelta(minutes=10)

By = Literal["person", "policy"]
Decision = dict[str, Any]

_RECORD: LiteralString = """
WITH recorded AS (
    INSERT INTO refunds.refund_decisions (
        decision_id, order_id, round, step, case_version, action, refund_usd, refund_class, reason_code, note,
        decided_by, decided_at, by, policy_version, refers_to, idempotency_key, request_digest, agent_usd, agent_class,
        agent_version, agent_origin, run_id)
    SELECT CAST(:decision_id AS uuid), order_id, round, :step, version, :action, :refund_usd, :refund_class,
           :reason_code, :note, :decided_by, :decided_at, :by, :policy_version, CAST(:refers_to AS uuid),
           :idempotency_key, :request_digest, refund_usd, refund_class, agent_version, origin, run_id
      FROM refunds.cases WHERE order_id = :order_id
    RETURNING *
), changed AS (
    UPDATE refunds.cases AS mine
       SET version = mine.version + 1, status = :status, decision_id = recorded.decision_id,
           decided_by = recorded.decided_by, decided_at = recorded.decided_at, final_usd = recorded.refund_usd,
           final_class = recorded.refund_class, claimed_by = NULL, claimed_until = NULL
      FROM recorded WHERE mine.order_id = recorded.order_id
), draft AS (
    DELETE FROM refunds.drafts WHERE order_id = :order_id AND reviewer = :decided_by
)
SELECT CAST(row_to_json(recorded) AS text) AS document, pg_notify('refund_cases', order_id) FROM recorded
"""

_RECORD_UNDO: LiteralString = """
WITH recorded AS (
    INSERT INTO refunds.refund_decisions (
        decision_id, order_id, round, step, case_version, action, refund_usd, refund_class, note, decided_by,
        decided_at, by, policy_version, refers_to, idempotency_key, request_digest, agent_usd, agent_class,
        agent_version, agent_origin, run_id)
    SELECT CAST(:decision_id AS uuid), order_id, round, 'undo', version, 'undo', 0, 'none', :note, :decided_by,
           :decided_at, 'person', :policy_version, decision_id, :idempotency_key, :request_digest, refund_usd,
           refund_class, agent_version, origin, run_id
      FROM refunds.cases WHERE order_id = :order_id
    RETURNING *
), changed AS (
    UPDATE refunds.cases AS mine
       SET version = mine.version + 1, round = mine.round + 1, status = 'pending', decision_id = NULL,
           decided_by = NULL, decided_at = NULL, final_usd = NULL, final_class = NULL
      FROM recorded WHERE mine.order_id = recorded.order_id
)
SELECT CAST(row_to_json(recorded) AS text) AS document, pg_notify('refund_cases', order_id) FROM recorded
"""

_BY_KEY: LiteralString = """
SELECT CAST(row_to_json(d) AS text) AS document, request_digest FROM refunds.refund_decisions AS d
 WHERE decided_by = :decided_by AND idempotency_key = :key
"""

_BY_ID: LiteralString = """
SELECT CAST(row_to_json(d) AS text) AS document, order_id FROM refunds.refund_decisions AS d
 WHERE decision_id = CAST(:decision_id AS uuid)
"""

_UNDONE_BY: LiteralString = """
SELECT CAST(row_to_json(d) AS text) AS document FROM refunds.refund_decisions AS d
 WHERE order_id = :order_id AND round = :round AND step = 'undo'
"""


class AlreadyDecided(Conflict):
    """Somebody was first; `winner` is the decision that stands."""

    def __init__(self, winner: Decision) -> None:
        super().__init__(
            f"{winner['decided_by']} decided this case at {winner['decided_at']}: "
            f"{winner['action']}, ${winner['refund_usd']:.2f}",
            what_now="Undo that decision if it is wrong, or go on to the next case.",
        )
        self.winner = winner


class CaseChanged(Conflict):
    """The case is no longer what the decision was made on."""

    def __init__(self, case: Case, seen: int) -> None:
        super().__init__(
            f"case {case.order_id} has changed since it was shown (version {case.version}, shown {seen})",
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

    order_id: str
    version: int
    person: str
    key: str | None = None


@dataclass(frozen=True)
class Recorded:
    """A decision as it stands in the record, and whether this request put it there."""

    decision: Decision
    new: bool


class Decisions:
    """Records decisions of people and of the policy."""

    def __init__(self, database: Postgres, clock: Clock, ids: IdSource) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids

    def decide(self, ballot: Ballot, asked: Asked) -> Recorded:
        """Decide a case, or confirm what another person decided.

        Raises `NoSuchCase`, `BreaksRule`, `NeedsAnotherPerson`, or a `Conflict` that says who was first.
        """
        digest = _digest(ballot.order_id, ballot.version, asdict(asked))
        with self._database.transaction() as writer:
            case, policy = cases.locked(writer, ballot.order_id)
            earlier = _earlier(writer, ballot, digest)
            if earlier is not None:
                return Recorded(earlier, new=False)
            self._check_open(writer, case, ballot)
            verdict = judge(case, asked, ballot.person, policy)
            decision = self._record(writer, case, verdict, policy, _by_person(ballot, asked, digest))
        return Recorded(decision, new=True)

    def approve(self, writer: Writer, case: Case, verdict: Verdict, policy: Policy) -> Decision:
        """Record a decision that the policy takes on a case that the transaction has locked."""
        said = {"action": "accept", "decided_by": f"policy {policy.version}", "by": "policy"}
        nothing = dict.fromkeys(("reason_code", "note", "idempotency_key", "request_digest"))
        return self._record(writer, case, verdict, policy, said | nothing)

    def undo(self, decision_id: str, person: str, *, note: str = "", key: str | None = None) -> Recorded:
        """Take back a decision that stands and is recent; its case is pending again. The record keeps both.

        Raises `NotFound`, `AlreadyUndone`, `TooLate`.
        """
        digest = _digest("undo", decision_id, note)
        with self._database.transaction() as writer:
            row = writer.row(_BY_ID, decision_id=decision_id)
            if row is None:
                raise NotFound(f"there is no decision {decision_id}")
            case, policy = cases.locked(writer, row.order_id)
            earlier = _earlier(writer, Ballot(case.order_id, case.version, person, key), digest)
            if earlier is not None:
                return Recorded(earlier, new=False)
            _check_stands(writer, case, orjson.loads(row.document))
            now = self._clock.now()
            _check_recent(case, now)
            undone = writer.row(
                _RECORD_UNDO,
                decision_id=self._ids(),
                order_id=case.order_id,
                note=note or None,
                decided_by=person,
                decided_at=now,
                policy_version=policy.version,
                idempotency_key=key,
                request_digest=digest,
            )
            assert undone is not None
        return Recorded(orjson.loads(undone.document), new=True)

    def _check_open(self, writer: Writer, case: Case, ballot: Ballot) -> None:
        if case.status == "decided":
            raise AlreadyDecided(_standing(writer, case))
        if case.version != ballot.version:
            if case.status == "second":
                raise AlreadyDecided(_standing(writer, case))
            raise CaseChanged(case, ballot.version)
        holder = case.holder(self._clock.now())
        if holder is not None and holder != ballot.person:
            assert case.claimed_until is not None
            raise ClaimedByAnother(holder, case.claimed_until)

    def _record(
        self, writer: Writer, case: Case, verdict: Verdict, policy: Policy, said: dict[str, Any]
    ) -> Decision:
        row = writer.row(
            _RECORD,
            decision_id=self._ids(),
            order_id=case.order_id,
            decided_at=self._clock.now(),
            policy_version=policy.version,
            refers_to=case.decision_id,
            **asdict(verdict),
            **said,
        )
        assert row is not None
        return orjson.loads(row.document)


def _by_person(ballot: Ballot, asked: Asked, digest: str) -> dict[str, Any]:
    return {
        "action": asked.action,
        "reason_code": asked.reason_code,
        "note": asked.note or None,
        "decided_by": ballot.person,
        "by": "person",
        "idempotency_key": ballot.key,
        "request_digest": digest,
    }


def _earlier(writer: Writer, ballot: Ballot, digest: str) -> Decision | None:
    """What the same request recorded before; the case is locked, so nobody is just doing it."""
    if ballot.key is None:
        return None
    row = writer.row(_BY_KEY, decided_by=ballot.person, key=ballot.key)
    if row is None:
        return None
    if row.request_digest != digest:
        raise KeyUsedTwice(ballot.key)
    return orjson.loads(row.document)


def _standing(writer: Writer, case: Case) -> Decision:
    row = writer.row(_BY_ID, decision_id=case.decision_id)
    assert row is not None
    return orjson.loads(row.document)


def _check_stands(writer: Writer, case: Case, decision: Decision) -> None:
    if str(case.decision_id) == decision["decision_id"]:
        return
    undone = writer.row(_UNDONE_BY, order_id=case.order_id, round=decision["round"])
    if undone is None:
        raise AlreadyUndone(
            f"decision {decision['decision_id']} was followed by another one of the same case"
        )
    by = orjson.loads(undone.document)
    raise AlreadyUndone(f"{by['decided_by']} has undone this decision at {by['decided_at']}")


def _check_recent(case: Case, now: datetime) -> None:
    assert case.decided_at is not None
    if now - case.decided_at > UNDO_WITHIN:
        raise TooLate(
            f"a decision can be undone within {UNDO_WITHIN.seconds // 60} minutes, this one is of "
            f"{case.decided_at:%Y-%m-%d %H:%M} UTC"
        )


def _digest(*request: Any) -> str:
    return hashlib.sha256(orjson.dumps(request, default=str)).hexdigest()
