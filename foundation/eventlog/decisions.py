"""Deciding by a dynamic consistency boundary: read what matters, decide, append under a condition.

The condition says that no event which the query names has appeared since it was read; if one has, the
decision is made again on what is there now. Nothing is locked while people's code runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.events import is_erased
from contracts.refusals import Kind, Refusal
from foundation.eventlog.dcb import Condition, Query
from foundation.eventlog.events import Command, NewEvent, Recorded
from foundation.eventlog.faults import AppendConflict, CommandRepeated
from foundation.eventlog.log import EventLog

Decision = Callable[[list[Recorded]], Sequence[NewEvent]]
Same = Callable[[list[Recorded], Sequence[NewEvent]], bool]

ATTEMPTS = 50
"""How often a decision is made anew before the caller is told that others write too fast."""


@dataclass(frozen=True, slots=True)
class Decided:
    events: list[Recorded]
    """As recorded, personal members included; of a repeated command what was recorded the first time."""
    repeated: bool


def decide(
    log: EventLog,
    query: Query,
    decision: Decision,
    *,
    command: Command | None = None,
    unseal: bool = False,
    recorded_at: datetime | None = None,
    same: Same | None = None,
    unless: Query | None = None,
) -> Decided:
    """Reads the events of the query, calls `decision` with them and appends what it returns.

    `unless` is the condition where it is narrower than the query: only those of its events that can make the
    decision fall otherwise (a dossier that was opened stays open). Without items, nothing can.

    `decision` is pure: it is called again after a conflict, and its Refusal is passed on and not remembered.
    With a `command`, a second call with it records nothing and gives the first answer: `decision` is then
    asked once more on what was there before the first time, and `same` compares (by default line, types and
    data, without what the server set). Another line or other content is a Refusal `idempotency-conflict`.
    """
    for _ in range(ATTEMPTS):
        known, head = log.read_to_head(query, unseal=unseal)
        try:
            events = decision(known)
        except Refusal:
            # A command that is sent again often finds its own work in its way; look before refusing.
            repeated = _repeated(log, query, decision, command, unseal, same)
            if repeated is None:
                raise
            return repeated
        if not events:
            repeated = _repeated(log, query, decision, command, unseal, same)
            if repeated is None:
                log.settle()  # the decision may say that what it found is enough
            return repeated or Decided([], repeated=False)
        guard = query if unless is None else unless
        condition = Condition(guard, after=head) if unless is None or guard.items else None
        try:
            recorded = log.append(events, condition=condition, command=command, recorded_at=recorded_at)
        except AppendConflict:
            continue
        except CommandRepeated:
            repeated = _repeated(log, query, decision, command, unseal, same)
            assert repeated is not None
            return repeated
        return Decided(recorded, repeated=False)
    raise Refusal(Kind.CONFLICT, "Others kept writing about the same thing meanwhile. Nothing was stored.")


def same_content(first: list[Recorded], again: Sequence[NewEvent]) -> bool:
    """Whether two runs of a command recorded the same: types and data, without what the server set."""
    return [event.type for event in first] == [event.type for event in again] and all(
        _without(old.data, new.server_set) == _without(new.data, new.server_set)
        for old, new in zip(first, again, strict=True)
    )


def _without(data: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in names}


def _repeated(
    log: EventLog, query: Query, decision: Decision, command: Command | None, unseal: bool, same: Same | None
) -> Decided | None:
    """The first answer of a recorded command; None if it was never recorded."""
    found = log.of_command(command.id, unseal=True) if command else None
    if command is None or found is None:
        return None
    line, first = found
    if line != command.line:
        raise _conflict("another call was made with it")
    if any(is_erased(value) for event in first for value in event.data.values()):
        raise Refusal(Kind.ERASED, "What was recorded under this key has been erased.")
    before = log.read(query, until=first[0].position - 1, unseal=unseal)
    try:
        again = decision(before)
    except Refusal as refusal:
        raise _conflict("its first content was accepted, this one would not have been") from refusal
    if not (same or same_content)(first, again):
        raise _conflict("its content differs from that of the first time")
    return Decided(first, repeated=True)


def _conflict(why: str) -> Refusal:
    return Refusal(
        Kind.IDEMPOTENCY_CONFLICT,
        f"This Idempotency-Key has been used before, and {why}. Nothing was stored; use a new key.",
    )
