"""The table `ai.agent_runs`: what agents did, kept for whoever wants to know why an answer is what it is."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, LiteralString

from caspers.agents.runs import Run, rows_of
from caspers.clients.warehouse import Warehouse
from caspers.model.tables import AGENT_RUNS
from caspers.names import Names, quoted

#: Characters of rows in one statement, roughly: a statement is read whole, by every engine.
STATEMENT_CHARACTERS = 1 << 20

# A run that was kept before began at the same moment, so that older files need not be read.
_KEEP = """
MERGE INTO {agent_runs} AS t
USING (
  SELECT run_id, agent, subject, CAST(started_at AS TIMESTAMP) AS started_at, took_ms, model, agent_version, origin,
         outcome, turns, prompt_tokens, completion_tokens, steps, raw_output, error
  FROM (SELECT r.* FROM (SELECT explode(from_json(:rows, 'array<struct<run_id: string, agent: string, subject: string,
    started_at: string, took_ms: double, model: string, agent_version: string, origin: string, outcome: string, turns: int,
    prompt_tokens: int, completion_tokens: int, steps: string, raw_output: string, error: string>>')) AS r))
) AS s
ON t.run_id = s.run_id AND t.started_at >= CAST(:since AS TIMESTAMP)
WHEN NOT MATCHED THEN INSERT *
"""


class RunLog:
    """Keeps runs of agents; each once, however often it is kept."""

    def __init__(self, warehouse: Warehouse, names: Names) -> None:
        self._warehouse = warehouse
        self._table: LiteralString = quoted(names.table(AGENT_RUNS.name))

    def keep(self, runs: Sequence[Run[Any]]) -> None:
        rows = rows_of(runs)
        since = min((row["started_at"] for row in rows), default="")
        for piece in in_pieces(rows):
            values = {"rows": piece, "since": since}
            self._warehouse.execute(_KEEP.replace("{agent_runs}", self._table), values)


def in_pieces(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The rows as JSON arrays that are not too long; a row that is too long by itself travels alone."""
    piece: list[str] = []
    size = 0
    for text in map(json.dumps, rows):
        if piece and size + len(text) > STATEMENT_CHARACTERS:
            yield f"[{','.join(piece)}]"
            piece, size = [], 0
        piece.append(text)
        size += len(text)
    if piece:
        yield f"[{','.join(piece)}]"
