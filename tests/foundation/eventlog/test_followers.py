"""Followers: every event exactly once, in order, whoever dies, leads twice or can't bear an event."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import pytest

from foundation.eventlog import (
    FollowerTransaction,
    NewEvent,
    PostgresEventLog,
    Recorded,
    catch_up,
    event_id_from,
    retry_parked,
    run_follower,
    standing_of,
    wait_for,
)
from foundation.eventlog.followers import Fenced, lock_of
from foundation.eventlog.running import LIMITS, _Leader
from foundation.postgres.connections import connect
from tests.databases import Database
from tests.foundation.eventlog.examples import observation


class Counting:
    """Counts observations for each principal, in a table, and may answer each with an event of its own."""

    types: frozenset[str] | None = frozenset({"ObservationRecorded"})
    unseal = False

    def __init__(self, name: str = "evidence.counting", answers: bool = False) -> None:
        self.name = name
        self.answers = answers
        self.poison: set[str] = set()
        self.batches: list[int] = []

    def apply(self, batch: Sequence[Recorded], tx: FollowerTransaction) -> None:
        self.batches.append(len(batch))
        own: list[NewEvent] = []
        for event in batch:
            if event.tags[0].removeprefix("dossier:") in self.poison:
                raise ValueError(f"can't bear {event.position}")
            if event.recorded_by == "service:counting":
                continue
            tx.cursor.execute(
                "INSERT INTO evidence.counted VALUES (%s, %s) ON CONFLICT (principal) DO UPDATE SET "
                "positions = counted.positions || excluded.positions",
                (event.tags[0], [event.position]),
            )
            if self.answers:
                answer = observation(principal="p-answers", event_id=event_id_from("counting", str(event.position)))
                own.append(answer_by_service(answer))
        tx.append(own)


def answer_by_service(event: NewEvent) -> NewEvent:
    return dataclasses.replace(event, recorded_by="service:counting")


def counted(database: Database) -> dict[str, list[int]]:
    return dict(database.connect().execute("SELECT principal, positions FROM evidence.counted").fetchall())


@pytest.fixture
def log(database: Database) -> PostgresEventLog:
    database.connect("evidence").execute(
        "CREATE TABLE evidence.counted (principal text PRIMARY KEY, positions bigint[] NOT NULL)"
    )
    return database.log("evidence")


Start = Callable[[Counting], threading.Event]


@pytest.fixture
def start(log: PostgresEventLog) -> Iterator[Start]:
    """Runs a follower in a thread until the test's end."""
    running: list[tuple[threading.Thread, threading.Event]] = []

    def begin(follower: Counting) -> threading.Event:
        stop = threading.Event()
        thread = threading.Thread(target=run_follower, args=(follower, log, stop))
        thread.start()
        running.append((thread, stop))
        return stop

    yield begin
    for _, stop in running:
        stop.set()
    log.listener.wake()
    for thread, _ in running:
        thread.join()


def test_catching_up_reads_everything_once_and_in_order(log: PostgresEventLog, database: Database) -> None:
    log.append([observation(principal=f"p-{n % 3}") for n in range(1200)])
    follower = Counting()
    assert catch_up(follower, log) == 1200
    assert counted(database) == {f"dossier:p-{p}": list(range(p + 1, 1201, 3)) for p in range(3)}
    assert follower.batches == [500, 500, 200]
    assert catch_up(follower, log) == 1200
    assert len(follower.batches) == 3


def test_a_running_follower_sees_what_is_appended(log: PostgresEventLog, database: Database, start: Start) -> None:
    follower = Counting()
    start(follower)
    for n in range(5):
        log.append([observation()])
        assert wait_for(follower, log, n + 1, 10)
    assert counted(database) == {"dossier:p-heron": [1, 2, 3, 4, 5]}
    assert standing_of(follower, log).lag == 0
    assert standing_of(follower, log).heartbeat_at is not None


def test_two_leaders_of_one_follower_count_nothing_twice(
    log: PostgresEventLog, database: Database, start: Start
) -> None:
    followers = [Counting() for _ in range(3)]
    for follower in followers:
        start(follower)
    for _ in range(20):
        log.append([observation()])
    assert wait_for(followers[0], log, 20, 10)
    assert counted(database) == {"dossier:p-heron": list(range(1, 21))}


