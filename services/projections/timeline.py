"""The Commission's decisions by position, so that one principal can be derived at a time, far from the others."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, Protocol

from contracts.continuum import RANKS
from contracts.framework import MLDS_2016, Framework
from contracts.policy import Policy
from services.projections.decisions import Decisions
from services.projections.derivation import Attainment, Derivation

TYPES: Final = ("PolicyAdopted", "FrameworkPublished", "ReassessmentOrdered")
LOOKED_AT: Final = "ReassessmentOrdered"


class Decision(Protocol):
    """The part of a recorded event that is read here."""

    @property
    def position(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def data(self) -> Mapping[str, Any]: ...


class Step(NamedTuple):
    """An event of a dossier, or a reassessment, as the rule looks at it."""

    position: int
    type: str
    by: str
    at: str
    """RFC 3339 in UTC."""
    data: Mapping[str, Any]


class Timeline:
    """Grows by `take`, event by event; what it has said of a position stays so."""

    def __init__(self) -> None:
        self.position = 0
        """The last event taken."""
        self.frameworks: dict[str, Framework] = {MLDS_2016.id: MLDS_2016}
        """All that are known, in the order of publication."""
        self._decisions = Decisions({MLDS_2016.id: MLDS_2016.numbers})
        self._changes: list[int] = []
        """Positions of policies and frameworks, rising; `_after` holds the decisions as of each."""
        self._after: list[Decisions] = [self._decisions]
        self._reassessments: list[Step] = []

    def take(self, event: Decision, at: str) -> None:
        """The next decision. at: `recorded_at`, RFC 3339 in UTC."""
        if event.position <= self.position:
            return
        self.position = event.position
        if event.type == LOOKED_AT:
            self._reassessments.append(Step(event.position, LOOKED_AT, "", at, {}))
            return
        self._decisions = self._decisions.copy()
        if event.type == "PolicyAdopted":
            self._decisions.adopt(Policy.model_validate(event.data["policy"]))
        elif event.type == "FrameworkPublished":
            framework = Framework.model_validate(event.data["framework"])
            self.frameworks = {**self.frameworks, framework.id: framework}  # others may be reading it
            self._decisions.publish(framework.id, framework.numbers)
        self._after.append(self._decisions)
        self._changes.append(event.position)

    def at(self, position: int) -> Decisions:
        """The decisions that stand before an event at this position."""
        return self._after[bisect_left(self._changes, position)]

    @property
    def now(self) -> Decisions:
        return self._decisions

    def with_reassessments(self, steps: Iterable[Step], *, until: int, after: int = 0) -> Iterator[Step]:
        """A dossier's events after a position, with the reassessments up to `until` that look at it, in order.

        From the beginning (`after` 0) the first step is the dossier's opening, and what was before passes it by.
        """
        if not self._reassessments:
            yield from steps
            return
        pending: Iterator[Step] | None = None
        if after:
            pending = iter(self._reassessments_in(after, until))
        upcoming = next(pending, None) if pending else None
        for step in steps:
            if pending is None:
                pending = iter(self._reassessments_in(step.position, until))
                upcoming = next(pending, None)
            while upcoming is not None and upcoming.position < step.position:
                yield upcoming
                upcoming = next(pending, None)
            yield step
        while upcoming is not None and pending is not None:
            yield upcoming
            upcoming = next(pending, None)

    def _reassessments_in(self, after: int, until: int) -> list[Step]:
        return [step for step in self._reassessments if after < step.position <= until]

    def look(self, derivation: Derivation, step: Step) -> Iterable[Attainment]:
        """Applies one step of a dossier, or a reassessment."""
        decisions = self.at(step.position)
        if step.type == LOOKED_AT:
            return derivation.reassess(position=step.position, at=step.at, decisions=decisions)
        return derivation.apply(
            step.type, step.data, position=step.position, by=step.by, at=step.at, decisions=decisions
        )

    def note(self, derivation: Derivation, step: Step) -> None:
        """Takes in one step that was looked at before."""
        derivation.note(step.type, step.data, by=step.by, at=step.at, decisions=self.at(step.position))

    def recorded(self, data: Mapping[str, Any], *, reached: bool, at: str) -> Attainment:
        """The attainment that a `LevelReached` or `LevelLapsed` records. at: when its cause was recorded."""
        rule = self._decisions.rule(data["policy"]["id"], data["policy"]["version"])
        ids = tuple(data["evidence_ids"])
        return Attainment(reached, data["competency"], RANKS[data["level"]], rule, ids, data["because"], at)
