"""The rule: how a level follows from evidence. Pure: no clock, no database, no randomness.

1. An *item* (observation, feedback cycle, artifact) counts when it is complete and not retracted. Of an artifact each
   reviewer's last review stands, whole; its level on a competency is the lowest that the standing reviews which name
   it give; its date is the latest day, its assessors the persons, of all of those.
2. It *qualifies* for a level when its own level is that level or higher.
3. A level's requirements are *met* when the qualifying items satisfy every clause that the policy names.
4. After every event of the dossier each competency is looked at under the policy in force: a level is *reached* when
   its requirements are met and every lower level stands.
5. It *lapses* when an event leaves the requirements of the policy it was reached under unmet, and all higher levels
   with it, highest first.
6. *In force* is the adopted policy with the latest `effective_from` that has come, of equals the last adopted; while
   there is none, the baseline (`decisions.py`).
7. The *overall* level is reached when every competency of the policy's framework has it standing, and lapses when one
   of the framework that it was reached under no longer has.
8. Within one event: lapses of competencies, of the overall level, then reaches of competencies, of the overall level.

An event changes only the competencies that it names, so only those are looked at, and all when another policy is
in force than at the last look; `tests/services/projections/oracle.py` always looks at all, and finds the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any, Final, NamedTuple

from contracts.continuum import LEVELS, OVERALL, RANKS, CompetencyOrOverall
from services.projections.decisions import Decisions, Rule

TOP: Final = len(LEVELS)
_OF_CYCLES: Final = ("FeedbackCycleOpened", "FeedbackGiven", "ResponseRecorded", "FeedbackCycleClosed")
STEPS: Final = {
    "ObservationRecorded": "observation",
    **dict.fromkeys(_OF_CYCLES, "feedback_cycle"),
    **dict.fromkeys(("ArtifactSubmitted", "ArtifactReviewed"), "artifact"),
}
"""The steps of an item and its kind. Its first step is the first that is there: a cut may leave out others."""


class Shown(NamedTuple):
    """What one counting item shows on one competency. Sorts in the order of the items' first steps."""

    order: int
    """Ordinal of the item in its dossier, by first step."""
    evidence_id: str
    rank: int
    """Of its level: 0 aspiring to 3 transformational."""
    kind: str
    day: int
    """Its date, as `date.toordinal` counts."""
    assessors: tuple[str, ...]


MEASURES: Final[Mapping[str, Callable[[Sequence[Shown]], int]]] = {
    "items": len,
    "kinds.observation": lambda items: sum(1 for item in items if item.kind == "observation"),
    "kinds.feedback_cycle": lambda items: sum(1 for item in items if item.kind == "feedback_cycle"),
    "kinds.artifact": lambda items: sum(1 for item in items if item.kind == "artifact"),
    "assessors": lambda items: len({person for item in items for person in item.assessors}),
    "span_days": lambda items: max(days) - min(days) if (days := [item.day for item in items]) else 0,
}
"""Rule 3: what each clause counts over the qualifying items."""


def met(rule: Rule, rank: int, qualifying: Sequence[Shown]) -> bool:
    """Rule 3."""
    for clause, need in rule.clauses[rank]:  # noqa: SIM110  # a plain loop takes half the time of all(…)
        if MEASURES[clause](qualifying) < need:
            return False
    return True


class Attainment(NamedTuple):
    """A level that an event made reached, or undid."""

    reached: bool
    competency: CompetencyOrOverall
    rank: int
    rule: Rule
    """The policy that it is, or was, reached under."""
    evidence_ids: tuple[str, ...]
    because: int
    """Position of the event."""
    at: str
    """When that was recorded, as written there."""