def test_a_leader_that_lost_its_lock_is_fenced_off(log: PostgresEventLog, database: Database) -> None:
    """A failover lets two believe to lead: the compare-and-set of the position decides."""
    log.append([observation()])

    with connect(log.pool.url, limits=LIMITS) as one, connect(log.pool.url, limits=LIMITS) as two:
        first, second = _Leader(Counting(), log, one), _Leader(Counting(), log, two)
        assert first.step()
        with pytest.raises(Fenced):
            second.step()
    assert counted(database) == {"dossier:p-heron": [1]}


def test_what_a_follower_appends_is_appended_once(log: PostgresEventLog, database: Database) -> None:
    log.append([observation() for _ in range(3)])
    follower = Counting(answers=True)
    assert catch_up(follower, log) == 6
    # A rebuild from nothing meets its own answers and adds none.
    database.connect("evidence").execute("DELETE FROM evidence.counted")
    database.connect("evidence").execute("UPDATE evidence.followers SET position = 0")
    assert catch_up(follower, log) == 6
    assert log.head() == 6
    assert counted(database) == {"dossier:p-heron": [1, 2, 3]}


def test_a_poison_event_parks_its_principal_and_nobody_else(log: PostgresEventLog, database: Database) -> None:
    log.append([observation(principal=f"p-{n % 3}") for n in range(30)])
    follower = Counting()
    follower.poison = {"p-1"}
    assert catch_up(follower, log) == 30
    assert set(counted(database)) == {"dossier:p-0", "dossier:p-2"}
    assert standing_of(follower, log).parked == 1
    log.append([observation(principal="p-1"), observation(principal="p-2")])
    assert catch_up(follower, log) == 32

    follower.poison = set()
    assert retry_parked(follower, log, "p-1")
    assert not retry_parked(follower, log, "p-1")
    assert counted(database)["dossier:p-1"] == [*range(2, 31, 3), 31]
    assert standing_of(follower, log).parked == 0


def test_whose_cause_is_mended_is_taken_up_again_when_a_leader_starts(
    log: PostgresEventLog, database: Database, start: Start
) -> None:
    log.append([observation(principal=f"p-{n % 4}") for n in range(40)])
    broken = Counting()
    broken.poison = {"p-1", "p-2", "p-3"}
    catch_up(broken, log)
    assert standing_of(broken, log).parked == 3
    mended = Counting()
    mended.poison = {"p-2"}
    start(mended)
    log.append([observation(principal="p-1")])
    assert wait_for(mended, log, 41, 10)
    found = counted(database)
    assert found["dossier:p-1"] == [*range(2, 41, 4), 41]
    assert found["dossier:p-3"] == list(range(4, 41, 4))
    assert "dossier:p-2" not in found
    assert database.connect().execute("SELECT principal, position FROM evidence.parked").fetchall() == [("p-2", 3)]


def test_taking_up_again_is_bounded_and_goes_on_where_it_stopped(log: PostgresEventLog, database: Database) -> None:
    """What was missed would append more than one transaction may, and one of it is still not borne."""

    class Threehundred(Counting):
        broken = 0

        def apply(self, batch: Sequence[Recorded], tx: FollowerTransaction) -> None:
            if any(event.position == self.broken for event in batch):
                raise ValueError
            super().apply(batch, tx)
            tx.append(
                [
                    answer_by_service(observation("p-a", event_id=event_id_from("three", str(event.position), str(n))))
                    for event in batch
                    for n in range(300)
                    if event.recorded_by != "service:counting"
                ]
            )

    log.append([observation() for _ in range(3)])
    follower = Threehundred()
    follower.broken = 1
    catch_up(follower, log)
    follower.broken = 3
    catch_up(follower, log)
    assert counted(database)["dossier:p-heron"] == [1, 2]
    assert database.connect().execute("SELECT position FROM evidence.parked").fetchall() == [(3,)]
    follower.broken = 0
    catch_up(follower, log)
    assert counted(database)["dossier:p-heron"] == [1, 2, 3]
    assert log.head() == 903
    assert standing_of(follower, log).parked == 0


