"""What is sent again: the first answer, never a second item, never another's."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from tests.services.evidence.conftest import Answer, World, observation

KEY = "0b9f7f0e-6a0c-4d53-8a55-6c1d2e3f4a5b"


def test_a_key_used_again(world: World) -> None:
    """The key belongs to the person, and stands for one call with one content."""
    first = world.observe(key=KEY, narrative="a")
    turned = json.dumps(dict(reversed(observation(narrative="a").items())), indent=3)
    headers = {
        "On-Behalf-Of": "person:c-otter",
        "Idempotency-Key": KEY.upper(),
        "Content-Type": "application/json",
    }
    again = Answer(world.client.post("/api/v1/principals/p-heron/observations", content=turned, headers=headers))
    assert (first.status, first.body) == (again.status, again.body)
    head = world.log.head()
    assert world.observe(key=KEY, narrative="b").refused == (409, "idempotency-conflict")
    elsewhere = world.observe(key=KEY, narrative="a", principal="p-egret")
    assert elsewhere.refused == (409, "idempotency-conflict")
    assert first.body["evidence_id"] not in str(elsewhere.body)
    assert world.observe(key=None, narrative="a").refused == (400, "missing-idempotency-key")
    assert "Idempotency-Key" in world.observe(key=None, narrative="a").body["detail"]
    assert world.log.head() == head
    theirs = world.observe("c-wren", key=KEY, narrative="a")
    assert theirs.made() != first.body["evidence_id"]


def test_ten_at_once_with_one_key_make_one_item(world: World) -> None:
    key = str(uuid4())

    def send(_: int) -> dict[str, object]:
        body = observation(occurred_on="2026-02-04", narrative="other", setting="Conferences")
        return dict(world.evidence_answer(body, key))

    before = world.log.head()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(send, range(10)))
    assert world.log.head() == before + 1
    assert all(answer == answers[0] for answer in answers)


def test_twenty_at_once_by_two_coaches_make_twenty_items(world: World) -> None:
    """None is lost: the positions follow each other without a gap."""
    before = world.log.head()

    def send(number: int) -> int:
        body = observation(narrative=f"n{number}")
        by = ("c-otter", "c-wren")[number % 2]
        return int(str(world.evidence_answer(body, str(uuid4()), by, distinct=True)["position"]))

    with ThreadPoolExecutor(20) as pool:
        positions = list(pool.map(send, range(20)))
    assert sorted(positions) == list(range(before + 1, before + 21))


def test_the_same_evidence_id_and_content_under_another_key_gives_the_first_answer(world: World) -> None:
    first = world.observe(evidence_id="e-1")
    for key in (str(uuid4()), None):
        again = world.observe(evidence_id="e-1", key=key)
        assert (again.status, again.body) == (201, first.body)
    assert world.observe(evidence_id="e-1", narrative="b").refused == (409, "evidence-id-taken")
    assert world.observe("c-wren", evidence_id="e-1").refused == (409, "evidence-id-taken")


def test_a_step_sent_again_is_recorded_once_though_the_item_has_moved_on(world: World) -> None:
    item = world.open_cycle().made()
    body = {"occurred_on": "2026-01-25", "feedback": "Try pairs."}
    first = world.post(f"/feedback-cycles/{item}/feedback", body, "c-otter", KEY)
    world.response(item).made()
    world.close(item).made()
    again = world.post(f"/feedback-cycles/{item}/feedback", body, "c-otter", KEY)
    assert (again.status, again.body) == (first.status, first.body)


def test_a_refusal_is_not_remembered(world: World) -> None:
    assert world.observe(key=KEY, occurred_on="2026-02-12").refused == (422, "future-date")
    world.pass_days(3)
    world.observe(key=KEY, occurred_on="2026-02-12").made()
