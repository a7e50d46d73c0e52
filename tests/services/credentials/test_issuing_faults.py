"""A failure forced at every step of issuing: what is there resumes, and there is never a second credential."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from contracts.events.credentials import IssuanceIntended
from contracts.refusals import Refusal
from foundation.eventlog import FollowerTransaction, NewEvent, PostgresEventLog, Recorded, item, new_event, query
from foundation.eventlog import catch_up as follow
from foundation.signing import Signer
from services.credentials.followers import Intend
from services.credentials.key_ring import KeyRing
from services.credentials.room import CredentialsRoom
from services.credentials.signing import Signing
from tests.databases import Database
from tests.services.credentials.world import World, catch_up


class Forced(Exception):
    """The failure that a test forces: a process that dies here."""


class Fuse:
    """Counts steps and fails at one of them, once."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.steps = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.at:
            raise Forced


class FusedCursor:
    """A real cursor whose statements are steps: one before each, one after each."""

    def __init__(self, cursor: psycopg.Cursor[Any], fuse: Fuse) -> None:
        self._cursor = cursor
        self._fuse = fuse

    def execute(self, *given: Any) -> psycopg.Cursor[Any]:
        self._fuse.step()
        done = self._cursor.execute(*given)
        self._fuse.step()
        return done

    def executemany(self, *given: Any) -> None:
        self._fuse.step()
        self._cursor.executemany(*given)
        self._fuse.step()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


class FusedTransaction:
    """The follower's transaction: statements, the append, and the moment between append and commit."""

    def __init__(self, tx: FollowerTransaction, fuse: Fuse) -> None:
        self._tx = tx
        self._fuse = fuse
        self.cursor = FusedCursor(tx.cursor, fuse)
        self.recorded_at = tx.recorded_at

    def append(self, events: Sequence[NewEvent]) -> list[Recorded]:
        self._fuse.step()
        done = self._tx.append(events)
        self._fuse.step()
        return done


class Dying(Intend):
    """The real follower, run on a transaction that fails at one step. A dead process neither parks nor retries."""

    fuse: Fuse

    def apply(self, batch: Sequence[Recorded], tx: FollowerTransaction) -> None:
        try:
            super().apply(batch, FusedTransaction(tx, self.fuse))  # type: ignore[arg-type]  # the same interface
        except Forced as death:
            raise psycopg.OperationalError("forced") from death


def dying(room: CredentialsRoom, fuse: Fuse) -> Intend:
    found = Dying(room.log, room.keys, room.issuer, clock=room.clock)
    found.fuse = fuse
    return found


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    made = World(database, tmp_path)
    made.principal()
    item = made.observed()
    made.reached(item, level="aspiring")
    made.reached(item, level="emerging")
    made.lapsed(level="emerging", because=item.position)
    made.reached(made.observed(), level="emerging")
    return made


def causes(world: World) -> list[int]:
    return [event.position for event in world.events("LevelReached")]


def assert_each_cause_has_one_credential(world: World) -> None:
    intents = world.events("IssuanceIntended")
    assert sorted(event.data["cause"] for event in intents) == causes(world)
    issued = world.events("CredentialIssued")
    assert sorted(event.data["intent"] for event in issued) == [event.position for event in intents]
    assert len({event.data["credential_id"] for event in issued}) == len(issued) == len(causes(world))
    assert len(world.events("CredentialRevoked")) == 1
    assert world.room.signing().waiting() == 0
    assert len(world.query("SELECT FROM credentials.status_entries WHERE intent IS NULL")) == 0


def test_dying_at_each_step_of_intending_leaves_what_resumes(world: World) -> None:
    step = 0
    while True:
        step += 1
        fuse = Fuse(step)
        try:
            follow(dying(world.room, fuse), world.room.log)
        except psycopg.OperationalError:
            assert len(world.events("IssuanceIntended", "CredentialRevoked")) in (0, 4)  # all or nothing
            continue
        break
    assert step > 20
    world.settle()
    assert_each_cause_has_one_credential(world)


class DyingLog(PostgresEventLog):
    """The real log, dying before or after an append, or while it looks for what is there."""

    fuse: Fuse

    def append(self, *given: Any, **more: Any) -> list[Recorded]:
        self.fuse.step()
        done = super().append(*given, **more)
        self.fuse.step()
        return done

    def find(self, *given: Any, **more: Any) -> list[Recorded]:
        self.fuse.step()
        done = super().find(*given, **more)
        self.fuse.step()
        return done

    def read(self, *given: Any, **more: Any) -> list[Recorded]:
        self.fuse.step()
        done = super().read(*given, **more)
        self.fuse.step()
        return done

    def read_to_head(self, *given: Any, **more: Any) -> tuple[list[Recorded], int]:
        self.fuse.step()
        done = super().read_to_head(*given, **more)
        self.fuse.step()
        return done


class DyingSigner:
    def __init__(self, signer: Signer, fuse: Fuse) -> None:
        self._signer = signer
        self._fuse = fuse

    @property
    def public_key(self) -> bytes:
        return self._signer.public_key

    def sign(self, data: bytes, /) -> bytes:
        self._fuse.step()
        done = self._signer.sign(data)
        self._fuse.step()
        return done


class DyingRing(KeyRing):
    fuse: Fuse

    def signer(self, key: str) -> Signer:
        self.fuse.step()
        return DyingSigner(super().signer(key), self.fuse)


