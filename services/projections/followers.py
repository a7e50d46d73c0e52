"""The follower `attain`: derives what evidence gives, keeps the continuum, records what was attained, once.

Rows, own appends and the follower's position are written in one transaction. Attainments have ids made from their
cause, so recording one again changes nothing. How far a principal has been looked at stands in their overall
row; who was not looked at as far as the follower has read stands in `behind` and is worked off by the next
batches, which the appended attainments themselves bring about.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from contracts.continuum import LEVELS
from contracts.events import EVENT_TYPES
from contracts.events.projections import LevelLapsed, LevelReached
from contracts.refusals import Refusal
from contracts.times import format_timestamp
from foundation.eventlog import EventLog, FollowerTransaction, NewEvent, Recorded, event_id_from, item, new_event, query
from foundation.eventlog.followers import MOST_APPENDED, TooManyAppended
from foundation.eventlog.running import describe
from foundation.postgres.queries import Queries
from services.projections import timeline as decided
from services.projections.derivation import Attainment, Derivation
from services.projections.folding import RECORDED, fold
from services.projections.folding import Recorded as RecordedAttainment
from services.projections.replay import attainment_data
from services.projections.rows import Row, as_json, rows
from services.projections.timeline import Step, Timeline

RECORDER: Final = "service:projections"
DOSSIER_TYPES: Final = tuple(name for name, kind in EVENT_TYPES.items() if kind.stream == "dossier")
ENOUGH: Final = 300
"""Attainments after which a batch begins no other step: one transaction appends at most `MOST_APPENDED`."""
MOST_OF_COMPETENCY: Final = 2 * len(LEVELS)
"""Attainments that one step can make of a competency: each level lapses and is reached anew."""
KEPT: Final = 600
"""Principals whose state is kept in memory, about 0.1 MB each."""
_log = logging.getLogger(__name__)
_sql: Final = Queries("services.projections")


@dataclass(slots=True)
class State:
    derivation: Derivation
    position: int
    """Of the last event that was looked at."""


class Attain:
    """Follows dossiers and decisions. One leader at a time, as the runner sees to it."""

    name = "projections.attain"
    types: frozenset[str] | None = frozenset({*DOSSIER_TYPES, *decided.TYPES, *RECORDED})
    unseal = False

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._timeline = Timeline()
        self._states: OrderedDict[str, State] = OrderedDict()
        self._changed: list[Row] = []
        """Rows of this batch."""

    def apply(self, batch: Sequence[Recorded], tx: FollowerTransaction) -> None:
        try:
            made = self._derive(batch, tx.cursor)
        except BaseException:
            self._states.clear()  # they may be ahead of what is kept
            raise
        tx.append(made)

    def retry(self, principal: str, until: int, tx: FollowerTransaction) -> bool:
        """Looks at a parked principal up to `until`, and at no others; tells whether more is left of theirs."""
        made: list[NewEvent] = []
        self._changed = []
        try:
            take_decisions(self._timeline, self._log, until)
            looked_at = dict(tx.cursor.execute(_sql["looked_at"], ([principal],)).fetchall())
            whole = self._look(principal, looked_at.get(principal, 0), None, until, made)
            if self._changed:
                tx.cursor.execute(_sql["write_rows"], (as_json(self._changed),))
            tx.append(made)
        except BaseException:
            self._states.clear()  # as above
            raise
        return not whole

    def _derive(self, batch: Sequence[Recorded], cursor: psycopg.Cursor[Any]) -> list[NewEvent]:
        until = batch[-1].position
        take_decisions(self._timeline, self._log, until)
        fresh: dict[str, list[Step]] = {}
        for event in batch:
            if event.type in DOSSIER_TYPES:
                fresh.setdefault(principal_of(event), []).append(step_of(event))
        if any(event.type == decided.LOOKED_AT for event in batch):
            cursor.execute(_sql["all_fall_behind"])
        behind = dict.fromkeys(name for (name,) in cursor.execute(_sql["behind"]))
        todo = [*behind, *(name for name in fresh if name not in behind)]
        looked_at = dict(cursor.execute(_sql["looked_at"], (todo,)).fetchall())
        made: list[NewEvent] = []
        self._changed = []
        done: list[str] = []
        left: list[str] = []
        for principal in todo:
            if len(made) >= enough(self._timeline):
                left.append(principal)
                continue
            since = looked_at.get(principal, 0)
            if principal not in behind:
                whole = self._look(principal, since, fresh[principal], until, made)
            else:
                whole = self._look_behind(cursor, principal, since, until, made)
            (done if whole else left).append(principal)
        if self._changed:
            cursor.execute(_sql["write_rows"], (as_json(self._changed),))
        if behind:
            cursor.execute(_sql["caught_up"], (done,))
        if left:
            cursor.execute(_sql["fall_behind"], (left,))
        return made

    def _look_behind(
        self, cursor: psycopg.Cursor[Any], principal: str, looked_at: int, until: int, made: list[NewEvent]
    ) -> bool:
        before = len(made)
        try:
            return self._look(principal, looked_at, None, until, made)
        except (Refusal, psycopg.OperationalError):
            raise  # nobody's fault: all of it is tried again
        except Exception as error:  # noqa: BLE001  # whatever it is, the batch is about others: they don't pay for it
            _log.error("%s parked a principal who was behind: %s", self.name, describe(error))
            del made[before:]
            self._states.pop(principal, None)
            cursor.execute(_sql["park"], (self.name, principal, looked_at + 1, describe(error)))
            return True

    def _look(
        self,
        principal: str,
        looked_at: int,
        steps: Iterable[Step] | None,
        until: int,
        made: list[NewEvent],
    ) -> bool:
        """Looks at a principal from `looked_at` on; tells whether all up to `until` was looked at.

        steps: what is new of the dossier, None where the log has to be asked.
        """
        state = self._states.pop(principal, None)
        if state is None or state.position != looked_at:
            state = self._load(principal, looked_at)
            steps = None if state.position != looked_at else steps
        if steps is None:
            steps = read_steps(self._log, principal, after=state.position, until=until)
        # Tables made anew take in at once all that was recorded: then the batches to come hold nothing new.
        steps = [step for step in steps if step.position > state.position]
        whole, most = True, enough(self._timeline)
        for step in self._timeline.with_reassessments(steps, after=state.position, until=until):
            if len(made) >= most:
                whole = False
                break
            made += (_event(principal, one) for one in self._timeline.look(state.derivation, step))
            if len(made) > MOST_APPENDED:
                raise TooManyAppended  # here, where it is known whose step it is
            state.position = step.position
        changed = state.derivation.changed
        self._changed += rows(principal, state.derivation, state.position, changed)
        changed.clear()
        self._states[principal] = state
        if len(self._states) > KEPT:
            self._states.popitem(last=False)
        return whole

    def _load(self, principal: str, looked_at: int) -> State:
        """The state as kept. Where the log says that more was looked at (tables made anew), as recorded there."""
        recorded = read_recorded(self._log, principal)
        until = max([looked_at, *(one.data["because"] for one in recorded)])
        take_decisions(self._timeline, self._log, until)
        steps = read_steps(self._log, principal, until=until) if until else []
        folded = fold(steps, recorded, self._timeline, until=until)
        if until == looked_at:
            folded.derivation.changed.clear()
        return State(folded.derivation, folded.position)


def enough(timeline: Timeline) -> int:
    """Attainments after which no other step is begun, so that one more can't make too many for a transaction.

    At least 1: whatever one step makes, it is made in a transaction of its own.
    """
    competencies = len({number for framework in timeline.frameworks.values() for number in framework.numbers})
    return max(1, min(ENOUGH, MOST_APPENDED - MOST_OF_COMPETENCY * (competencies + 1)))  # the overall level as well


def take_decisions(timeline: Timeline, log: EventLog, until: int | None = None) -> None:
    """Lets the timeline take what the Commission decided since it last did, up to a position."""
    for event in log.read(query(item(types=decided.TYPES)), after=timeline.position, until=until):
        timeline.take(event, format_timestamp(event.recorded_at))


def read_steps(log: EventLog, principal: str, *, after: int = 0, until: int | None = None) -> list[Step]:
    """The events of a dossier."""
    found = log.read(query(item(types=DOSSIER_TYPES, tags=(f"dossier:{principal}",))), after=after, until=until)
    return [step_of(event) for event in found]


def read_recorded(log: EventLog, principal: str) -> list[RecordedAttainment]:
    """Every attainment of a principal."""
    found = log.read(query(item(types=tuple(RECORDED), tags=(f"attainment:{principal}",))))
    return [RecordedAttainment(RECORDED[event.type], event.data) for event in found]


def principal_of(event: Recorded) -> str:
    """The X of `dossier:X`."""
    return event.stream.partition(":")[2]


def step_of(event: Recorded) -> Step:
    return Step(event.position, event.type, event.recorded_by, format_timestamp(event.recorded_at), event.data)


def _event(principal: str, attainment: Attainment) -> NewEvent:
    model = LevelReached if attainment.reached else LevelLapsed
    data = attainment_data(principal, attainment)
    made_from = (str(attainment.because), principal, str(attainment.competency), data["level"])
    return new_event(
        model.model_validate(data),
        recorded_by=RECORDER,
        tags=(f"principal:{principal}",),
        event_id=event_id_from(RECORDER, model.__name__, *made_from),
    )
