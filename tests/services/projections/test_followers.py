"""Attainments are recorded once each, whatever the batches, stops and rebuilds; the read model is the replay's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.continuum import OVERALL
from foundation.access.permissions import OPERATOR, Caller
from foundation.eventlog import FollowerTransaction, Recorded, catch_up, retry_parked
from services.projections import followers
from services.projections.application import Projections
from services.projections.followers import Attain
from services.projections.rebuild import rebuild
from tests.databases import Database
from tests.services.projections.histories import history_of
from tests.services.projections.recording import attainments, exported, follow, model, record, replayed_check, sound
from tests.story import Story, framework, policy

NOW = datetime(2031, 1, 1, tzinfo=UTC)
EMERGING = {6: "emerging"}


def projections_of(database: Database) -> Projections:
    return Projections(database.log("projections"), lambda: NOW)


def two_visits() -> Story:
    """Aspiring at position 2, emerging at 3."""
    story = Story()
    story.dossier()
    story.observed("e1", EMERGING, on="2026-02-03")
    story.observed("e2", EMERGING, by="c-wren", on="2026-02-10")
    return story


def agrees_with_replay(database: Database) -> None:
    """What pages show and what the log records is what replay derives from the exported history."""
    projections = projections_of(database)
    for principal in (None, *projections.principals()):
        result = replayed_check(exported(projections, principal))
        assert list(result.differences()) == []
        for levels in result.levels():
            shown = projections.competency(Caller(OPERATOR), levels["principal"], levels["competency"])
            assert shown["level"] == levels["level"]
            standing = [level["reached"] for level in shown["levels"] if level["reached"]]
            for one in standing:
                assert any(all(one[name] == reached[name] for name in one) for reached in levels["reached"])


def test_each_level_is_recorded_once_with_its_cause(demo_database: Database) -> None:
    record(demo_database, two_visits().lines)
    follower = Attain(demo_database.log("projections"))
    catch_up(follower, demo_database.log("projections"))
    catch_up(follower, demo_database.log("projections"))
    assert attainments(demo_database) == [
        ("LevelReached", "p-heron", 6, "aspiring", 2),
        ("LevelReached", "p-heron", 6, "emerging", 3),
    ]
    agrees_with_replay(demo_database)


@pytest.mark.parametrize(("seed", "size"), [(0, 1), (1, 2), (100, 3), (2, 7), (105, 20), (3, 500)])
def test_any_batch_size_and_a_rebuild_give_the_same_bytes(demo_database: Database, seed: int, size: int) -> None:
    record(demo_database, sound(history_of(seed, 45)))
    follow(Attain(demo_database.log("projections")), demo_database, batch=size)
    kept, recorded = model(demo_database), attainments(demo_database)
    agrees_with_replay(demo_database)
    assert not rebuild(demo_database.log("projections")).otherwise
    assert model(demo_database) == kept
    # From nothing: the tables are lost, the log is not.
    with demo_database.connect("projections") as connection:
        connection.execute("DELETE FROM projections.continuum")
        connection.execute("UPDATE projections.followers SET position = 0")
    follow(Attain(demo_database.log("projections")), demo_database, batch=5)
    assert model(demo_database) == kept
    assert attainments(demo_database) == recorded


def test_a_batch_taken_back_after_its_work_changes_nothing(demo_database: Database) -> None:
    story = two_visits()
    record(demo_database, story.lines)
    log = demo_database.log("projections")
    follower = Attain(log)
    connection = demo_database.connect("projections")
    batch = log.read()
    for _ in range(3):
        with connection.transaction(force_rollback=True), connection.cursor() as cursor:
            follower.apply(batch, FollowerTransaction(cursor, log, batch[-1].recorded_at))
    assert attainments(demo_database) == []
    follow(follower, demo_database, batch=500)
    assert len(attainments(demo_database)) == 2
    agrees_with_replay(demo_database)


def test_two_leaders_after_each_other_record_once(demo_database: Database) -> None:
    story = two_visits()
    record(demo_database, story.lines)
    log = demo_database.log("projections")
    first, second = Attain(log), Attain(log)
    follow(first, demo_database, batch=2)
    story.retracted("e2")
    record(demo_database, story.lines[3:])
    follow(second, demo_database, batch=2)
    story.observed("e3", EMERGING, on="2026-02-12")
    record(demo_database, story.lines[4:])
    follow(first, demo_database, batch=2)  # its state is older than what is kept
    assert [what[0] for what in attainments(demo_database)] == ["LevelReached"] * 2 + ["LevelLapsed", "LevelReached"]
    agrees_with_replay(demo_database)


def many(principals: int) -> Story:
    """Each principal has one observation, which gives aspiring; the policy adopted then gives emerging as well."""
    story = Story()
    for number in range(principals):
        story.principal = f"p-{number:03d}"
        story.dossier()
        story.observed(f"e{number}", EMERGING, on="2026-02-03")
    story.adopted(policy(effective_from="2026-02-04", emerging={"items": 1}), on="2026-02-04")
    story.reassessed(on="2026-02-05")
    return story


def test_a_reassessment_is_worked_off_over_several_batches(
    demo_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followers, "ENOUGH", 3)
    story = many(17)
    story.principal = "p-016"
    story.observed("later", EMERGING, on="2026-02-06")  # meets its principal while they are behind
    record(demo_database, story.lines)
    follow(Attain(demo_database.log("projections")), demo_database, batch=500)
    reached = [what for what in attainments(demo_database) if what[3] == "emerging"]
    ordered = story.lines[-2].position
    assert [(what[1], what[4]) for what in reached] == [(f"p-{number:03d}", ordered) for number in range(17)]
    agrees_with_replay(demo_database)
    kept = model(demo_database)
    assert not rebuild(demo_database.log("projections")).otherwise
    assert model(demo_database) == kept


@pytest.mark.parametrize("reassessed", [True, False])
def test_one_whose_step_makes_too_much_is_parked_and_others_share_no_transaction_that_does(
    demo_database: Database, reassessed: bool
) -> None:
    """In a framework of 130 competencies one step reaches 520 levels of one principal, 400 of each other."""
    story = Story()
    story.published(framework("big", *range(1, 131)), on="2026-01-02")
    story.adopted(policy("none", framework="big", effective_from="2026-01-03", aspiring={"items": 9}), on="2026-01-03")
    once: dict[str, Any] = {level: {"items": 1} for level in ("emerging", "developing", "transformational")}
    later = policy("once", framework="big", effective_from="2026-02-04", aspiring={"items": 1}, **once)
    if not reassessed:
        story.adopted({**later, "effective_from": "2026-01-04"}, on="2026-01-04")
    for number, most in enumerate((100, 130, 100)):
        story.principal = f"p-{number}"
        story.dossier()
        story.observed(f"e{number}", dict.fromkeys(range(1, most + 1), "transformational"), on="2026-02-03")
    if reassessed:
        story.adopted(later, on="2026-02-04")
        story.reassessed(on="2026-02-05")
    record(demo_database, story.lines)
    log = demo_database.log("projections")
    catch_up(Attain(log), log)
    assert parked(demo_database) == ["p-1"]
    assert Counter(what[1] for what in attainments(demo_database)) == {"p-0": 400, "p-2": 400}


def recorded_otherwise(story: Story) -> Story:
    """As if an older rule had found aspiring at position 2 and had missed emerging at 3."""
    data: dict[str, Any] = {"principal_id": "p-heron", "competency": 6, "level": "aspiring", "framework": "mlds-2016"}
    data |= {"policy": {"id": "mlds-baseline", "version": "1.0"}, "evidence_ids": ["e1"], "because": 2}
    story.record("attainment:p-heron", "LevelReached", data, by="service:projections")
    return story


def test_what_was_recorded_stands_until_a_reassessment_is_ordered(demo_database: Database) -> None:
    story = two_visits()
    story.observed("e3", {7: "aspiring"}, on="2026-02-11")
    seven: dict[str, Any] = {"principal_id": "p-heron", "competency": 7, "level": "aspiring"}
    seven |= {"framework": "mlds-2016", "policy": {"id": "mlds-baseline", "version": "1.0"}}
    recorded_otherwise(story)
    story.record(
        "attainment:p-heron", "LevelReached", {**seven, "evidence_ids": ["e3"], "because": 4}, by="service:projections"
    )
    record(demo_database, story.lines)
    log = demo_database.log("projections")
    follow(Attain(log), demo_database, batch=500)
    assert len(attainments(demo_database)) == 2
    result = replayed_check(exported(projections_of(demo_database)))
    assert [sentence for sentence in result.differences() if "emerging" in sentence]
    assert projections_of(demo_database).competency(Caller(OPERATOR), "p-heron", 6)["level"] == "aspiring"
    # What happens elsewhere in the dossier does not bring it about either, nor does a rebuild.
    story.observed("e4", {8: "aspiring"}, on="2026-02-12")
    record(demo_database, story.lines[-1:])
    follow(Attain(log), demo_database, batch=500)
    kept = model(demo_database)
    assert rebuild(log).otherwise == ["p-heron"]
    assert model(demo_database) == kept
    assert [what[2] for what in attainments(demo_database)] == [6, 7, 8]
    story.reassessed(on="2026-02-13")
    record(demo_database, story.lines[-1:])
    follow(Attain(log), demo_database, batch=500)
    assert attainments(demo_database)[-1][2:4] == (6, "emerging")


def test_a_principal_who_cannot_be_looked_at_is_parked_and_holds_up_nobody(demo_database: Database) -> None:
    story = many(3)
    lines = story.lines
    record(demo_database, lines[:6])
    log = demo_database.log("projections")
    follow(Attain(log), demo_database, batch=500)
    # What no decision would record: a level that there is none of.
    with demo_database.connect() as owner:
        owner.execute(
            "UPDATE log.events SET data = convert_to(replace(convert_from(data, 'UTF8'), 'emerging', 'grand'), 'UTF8') "
            "WHERE 'dossier:p-001' = ANY (tags) AND type = 'ObservationRecorded'"
        )
    record(demo_database, lines[6:])
    follow(Attain(log), demo_database, batch=500)
    reached = [what[1] for what in attainments(demo_database) if what[3] == "emerging"]
    assert reached == ["p-000", "p-002"]
    parked = demo_database.connect("projections").execute("SELECT principal FROM projections.parked").fetchall()
    assert parked == [("p-001",)]


def test_a_parked_principal_is_taken_up_again_over_several_transactions_with_what_was_ordered_meanwhile(
    demo_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their last missed event is before the reassessment, which they have missed as well."""
    monkeypatch.setattr(followers, "ENOUGH", 1)
    story = many(3)
    record(demo_database, story.lines)
    log = demo_database.log("projections")

    class Faulty(Attain):
        def _look(self, principal: str, *rest: Any) -> bool:
            if principal == "p-001":
                raise ValueError
            return super()._look(principal, *rest)

    catch_up(Faulty(log), log)
    assert parked(demo_database) == ["p-001"]
    story.principal = "p-002"
    story.observed("later", EMERGING, on="2026-02-06")
    record(demo_database, story.lines[-1:])
    catch_up(Attain(log), log)
    assert parked(demo_database) == []
    assert [what[3:] for what in attainments(demo_database) if what[1] == "p-001"] == [("aspiring", 4), ("emerging", 8)]
    agrees_with_replay(demo_database)


