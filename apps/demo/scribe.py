"""Writes the steps of one dossier: each item with its days, its people and its words, in an order that is legal.

Who is assigned on a day is known here, so that nobody records a day outside of their assignment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

from apps.demo import words
from apps.demo.cast import Principal
from apps.demo.files import FileKind, FileSpec
from apps.demo.school_calendar import evening, school_day
from apps.demo.steps import Step
from contracts.continuum import Level

_SETTINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "coach": ("District Push-In", "District Push-In", "District Push-In", "One-to-One Mentoring / Coaching"),
    "facilitator": ("Learning Labs", "Learning Labs", "Learning Labs", "Regional Meetings", "Conferences"),
    "mentor": ("One-to-One Mentoring / Coaching", "One-to-One Mentoring / Coaching", "Online Events"),
}
_MINUTES = timedelta(minutes=7)
Levels = Mapping[int, Level]


@dataclass(frozen=True, slots=True)
class Tour:
    """An assignment."""

    person: str
    as_: str
    first: date
    last: date | None = None

    def on(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class Written:
    """An item that has been begun, as later steps need to know it."""

    id: str
    by: str
    day: date
    levels: Levels
    setting: str
    last_at: datetime


class Scribe:
    """Collects the steps of one principal's dossier. Draws from `rng` alone."""

    def __init__(self, principal: Principal, tours: Sequence[Tour], rng: Random) -> None:
        self.principal = principal
        self.steps: list[Step] = []
        self._tours = tours
        self._rng = rng
        self._visits: set[tuple[str, date]] = set()
        self._told: dict[Sequence[str], list[str]] = {}

    # items

    def observation(
        self,
        day: date,
        levels: Levels,
        *,
        as_: str = "coach",
        delay: int | None = None,
        supersedes: str | None = None,
        distinct_from: Written | None = None,
    ) -> Written:
        """`delay`: days until it is written down; drawn where it is left out."""
        if distinct_from is not None:
            by, setting = distinct_from.by, distinct_from.setting
        else:
            day, tour = self._visit(day, as_)
            by, setting = tour.person, self._rng.choice(_SETTINGS[tour.as_])
        if delay is None:
            delay = self._rng.choices((0, self._rng.randint(1, 4), self._rng.randint(10, 45)), (70, 21, 9))[0]
        body: dict[str, Any] = {
            "occurred_on": day.isoformat(),
            "setting": setting,
            "judgments": _judgments(levels),
            "narrative": self._narrative(setting, levels),
        }
        if supersedes is not None:
            body["supersedes"] = supersedes
        at = evening(self._rng, day + timedelta(days=delay))
        if distinct_from is not None:
            at = max(at, distinct_from.last_at + _MINUTES)
        path = f"/principals/{self.principal.id}/observations" + ("?distinct=true" if distinct_from else "")
        item = self._begin(at, by, "ObservationRecorded", path, body)
        return Written(item, by, day, dict(levels), setting, at)

    def again(self, day: date, levels: Levels, of: Written) -> Written:
        """An observation recorded anew by the same assessor for the same day, after `of` was retracted."""
        body = {
            "occurred_on": of.day.isoformat(),
            "setting": of.setting,
            "judgments": _judgments(levels),
            "narrative": self._narrative(of.setting, levels),
            "supersedes": of.id,
        }
        at = evening(self._rng, day)
        item = self._begin(at, of.by, "ObservationRecorded", f"/principals/{self.principal.id}/observations", body)
        return Written(item, of.by, of.day, dict(levels), of.setting, at)

    def cycle(self, day: date, levels: Levels, *, as_: str = "coach", after: Sequence[Written] = ()) -> Written:
        """A feedback cycle of some weeks: opened, feedback and response once or twice, closed."""
        rng = self._rng
        day = school_day(day)
        tour = self._on(day, as_)
        setting = "District Push-In" if tour.as_ == "coach" else rng.choice(_SETTINGS[tour.as_])
        at = evening(rng, day)
        focus = sorted(rng.sample(sorted(levels), min(len(levels), rng.randint(2, 4))))
        body: dict[str, Any] = {"occurred_on": day.isoformat(), "focus": focus, "setting": setting}
        before = [one for one in after if one.last_at < at]
        if before and rng.random() < 0.7:
            body["observation_id"] = before[-1].id
        item = self._begin(
            at, tour.person, "FeedbackCycleOpened", f"/principals/{self.principal.id}/feedback-cycles", body
        )
        lead = tour.as_
        for _ in range(rng.choices((1, 2), (70, 30))[0]):
            day, at = self._later(day, at, 3, 9)
            text = self._text(words.FEEDBACK)
            self._next(
                at, self._on(day, lead).person, "FeedbackGiven", "feedback-cycles", item, "feedback", day, feedback=text
            )
            day, at = self._later(day, at, 2, 10)
            text = self._text(words.RESPONSES)
            self._next(
                at, self.principal.id, "ResponseRecorded", "feedback-cycles", item, "response", day, response=text
            )
        day, at = self._later(day, at, 5, 18)
        closer = self._on(day, lead).person
        self._next(
            at, closer, "FeedbackCycleClosed", "feedback-cycles", item, "close", day, judgments=_judgments(levels)
        )
        return Written(item, tour.person, day, dict(levels), setting, at)

    def artifact(self, day: date, levels: Levels, *, reviewers: Sequence[str] = ("coach",)) -> Written:
        """An artifact that the principal adds, and a review by each of the reviewers (`coach`, `mentor`, …)."""
        rng = self._rng
        day = school_day(day)
        file = self._file()
        claims = []
        for competency in sorted(rng.sample(sorted(levels), min(len(levels), 4))):
            pages = [{"page": rng.randint(1, file.pages)}] if file.kind == "pdf" else []
            claims.append({"competency": competency, "pointers": pages})
        at = evening(rng, day)
        by = self.principal.id
        body = {"occurred_on": day.isoformat(), "claims": claims}
        item = self._begin(at, by, "ArtifactSubmitted", f"/principals/{self.principal.id}/artifacts", body, file)
        for as_ in reviewers:
            day, at = self._later(day, at, 3, 16)
            self.review(item, day, at, levels, as_)
        return Written(item, by, day, dict(levels), "", at)

    def review(self, item: str, day: date, at: datetime, levels: Levels, as_: str) -> None:
        by = self._on(day, as_).person
        self._next(at, by, "ArtifactReviewed", "artifacts", item, "reviews", day, judgments=_judgments(levels))

    def review_again(self, artifact: Written, levels: Levels, as_: str) -> None:
        """A later review, which stands in place of that reviewer's earlier one."""
        day, at = self._later(artifact.day, artifact.last_at, 10, 30)
        self.review(artifact.id, day, at, levels, as_)

    def mentoring(self, day: date, mentee: str, competencies: Sequence[int]) -> None:
        day = school_day(day)
        body = {"occurred_on": day.isoformat(), "mentee_id": mentee, "competencies": sorted(competencies)}
        by = self.principal.id if self._rng.random() < 0.7 else self._on(day, "coach").person
        path = f"/principals/{self.principal.id}/mentoring"
        self._begin(evening(self._rng, day), by, "MentoringRecorded", path, body)

    # corrections

    def retract(self, item: Written, days: int, by: str | None = None) -> datetime:
        at = self._at(item.last_at, days)
        self._correct(at, by or item.by, "EvidenceRetracted", item, "retraction", reason=self._text(words.RETRACTIONS))
        return at

    def dispute(self, item: Written, days: int) -> datetime:
        at = self._at(item.last_at, days)
        reason = self._text(words.DISPUTES)
        self._correct(at, self.principal.id, "EvidenceDisputed", item, "dispute", reason=reason)
        return at

    def resolve(self, item: Written, disputed: datetime, days: int, outcome: str) -> None:
        at = self._at(disputed, days)
        self._correct(at, self.principal.director, "DisputeResolved", item, "dispute/resolution", outcome=outcome)

    # how steps are written

    def _begin(
        self, at: datetime, by: str, type_: str, path: str, body: Mapping[str, Any], file: FileSpec | None = None
    ) -> str:
        item = str(UUID(int=self._rng.getrandbits(128), version=4))
        self.steps.append(Step(at, by, type_, path, {**body, "evidence_id": item}, self.principal.id, item, file))
        return item

    def _next(self, at: datetime, by: str, type_: str, kind: str, item: str, call: str, day: date, **body: Any) -> None:
        body = {"occurred_on": day.isoformat(), **body}
        self.steps.append(Step(at, by, type_, f"/{kind}/{item}/{call}", body, self.principal.id, item))

    def _correct(self, at: datetime, by: str, type_: str, item: Written, call: str, **body: Any) -> None:
        self.steps.append(Step(at, by, type_, f"/evidence/{item.id}/{call}", body, self.principal.id, item.id))

    def _later(self, day: date, at: datetime, fewest: int, most: int) -> tuple[date, datetime]:
        """A school day some days on, and a moment on it after `at`."""
        day = school_day(day + timedelta(days=self._rng.randint(fewest, most)))
        return day, max(evening(self._rng, day), at + _MINUTES)

    def _at(self, moment: datetime, days: int) -> datetime:
        return max(evening(self._rng, school_day(moment.date() + timedelta(days=days))), moment + _MINUTES)

    def _on(self, day: date, as_: str) -> Tour:
        """Who does this on that day; a coach where nobody else is assigned."""
        there = [tour for tour in self._tours if tour.on(day)]
        return next((tour for tour in there if tour.as_ == as_), there[0])

    def _visit(self, day: date, as_: str) -> tuple[date, Tour]:
        """A day on which that assessor has not visited yet, so that no two visits look like one."""
        day = school_day(day)
        while (tour := self._on(day, as_)) and (tour.person, day) in self._visits:
            day = school_day(day + timedelta(days=1))
        self._visits.add((tour.person, day))
        return day, tour

    # words

    def _narrative(self, setting: str, levels: Levels) -> str:
        rng = self._rng
        shown = [number for number in levels if number in words.SCENES]
        scenes = [self._told_of(words.SCENES[number]) for number in rng.sample(shown, min(len(shown), 2))]
        if len(scenes) < 2:
            scenes.append(self._told_of(words.PLAIN_SCENES))
        text = " ".join((rng.choice(words.OPENINGS[setting]), *scenes, rng.choice(words.CLOSINGS)))
        return self._filled(text)

    def _text(self, pool: Sequence[str]) -> str:
        return self._filled(self._told_of(pool))

    def _told_of(self, pool: Sequence[str]) -> str:
        """A text of the pool that this dossier has not had for longest."""
        left = self._told.setdefault(tuple(pool), [])
        if not left:
            left.extend(self._rng.sample(list(pool), len(pool)))
        return left.pop()

    def _filled(self, text: str) -> str:
        rng = self._rng
        principal = self.principal
        return text.format(
            grade=rng.choice(words.GRADES),
            subject=rng.choice(words.SUBJECTS),
            region=principal.region,
            school=principal.school,
        )

    def _file(self) -> FileSpec:
        kind: FileKind = self._rng.choices(("pdf", "png", "txt"), (60, 32, 8))[0]
        title = self._told_of(words.ARTIFACTS[kind])
        lines = self._rng.sample(words.ARTIFACT_LINES, self._rng.randint(5, len(words.ARTIFACT_LINES)))
        if kind == "pdf" and self._rng.random() < 0.4:
            lines += self._rng.sample(words.ARTIFACT_LINES, 7)  # a second page
        name = f"{title.lower().replace(',', '').replace(' ', '-')}.{kind}"
        heading = f"{title} - {self.principal.school}"
        return FileSpec(kind, name, heading, tuple(self._filled(line) for line in lines))


def _judgments(levels: Levels) -> list[dict[str, Any]]:
    return [{"competency": number, "level": levels[number].value} for number in sorted(levels)]


def morning(day: date, minute: int = 0) -> datetime:
    """Before anyone writes evidence on that day: 13:00 UTC and some minutes."""
    return datetime.combine(day, time(13, minute), UTC)
