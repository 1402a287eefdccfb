"""Cursors come back as they went out, and nothing else is taken for one."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from caspers.review.keyset import OddCursor, Place, cursor, place
from hypothesis import given
from hypothesis import strategies as st

IDS = st.text(max_size=40).filter(lambda text: "\0" not in text and text.isprintable())


@given(st.datetimes(timezones=st.just(UTC)), IDS)
def test_a_moment_survives_the_way_there_and_back(moment: datetime, row_id: str):
    assert place("newest", cursor("newest", moment, row_id), datetime) == Place(moment, row_id)


@given(st.floats(allow_nan=False, allow_infinity=False), IDS)
def test_a_number_survives_the_way_there_and_back(number: float, row_id: str):
    assert place("longest", cursor("longest", number, row_id), float) == Place(number, row_id)


@given(st.text(max_size=200))
def test_whatever_is_sent_is_a_place_or_refused_in_words(text: str):
    with pytest.raises(OddCursor, match="cursor"):
        place("newest", text, datetime)


@pytest.mark.parametrize("key", [None, True, [1], {"a": 1}, "yesterday"])
def test_keys_of_another_type_are_refused(key: Any):
    with pytest.raises(OddCursor):
        place("amount", cursor("amount", key, "a"), Decimal)
