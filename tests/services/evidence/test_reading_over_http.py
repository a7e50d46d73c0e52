"""Reading a record: evidence with its states, history lines, who may read what, paging."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from contracts.history import HistoryReader
from tests.services.evidence.conftest import World


def shown(world: World, item: str, by: str | None = None) -> dict[str, object]:
    [found] = [one for one in world.all_items("/principals/p-heron/evidence", by) if one["evidence_id"] == item]
    return dict(found)


def test_a_retracted_item_is_still_shown_with_its_reason(world: World) -> None:
    """Taking back hides nothing: the list names who did it and why."""
    item = world.observe().made()
    world.retract(item).made()
    found = shown(world, item)
    assert (found["kind"], found["state"], found["dispute"]) == ("observation", "retracted", None)
    assert [line["data"].get("reason") for line in found["events"]] == [None, "wrong person"]  # type: ignore[attr-defined]


def test_a_dispute_ends_with_the_retraction_of_the_item(world: World) -> None:
    """No dispute stays open for ever."""
    item = world.observe().made()
    world.dispute(item).made()
    assert shown(world, item)["dispute"] == "open"
    world.retract(item).made()
    assert (shown(world, item)["state"], shown(world, item)["dispute"]) == ("retracted", "ended_by_retraction")
    assert world.resolve(item).refused == (409, "evidence-retracted")


@pytest.mark.parametrize(("outcome", "state"), [("upheld", "retracted"), ("rejected", "complete")])
def test_a_resolved_dispute_shows_its_outcome(world: World, outcome: str, state: str) -> None:
    item = world.observe().made()
    world.dispute(item).made()
    world.resolve(item, outcome=outcome).made()
    assert (shown(world, item)["state"], shown(world, item)["dispute"]) == (state, outcome)


def test_an_open_cycle_is_open(world: World) -> None:
    item = world.open_cycle().made()
    assert (shown(world, item)["kind"], shown(world, item)["state"]) == ("feedback_cycle", "open")


def test_history_lines_are_those_of_a_history_file(world: World) -> None:
    world.observe().made()
    lines = world.all_items("/principals/p-heron/history?limit=2")
    assert [line["type"] for line in lines] == [
        "PersonRegistered", "RoleGranted", "DossierOpened", "ObservationRecorded"
    ]  # fmt: skip
    assert [line["version"] for line in lines] == [1, 2, 1, 2]
    assert lines[0]["data"]["name"] == "Name of p-heron"
    assert len(list(HistoryReader().read_all([json.dumps(line).encode() for line in lines]))) == 4


def test_pages_lose_and_double_nothing_while_the_list_grows(world: World) -> None:
    made = [world.observe(narrative=f"n{n}", query="?distinct=true").made() for n in range(5)]
    seen: list[str] = []
    following: str | None = "/principals/p-heron/evidence?limit=2"
    while following:
        page = world.get(following).body
        seen += [one["evidence_id"] for one in page["items"]]
        following = page["next"]
        if len(seen) == 2:
            made.append(world.observe(narrative="late", query="?distinct=true").made())
            world.retract(made[3]).made()
    assert seen == made
    assert world.get("/principals/p-heron/evidence?cursor=x").status == 422


@pytest.mark.parametrize(
    ("by", "status"),
    [
        (None, 200), ("p-heron", 200), ("c-otter", 200), ("director-1", 200), ("registrar-1", 200), ("auditor-1", 200),
        ("p-egret", 403), ("coach-idle", 403), ("chair-1", 403), ("nobody", 403),
    ],
)  # fmt: skip
def test_who_reads_a_record(world: World, by: str | None, status: int) -> None:
    world.observe().made()
    for path in ("evidence", "history"):
        answer = world.get(f"/principals/p-heron/{path}", by)
        assert answer.status == status
        assert ("narrative" in str(answer.body)) == (status == 200)


def test_who_was_assigned_reads_what_was_recorded_until_their_last_day(world: World) -> None:
    item = world.observe().made()
    world.post("/principals/p-heron/assessors/c-otter/end", {"on": "2026-02-11"}).made()
    assert len(world.all_items("/principals/p-heron/evidence", "c-otter")) == 1
    world.now = datetime(2026, 2, 11, 9, tzinfo=UTC)
    world.observe("c-wren").made()
    world.retract(item, "director-1").made()
    assert len(world.all_items("/principals/p-heron/evidence", "p-heron")) == 2
    assert [one["state"] for one in world.all_items("/principals/p-heron/evidence", "c-otter")] == ["complete"]
    assert all(line["recorded_at"] < "2026-02-11" for line in world.all_items("/principals/p-heron/history", "c-otter"))


def test_what_was_erased_is_shown_as_erased(world: World) -> None:
    item = world.observe().made()
    assert world.log.keys is not None
    world.log.keys.destroy("p-heron")
    [line] = shown(world, item, "director-1")["events"]  # type: ignore[misc]
    assert line["data"]["narrative"] == {"erased": True}
    assert world.observe(setting="Conferences").refused == (410, "erased")


def test_an_unknown_principal(world: World) -> None:
    assert world.get("/principals/p-nobody/evidence", "director-1").refused == (404, "unknown-principal")
    assert world.get("/principals/p-nobody/evidence", "c-otter").refused == (403, "forbidden")
    assert world.get("/principals/c-otter/evidence", "c-otter").refused == (404, "unknown-principal")


def test_min_position_that_is_there_is_answered_at_once(world: World) -> None:
    position = world.observe().body["position"]
    assert world.get(f"/principals/p-heron/evidence?min_position={position}").status == 200
    assert world.get("/principals/p-heron/evidence?min_position=x").status == 422


def test_who_will_be_assigned_reads_nothing_yet(world: World) -> None:
    later = {"person_id": "coach-idle", "from": "2026-03-01", "until": "2026-06-30"}
    world.post("/principals/p-heron/assessors", later).made()
    assert world.get("/principals/p-heron/evidence", "coach-idle").refused == (403, "forbidden")