def test_a_single_event_that_would_append_too_much_parks_its_principal(
    log: PostgresEventLog, database: Database
) -> None:
    class Toomany(Counting):
        def apply(self, batch: Sequence[Recorded], tx: FollowerTransaction) -> None:
            super().apply(batch, tx)
            if any(event.tags[0] == "dossier:p-1" for event in batch):
                tx.append([observation() for _ in range(501)])

    log.append([observation(principal=f"p-{n % 3}") for n in range(6)])
    follower = Toomany()
    assert catch_up(follower, log) == 6
    assert set(counted(database)) == {"dossier:p-0", "dossier:p-2"}
    ((principal, reason),) = database.connect().execute("SELECT principal, reason FROM evidence.parked").fetchall()
    assert principal == "p-1"
    assert reason.startswith("TooManyAppended")


def test_a_batch_that_would_append_too_much_is_made_smaller(log: PostgresEventLog) -> None:
    class Twofold(Counting):
        def apply(self, batch: Sequence[Recorded], tx: FollowerTransaction) -> None:
            self.batches.append(len(batch))
            mine = [event for event in batch if event.recorded_by != "service:counting"]
            tx.append(
                [
                    answer_by_service(observation(event_id=event_id_from("two", str(event.position), str(n))))
                    for event in mine
                    for n in range(2)
                ]
            )

    log.append([observation() for _ in range(400)])
    follower = Twofold()
    catch_up(follower, log)
    assert follower.batches[:2] == [400, 200]
    assert log.head() == 1200


def test_work_that_one_batch_cannot_hold_is_resumed_before_later_events(log: PostgresEventLog) -> None:
    seen: list[str] = []

    class Reassessing(Counting):
        left = 0

        def apply(self, batch: Sequence[Recorded], tx: FollowerTransaction) -> None:
            seen.extend(f"event {event.position}" for event in batch)
            self.left = 3 if batch[0].position == 1 else 0

        def resume(self, tx: FollowerTransaction) -> bool:
            if self.left:
                seen.append(f"part {self.left}")
                self.left -= 1
            return self.left > 0

    follower = Reassessing()
    log.append([observation()])
    catch_up(follower, log)
    log.append([observation()])
    catch_up(follower, log)
    assert seen == ["event 1", "part 3", "part 2", "part 1", "event 2"]


def test_a_follower_reconnects_when_its_connection_is_cut(
    log: PostgresEventLog, database: Database, start: Start
) -> None:
    follower = Counting()
    start(follower)
    log.append([observation()])
    assert wait_for(follower, log, 1, 10)
    database.connect().execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s AND pid <> pg_backend_pid()",
        (log.pool.url.split("//")[1].split(":")[0],),
    )
    log.append([observation()])
    assert wait_for(follower, log, 2, 10)
    assert counted(database) == {"dossier:p-heron": [1, 2]}


def test_catching_up_waits_for_whoever_leads(log: PostgresEventLog, database: Database, start: Start) -> None:
    log.append([observation()])
    holder = database.connect("evidence")
    holder.execute("SELECT pg_advisory_lock(%s, %s)", lock_of(Counting()))
    with pytest.raises(TimeoutError):
        catch_up(Counting(), log, timeout=0.2)
    holder.close()
    assert catch_up(Counting(), log) == 1


def test_in_a_demonstration_what_follows_has_the_time_of_its_cause(demo_database: Database) -> None:
    demo_database.connect("evidence").execute(
        "CREATE TABLE evidence.counted (principal text PRIMARY KEY, positions bigint[] NOT NULL)"
    )
    log = demo_database.log("evidence")
    then = datetime(2025, 9, 1, 8, 0, tzinfo=UTC)
    log.append([observation()], recorded_at=then)
    catch_up(Counting(answers=True), log)
    later = datetime(2025, 9, 2, 8, 0, tzinfo=UTC)
    log.append([observation()], recorded_at=later)
    assert [event.recorded_at for event in log.read()] == [then, then, later]
