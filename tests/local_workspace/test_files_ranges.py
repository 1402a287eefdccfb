"""Byte ranges of RFC 9110."""

import pytest
from local_workspace.api.files.ranges import UnsatisfiableRange, byte_range

WHOLE = [None, "", "bytes=-", "bytes=1-2,4-5", "items=1-2", "bytes=a-b"]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", range(1)),
        ("bytes=2-4", range(2, 5)),
        ("bytes=4-", range(4, 10)),
        ("bytes=-4", range(6, 10)),
        ("bytes=-99", range(10)),
        ("bytes=5-99", range(5, 10)),
    ],
)
def test_a_range_gives_the_bytes_it_names(header: str, expected: range):
    assert byte_range(header, 10) == expected


@pytest.mark.parametrize("header", WHOLE)
def test_what_is_not_a_single_range_of_bytes_means_the_whole(header: str | None):
    assert byte_range(header, 10) is None


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=10-", 10), ("bytes=5-2", 10), ("bytes=-0", 10), ("bytes=0-", 0)]
)
def test_a_range_past_the_end_cannot_be_satisfied(header: str, size: int):
    with pytest.raises(UnsatisfiableRange):
        byte_range(header, size)