def parked(database: Database) -> list[str]:
    found = database.connect("projections").execute("SELECT principal FROM projections.parked ORDER BY principal")
    return [name for (name,) in found]


def test_a_rebuild_leaves_to_the_parked_what_they_have_missed(
    demo_database: Database,
) -> None:
    """One is parked at their second event, one at their dossier's opening, while others go on."""
    story = two_visits()
    for principal in ("p-wren", "p-egret"):
        story.principal = principal
        story.dossier()
        story.observed(f"{principal}-1", EMERGING, on="2026-02-11")
    record(demo_database, story.lines)
    log = demo_database.log("projections")
    faulty = {3: "p-heron", 6: "p-egret"}

    class Faulty(Attain):
        def apply(self, batch: Sequence[Recorded], tx: FollowerTransaction) -> None:
            if any(event.position in faulty for event in batch):
                raise ValueError
            super().apply(batch, tx)

    catch_up(Faulty(log), log)
    assert parked(demo_database) == ["p-egret", "p-heron"]
    kept = model(demo_database)
    assert not rebuild(log).otherwise
    assert model(demo_database) == kept
    for principal in parked(demo_database):
        assert retry_parked(Attain(log), log, principal)
    assert [what[1:] for what in attainments(demo_database)] == [
        ("p-heron", 6, "aspiring", 2),
        ("p-wren", 6, "aspiring", 5),
        ("p-egret", 6, "aspiring", 7),
        ("p-heron", 6, "emerging", 3),
    ]
    agrees_with_replay(demo_database)


