"""The log's promises, on PostgreSQL and in memory: order, time, ownership, idempotency, sealing."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from contracts.events import ERASED, EVENT_TYPES
from contracts.events.evidence import DossierOpened
from contracts.refusals import Kind, Refusal
from foundation.eventlog import (
    ALL,
    Command,
    Condition,
    EventLog,
    InMemoryEventLog,
    NewEvent,
    Recorded,
    TypeRegistry,
    UnknownEventType,
    decide,
    event_id_from,
    item,
    new_event,
    query,
)
from foundation.eventlog.faults import (
    AppendConflict,
    EventRepeated,
    NotADemonstration,
    TypeNotOwned,
)
from tests.databases import Database
from tests.foundation.eventlog.examples import DOSSIER, observation


@pytest.fixture(params=["postgresql", "memory"])
def log(request: pytest.FixtureRequest) -> EventLog:
    """Evidence's log, not a demonstration, on both."""
    if request.param == "memory":
        return InMemoryEventLog(owner="evidence", demonstration=False)
    return request.getfixturevalue("database").log("evidence")  # type: ignore[no-any-return]


@pytest.fixture(params=["postgresql", "memory"])
def demonstration(request: pytest.FixtureRequest) -> EventLog:
    if request.param == "memory":
        return InMemoryEventLog(owner="evidence", demonstration=True)
    return request.getfixturevalue("demo_database").log("evidence")  # type: ignore[no-any-return]


def recording(narrative: str, evidence_id: str | None = None) -> Callable[[list[Recorded]], list[NewEvent]]:
    return lambda known: [observation(narrative, evidence_id=evidence_id)]


# order and reading


def test_positions_have_no_gaps_also_after_a_refused_append(log: EventLog) -> None:
    log.append([observation(), observation()])
    with pytest.raises(AppendConflict):
        log.append([observation()], condition=Condition(DOSSIER))
    assert [event.position for event in log.append([observation()])] == [3]
    assert [event.position for event in log.read()] == [1, 2, 3]
    assert log.head() == 3


def test_reading_between_two_positions_gives_the_same_for_ever(log: EventLog) -> None:
    log.append([observation(principal=f"p-{n % 2}", tags=("person:x",) if n < 4 else ()) for n in range(8)])
    even = query(item(tags=("dossier:p-0",)))
    assert [event.position for event in log.read(even, after=1, until=6)] == [3, 5]
    assert [event.position for event in log.read(even, limit=2)] == [1, 3]
    assert [event.position for event in log.read(query(item(tags=("person:x", "dossier:p-1"))))] == [2, 4]
    assert [event.position for event in log.scan(even, batch=1)] == [1, 3, 5, 7]
    assert [event.position for event in log.scan(until=3)] == [1, 2, 3]


def test_what_append_returns_is_what_is_read(log: EventLog) -> None:
    appended = log.append([observation("Listened."), observation("Asked.")], command=Command.of("c", "k", "POST x"))
    assert log.read(unseal=True) == appended
    assert [event.command_id is None for event in appended] == [False, True]


def test_a_bulk_append_is_all_or_nothing(log: EventLog) -> None:
    twice = observation()
    assert log.append_bulk(observation() for _ in range(1200)) == (1, 1200)
    assert log.append_bulk([]) is None
    with pytest.raises((EventRepeated, psycopg.errors.UniqueViolation)):
        log.append_bulk([observation(), twice, twice])
    assert log.head() == 1200
    command = Command.of("c", "import", "POST /imports")
    assert log.append_bulk((observation(f"{n}") for n in range(3)), command=command) == (1201, 1203)
    found = log.of_command(command.id, unseal=True)
    assert found is not None
    assert (found[0], [event.data["narrative"] for event in found[1]]) == ("POST /imports", ["0", "1", "2"])


