"""Quartz expressions fire when Quartz would, and say what is wrong with them."""

from datetime import UTC, datetime

import pytest
from local_workspace.api.jobs.quartz import trigger
from local_workspace.errors import InvalidParameterValue

SATURDAY = datetime(2026, 11, 21, 9, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 */3 * * * ?", "2026-11-21 09:03:00"),
        ("0/20 * * * * ?", "2026-11-21 09:00:40"),
        ("0 0 12 ? * 2-6", "2026-11-23 12:00:00"),
        ("0 0 12 ? * 1", "2026-11-22 12:00:00"),
        ("0 0 12 ? * SUN", "2026-11-22 12:00:00"),
        ("0 0 8 ? * FRI-MON", "2026-11-22 08:00:00"),
        ("0 0 0 L * ?", "2026-11-30 00:00:00"),
        ("0 30 10 ? * 6#3", "2026-12-18 10:30:00"),
        ("0 0 0 ? * 6L", "2026-11-27 00:00:00"),
        ("0 0 0 1 JAN ?", "2027-01-01 00:00:00"),
        ("0 0 0 1 1 ? 2030", "2030-01-01 00:00:00"),
        ("0 5,35 9-17/4 * * ?", "2026-11-21 09:05:00"),
    ],
)
def test_the_next_time_is_the_one_quartz_means(expression: str, expected: str):
    fires = trigger(expression, "UTC").get_next_fire_time(None, SATURDAY.replace(second=31))
    assert fires is not None
    assert fires.strftime("%Y-%m-%d %H:%M:%S") == expected


def test_the_time_zone_of_the_schedule_counts():
    fires = trigger("0 0 12 * * ?", "America/New_York").get_next_fire_time(None, SATURDAY)
    assert fires is not None
    assert fires.astimezone(UTC).hour == 17


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("* * *", "6 or 7 fields"),
        ("0 0 0 * * *", "exactly one of day of month and day of week is ?"),
        ("0 0 0 ? * ?", "exactly one of day of month and day of week is ?"),
        ("0 60 * * * ?", "'60' is no minute from 0 to 59"),
        ("0 0 0 15W * ?", "'15W' is no day"),
        ("0 */0 * * * ?", "the step '0' of minute"),
        ("", "6 or 7 fields"),
    ],
)
def test_an_expression_that_is_wrong_says_where(expression: str, says: str):
    with pytest.raises(InvalidParameterValue, match="Quartz") as refused:
        trigger(expression, "UTC")
    assert says in refused.value.message


def test_an_unknown_time_zone_is_refused_by_name():
    with pytest.raises(InvalidParameterValue, match="Middle/Earth"):
        trigger("0 * * * * ?", "Middle/Earth")
