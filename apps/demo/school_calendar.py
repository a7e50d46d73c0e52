"""The days on which people work, and the hours at which they write."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random


def school_day(day: date) -> date:
    """The day itself, or the next on which a school is open."""
    while day.weekday() > 4 or _break(day):
        day += timedelta(days=1)
    return day


def evening(rng: Random, day: date) -> datetime:
    """A moment on that day, 14:00 to 23:00 UTC: from nine in the morning to the evening in Missouri, the same date
    there and in UTC."""
    return datetime.combine(day, time(14), UTC) + timedelta(seconds=rng.randrange(9 * 3600))


def _break(day: date) -> bool:
    month, number = day.month, day.day
    return month == 7 or (month == 6 and number > 20) or (month == 12 and number > 21) or (month == 1 and number < 3)