def test_dying_at_each_step_of_signing_leaves_what_resumes_and_signs_nothing_twice(world: World) -> None:
    catch_up(world.room)
    step = 0
    while True:
        step += 1
        fuse = Fuse(step)
        log = DyingLog(world.room.pool, keys=world.database.keys())
        ring = DyingRing(world.folder / "keys", b"a passphrase of the tests")
        log.fuse = ring.fuse = fuse
        worker = Signing(log, world.room.pool, ring, world.room.issuer)
        try:
            worker.drain()
        except Forced:
            continue
        finally:
            log.close()
        break
    assert step > 10
    world.settle()
    assert_each_cause_has_one_credential(world)


def test_a_process_that_dies_between_recording_and_noting_it_signs_nothing_again(world: World) -> None:
    world.settle()
    head = world.room.log.head()
    world.query("UPDATE credentials.intents SET issued = NULL RETURNING position")
    ring = DyingRing(world.folder / "keys", b"a passphrase of the tests")
    ring.fuse = Fuse(1)  # the first use of a key would fail
    assert Signing(world.room.log, world.room.pool, ring, world.room.issuer).drain() == len(causes(world))
    assert world.room.log.head() == head


def test_twenty_full_replays_call_no_signer(world: World) -> None:
    world.settle()
    head = world.room.log.head()
    ring = DyingRing(world.folder / "keys", b"a passphrase of the tests")
    ring.fuse = Fuse(1)
    for _ in range(20):
        world.forget()
        catch_up(world.room)
        Signing(world.room.log, world.room.pool, ring, world.room.issuer).drain()
        catch_up(world.room)
    assert world.room.log.head() == head
    assert_each_cause_has_one_credential(world)


def test_several_processes_at_once_give_one_credential_each(world: World) -> None:
    item = world.observed(level="transformational")
    for competency in range(10, 30):
        world.reached(item, competency=competency, level="aspiring", because=item.position)
    rooms = [world.new_room() for _ in range(4)]
    start = threading.Barrier(len(rooms))
    faults: list[BaseException] = []

    def work(room: CredentialsRoom) -> None:
        try:
            start.wait()
            world.settle(room)
        except BaseException as fault:  # noqa: BLE001  # shown by the test itself
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(room,)) for room in rooms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    world.settle()
    assert_each_cause_has_one_credential(world)


def test_one_principal_whose_badge_cannot_be_made_holds_up_nobody_else(world: World) -> None:
    world.principal("p-egret", email="egret@example.com")
    item = world.observed("p-egret")
    world.reached(item, principal="p-egret", competency=99, because=item.position)  # no framework has it
    world.principal("p-wren", email="wren@example.com")
    world.reached(world.observed("p-wren"), principal="p-wren")
    world.settle()
    holders = {event.tags[1] for event in world.events("CredentialIssued")}
    assert holders == {"principal:p-heron", "principal:p-wren"}
    assert world.query("SELECT principal FROM credentials.parked") == [("p-egret",)]


def test_an_intent_that_cannot_be_signed_is_set_aside_with_its_reason_and_tried_again(world: World) -> None:
    catch_up(world.room)
    good = world.room.log.read(query(item(types=("IssuanceIntended",))), unseal=True)[0]
    broken = {**good.data, "cause": 4711, "credential_id": str(uuid4()), "status": {"list": "r1", "index": 3}}
    broken["document"] = {**good.data["document"], "name": ""}
    event = new_event(
        IssuanceIntended.model_validate(broken),
        recorded_by="service:credentials",
        tags=("principal:p-heron", "cause:4711"),
        subject="p-heron",
    )
    world.room.log.append([event])
    world.settle()
    assert len(world.events("CredentialIssued")) == len(causes(world))
    ((reason,),) = world.query("SELECT unsignable FROM credentials.intents WHERE cause = 4711")
    assert "/name" in reason
    assert world.room.signing().waiting() == 0
    world.room.signing().try_again()
    assert world.room.signing().waiting() == 1


def test_intents_whose_key_is_elsewhere_hold_up_nobody_and_wait_for_it(world: World, tmp_path: Path) -> None:
    catch_up(world.room)
    hidden = next((world.folder / "keys").iterdir()).rename(tmp_path / "elsewhere.pem")
    world.room.keys.make("service:operator")
    world.reached(world.observed(), level="developing")
    elsewhere = world.new_room()
    world.settle(elsewhere)
    assert len(world.events("CredentialIssued")) == 1
    old = world.events("KeyMade")[0].data["key"]
    with pytest.raises(Refusal, match="cannot be used on this machine") as caught:
        elsewhere.ring.signer(old)
    assert str(tmp_path) not in caught.value.detail
    hidden.rename(world.folder / "keys" / f"{old}.pem")
    world.settle(elsewhere)
    assert_each_cause_has_one_credential(world)


def test_the_worker_goes_on_after_a_fault_and_stops_when_told(world: World) -> None:
    catch_up(world.room)
    stop, worker = threading.Event(), world.room.signing()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        position = world.room.log.head()
        while worker.waiting():
            position = world.room.log.head()
            world.room.log.wait_beyond(position, 0.2)
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
    catch_up(world.room)
    assert_each_cause_has_one_credential(world)