def test_a_rebuild_takes_in_what_happens_meanwhile_and_readers_never_see_less(demo_database: Database) -> None:
    record(demo_database, two_visits().lines)
    log = demo_database.log("projections")
    follow(Attain(log), demo_database, batch=500)
    seen = []

    def meanwhile(done: int, total: int) -> None:
        if done == 1:
            story = two_visits()
            story.retracted("e2")
            record(demo_database, story.lines[3:])
            follow(Attain(log), demo_database, batch=500)
        seen.append(len(model(demo_database).splitlines()))

    rebuilt = rebuild(log, advance=meanwhile)
    assert seen == [2, 2]
    assert rebuilt.position == log.head()
    assert projections_of(demo_database).competency(Caller(OPERATOR), "p-heron", 6)["level"] == "aspiring"
    tables = demo_database.connect("projections").execute(
        "SELECT relname FROM pg_class WHERE relname ~ '^continuum_[0-9]+$'"
    )
    assert tables.fetchall() == [("continuum_2",)]


def test_the_overall_level_is_recorded_as_well(demo_database: Database) -> None:
    story = Story()
    story.dossier()
    story.observed("e1", dict.fromkeys(range(1, 33), "aspiring"), on="2026-02-03")
    record(demo_database, story.lines)
    follow(Attain(demo_database.log("projections")), demo_database, batch=500)
    assert attainments(demo_database)[-1] == ("LevelReached", "p-heron", OVERALL, "aspiring", 2)
    assert len(attainments(demo_database)) == 33
    agrees_with_replay(demo_database)
