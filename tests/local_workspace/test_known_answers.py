"""Which answers of the SQL engine may be given again: those that follow from Delta tables alone, while these stay the same."""

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from local_workspace.engines import known_answers
from local_workspace.engines.known_answers import KnownAnswers, question


@pytest.fixture
def table(tmp_path: Path) -> str:
    write_deltalake(tmp_path / "t", pa.table({"a": [1]}))
    return f"delta.`{tmp_path}/t`"


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT max(a) FROM {table}",
        "select a from {table} as t where t.a > 'now()'",
        "WITH x AS (SELECT a FROM {table}) SELECT count(*) FROM x JOIN {table} USING (a)",
        "SELECT from_json('[]', 'array<int>') FROM {table}",
    ],
)
def test_reads_of_delta_tables_may_be_answered_again(statement: str, table: str):
    assert question(statement.format(table=table)) is not None


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1",
        "SELECT now() FROM {table}",
        "SELECT a FROM {table} WHERE rand() < 0.5",
        "SELECT uuid() FROM {table}",
        "SELECT a -- it's\n, current_timestamp() AS `it's` FROM {table}",
        "SELECT * FROM {table} JOIN parquet.`/somewhere`",
        "SELECT * FROM {table} JOIN delta.`/nowhere/at/all`",
        "WITH x AS (SELECT 2 AS a) INSERT INTO {table} SELECT a FROM x",
        "MERGE INTO {table} AS t USING {table} AS s ON t.a = s.a WHEN MATCHED THEN DELETE",
        "DELETE FROM {table}",
        "EXPLAIN SELECT a FROM {table}",
    ],
)
def test_what_depends_on_more_or_changes_something_is_asked_each_time(statement: str, table: str):
    assert question(statement.format(table=table)) is None


def test_a_table_made_anew_in_the_same_place_is_another_one(table: str, tmp_path: Path):
    before = question(f"SELECT a FROM {table}")
    (tmp_path / "t").rename(tmp_path / "old")
    write_deltalake(tmp_path / "t", pa.table({"a": [2]}))
    assert question(f"SELECT a FROM {table}") != before


def test_a_large_answer_passes_and_is_not_kept(table: str):
    answers, asked = KnownAnswers(), question(f"SELECT a FROM {table}")
    assert asked is not None
    large = [b"x" * known_answers.LARGEST_ANSWER, b"x"]
    assert list(answers.passing(asked, iter(large))) == large
    assert answers.find(asked) is None


def test_an_answer_that_was_not_heard_out_is_not_kept(table: str):
    answers, asked = KnownAnswers(), question(f"SELECT a FROM {table}")
    assert asked is not None
    assert next(answers.passing(asked, iter([b"1", b"2"]))) == b"1"
    assert answers.find(asked) is None


def test_no_more_answers_are_kept_than_there_is_room_for(table: str):
    answers = KnownAnswers()
    asked = [question(f"SELECT a + {number} FROM {table}") for number in range(known_answers.ANSWERS + 10)]
    for each in asked:
        assert each is not None
        list(answers.passing(each, iter([b"1"])))
    assert len(answers) == known_answers.ANSWERS
    assert answers.find(asked[-1]) == [b"1"]  # type: ignore[arg-type]  checked above
