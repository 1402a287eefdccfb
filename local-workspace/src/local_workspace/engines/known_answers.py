"""Answers of the SQL engine that are still true: the same question about Delta tables that have not changed since.

A warehouse of the platform remembers results in the same way. Whoever asks again and again whether there is news costs
a look at the tables' logs, and not a statement: the engine keeps some memory for every statement it has ever parsed.
"""

import os
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

ANSWERS = 256
"""How many are kept; the longest unused goes first."""

LONGEST_STATEMENT = 16_384
LARGEST_ANSWER = 65_536
"""Bytes of what is worth keeping."""

READS = re.compile(r"\s*(SELECT|WITH)\b", re.IGNORECASE)
TABLE = re.compile(r"\bdelta\.`([^`]+)`", re.IGNORECASE)
COMMENT = re.compile(r"--|/\*")
QUOTED = re.compile(r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`", re.DOTALL)
"""String literals and quoted names: words in them do nothing."""

CHANGING = re.compile(
    r"\b(insert|merge|update|delete|parquet|json|csv|text|avro|orc|tablesample|rand\w*|uniform|uuid|shuffle|sample"
    r"|now|curdate|getdate|current_\w+|localtimestamp|unix_timestamp|input_file\w*|monotonically\w+|spark_\w+)\b",
    re.IGNORECASE,
)
"""Words of statements whose answer does not follow from the tables that they name; rather one too many than one too few."""

Versions = tuple[tuple[int, int], ...]
"""Of each table the newest version, and when it was written: a table made anew begins at 0 again."""


@dataclass(frozen=True)
class Question:
    """A statement whose answer follows from Delta tables, and how these are now."""

    sql: str
    versions: Versions


class KnownAnswers:
    """The latest answers, safe to use from several threads."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, tuple[Versions, Sequence[bytes]]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, question: Question) -> Sequence[bytes] | None:
        """The answer, if it is known and none of the tables has changed."""
        with self._lock:
            versions, answer = self._answers.get(question.sql, ((), None))
            if answer is None or versions != question.versions:
                return None
            self._answers.move_to_end(question.sql)
            return answer

    def passing(self, question: Question, answer: Iterator[bytes]) -> Iterator[bytes]:
        """The answer, which is kept once all of it has passed and it is small."""
        kept: list[bytes] = []
        size = 0
        for part in answer:
            size += len(part)
            if size <= LARGEST_ANSWER:
                kept.append(part)
            yield part
        if size <= LARGEST_ANSWER:
            self._keep(question, kept)

    def __len__(self) -> int:
        return len(self._answers)

    def _keep(self, question: Question, answer: Sequence[bytes]) -> None:
        with self._lock:
            self._answers[question.sql] = question.versions, answer
            self._answers.move_to_end(question.sql)
            while len(self._answers) > ANSWERS:
                self._answers.popitem(last=False)


def question(sql: str) -> Question | None:
    """What a statement asks about which versions of which tables; None where more than these decides on the answer.

    To be called before the statement runs: then an answer is never older than the versions it is kept for.
    """
    if len(sql) > LONGEST_STATEMENT or not READS.match(sql) or COMMENT.search(sql):
        return None
    if CHANGING.search(QUOTED.sub("''", sql)):
        return None
    try:
        versions = tuple(_newest_version(table) for table in dict.fromkeys(TABLE.findall(sql)))
    except (OSError, ValueError):
        return None  # no Delta table, which is the engine's to say
    return Question(sql, versions) if versions else None


def _newest_version(table: str) -> tuple[int, int]:
    log = f"{table}/_delta_log"
    newest = max((name for name in os.listdir(log) if name.endswith(".json")), default="")  # noqa: PTH208  asked several times a second; Path costs ten times that
    return int(newest.removesuffix(".json")), os.stat(f"{log}/{newest}").st_mtime_ns  # noqa: PTH116  likewise