class Track:
    """One competency of one principal: what counting items show on it, and what stands."""

    __slots__ = ("shown", "standing")

    def __init__(self) -> None:
        self.shown: dict[str, Shown] = {}
        self.standing: list[Attainment] = []
        """By rank: levels are cumulative, so those that stand are the lowest ones."""

    def qualifying(self, rank: int) -> list[Shown]:
        """Rule 2."""
        return [shown for shown in self.shown.values() if shown.rank >= rank]

    def lapse(self, position: int, at: str) -> list[Attainment]:
        """Rule 5."""
        for rank, attainment in enumerate(self.standing):
            if not met(attainment.rule, rank, self.qualifying(rank)):
                return _undo(self.standing, rank, position, at)
        return []

    def reach(self, competency: int, rule: Rule, position: int, at: str) -> list[Attainment]:
        """Rule 4, lowest first."""
        found = []
        while (rank := len(self.standing)) < TOP and met(rule, rank, qualifying := self.qualifying(rank)):
            evidence_ids = tuple(shown.evidence_id for shown in sorted(qualifying))
            found.append(Attainment(True, competency, rank, rule, evidence_ids, position, at))
            self.standing.append(found[-1])
        return found


class Judged(NamedTuple):
    """One assessor's standing judgments on an item."""

    assessor: str
    day: int
    ranks: tuple[tuple[int, int], ...]
    """(competency, rank) pairs."""


class Item:
    __slots__ = ("judged", "kind", "order")

    def __init__(self, kind: str, order: int) -> None:
        self.kind = kind
        self.order = order
        self.judged: tuple[Judged, ...] = ()

    def shown(self, evidence_id: str, competency: int) -> Shown | None:
        """Rule 1."""
        if len(self.judged) == 1:  # as nearly always: the same, faster
            judged = self.judged[0]
            rank = dict(judged.ranks).get(competency)
            if rank is None:
                return None
            return Shown(self.order, evidence_id, rank, self.kind, judged.day, (judged.assessor,))
        named = [
            (rank, judged.day, judged.assessor)
            for judged in self.judged
            for number, rank in judged.ranks
            if number == competency
        ]
        if not named:
            return None
        ranks, days, assessors = zip(*named, strict=True)
        return Shown(self.order, evidence_id, min(ranks), self.kind, max(days), assessors)


