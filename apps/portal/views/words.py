"""How things are said on pages: dates, numbers, levels, clauses. One place, so that all pages say them alike."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from contracts.continuum import OVERALL, CompetencyOrOverall, Level
from contracts.times import parse_date, parse_instant

OFFICIAL_TEXT_MISSING: Final = "official text not supplied yet"

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_KINDS: Final = {
    "observation": ("observation", "observations"),
    "feedback_cycle": ("feedback cycle", "feedback cycles"),
    "artifact": ("artifact", "artifacts"),
}
# Controls, and marks that turn the direction of text: nothing that a name or a claim needs.
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")


def day(text: object) -> str:
    """ "March 2, 2026" from a date or an instant; what is neither is shown as it stands."""
    try:
        moment = parse_date(text) if isinstance(text, str) and "T" not in text else parse_instant(text)
    except ValueError:
        return clean(text, 40)
    return f"{_MONTHS[moment.month - 1]} {moment.day}, {moment.year}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """ "1 badge", "2 badges"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def kind(name: str, number: int = 1) -> str:
    """ "feedback cycles" for `feedback_cycle`; the number says singular or plural."""
    one, many = _KINDS.get(name, (name, name))
    return one if number == 1 else many


def clause(name: str, number: int) -> str:
    """What a clause of the rule counts: "artifacts", "different assessors"."""
    if name.startswith("kinds."):
        return kind(name.removeprefix("kinds."), number)
    return {
        "items": "piece of evidence" if number == 1 else "pieces of evidence",
        "assessors": "assessor" if number == 1 else "different assessors",
        "span_days": "day from first to last" if number == 1 else "days from first to last",
    }.get(name, name)


def level_label(level: str | None) -> str:
    """ "Developing"; "No level yet" where none stands."""
    return Level(level).label if level is not None else "No level yet"


def competency_name(competency: CompetencyOrOverall) -> str:
    return "Overall level" if competency == OVERALL else f"Competency {competency}"


def upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def joined(parts: list[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def clean(text: object, limit: int = 300) -> str:
    """Text from elsewhere, as far as a page shows it: no controls, composed, cut at `limit` characters."""
    if not isinstance(text, str):
        return ""
    shown = _UNPRINTABLE.sub("\ufffd", unicodedata.normalize("NFC", text))
    shown = shown.encode("utf-8", "replace").decode("utf-8")
    return shown if len(shown) <= limit else shown[: limit - 1].rstrip() + "…"
