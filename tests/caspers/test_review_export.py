"""Exports: CSV that spreadsheets cannot be tricked with, JSON Lines that are unaltered, memory that stays flat."""

import csv
import json
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from caspers.review.export import exported
from hypothesis import given
from hypothesis import strategies as st

COLUMNS = ("order_id", "refund_usd", "note")


def _csv(*records: dict[str, Any]) -> list[list[str]]:
    text = b"".join(exported("csv", COLUMNS, [records])).decode()
    return list(csv.reader(StringIO(text, newline="")))


def test_csv_has_the_columns_in_order_and_a_row_for_each_record():
    rows = _csv({"refund_usd": Decimal("4.50"), "order_id": "A", "note": None, "more": "left out"})
    assert rows == [list(COLUMNS), ["A", "4.50", ""]]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_text_that_looks_like_a_formula_is_marked_as_text(text: str):
    assert _csv({"note": text})[1][2] == f"'{text}"


def test_numbers_below_zero_stay_numbers():
    assert _csv({"order_id": -3, "refund_usd": Decimal("-4.50")})[1][:2] == ["-3", "-4.50"]


def test_a_list_of_texts_becomes_one_cell_of_json():
    assert _csv({"note": ["Nonna's", 'A "quoted" one']})[1][2] == '["Nonna\'s", "A \\"quoted\\" one"]'


def test_json_lines_carry_every_value_unaltered():
    record = {
        "id": UUID(int=7),
        "at": datetime(2024, 3, 1, tzinfo=UTC),
        "usd": Decimal("4.50"),
        "note": "=1+1\nand a line",
        "none": None,
    }
    lines = b"".join(exported("jsonl", (), [[record]])).decode().splitlines()
    assert [json.loads(line) for line in lines] == [
        {
            "id": str(UUID(int=7)),
            "at": "2024-03-01T00:00:00+00:00",
            "usd": 4.5,
            "note": "=1+1\nand a line",
            "none": None,
        }
    ]


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=8))
def test_whatever_texts_hold_a_cell_never_begins_a_formula(texts: list[str]):
    rows = _csv(*({"order_id": "A", "note": text} for text in texts))[1:]
    assert [row[2].removeprefix("'") for row in rows] == [text.removeprefix("'") for text in texts]
    assert not [row for row in rows if row[2].startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]


def test_a_long_export_takes_the_memory_of_one_piece():
    def pieces() -> Iterator[list[dict[str, Any]]]:
        for number in range(200):
            yield [{"order_id": f"{number}-{row}", "note": "x" * 100} for row in range(500)]

    tracemalloc.start()
    length = sum(len(part) for part in exported("csv", COLUMNS, pieces()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert length > 10_000_000
    assert peak < 2_000_000
