"""Quartz cron expressions as APScheduler triggers: seconds first, days of the week counted from Sunday as 1, `?`.

Every field is written out as the values it means, so that nothing depends on how two schedulers count.
"""

import re
from collections.abc import Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apscheduler.triggers.cron import CronTrigger

from local_workspace.errors import InvalidParameterValue

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
ORDINALS = ("1st", "2nd", "3rd", "4th", "5th")

FIELDS: Mapping[str, tuple[int, int]] = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "day": (1, 31),
    "month": (1, 12),
    "day_of_week": (1, 7),
    "year": (1970, 2099),
}
NAMES: Mapping[str, Mapping[str, int]] = {
    "month": {name: number for number, name in enumerate(MONTHS, start=1)},
    "day_of_week": {name: number for number, name in enumerate(WEEKDAYS, start=1)},
}


def trigger(expression: str, timezone: str) -> CronTrigger:
    """The trigger that fires when Quartz would.

    Raises:
        InvalidParameterValue: the expression or the time zone is not valid, or uses `W` or `LW`.
    """
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise InvalidParameterValue(
            f"timezone_id {timezone!r} is not a time zone, such as Europe/Zurich or UTC."
        ) from None
    return CronTrigger(timezone=zone, **_fields(expression))


def _fields(expression: str) -> dict[str, str]:
    parts = expression.split()
    if len(parts) not in {len(FIELDS) - 1, len(FIELDS)}:
        raise _invalid(expression, "it needs 6 or 7 fields: second minute hour day month weekday [year]")
    texts = dict(zip(FIELDS, [*parts, "*"], strict=False))
    if (texts["day"] == "?") == (texts["day_of_week"] == "?"):
        raise _invalid(expression, "exactly one of day of month and day of week is ?")
    on_weekday = texts.pop("day_of_week")
    fields = {name: _field(expression, name, text) for name, text in texts.items()}
    if on_weekday != "?":
        fields |= _weekdays(expression, on_weekday)
    return fields


def _weekdays(expression: str, text: str) -> dict[str, str]:
    """Days of the week; the third Friday (6#3) and the last Friday (6L) are days of the month to APScheduler."""
    nth = re.fullmatch(r"(\w+)#([1-5])", text)
    if nth:
        weekday = WEEKDAYS[_number(expression, "day_of_week", nth[1]) - 1]
        return {"day": f"{ORDINALS[int(nth[2]) - 1]} {weekday}"}
    last = re.fullmatch(r"(\w+)L", text)
    if last:
        return {"day": f"last {WEEKDAYS[_number(expression, 'day_of_week', last[1]) - 1]}"}
    if text == "L":
        return {"day_of_week": "sat"}
    if text == "*":
        return {"day_of_week": "*"}
    numbers = _values(expression, "day_of_week", text)
    return {"day_of_week": ",".join(WEEKDAYS[number - 1] for number in numbers)}


def _field(expression: str, name: str, text: str) -> str:
    if text in {"*", "?"}:
        return "*"
    if name == "day" and text == "L":
        return "last"
    return ",".join(str(number) for number in _values(expression, name, text))


def _values(expression: str, name: str, text: str) -> list[int]:
    values: set[int] = set()
    for part in text.split(","):
        values |= _span(expression, name, part)
    return sorted(values)


def _span(expression: str, name: str, part: str) -> set[int]:
    """The values of one part of a list: 5, 5-9, 5/15, 5-9/2, */3; a range may run over the end (FRI-MON)."""
    lowest, highest = FIELDS[name]
    span, slash, step_text = part.partition("/")
    if slash and not (step_text.isdecimal() and int(step_text)):
        raise _invalid(expression, f"the step {step_text!r} of {name} is no number above 0")
    first_text, dash, last_text = span.partition("-")
    first = lowest if first_text == "*" else _number(expression, name, first_text)
    last = (
        _number(expression, name, last_text) if dash else (highest if slash or first_text == "*" else first)
    )
    if last < first:
        last += highest - lowest + 1
    count = highest - lowest + 1
    return {(number - lowest) % count + lowest for number in range(first, last + 1, int(step_text or 1))}


def _number(expression: str, name: str, text: str) -> int:
    lowest, highest = FIELDS[name]
    number = NAMES.get(name, {}).get(text.lower())
    if number is None:
        if not text.isdecimal() or not lowest <= int(text) <= highest:
            raise _invalid(expression, f"{text!r} is no {name.replace('_', ' ')} from {lowest} to {highest}")
        number = int(text)
    return number


def _invalid(expression: str, reason: str) -> InvalidParameterValue:
    return InvalidParameterValue(f"The Quartz cron expression {expression!r} is not valid: {reason}.")
