"""The demonstration's own database, beside the real one: found again, gone on with, or made anew."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from apps.composition import System, started_server
from apps.demo.plan import DAYS, Plan, key_of, make_plan
from apps.installation import DEMO_DATABASE, installation, migrate
from foundation.eventlog import EventLog, command_id, item, query
from foundation.postgres import provision
from foundation.postgres.connections import connect
from foundation.postgres.embedded import EmbeddedServer
from foundation.postgres.faults import Unusable
from foundation.postgres.folders import make_home
from foundation.settings import Settings

_KEPT: Final = "logins.json"
"""Logins outlive their database, and so do their passwords."""
_PATIENCE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Stage:
    system: System
    plan: Plan
    release: Callable[[], None]
    """Lets other runs in: from now on nothing is made here any more."""


@contextmanager
def staged(settings: Settings, seed: int, size: int, today: date, note: Callable[[str], None]) -> Iterator[Stage]:
    """The demonstration's system, and the plan that it holds or is to hold.

    What another seed or size has left is dropped. Raises Unusable where another process is at work on it.
    """
    with _alone(settings) as release, started_server(settings) as server:
        migrate(settings, server, note)
        with System(settings, installation(settings, server)) as system:
            log = system.log("governance")
            plan = recognized(log, seed, size)
            # A key alone is left by a run that was killed before its first step.
            used = any(event.type != "KeyMade" for event in log.read(limit=2))
        if plan is None:
            if used:
                note("Another demonstration lies here; it is made anew.")
                _discard(settings, server)
                migrate(settings, server, note)
            plan = make_plan(seed, size, today - timedelta(days=2))  # it ends before now, in every zone
        with System(settings, installation(settings, server)) as system:
            system.clock.set(plan.steps[0].at)  # the issuer's key is as old as the story
            system.make_first_key(note)
            system.clock.set(None)
            yield Stage(system, plan, release)


def recognized(log: EventLog, seed: int, size: int) -> Plan | None:
    """The plan of this seed and size that the log holds the beginning of; None: the log holds something else.

    The plan's first command tells: its id is made of seed, size and first day, and its time is that day.
    """
    first = log.read(query(item(types=("PersonRegistered",))), limit=1)
    if not first:
        return None
    day = first[0].recorded_at.date()
    asked = command_id("service:operator", str(key_of(seed, size, day, 0)))
    if first[0].command_id != asked:
        return None
    return make_plan(seed, size, day + timedelta(days=DAYS))


def _discard(settings: Settings, server: EmbeddedServer | None) -> None:
    """Files first: where this is broken off, the log still tells that something else is there."""
    admin = server.url() if server is not None else settings.database_url
    if admin is None:
        raise Unusable("The demonstration cannot be made anew: set MLDS_DATABASE_URL to the owner's login.")
    _nobody_connected(admin)
    place = settings.home / "demo"
    for path in place.iterdir():
        if path.name != _KEPT:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    provision.drop_demonstration(admin, DEMO_DATABASE)


def _nobody_connected(admin: str) -> None:
    """Waits for the connections of a process that was killed; one that lives keeps them."""
    give_up = time.monotonic() + _PATIENCE_S
    with connect(admin) as connection:
        while True:
            asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"
            row = connection.execute(asked, (DEMO_DATABASE,)).fetchone()
            if row is None or not row[0]:
                return
            if time.monotonic() > give_up:
                raise Unusable(
                    "Another process works on the demonstration (a server, perhaps). End it first, or ask for the "
                    "same --seed and --principals."
                )
            time.sleep(0.1)


@contextmanager
def _alone(settings: Settings) -> Iterator[Callable[[], None]]:
    """One run at a time; the lock ends with the process, however it ends, or when it is released."""
    make_home(settings.home)
    lock = os.open(_lock_file(settings), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unusable(f"Another `mlds demo` is at work in {settings.home}; wait for it, or end it.") from None
        yield lambda: fcntl.flock(lock, fcntl.LOCK_UN)
    finally:
        os.close(lock)


def _lock_file(settings: Settings) -> Path:
    return settings.home / "demo.lock"