def test_more_than_the_limit_needs_the_exclusive_mode(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [observation()] * 50_001
    with pytest.raises(Refusal) as refused:
        log.append_bulk(dataclasses.replace(event, event_id=uuid4()) for event in many)
    assert refused.value.kind is Kind.TOO_LARGE
    assert log.head() == 0


# time


def test_times_never_fall(demonstration: EventLog) -> None:
    late = datetime(2026, 3, 2, 12, tzinfo=UTC)
    demonstration.append([observation()], recorded_at=late)
    demonstration.append([observation()], recorded_at=late - timedelta(hours=1))
    assert [event.recorded_at for event in demonstration.read()] == [late, late]


def test_only_a_demonstration_takes_a_time(log: EventLog, demonstration: EventLog) -> None:
    assert not log.is_demonstration
    assert demonstration.is_demonstration
    with pytest.raises(NotADemonstration):
        log.append([observation()], recorded_at=datetime(2026, 3, 2, tzinfo=UTC))


def test_a_clock_off_by_more_than_a_minute_is_refused(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from foundation.eventlog import postgres_recorder

    class Late(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) - timedelta(seconds=61)

    monkeypatch.setattr(postgres_recorder, "datetime", Late)
    with pytest.raises(Refusal) as refused:
        database.log("evidence").append([observation()])
    assert refused.value.kind is Kind.CLOCK_OFF


def test_nothing_is_appended_while_the_last_event_is_in_the_future(database: Database) -> None:
    log = database.log("evidence")
    log.append([observation()])
    owner = database.connect()
    owner.execute("UPDATE log.events SET recorded_at = clock_timestamp() + interval '50 s'")
    within = log.append([observation()])[0]
    assert within.recorded_at == log.read(limit=1)[0].recorded_at
    owner.execute("UPDATE log.events SET recorded_at = clock_timestamp() + interval '70 s'")
    with pytest.raises(Refusal) as refused:
        log.append([observation()])
    assert refused.value.kind is Kind.CLOCK_OFF


def test_nobody_changes_what_kind_of_database_it_is(demo_database: Database) -> None:
    owner = demo_database.connect()
    for change in ("UPDATE log.nature SET demonstration = false", "DELETE FROM log.nature", "TRUNCATE log.nature"):
        with pytest.raises(psycopg.Error, match="settled when it was made"):
            owner.execute(change)
    with pytest.raises(psycopg.errors.UniqueViolation):
        owner.execute("INSERT INTO log.nature (demonstration) VALUES (false)")


# ownership


def test_a_login_appends_its_own_types_only(log: EventLog) -> None:
    opened = new_event(DossierOpened(principal_id="p-heron"), recorded_by="person:r")
    with pytest.raises(TypeNotOwned):
        log.append([opened])
    with pytest.raises(TypeNotOwned):
        log.append_bulk([observation(), opened])
    assert log.head() == 0


CHANGES = [
    "INSERT INTO log.events SELECT 99, gen_random_uuid(), type, 1, tags, now(), 'x', NULL, NULL, NULL, NULL, "
    "'', NULL, '' FROM log.events",
    "UPDATE log.events SET recorded_by = 'person:nobody'",
    "DELETE FROM log.events",
    "TRUNCATE log.events",
    "INSERT INTO log.tags VALUES ('x', 'y', 1)",
    "DELETE FROM log.tags",
    "UPDATE log.event_types SET owner = session_user",
    "SELECT * FROM log.staging",
    "DROP TABLE log.events",
    "CREATE TABLE log.mine (x int)",
    "CREATE TABLE public.mine (x int)",
    "SELECT * FROM log.admit('{}', NULL, now(), NULL)",
]


@pytest.mark.parametrize("service", ["governance", "evidence", "projections", "credentials"])
def test_no_service_changes_the_log(database: Database, service: str) -> None:
    database.log("evidence").append([observation()])
    connection = database.connect(service)
    for change in CHANGES:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(change)


def test_a_service_reads_and_writes_its_own_schema_only(database: Database) -> None:
    evidence = database.connect("evidence")
    evidence.execute("CREATE TABLE evidence.mine (x int)")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.connect("credentials").execute("SELECT * FROM evidence.mine")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(database.urls["evidence"].replace(f"/{database.name}?", f"/{database.name}_keys?"))


def test_an_append_in_a_snapshot_that_is_too_old_is_refused(database: Database) -> None:
    log = database.log("evidence")
    with log.pool.transaction() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with pytest.raises(psycopg.Error, match="READ COMMITTED"):
            log.append_on(cursor, [observation()])


# idempotency and decisions


def test_a_repeated_command_gives_its_first_answer(log: EventLog) -> None:
    command = Command.of("c-otter", "key-1", "POST /observations")
    first = decide(log, DOSSIER, recording("Listened."), command=command)
    decide(log, DOSSIER, recording("Something else."))
    again = decide(log, DOSSIER, recording("Listened."), command=command)
    assert (first.repeated, again.repeated) == (False, True)
    assert again.events == first.events
    assert log.head() == 2


def test_a_key_with_other_content_or_another_call_is_refused(log: EventLog) -> None:
    command = Command.of("c-otter", "key-1", "POST /observations")
    decide(log, DOSSIER, recording("Listened."), command=command)
    for changed, line in (("Slept.", "POST /observations"), ("Listened.", "POST /observations?distinct=true")):
        with pytest.raises(Refusal) as refused:
            decide(log, DOSSIER, recording(changed), command=Command.of("c-otter", "key-1", line))
        assert refused.value.kind is Kind.IDEMPOTENCY_CONFLICT
    decide(log, DOSSIER, recording("Slept."), command=Command.of("c-wren", "key-1", "POST /observations"))
    assert log.head() == 2


def test_a_repeated_command_finds_its_own_work_in_its_way_and_is_not_refused(log: EventLog) -> None:
    def once(known: list[Recorded]) -> list[NewEvent]:
        if known:
            raise Refusal(Kind.EVIDENCE_ID_TAKEN, "taken")
        return [observation(evidence_id="e-1")]

    command = Command.of("c-otter", "key-1", "POST /observations")
    assert not decide(log, DOSSIER, once, command=command).repeated
    assert decide(log, DOSSIER, once, command=command).repeated


def test_a_refusal_is_not_remembered(log: EventLog) -> None:
    command = Command.of("c-otter", "key-1", "POST /observations")

    def never(known: list[Recorded]) -> list[NewEvent]:
        raise Refusal(Kind.NOT_ASSIGNED, "not assigned")

    with pytest.raises(Refusal):
        decide(log, DOSSIER, never, command=command)
    assert not decide(log, DOSSIER, recording("Listened."), command=command).repeated


def test_a_repeated_command_of_an_erased_person_is_told_so(log: EventLog) -> None:
    command = Command.of("c-otter", "key-1", "POST /observations")
    decide(log, DOSSIER, recording("Listened."), command=command)
    assert log.keys is not None
    log.keys.destroy("p-heron")
    with pytest.raises(Refusal) as refused:
        decide(log, DOSSIER, recording("Listened."), command=command)
    assert refused.value.kind is Kind.ERASED


def test_twenty_at_once_lose_nothing(log: EventLog) -> None:
    """Each may only record the next number: a lost update would leave a gap or a double."""
    barrier = threading.Barrier(20)

    def numbered(known: list[Recorded]) -> list[NewEvent]:
        return [observation(evidence_id=f"e-{len(known)}")]

    def work() -> None:
        barrier.wait()
        decide(log, DOSSIER, numbered)

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.data["evidence_id"] for event in log.read(DOSSIER)] == [f"e-{n}" for n in range(20)]


def test_the_same_command_twenty_times_at_once_is_recorded_once(log: EventLog) -> None:
    command = Command.of("c-otter", "key-1", "POST /observations")
    barrier = threading.Barrier(20)
    answers: list[tuple[int, bool]] = []

    def work() -> None:
        barrier.wait()
        decided = decide(log, DOSSIER, recording("Listened."), command=command)
        answers.append((decided.events[0].position, decided.repeated))

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [(1, False), *[(1, True)] * 19]
    assert log.head() == 1


def test_an_event_id_made_from_its_cause_is_recorded_once(log: EventLog) -> None:
    event = observation(event_id=event_id_from("cause", "17"))
    log.append([event])
    with pytest.raises(EventRepeated):
        log.append([event])
    assert [found.position for found in log.find([event.event_id, uuid4()])] == [1]


# sealing and upcasting


def test_personal_members_stand_nowhere_in_clear(database: Database) -> None:
    canary = "CANARY-Änne-Weiß-7391"
    log = database.log("evidence")
    log.append([observation(canary)])
    log.append_bulk([observation(canary)])
    owner = database.connect()
    for row in owner.execute("SELECT events::text, data, sealed FROM log.events"):
        assert canary.encode() not in b"".join(str(column).encode() + bytes(column or b"") for column in row[1:])
        assert canary not in row[0]
        assert canary.encode().hex() not in row[0]
    assert [event.data.get("narrative") for event in log.read()] == [None, None]
    assert [event.data["narrative"] for event in log.read(unseal=True)] == [canary, canary]


def test_a_destroyed_key_leaves_order_and_plain_members(log: EventLog) -> None:
    log.append([observation("Listened."), observation("Asked.", principal="p-egret")])
    assert log.keys is not None
    log.keys.destroy("p-heron")
    first, second = log.read(unseal=True)
    assert first.data["narrative"] == dict(ERASED)
    assert first.data["judgments"] == [{"competency": 6, "level": "emerging"}]
    assert second.data["narrative"] == "Asked."
    with pytest.raises(Refusal) as refused:
        log.append([observation()])
    assert refused.value.kind is Kind.ERASED


def test_a_sealed_text_moved_to_another_event_does_not_open(database: Database) -> None:
    from foundation.eventlog.sealing import SealBroken

    log = database.log("evidence")
    log.append([observation("One."), observation("Two.")])
    database.connect().execute(
        "UPDATE log.events e SET sealed = o.sealed FROM log.events o WHERE o.position = 3 - e.position"
    )
    with pytest.raises(SealBroken):
        log.read(unseal=True)


def test_an_older_version_is_lifted_when_it_is_read(database: Database) -> None:
    log = database.log("evidence")
    log.append([observation("Listened.")])
    newer = dict(EVENT_TYPES)
    newer["ObservationRecorded"] = dataclasses.replace(newer["ObservationRecorded"], version=3)
    lifts = {
        ("ObservationRecorded", 1): lambda data: {**data, "second": True},
        ("ObservationRecorded", 2): lambda data: {**data, "third": True},
    }
    lifted = database.log("evidence", registry=TypeRegistry(newer, lifts)).read(unseal=True)[0]
    assert (lifted.version, lifted.data["second"], lifted.data["third"]) == (3, True, True)
    assert lifted.data["narrative"] == "Listened."
    with pytest.raises(ValueError, match="is not lifted"):
        TypeRegistry(newer)


def test_a_type_or_version_from_the_future_is_named(database: Database) -> None:
    log = database.log("evidence")
    log.append([observation()])
    owner = database.connect()
    owner.execute("UPDATE log.events SET type_version = 2")
    with pytest.raises(UnknownEventType, match="ObservationRecorded of version 2"):
        log.read()
    owner.execute("UPDATE log.events SET type = 'BadgeDanced'")
    with pytest.raises(UnknownEventType, match="BadgeDanced"):
        log.read(ALL)


def test_waiting_for_a_position_ends_when_it_comes(log: EventLog) -> None:
    assert not log.wait_beyond(0, 0.05)
    thread = threading.Thread(target=lambda: log.append([observation()]))
    thread.start()
    assert log.wait_beyond(0, 10)
    thread.join()
