"""Every event of evidence, every invariant and every rule on who may record it, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.services.evidence.conftest import Answer, World, judged

Refused = tuple[int, str]


def test_an_observation_is_recorded_with_its_tags_and_its_narrative_sealed(world: World) -> None:
    item = world.observe().made()
    [sealed] = world.log.read(after=world.log.head() - 1)
    assert sealed.tags == ("dossier:p-heron", "principal:p-heron", f"evidence:{item}", "person:c-otter")
    assert sealed.recorded_by == "person:c-otter"
    assert "narrative" not in sealed.data
    [open_] = world.log.read(after=world.log.head() - 1, unseal=True)
    assert (open_.subject, open_.data["narrative"]) == ("p-heron", "Led the data meeting.")


def test_a_cycle_goes_from_opening_to_closing(world: World) -> None:
    item = world.open_cycle().made()
    for step in (world.feedback, world.response, world.close):
        assert step(item).made() == item
    assert [one["state"] for one in world.all_items("/principals/p-heron/evidence")] == ["complete"]


def test_mentoring_is_recorded_by_the_principal_or_an_assessor(world: World) -> None:
    body = {"occurred_on": "2026-02-01", "mentee_id": "p-egret", "competencies": [6, 7]}
    assert world.post("/principals/p-heron/mentoring", body, "p-heron").status == 201
    assert world.post("/principals/p-heron/mentoring", body, "c-wren").status == 201
    assert world.log.read()[-1].tags[-1] == "person:p-egret"
    assert world.post("/principals/p-heron/mentoring", body, "director-1").refused == (403, "not-assigned")
    own = body | {"mentee_id": "p-heron"}
    assert world.post("/principals/p-heron/mentoring", own, "p-heron").refused == (422, "own-mentee")


def test_a_mistake_is_retracted_and_recorded_anew(world: World) -> None:
    first = world.observe().made()
    assert world.observe(supersedes=first, narrative="x", setting="Conferences").refused == (
        422,
        "supersedes-not-retracted",
    )
    world.retract(first).made()
    assert world.observe(supersedes=first).status == 201  # and is no near double of what was retracted
    assert world.observe(supersedes="nowhere", setting="Conferences", narrative="x").refused == (
        404,
        "unknown-evidence",
    )
    assert world.observe(principal="p-egret", supersedes=first).refused == (404, "unknown-evidence")


def closed_cycle(world: World) -> str:
    item = world.open_cycle().made()
    world.feedback(item).made()
    world.response(item).made()
    world.close(item).made()
    return item


def disputed(world: World) -> str:
    item = world.observe().made()
    world.dispute(item).made()
    return item


def retracted(world: World) -> str:
    item = world.observe().made()
    world.retract(item).made()
    return item


REFUSALS: list[tuple[str, Callable[[World], Answer], Refused]] = [
    ("no dossier", lambda w: w.observe(principal="p-nobody"), (404, "unknown-principal")),
    ("nobody judges their own record", lambda w: w.observe(by="p-heron"), (403, "own-record")),
    ("not assigned at all", lambda w: w.observe(by="coach-idle"), (403, "not-assigned")),
    ("assigned to others only", lambda w: w.observe(principal="p-ibis"), (403, "not-assigned")),
    ("before the assignment", lambda w: w.observe(occurred_on="2025-07-31"), (403, "not-assigned")),
    ("a director is no assessor by the role alone", lambda w: w.observe(by="director-1"), (403, "not-assigned")),
    ("the operator without a person", lambda w: w.observe(by=""), (403, "person-needed")),
    ("a day to come", lambda w: w.observe(occurred_on="2026-02-11"), (422, "future-date")),
    ("an unknown competency", lambda w: w.observe(judgments=judged(4711, "emerging")), (422, "unknown-competency")),
    ("no judgment", lambda w: w.observe(judgments=[]), (422, "invalid-body")),
    ("a competency twice", lambda w: w.observe(judgments=judged(6, "emerging") * 2), (422, "invalid-body")),
    ("no narrative", lambda w: w.observe(narrative=""), (422, "invalid-body")),
    ("an endless narrative", lambda w: w.observe(narrative="x" * 20_001), (422, "invalid-body")),
    ("an unknown setting", lambda w: w.observe(setting="Online"), (422, "invalid-body")),
    ("an unknown member", lambda w: w.observe(level="emerging"), (422, "invalid-body")),
    ("null", lambda w: w.observe(supersedes=None), (422, "invalid-body")),
    ("the server's member", lambda w: w.observe(recorded_by="person:c-wren"), (422, "invalid-body")),
    (
        "another's evidence id",
        lambda w: w.observe(evidence_id=w.observe(by="c-wren").made()),
        (409, "evidence-id-taken"),
    ),
    (
        "an evidence id of another dossier",
        lambda w: w.observe(evidence_id=w.observe(principal="p-egret").made()),
        (409, "evidence-id-taken"),
    ),
    (
        "an evidence id of another kind",
        lambda w: w.observe(evidence_id=w.open_cycle().made()),
        (409, "evidence-id-taken"),
    ),
    (
        "a cycle on an unknown observation",
        lambda w: w.open_cycle(observation_id="nowhere"),
        (404, "unknown-evidence"),
    ),
    (
        "a cycle on something else than an observation",
        lambda w: w.open_cycle(observation_id=w.open_cycle().made()),
        (422, "wrong-kind-of-evidence"),
    ),
    (
        "a cycle on a retracted observation",
        lambda w: w.open_cycle(observation_id=retracted(w)),
        (409, "evidence-retracted"),
    ),
    ("feedback on an unknown cycle", lambda w: w.feedback("nowhere"), (404, "unknown-evidence")),
    ("feedback on an observation", lambda w: w.feedback(w.observe().made()), (422, "wrong-kind-of-evidence")),
    ("feedback by a stranger", lambda w: w.feedback(w.open_cycle().made(), "coach-idle"), (403, "not-assigned")),
    ("feedback by the principal", lambda w: w.feedback(w.open_cycle().made(), "p-heron"), (403, "own-record")),
    ("feedback after the end", lambda w: w.feedback(closed_cycle(w)), (409, "cycle-closed")),
    ("a response by a coach", lambda w: w.response(w.open_cycle().made(), "c-otter"), (403, "not-the-principal")),
    ("a response by another", lambda w: w.response(w.open_cycle().made(), "p-egret"), (403, "not-the-principal")),
    ("a response after the end", lambda w: w.response(closed_cycle(w)), (409, "cycle-closed")),
    ("closing what has nothing", lambda w: w.close(w.open_cycle().made()), (409, "cycle-incomplete")),
    ("closing by the principal", lambda w: w.close(w.open_cycle().made(), "p-heron"), (403, "own-record")),
    ("closing twice", lambda w: w.close(closed_cycle(w)), (409, "cycle-closed")),
    ("closing for a day to come", lambda w: w.close(w.open_cycle().made(), on="2026-03-01"), (422, "future-date")),
    ("retraction of nothing", lambda w: w.retract("nowhere"), (404, "unknown-evidence")),
    ("retraction by another coach", lambda w: w.retract(w.observe().made(), "c-wren"), (403, "forbidden")),
    ("retraction by the principal", lambda w: w.retract(w.observe().made(), "p-heron"), (403, "forbidden")),
    ("retraction twice", lambda w: w.retract(retracted(w)), (409, "evidence-retracted")),
    ("a dispute by a coach", lambda w: w.dispute(w.observe().made(), "c-wren"), (403, "not-the-principal")),
    ("a dispute on what is open", lambda w: w.dispute(disputed(w)), (409, "dispute-open")),
    ("a dispute on what is retracted", lambda w: w.dispute(retracted(w)), (409, "evidence-retracted")),
    ("a resolution of nothing", lambda w: w.resolve(w.observe().made()), (409, "no-open-dispute")),
    ("a resolution by a coach", lambda w: w.resolve(disputed(w), "c-wren"), (403, "forbidden")),
    ("a resolution by the principal", lambda w: w.resolve(disputed(w), "p-heron"), (403, "own-record")),
    ("an unknown outcome", lambda w: w.resolve(disputed(w), outcome="maybe"), (422, "invalid-body")),
    ("a step with an id in the body", lambda w: w.step(w.open_cycle().made(), "/feedback-cycles/{}/feedback", "c-otter",
        occurred_on="2026-01-25", feedback="x", evidence_id="e"), (422, "invalid-body")),
]  # fmt: skip


@pytest.mark.parametrize(("act", "expected"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS])
def test_it_is_refused_with_its_reason_and_nothing_is_stored(
    world: World, act: Callable[[World], Answer], expected: Refused
) -> None:
    assert act(world).refused == expected
    assert world.stored_by_last_call == 0


def test_every_refusal_says_what_to_do(world: World) -> None:
    answer = world.observe(occurred_on="2025-07-31")
    assert "2025-08-01" in answer.body["detail"]
    assert "registrar" in answer.body["detail"]
    assert answer.body["errors"] == [
        {"pointer": "/occurred_on", "detail": "c-otter is not assigned to p-heron on this day"}
    ]


def test_all_faults_of_a_statement_are_named(world: World) -> None:
    answer = world.observe(occurred_on="2026-05-01", judgments=judged(4711, "emerging"))
    assert [fault["pointer"] for fault in answer.body["errors"]] == ["/occurred_on", "/judgments/0/competency"]


def test_a_director_who_judged_the_item_does_not_resolve_the_dispute_about_it(world: World) -> None:
    body = {"person_id": "director-1", "as": "director", "from": "2025-08-01"}
    world.post("/principals/p-heron/assessors", body).made()
    item = world.observe(by="director-1").made()
    world.dispute(item).made()
    assert world.resolve(item, "director-1").refused == (403, "judged-it")
    world.resolve(item, "director-2").made()


def test_a_director_or_a_registrar_retracts_what_somebody_else_began(world: World) -> None:
    for person in ("director-1", "registrar-1"):
        item = world.observe(setting="Conferences", narrative=person, query="?distinct=true").made()
        world.retract(item, person).made()
        assert world.log.read()[-1].tags[-2:] == (f"person:{person}", "person:c-otter")


def test_after_a_rejected_dispute_another_may_be_opened(world: World) -> None:
    item = disputed(world)
    world.resolve(item, outcome="rejected").made()
    world.dispute(item).made()
    world.resolve(item, outcome="upheld").made()
    assert world.dispute(item).refused == (409, "evidence-retracted")


def test_nobody_is_told_the_state_of_an_item_that_is_none_of_their_business(world: World) -> None:
    assert world.feedback(closed_cycle(world), "coach-idle").refused == (403, "not-assigned")


def test_an_entry_sent_late_counts_and_nobody_records_a_day_outside_their_assignment(world: World) -> None:
    """What counts is who was in which role on the day, and each step of a cycle by itself."""
    base = "/principals/p-ibis/assessors"
    world.post(base, {"person_id": "c-otter", "from": "2025-08-01", "until": "2026-01-31"}).made()
    world.post(base, {"person_id": "c-wren", "from": "2026-02-01"}).made()
    assert world.observe(principal="p-ibis", occurred_on="2026-01-30").status == 201
    assert world.observe(principal="p-ibis", occurred_on="2026-02-01").refused == (403, "not-assigned")
    late = world.observe("c-wren", principal="p-ibis", occurred_on="2026-01-30")
    assert late.refused == (403, "not-assigned")
    item = world.open_cycle(principal="p-ibis").made()
    world.feedback(item, on="2026-01-25").made()
    world.response(item, "p-ibis").made()
    assert world.close(item, "c-otter").refused == (403, "not-assigned")
    world.close(item, "c-wren").made()
    [cycle] = [one for one in world.all_items("/principals/p-ibis/evidence") if one["kind"] == "feedback_cycle"]
    assert [line["recorded_by"] for line in cycle["events"]] == [
        "person:c-otter", "person:c-otter", "person:p-ibis", "person:c-wren"
    ]  # fmt: skip


def test_an_assignment_that_ends_leaves_the_days_before_its_end(world: World) -> None:
    world.post("/principals/p-heron/assessors/c-otter/end", {"on": "2026-02-03"}).made()
    assert world.observe(occurred_on="2026-02-02").status == 201
    assert world.observe(occurred_on="2026-02-03").refused == (403, "not-assigned")


@pytest.mark.parametrize(
    ("members", "twice"),
    [
        ({}, True),
        ({"narrative": "Other words."}, True),  # same setting, same judgments
        ({"setting": "Conferences", "judgments": judged(7, "developing")}, True),  # same narrative
        ({"setting": "Conferences", "narrative": "  Led the data meeting.\n"}, True),
        ({"setting": "Conferences", "narrative": "Other words."}, False),
        ({"judgments": judged(6, "developing"), "narrative": "Other words."}, False),
        ({"occurred_on": "2026-02-04"}, False),
        ({"by": "c-wren"}, False),
        ({"principal": "p-egret"}, False),
        ({"query": "?distinct=true"}, False),
    ],
)
def test_a_visit_typed_twice_is_refused_unless_it_is_said_to_be_another(
    world: World, members: dict[str, str], twice: bool
) -> None:
    """The same assessor and day, with the same words, or with the same setting and judgments, is a near double."""
    first = world.observe().made()
    answer = world.observe(**members)
    if twice:
        assert answer.refused == (409, "near-double")
        assert first in answer.body["detail"]
        assert "distinct=true" in answer.body["detail"]
    else:
        answer.made()


def test_the_order_of_judgments_makes_no_other_visit(world: World) -> None:
    two = judged(6, "emerging") + judged(7, "aspiring")
    world.observe(judgments=two).made()
    assert world.observe(judgments=two[::-1], narrative="x").refused == (409, "near-double")


def test_what_was_retracted_is_no_double(world: World) -> None:
    for by in ("c-otter", "director-1"):
        world.retract(world.observe().made(), by).made()
    item = world.observe().made()
    world.dispute(item).made()
    world.resolve(item).made()
    world.observe().made()


def test_the_day_is_the_utc_date_of_the_log(world: World) -> None:
    world.now = datetime(2026, 2, 11, 0, 0, 30, tzinfo=UTC)
    assert world.observe(occurred_on="2026-02-11").refused == (422, "future-date")  # the database may be behind
    world.now = datetime(2026, 2, 11, 0, 1, 1, tzinfo=UTC)
    world.observe(occurred_on="2026-02-11").made()


def test_a_published_framework_makes_its_competencies_known(world: World) -> None:
    from contracts.events.governance import FrameworkPublished
    from foundation.eventlog import new_event

    framework = {"id": "mlds-2030", "competencies": [{"number": 77}]}
    published = FrameworkPublished.model_validate({"framework": framework})
    world.log.append([new_event(published, stream="framework:mlds-2030", recorded_by="person:chair-1")])
    world.observe(judgments=judged(77, "emerging")).made()
    assert world.observe(judgments=judged(78, "emerging")).refused == (422, "unknown-competency")
