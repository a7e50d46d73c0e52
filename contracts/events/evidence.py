"""What was seen: the evidence events, stream `dossier:<principal>`.

A *statement* is what a person says (the HTTP body, less `evidence_id`); the event adds what the server sets.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from contracts.continuum import Level
from contracts.events.registry import Event, Personal, event
from contracts.ids import Id, Sha256, Text
from contracts.statement import Statement
from contracts.times import Date
from contracts.vocabulary import Setting

MEDIA_TYPE = r"^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*( *;.*)?$"
"""RFC 6838 section 4.2, with parameters."""
CompetencyNumber = Annotated[int, Field(ge=1)]


class Judgment(Statement):
    """An assessor's statement that an item shows a competency at a level."""

    competency: CompetencyNumber
    level: Annotated[Level, Field(strict=False)]


class Page(Statement):
    page: Annotated[int, Field(ge=1)]


class Time(Statement):
    time: Annotated[str, Field(pattern=r"^[0-9]{1,3}:[0-5][0-9]:[0-5][0-9]$")]


class Claim(Statement):
    """Where an artifact shows a competency, in the submitter's view."""

    competency: CompetencyNumber
    pointers: list[Page | Time]


def _each_once(numbers: list[int]) -> None:
    for index, number in enumerate(numbers):
        if number in numbers[:index]:
            raise ValueError(f"competency {number} stands twice")


def _judged_once(judgments: list[Judgment]) -> list[Judgment]:
    _each_once([judgment.competency for judgment in judgments])
    return judgments


def _claimed_once(claims: list[Claim]) -> list[Claim]:
    _each_once([claim.competency for claim in claims])
    return claims


def _named_once(numbers: list[int]) -> list[int]:
    _each_once(numbers)
    return numbers


Judgments = Annotated[list[Judgment], Field(min_length=1), AfterValidator(_judged_once)]
Claims = Annotated[list[Claim], Field(min_length=1), AfterValidator(_claimed_once)]
Competencies = Annotated[list[CompetencyNumber], Field(min_length=1), AfterValidator(_named_once)]


class Observation(Statement):
    occurred_on: Date
    setting: Setting
    judgments: Judgments
    narrative: Annotated[Text, Personal()]
    supersedes: Id | None = None


class FeedbackCycle(Statement):
    occurred_on: Date
    focus: Competencies
    setting: Setting
    observation_id: Id | None = None
    supersedes: Id | None = None


class Feedback(Statement):
    occurred_on: Date
    feedback: Annotated[Text, Personal()]


class Response(Statement):
    occurred_on: Date
    response: Annotated[Text, Personal()]


class CycleClosing(Statement):
    occurred_on: Date
    judgments: Judgments


class ArtifactMetadata(Statement):
    occurred_on: Date
    claims: Claims
    supersedes: Id | None = None


class Review(Statement):
    occurred_on: Date
    judgments: Judgments


class Mentoring(Statement):
    occurred_on: Date
    mentee_id: Id
    competencies: Competencies


class Reason(Statement):
    """Why an item is retracted, or disputed."""

    reason: Annotated[Text, Personal()]


class Resolution(Statement):
    outcome: Literal["upheld", "rejected"]


class Item(Event):
    """What every event about an evidence item names."""

    evidence_id: Id


@event(owner="governance", stream="dossier", stream_id="principal_id")
class DossierOpened(Event):
    principal_id: Id


@event(owner="evidence", stream="dossier")
class ObservationRecorded(Observation, Item):
    pass


@event(owner="evidence", stream="dossier")
class FeedbackCycleOpened(FeedbackCycle, Item):
    pass


@event(owner="evidence", stream="dossier")
class FeedbackGiven(Feedback, Item):
    pass


@event(owner="evidence", stream="dossier")
class ResponseRecorded(Response, Item):
    pass


@event(owner="evidence", stream="dossier")
class FeedbackCycleClosed(CycleClosing, Item):
    pass


@event(owner="evidence", stream="dossier")
class ArtifactSubmitted(ArtifactMetadata, Item):
    sha256: Annotated[Sha256, Personal()]
    media_type: Annotated[str, Field(pattern=MEDIA_TYPE, max_length=255)]
    size: Annotated[int, Field(ge=1)]
    """Bytes of the file as sent."""
    filename: Annotated[Text, Personal()]
    blob: Sha256 | None = None
    """SHA-256 of the stored ciphertext."""


@event(owner="evidence", stream="dossier")
class ArtifactReviewed(Review, Item):
    pass


@event(owner="evidence", stream="dossier")
class MentoringRecorded(Mentoring, Item):
    pass


@event(owner="evidence", stream="dossier")
class EvidenceRetracted(Reason, Item):
    pass


@event(owner="evidence", stream="dossier")
class EvidenceDisputed(Reason, Item):
    pass


@event(owner="evidence", stream="dossier")
class DisputeResolved(Resolution, Item):
    pass
