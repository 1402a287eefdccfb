"""Pipelines of one's own: what the runner understands, and what it says of source that cannot run."""

from pathlib import Path
from textwrap import dedent

import pytest

from tests.support.pipelines import PipelineFolder

HEAD = """
from pyspark import pipelines as dp
from pyspark.sql import SparkSession, functions as F

@dp.table
def words():
    path = spark.conf.get("caspers.events_path")
    return spark.readStream.format("text").load(path).select(F.col("value").alias("word"), F.length("value").alias("size"))
"""


@pytest.fixture
def own(tmp_path: Path, engine: str) -> PipelineFolder:
    """A pipeline whose source a test writes."""
    (tmp_path / "source").mkdir()
    return PipelineFolder(tmp_path / "pipeline", engine, tmp_path / "source")


def _write(pipeline: PipelineFolder, source: str) -> None:
    (pipeline.folder.parent / "source" / "words.py").write_text(HEAD + dedent(source))


def test_a_view_with_a_filter_after_the_groups_stays_right(own: PipelineFolder):
    _write(
        own,
        """
        @dp.materialized_view
        def rare():
            return spark.read.table("words").groupBy("word").agg(F.count("*").alias("n")).where("n < 3")
    """,
    )
    own.put("1", b"a\nb\nb\nc\nd\ne\n")
    own.update()
    own.put("2", b"b\n")
    assert "touched" in own.update().flow("rare")["how"]
    assert {row["word"]: row["n"] for row in own.rows("rare")} == {"a": 1, "c": 1, "d": 1, "e": 1}


def test_a_view_that_needs_everything_is_computed_anew_and_says_why(own: PipelineFolder):
    _write(
        own,
        """
        @dp.materialized_view
        def total():
            return spark.read.table("words").agg(F.sum("size").alias("size"))
    """,
    )
    own.put("1", b"a\nbb\nccc\n")
    own.update()
    own.put("2", b"dd\n")
    assert own.update().flow("total")["how"] == "full, because it has one group over everything"
    assert own.rows("total") == [{"size": 8}]


def test_a_view_of_a_view_and_temporary_views_follow_along(own: PipelineFolder):
    _write(
        own,
        """
        @dp.temporary_view
        def short():
            return spark.readStream.table("words").where("size < 3")

        @dp.table
        def short_words():
            return spark.readStream.table("short")

        @dp.materialized_view
        def by_size():
            return spark.read.table("short_words").groupBy("size").agg(F.count("*").alias("n"))

        @dp.materialized_view
        def sizes():
            return SparkSession.active().read.table("by_size").agg(F.count("*").alias("sizes"))
    """,
    )
    own.put("1", b"a\nbb\nccc\n")
    assert own.update().code == 0
    own.put("2", b"dd\n")
    own.update()
    assert sorted((row["size"], row["n"]) for row in own.rows("by_size")) == [(1, 1), (2, 2)]
    assert own.rows("sizes") == [{"sizes": 2}]


def test_groups_with_null_keys_are_refreshed_like_others(own: PipelineFolder):
    _write(
        own,
        """
        @dp.materialized_view
        def by_first():
            first = F.when(F.col("size") > 1, F.substring("word", 1, 1))
            return spark.read.table("words").withColumn("first", first).groupBy("first").agg(F.count("*").alias("n"))
    """,
    )
    own.put("1", b"a\nb\nxx\nxy\n")
    own.update()
    own.put("2", b"c\n")
    assert own.update().flow("by_first")["how"] == "1 touched groups"
    assert {row["first"]: row["n"] for row in own.rows("by_first")} == {None: 3, "x": 2}


def test_a_changed_query_is_computed_anew_with_its_new_columns(own: PipelineFolder):
    view = '@dp.materialized_view\ndef v():\n    return spark.read.table("words").groupBy("size").agg({})\n'
    _write(own, view.format('F.count("*").alias("n")'))
    own.put("1", b"a\nbb\n")
    own.update()
    _write(own, view.format('F.count("*").alias("n"), F.max("word").alias("last")'))
    assert own.update().flow("v")["how"] == "full, because it is the first"
    assert {row["last"] for row in own.rows("v")} == {"a", "bb"}


def test_an_error_of_the_source_names_its_file_line_and_cause(own: PipelineFolder):
    _write(
        own,
        """
        @dp.materialized_view
        def broken():
            return spark.read.table("words").select(1 / 0)
    """,
    )
    outcome = own.update()
    assert outcome.code == 1
    assert (
        outcome.failure == "The flow broken of words.py failed: ZeroDivisionError: division by zero (line 12)"
    )


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ('@dp.materialized_view\ndef v():\n    return spark.read.table("nowhere")\n', "nowhere does not exist"),
        ('@dp.materialized_view\ndef v():\n    return spark.read.table("v")\n', "c.s.v reads itself"),
        ('@dp.materialized_view\ndef v():\n    return spark.sql("select 1")\n', "spark.sql(…) is not supported"),
        ('@dp.table\ndef t():\n    return spark.read.table("words")\n', "it reads no stream"),
        ('@dp.table\ndef t():\n    return spark.readStream.format("kafka").load("x")\n', "Streams of kafka"),
        ('@dp.materialized_view\ndef v():\n    return spark.read.table("words").select("none")\n', "none"),
        ("def broken(:\n", "words.py failed: SyntaxError"),
        ('dp.create_sink("s", "delta")\n', "Sinks (s) are not supported"),
    ],
)  # fmt: skip
def test_source_that_cannot_run_is_refused_with_a_reason(own: PipelineFolder, source: str, says: str):
    _write(own, source)
    outcome = own.update()
    assert outcome.code == 1
    assert says in outcome.failure
    assert not (own.folder / "tables").exists()


def test_validating_checks_the_source_and_makes_nothing(own: PipelineFolder):
    _write(own, "")
    own.put("1", b"a\n")
    assert own.update(validate_only=True).code == 0
    assert not (own.folder / "tables").exists()


def test_only_the_chosen_tables_are_updated(own: PipelineFolder):
    _write(
        own,
        """
        @dp.materialized_view
        def v():
            return spark.read.table("words").groupBy("word").agg(F.count("*").alias("n"))
    """,
    )
    own.put("1", b"a\n")
    own.update(refresh_selection=["words"])
    assert len(own.rows("words")) == 1
    assert own.rows("v") == []


def test_an_interval_that_is_no_interval_is_refused(own: PipelineFolder):
    _write(own, "")
    outcome = own.update(continuous=True, configuration={"pipelines.trigger.interval": "soon"})
    assert 'write it like "5 seconds"' in outcome.failure
