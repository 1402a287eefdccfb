"""What a console's record of decisions holds, and the statements that add to it.

Every record names the case, its round and step, who decided what, when, why and under which policy. Beside that, a console
keeps the outcome in columns of its own, and a copy of what the agent had said when it was decided.
"""

from dataclasses import dataclass
from typing import LiteralString

_INSERT: LiteralString = """
WITH recorded AS (
    INSERT INTO {record} (
        decision_id, {key}, round, step, case_version, action, {outcome}, reason_code, note, decided_by, decided_at, by,
        policy_version, refers_to, idempotency_key, request_digest, {agent_copies})
    SELECT CAST(:decision_id AS uuid), {key}, round, :step, version, :action, {outcome_values}, :reason_code, :note,
           :decided_by, :decided_at, :by, :policy_version, CAST(:refers_to AS uuid), :idempotency_key, :request_digest,
           {agent_columns}
      FROM {cases} WHERE {key} = :case_id
    RETURNING *
)"""

_DECIDED: LiteralString = """, changed AS (
    UPDATE {cases} AS mine
       SET version = mine.version + 1, status = :status, decision_id = recorded.decision_id,
           decided_by = recorded.decided_by, decided_at = recorded.decided_at, {finals},
           claimed_by = NULL, claimed_until = NULL
      FROM recorded WHERE mine.{key} = recorded.{key}
), draft AS (
    DELETE FROM {drafts} WHERE {key} = :case_id AND reviewer = :decided_by
)"""

_UNDONE: LiteralString = """, changed AS (
    UPDATE {cases} AS mine
       SET version = mine.version + 1, round = mine.round + 1, status = 'pending', decision_id = NULL,
           decided_by = NULL, decided_at = NULL, {no_finals}
      FROM recorded WHERE mine.{key} = recorded.{key}
)"""

_TOLD: LiteralString = """
SELECT CAST(row_to_json(recorded) AS text) AS document, pg_notify('{channel}', {key}) FROM recorded
"""


@dataclass(frozen=True)
class RecordColumns:
    """Pairs of columns.

    `outcome`: in the record, and on the decided case. `agent`: what the agent had said, in the record and on the case.
    """

    outcome: tuple[tuple[LiteralString, LiteralString], ...]
    agent: tuple[tuple[LiteralString, LiteralString], ...]

    @property
    def record(self) -> LiteralString:
        """Adds a decision and closes its case; binds the outcome's columns and what every record says."""
        return self._filled(_INSERT + _DECIDED + _TOLD)

    @property
    def record_undo(self) -> LiteralString:
        """Adds an undo and opens its case again."""
        return self._filled(_INSERT + _UNDONE + _TOLD)

    def _filled(self, template: LiteralString) -> LiteralString:
        parts: tuple[tuple[LiteralString, LiteralString], ...] = (
            ("{outcome}", ", ".join([column for column, _ in self.outcome])),
            ("{outcome_values}", ", ".join([":" + column for column, _ in self.outcome])),
            ("{finals}", ", ".join([final + " = recorded." + column for column, final in self.outcome])),
            ("{no_finals}", ", ".join([final + " = NULL" for _, final in self.outcome])),
            ("{agent_copies}", ", ".join([copy for copy, _ in self.agent])),
            ("{agent_columns}", ", ".join([column for _, column in self.agent])),
        )
        for place, text in parts:
            template = template.replace(place, text)
        return template
