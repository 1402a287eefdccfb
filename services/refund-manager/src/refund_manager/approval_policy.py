"""The policy of deciding: its versions, and the decisions that it takes by itself where it is switched on.

A policy is never changed, only followed by a newer version, so every decision can name the one it was made under.
Switching it off waits for the batch in hand: when the answer is there, no further case is approved.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, LiteralString

from caspers.clients.postgres import Postgres, Reader, Writer
from caspers.clock import Clock

from refund_manager.approval_rules import Case, Origin, Policy, RefundClass, approved_by_policy
from refund_manager.cases import case_from, policy_from
from refund_manager.decisions import Decisions

#: Cases that the policy decides in one transaction.
BATCH = 200

_IN_FORCE: LiteralString = """
SELECT version AS policy_version, enabled, approve_below_usd, approve_classes, approve_origins, second_person_above_usd
  FROM refunds.policies ORDER BY version DESC LIMIT 1
"""

_VERSIONS: LiteralString = """
SELECT version, valid_from, created_by, explanation, enabled, approve_below_usd, approve_classes, approve_origins,
       second_person_above_usd
  FROM refunds.policies ORDER BY version DESC LIMIT :most
"""

_ADD: LiteralString = """
INSERT INTO refunds.policies (version, valid_from, created_by, explanation, enabled, approve_below_usd,
    approve_classes, approve_origins, second_person_above_usd)
SELECT max(version) + 1, :valid_from, :created_by, :explanation, :enabled, :approve_below_usd, :approve_classes,
       :approve_origins, :second_person_above_usd
  FROM refunds.policies
RETURNING version, valid_from, created_by, explanation, enabled, approve_below_usd, approve_classes, approve_origins,
          second_person_above_usd
"""

#: Whoever makes a version waits for those who approve under the one before, and the other way round.
_MAKING: LiteralString = "SELECT pg_advisory_xact_lock(hashtext('refunds.policies'))"
_APPROVING: LiteralString = "SELECT pg_advisory_xact_lock_shared(hashtext('refunds.policies'))"

#: The same conditions as `approved_by_policy`, which has the last word on each case.
_CANDIDATES: LiteralString = """
SELECT order_id, version, status, round, order_total, refund_usd, refund_class, origin, agent_version, run_id,
       decision_id, decided_by, decided_at, final_usd, final_class, claimed_by, claimed_until
  FROM refunds.cases
 WHERE status = 'pending' AND round = 0 AND refund_class = ANY(:classes) AND origin = ANY(:origins)
   AND refund_usd < :below AND refund_usd <= :second_person_above AND refund_usd <= coalesce(order_total, 0)
   AND (refund_class = 'none') = (refund_usd = 0) AND (refund_class <> 'full' OR refund_usd = order_total)
   AND coalesce(claimed_until <= :now, true)
 ORDER BY recommended_at LIMIT :most FOR UPDATE SKIP LOCKED
"""


@dataclass(frozen=True)
class Limits:
    """What a person chooses about the policy, and why."""

    explanation: str
    enabled: bool
    approve_below_usd: Decimal
    approve_classes: tuple[RefundClass, ...]
    approve_origins: tuple[Origin, ...]
    second_person_above_usd: Decimal


@dataclass(frozen=True)
class PolicyVersion:
    """A version of the policy as it stands in the record."""

    version: int
    valid_from: datetime
    created_by: str
    limits: Limits


class ApprovalPolicy:
    """Versions of the policy, and what the one in force decides without a person."""

    def __init__(self, database: Postgres, clock: Clock, decisions: Decisions) -> None:
        self._database = database
        self._clock = clock
        self._decisions = decisions

    def versions(self, most: int = 50) -> list[PolicyVersion]:
        """The newest first; the first one is in force."""
        with self._database.reading() as reader:
            return [_version(row) for row in reader.rows(_VERSIONS, most=most)]

    def follow_with(self, limits: Limits, person: str) -> PolicyVersion:
        """Put a new version in force."""
        with self._database.transaction() as writer:
            writer.row(_MAKING)
            return self._add(writer, limits, person)

    def kill(self, person: str, explanation: str = "") -> PolicyVersion:
        """Switch approving off, at once: a new version with the same limits. Doing it again changes nothing."""
        with self._database.transaction() as writer:
            writer.row(_MAKING)
            newest = _version(writer.rows(_VERSIONS, most=1)[0])
            if not newest.limits.enabled:
                return newest
            off = replace(newest.limits, enabled=False, explanation=explanation or "Switched off.")
            return self._add(writer, off, person)

    def approve_pending(self) -> int:
        """Decide a batch of the cases that the policy in force approves; how many those were."""
        with self._database.transaction() as writer:
            writer.row(_APPROVING)
            policy = policy_in_force(writer)
            if not policy.enabled:
                return 0
            verdicts = [(case, approved_by_policy(case, policy)) for case in self._candidates(writer, policy)]
            approved = [(case, verdict) for case, verdict in verdicts if verdict is not None]
            for case, verdict in approved:
                self._decisions.approve(writer, case.order_id, case, verdict, policy)
            return len(approved)

    def _candidates(self, writer: Writer, policy: Policy) -> list[Case]:
        rows = writer.rows(
            _CANDIDATES,
            classes=list(policy.approve_classes),
            origins=list(policy.approve_origins),
            below=policy.approve_below_usd,
            second_person_above=policy.second_person_above_usd,
            now=self._clock.now(),
            most=BATCH,
        )
        return [case_from(row) for row in rows]

    def _add(self, writer: Writer, limits: Limits, person: str) -> PolicyVersion:
        values = vars(limits) | {
            "approve_classes": list(limits.approve_classes),
            "approve_origins": list(limits.approve_origins),
        }
        row = writer.row(_ADD, **values, created_by=person, valid_from=self._clock.now())
        assert row is not None
        return _version(row)


def policy_in_force(reader: Reader) -> Policy:
    """The policy that a decision of this transaction is made under."""
    row = reader.row(_IN_FORCE)
    assert row is not None
    return policy_from(row)


def _version(row: Any) -> PolicyVersion:
    limits = Limits(
        explanation=row.explanation,
        enabled=row.enabled,
        approve_below_usd=row.approve_below_usd,
        approve_classes=tuple(row.approve_classes),
        approve_origins=tuple(row.approve_origins),
        second_person_above_usd=row.second_person_above_usd,
    )
    return PolicyVersion(row.version, row.valid_from, row.created_by, limits)
