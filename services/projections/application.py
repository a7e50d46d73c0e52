"""What people and programs read of the projections: the continuum, its reasons, the history file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from contracts.continuum import OVERALL, CompetencyOrOverall
from contracts.events import EVENT_TYPES
from contracts.framework import Framework
from contracts.history import Line
from contracts.refusals import Kind, Refusal
from contracts.times import format_timestamp
from foundation.access.permissions import OPERATOR, Caller, readable_until
from foundation.access.standing import STANDING_TYPES, standing
from foundation.eventlog import ALL, PostgresEventLog, Query, item, query
from foundation.eventlog.followers import standing_of, wait_for
from foundation.postgres.queries import Queries
from services.projections import continuum
from services.projections import timeline as decided
from services.projections.decisions import Rule
from services.projections.folding import fold
from services.projections.followers import Attain, read_recorded, read_steps, take_decisions
from services.projections.rows import NOTHING, OVERALL_ROW, Standing, rows
from services.projections.timeline import Timeline

_sql: Final = Queries("services.projections")
Found = dict[int, Standing]
"""What is known of a principal, by competency; `OVERALL_ROW` is the overall level."""


class Summary(NamedTuple):
    """Where a principal stands, in few figures."""

    overall: str | None
    levels: dict[str, int]
    """Level → how many competencies stand at it."""


class Projections:
    """Reads the projections. Fits `foundation.web.Waits`. `log` is on the projections login."""

    def __init__(self, log: PostgresEventLog, clock: Callable[[], datetime]) -> None:
        self._log = log
        self._clock = clock
        self._timeline = Timeline()
        self._lock = threading.Lock()
        self.follower = Attain(log)

    def wait_for(self, position: int, timeout: float) -> bool:
        """Waits until the continuum holds everything up to the position; tells whether it does."""
        return wait_for(self.follower, self._log, position, timeout)

    def continuum(self, caller: Caller, principal: str) -> dict[str, Any]:
        """The whole continuum of a principal. Raises Refusal FORBIDDEN, UNKNOWN_PRINCIPAL."""
        position = standing_of(self.follower, self._log).position
        found, rule, timeline = self._found(caller, principal)
        numbers = sorted({number for framework in timeline.frameworks.values() for number in framework.numbers})
        return {
            "principal": principal,
            "position": position,
            "as_of": None,
            "known_at": None,
            "overall": self._overall(found, rule, timeline),
            "competencies": [self._competency(number, found, rule, timeline) for number in numbers],
        }

    def competency(self, caller: Caller, principal: str, wanted: CompetencyOrOverall) -> dict[str, Any]:
        """One competency, or the overall level. Raises Refusal FORBIDDEN, UNKNOWN_PRINCIPAL, NOT_FOUND."""
        if wanted == OVERALL:
            return self._overall(*self._found(caller, principal))
        found, rule, timeline = self._found(caller, principal, int(wanted))
        if not any(wanted in framework.numbers for framework in timeline.frameworks.values()):
            raise Refusal(Kind.NOT_FOUND, f"No known framework has a competency {wanted}.")
        return self._competency(int(wanted), found, rule, timeline)

    def principals(self) -> list[str]:
        """Every principal with an open dossier."""
        with self._log.pool.connection() as connection:
            return [name for (name,) in connection.execute(_sql["principals"])]

    def summaries(self) -> dict[str, Summary]:
        """Of every principal with a level: the overall one, and how many competencies stand at each."""
        found: dict[str, Summary] = {}
        with self._log.pool.connection() as connection:
            for principal, level, overall, competencies in connection.execute(_sql["summaries"]):
                summary = found.setdefault(principal, Summary(None, {}))
                if competencies:
                    summary.levels[level] = competencies
                if overall:
                    found[principal] = summary._replace(overall=level)
        return found

    def history(self, principal: str | None = None) -> Iterator[Line]:
        """The history of a principal, or of all: personal members in clear, or as erased. In bounded memory.

        A principal's carries, each stream whole, their dossier, attainments, nomination, person, credentials and
        shares, and all that the Commission decided. Raises Refusal UNKNOWN_PRINCIPAL.
        """
        streams = None if principal is None else self._streams(principal)
        wanted = ALL if streams is None else _whole(streams)
        versions: dict[str, int] = {}
        for event in self._log.scan(wanted, unseal=True):
            stream = event.stream
            if streams is not None and stream not in streams and event.type not in decided.TYPES:
                continue
            versions[stream] = version = versions.get(stream, 0) + 1
            yield Line(
                event.position,
                stream,
                version,
                format_timestamp(event.recorded_at),
                event.recorded_by,
                event.type,
                dict(event.data),
            )

    def _streams(self, principal: str) -> set[str]:
        found = {f"{kind}:{principal}" for kind in ("dossier", "attainment", "distinguished", "person")}
        tagged = self._log.scan(query(item(tags=(f"principal:{principal}",))))
        theirs = {event.stream for event in tagged if event.stream.startswith(("credential:", "share:"))}
        opened = query(item(types=("DossierOpened",), tags=(f"dossier:{principal}",)))
        if not self._log.read(opened, limit=1):
            raise _unknown(principal)
        return found | theirs

    def _decided(self) -> Timeline:
        with self._lock:
            take_decisions(self._timeline, self._log)
            return self._timeline

    def _decided_by(self, last: date) -> Timeline:
        """What had been decided by the end of a day: what was adopted later, even for earlier days, is not in it."""
        timeline = Timeline()
        for event in self._log.read(query(item(types=decided.TYPES))):
            at = format_timestamp(event.recorded_at)
            if at[:10] > last.isoformat():
                break
            timeline.take(event, at)
        return timeline

    def _found(self, caller: Caller, principal: str, competency: int | None = None) -> tuple[Found, Rule, Timeline]:
        """What the caller may know of the principal (of one competency), the policy in force then, and the decisions
        that were known."""
        today = self._clock().date()
        last = self._readable_until(caller, principal, today)
        if last < today:
            timeline = self._decided_by(last)
            return self._known_on(principal, last, timeline), timeline.now.in_force(last.isoformat()), timeline
        timeline = self._decided()
        return self._rows(principal, competency), timeline.now.in_force(today.isoformat()), timeline

    def _readable_until(self, caller: Caller, principal: str, today: date) -> date:
        person = caller.person
        theirs = query(item(types=STANDING_TYPES, tags=(f"person:{person}",)))
        events = self._log.read(theirs) if person else []
        return readable_until(caller, standing(person or OPERATOR, events), principal, today)

    def _rows(self, principal: str, competency: int | None) -> Found:
        asked = ("of_principal", (principal,)) if competency is None else ("of_competency", (principal, competency))
        with self._log.pool.connection() as connection:
            rows_ = connection.execute(_sql[asked[0]], asked[1]).fetchall()
        if not rows_:
            raise _unknown(principal)
        return {number: Standing.of(level, standing_, shown) for number, level, _, standing_, shown in rows_}

    def _known_on(self, principal: str, last: date, timeline: Timeline) -> Found:
        """For who was assigned once: what was recorded until their last day."""
        steps = [step for step in read_steps(self._log, principal) if step.at[:10] <= last.isoformat()]
        if not steps:
            raise _unknown(principal)
        until = max(steps[-1].position, timeline.position)  # a reassessment may be the last that looked at it
        folded = fold(steps, read_recorded(self._log, principal), timeline, until=until)
        found = rows(principal, folded.derivation, folded.position, folded.derivation.tracks)
        return {row.competency: Standing.of(row.level, row.standing, row.shown) for row in found}

    @staticmethod
    def _competency(number: int, found: Found, rule: Rule, timeline: Timeline) -> dict[str, Any]:
        return continuum.competency(number, found.get(number, NOTHING), rule, _framework_with(number, rule, timeline))

    @staticmethod
    def _overall(found: Found, rule: Rule, timeline: Timeline) -> dict[str, Any]:
        return continuum.overall(found[OVERALL_ROW], found, rule, timeline.frameworks.get(rule.framework))


def _framework_with(number: int, rule: Rule, timeline: Timeline) -> Framework | None:
    """The framework of the policy in force if it has the number, else the latest that has it."""
    candidates = [timeline.frameworks.get(rule.framework), *reversed(timeline.frameworks.values())]
    return next((framework for framework in candidates if framework and number in framework.numbers), None)


def _whole(streams: set[str]) -> Query:
    kinds: dict[str, tuple[str, ...]] = {}
    for name, kind in EVENT_TYPES.items():
        kinds[kind.stream] = (*kinds.get(kind.stream, ()), name)
    return query(
        item(types=decided.TYPES),
        *(item(types=kinds[stream.partition(":")[0]], tags=(stream,)) for stream in sorted(streams)),
    )


def _unknown(principal: str) -> Refusal:
    return Refusal(Kind.UNKNOWN_PRINCIPAL, f"No dossier of {principal} has been opened.")