class Derivation:
    """One principal's levels, kept up event by event, in the log's order."""

    __slots__ = ("_items", "_looked_under", "_next", "changed", "overall", "tracks")

    def __init__(self) -> None:
        self.tracks: dict[int, Track] = {}
        self.overall: list[Attainment] = []
        self.changed: set[int] = set()
        """Competencies whose track was touched. Whoever has written them down clears it."""
        self._items: dict[str, Item] = {}
        self._next = 0
        self._looked_under: Rule | None = None

    def apply(
        self, type_name: str, data: Mapping[str, Any], *, position: int, by: str, at: str, decisions: Decisions
    ) -> Sequence[Attainment]:
        """An event of the dossier: what it makes reached and lapsed, in order (rule 8).

        data: JSON values; of personal members none is read. by: `person:ID`. at: RFC 3339 in UTC.
        """
        rule = decisions.in_force(at[:10])
        lost, gained = self._note(type_name, data, by)
        if rule is not self._looked_under:
            self._looked_under = rule
            gained = self.tracks
        elif not gained and not lost:
            return ()
        found: list[Attainment] = []
        for competency in sorted(lost):
            found += self.tracks[competency].lapse(position, at)
        if found:
            found += self._lapse_overall(position, at, decisions)
        # After a lapse the policy in force may give the level at once again.
        found += self._reach({*lost, *gained} if lost else gained, rule, position, at)
        if found or gained is self.tracks:
            found += self._reach_overall(rule, position, at, decisions)
        return found

    def reassess(self, *, position: int, at: str, decisions: Decisions) -> list[Attainment]:
        """A `ReassessmentOrdered`: reaches what the policy in force allows, and lets nothing lapse."""
        self._looked_under = rule = decisions.in_force(at[:10])
        return [*self._reach(self.tracks, rule, position, at), *self._reach_overall(rule, position, at, decisions)]

    def note(self, type_name: str, data: Mapping[str, Any], *, by: str, at: str, decisions: Decisions) -> None:
        """An event, or a reassessment, that was looked at before: takes the evidence in, derives nothing."""
        self._note(type_name, data, by)
        self._looked_under = decisions.in_force(at[:10])

    def recall(self, attainment: Attainment) -> None:
        """An attainment as it was recorded: stands as recorded, whatever the rule says now."""
        of_all = attainment.competency == OVERALL
        standing = self.overall if of_all else self._track(int(attainment.competency)).standing
        del standing[attainment.rank :]
        if attainment.reached:
            standing.append(attainment)

    def _note(self, type_name: str, data: Mapping[str, Any], by: str) -> tuple[Iterable[int], Iterable[int]]:
        """Takes an event in; the competencies that may have lost a level by it, and may have gained one."""
        kind = STEPS.get(type_name)
        if kind is not None:
            evidence_id = data["evidence_id"]
            item = self._items.get(evidence_id)
            if item is None:
                item = self._items[evidence_id] = Item(kind, self._next)
                self._next += 1
            if "judgments" in data:
                ranks = tuple([(judgment["competency"], RANKS[judgment["level"]]) for judgment in data["judgments"]])
                return self._judge(evidence_id, item, Judged(by, _ordinal(data["occurred_on"]), ranks))
        elif type_name == "EvidenceRetracted" or (type_name == "DisputeResolved" and data["outcome"] == "upheld"):
            return self._retract(data["evidence_id"])
        return (), ()

    def _judge(self, evidence_id: str, item: Item, judged: Judged) -> tuple[Iterable[int], Iterable[int]]:
        lost, gained = [], []
        earlier = item.judged
        item.judged = (*(one for one in earlier if one.assessor != judged.assessor), judged)
        for competency in {number for one in (*earlier, judged) for number, _ in one.ranks}:
            track = self._track(competency)
            if earlier and track.shown.pop(evidence_id, None) is not None:
                lost.append(competency)
            shown = item.shown(evidence_id, competency)
            if shown is not None:
                track.shown[evidence_id] = shown
                # What shows no more than what stands lifts nothing.
                if shown.rank >= len(track.standing):
                    gained.append(competency)
        return lost, gained

    def _retract(self, evidence_id: str) -> tuple[Iterable[int], Iterable[int]]:
        item = self._items.pop(evidence_id, None)
        named = {number for judged in item.judged for number, _ in judged.ranks} if item else set()
        self.changed |= named
        return [number for number in named if self.tracks[number].shown.pop(evidence_id, None) is not None], ()

    def _track(self, competency: int) -> Track:
        self.changed.add(competency)
        track = self.tracks.get(competency)
        if track is None:
            track = self.tracks[competency] = Track()
        return track

    def _lapse_overall(self, position: int, at: str, decisions: Decisions) -> list[Attainment]:
        """Rule 7."""
        for rank, attainment in enumerate(self.overall):
            if not self._all_stand(rank, attainment.rule, decisions):
                return _undo(self.overall, rank, position, at)
        return []

    def _reach(self, competencies: Iterable[int], rule: Rule, position: int, at: str) -> list[Attainment]:
        found: list[Attainment] = []
        for competency in sorted(competencies):
            if reached := self.tracks[competency].reach(competency, rule, position, at):
                self.changed.add(competency)
                found += reached
        return found

    def _reach_overall(self, rule: Rule, position: int, at: str, decisions: Decisions) -> list[Attainment]:
        found: list[Attainment] = []
        while (rank := len(self.overall)) < TOP and self._all_stand(rank, rule, decisions):
            self.overall.append(Attainment(True, OVERALL, rank, rule, (), position, at))
            found.append(self.overall[-1])
        return found

    def _all_stand(self, rank: int, rule: Rule, decisions: Decisions) -> bool:
        numbers = decisions.frameworks.get(rule.framework, ())
        return bool(numbers) and all(
            number in self.tracks and len(self.tracks[number].standing) > rank for number in numbers
        )


def _undo(standing: list[Attainment], rank: int, position: int, at: str) -> list[Attainment]:
    """Takes this level and all higher ones away, highest first."""
    lapsed = [one._replace(reached=False, because=position, at=at) for one in reversed(standing[rank:])]
    del standing[rank:]
    return lapsed


@cache
def _ordinal(day: str) -> int:
    return date.fromisoformat(day).toordinal()
