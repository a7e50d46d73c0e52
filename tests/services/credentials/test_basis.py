"""What a badge says about the evidence: counts, and only counts."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from contracts.vocabulary import EvidenceKind
from foundation.eventlog import Recorded
from services.credentials.basis import Basis, basis


def judged(position: int, kind: str, item: str, by: str, on: str, judgments: dict[int, str]) -> Recorded:
    data = {
        "evidence_id": item,
        "occurred_on": on,
        "judgments": [{"competency": number, "level": level} for number, level in judgments.items()],
    }
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return Recorded(position, uuid4(), kind, 1, ("dossier:p",), moment, f"person:{by}", None, "p", data)


def test_items_kinds_assessors_and_days_are_counted() -> None:
    events = [
        judged(1, "ObservationRecorded", "a", "c-otter", "2026-01-01", {6: "developing"}),
        judged(2, "ObservationRecorded", "b", "c-wren", "2026-02-01", {6: "developing", 7: "aspiring"}),
        judged(3, "FeedbackCycleClosed", "c", "c-otter", "2026-03-17", {6: "developing"}),
        judged(4, "ObservationRecorded", "other", "c-lark", "2020-01-01", {6: "developing"}),
    ]
    assert basis(6, ["a", "b", "c"], events) == Basis(
        3, ((EvidenceKind.OBSERVATION, 2), (EvidenceKind.FEEDBACK_CYCLE, 1)), 2, 75
    )


def test_an_artifacts_last_review_of_each_reviewer_stands_whole() -> None:
    events = [
        judged(1, "ArtifactReviewed", "a", "c-otter", "2026-01-01", {6: "developing"}),
        judged(2, "ArtifactReviewed", "a", "c-wren", "2026-01-05", {6: "developing"}),
        judged(3, "ArtifactReviewed", "a", "c-otter", "2026-01-09", {7: "developing"}),  # names 6 no more
    ]
    found = basis(6, ["a"], events)
    assert (found.items, found.assessors) == (1, 1)


def test_an_items_date_is_its_latest_and_the_span_runs_between_items() -> None:
    events = [
        judged(1, "ArtifactReviewed", "a", "c-otter", "2026-01-01", {6: "developing"}),
        judged(2, "ArtifactReviewed", "a", "c-wren", "2026-03-01", {6: "developing"}),
    ]
    assert basis(6, ["a"], events).days == 0


def test_words_are_exact_in_number() -> None:
    one = Basis(1, ((EvidenceKind.OBSERVATION, 1),), 1, 0)
    assert one.in_words() == "1 evidence item (1 observation), judged by 1 assessor on one day"
    more = Basis(2, ((EvidenceKind.OBSERVATION, 1), (EvidenceKind.ARTIFACT, 1)), 2, 1)
    assert more.in_words() == "2 evidence items (1 observation, 1 artifact), judged by 2 assessors over 1 day"
