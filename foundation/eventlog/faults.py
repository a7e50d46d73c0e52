"""What can go wrong when the log is written or read, in the log's own words.

Services see most of these as a `Refusal`: `Busy`, `ClockOff` and `OutcomeUnknown` are refusals themselves.
"""

from __future__ import annotations

from contracts.refusals import Kind, Refusal
from foundation.eventlog.dcb import IntegrityError


class AppendConflict(IntegrityError):
    """An event that the condition names has appeared meanwhile. `decide` reads again and decides anew."""


class CommandRepeated(IntegrityError):
    """This command has been recorded before. `decide` gives its first answer."""


class EventRepeated(IntegrityError):
    """An event with this id is there already."""


class TypeNotOwned(Exception):
    """This login may not append events of this type."""


class NotADemonstration(Exception):
    """A time was given to a log that is no demonstration: there only the database tells the time."""


class Busy(Refusal):
    def __init__(self) -> None:
        super().__init__(Kind.LOG_BUSY, "A large import holds the log. Nothing was stored; try again soon.")


class ClockOff(Refusal):
    def __init__(self, detail: str) -> None:
        super().__init__(Kind.CLOCK_OFF, detail)


class OutcomeUnknown(Refusal):
    def __init__(self) -> None:
        super().__init__(
            Kind.OUTCOME_UNKNOWN,
            "The connection to the database was lost while this was stored, so whether it was is not known. "
            "Send it again with the same Idempotency-Key: it will be recorded once.",
        )


class Unavailable(Refusal):
    def __init__(self, detail: str) -> None:
        super().__init__(Kind.UNAVAILABLE, detail)


class TooMany(Refusal):
    """More events in one transaction than may be appended without the exclusive mode."""

    def __init__(self) -> None:
        super().__init__(
            Kind.TOO_LARGE, "More than 50,000 events at once hold the log for long. Nothing was stored: use `exclusive`"
        )
