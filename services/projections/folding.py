"""One principal, folded from the log: the evidence, and the levels as they were recorded.

What was recorded as attained stands as recorded. When a mended rule would derive otherwise, nothing changes
for what was looked at before, until a person orders a reassessment; `mlds replay --check` names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from services.projections.derivation import Attainment, Derivation
from services.projections.timeline import Step, Timeline

RECORDED: Final = {"LevelReached": True, "LevelLapsed": False}
"""The types of recorded attainments, and whether they say that a level was reached."""


class Recorded(NamedTuple):
    """A recorded attainment."""

    reached: bool
    data: Mapping[str, Any]


class Folded(NamedTuple):
    derivation: Derivation
    position: int
    """Of the last event of the dossier, or reassessment, that it has looked at."""
    as_derived: bool
    """Whether the rule derives today what was recorded."""


def fold(steps: Sequence[Step], recorded: Iterable[Recorded], timeline: Timeline, *, until: int) -> Folded:
    """The state of a principal at `until`: their dossier's events up to there, and the attainments that these made.

    steps: of the dossier, in order, none after `until`. recorded: in order, whatever caused them.
    """
    looked_at = list(timeline.with_reassessments(steps, until=until))
    times = {step.position: step.at for step in looked_at}
    told = [
        timeline.recorded(one.data, reached=one.reached, at=times[one.data["because"]])
        for one in recorded
        if one.data["because"] in times
    ]
    position = looked_at[-1].position if looked_at else 0
    derivation = Derivation()
    derived: list[Attainment] = []
    for step in looked_at:
        derived += timeline.look(derivation, step)
    if derived == told:
        return Folded(derivation, position, True)
    return Folded(_as_recorded(looked_at, told, timeline), position, False)


def _as_recorded(looked_at: Iterable[Step], told: Iterable[Attainment], timeline: Timeline) -> Derivation:
    made_by: dict[int, list[Attainment]] = {}
    for attainment in told:
        made_by.setdefault(attainment.because, []).append(attainment)
    derivation = Derivation()
    for step in looked_at:
        timeline.note(derivation, step)
        for attainment in made_by.get(step.position, ()):
            derivation.recall(attainment)
    return derivation
