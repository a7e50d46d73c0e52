"""Dates and instants, in the few forms that we read. Nothing is guessed: any other form is refused.

Source: RFC 3339 section 5.6, narrowed: capital `T`, ASCII digits, seconds 00 to 59, at most six decimals.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9])(?:\.([0-9]{1,6}))?"
    r"(Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)


def parse_date(text: object) -> date:
    """`YYYY-MM-DD`, a day that exists; else ValueError with a sentence."""
    if isinstance(text, date) and not isinstance(text, datetime):
        return text
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        raise ValueError("a date is written YYYY-MM-DD, for example 2026-03-02")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"there is no day {text}") from None


def parse_instant(text: object) -> datetime:
    """An RFC 3339 instant with an offset, as UTC; else ValueError with a sentence."""
    match = _INSTANT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(
            "a time is written YYYY-MM-DDTHH:MM:SS with Z or an offset, seconds 00 to 59 and at most "
            "six decimals, for example 2026-03-02T15:04:05Z"
        )
    whole, fraction, offset = match.groups()
    try:
        moment = datetime.fromisoformat(whole + ("+00:00" if offset == "Z" else offset))
        moment += timedelta(microseconds=int((fraction or "0").ljust(6, "0")))
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"there is no moment {text}") from None


def parse_timestamp(text: object) -> datetime:
    """The envelope's form of an instant: as `parse_instant`, and in UTC with `Z`."""
    moment = parse_instant(text)
    if not str(text).endswith("Z"):
        raise ValueError("this time is written in UTC with Z, for example 2026-03-02T15:04:05Z")
    return moment


def format_timestamp(moment: datetime) -> str:
    """An aware datetime as RFC 3339 in UTC with `Z`; decimals only where there are any."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _date_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


Date = Annotated[date, BeforeValidator(parse_date), PlainSerializer(_date_text, return_type=str)]
Timestamp = Annotated[
    datetime,
    BeforeValidator(lambda v: v if isinstance(v, datetime) else parse_timestamp(v)),
    PlainSerializer(format_timestamp, return_type=str),
]
