"""Migrations: numbered SQL files of each room, applied once each, in order, and never changed afterwards.

A file is `NNNN_pre_name.sql` or `NNNN_post_name.sql` in a room's `migrations` folder. *pre* runs before the
new programs start and is safe for the old ones; *post* runs once no old program is left. Each runs in a
transaction of its own together with the note that it was applied.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final, Literal

import psycopg
from psycopg import sql

from foundation.postgres.faults import Unusable

Phase = Literal["pre", "post"]
_NAME: Final = re.compile(r"([0-9]{4})_(pre|post)_([a-z0-9_]+)\.sql")
_LOCK: Final = (7811887, 2)  # advisory: one migration at a time in a database


@dataclass(frozen=True, slots=True)
class Room:
    """Where a room's migrations lie, and the schema that they are for."""

    schema: str
    package: str
    """For example `services.evidence`: its files are in `services/evidence/migrations/`."""
    folder: str = "migrations"

    @property
    def book(self) -> str:
        """Under which name its applied files are noted."""
        return self.schema if self.folder == "migrations" else f"{self.schema} {self.folder}"


@dataclass(frozen=True, slots=True)
class Migration:
    version: int
    phase: Phase
    name: str
    text: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrations_of(room: Room) -> list[Migration]:
    """The room's files in order; none if it has no such folder. Raises ValueError on a name out of order."""
    folder = resources.files(room.package) / room.folder
    found = []
    for file in folder.iterdir() if folder.is_dir() else ():
        if not file.name.endswith(".sql"):
            continue
        match = _NAME.fullmatch(file.name)
        if match is None:
            raise ValueError(f"{room.package}/{room.folder}/{file.name}: call it NNNN_(pre|post)_name.sql")
        phase: Phase = "pre" if match[2] == "pre" else "post"
        found.append(Migration(int(match[1]), phase, file.name, file.read_text("utf-8")))
    found.sort(key=lambda migration: migration.version)
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"{room.package}/{room.folder}: the numbers must be 0001, 0002, … without gap or double")
    return found


def apply(
    connection: psycopg.Connection[Any],
    rooms: Sequence[Room],
    *,
    run_as: dict[str, str] | None = None,
    phases: Sequence[Phase] = ("pre", "post"),
) -> list[str]:
    """Applies what is missing and returns its names (`schema/file`).

    `run_as`: for a schema, the login that shall own what its files make. The connection is the owner's, in
    autocommit mode. Raises Unusable when the database is newer than this program, or when an applied file
    has been changed since.
    """
    connection.execute("SELECT pg_advisory_lock(%s, %s)", _LOCK)
    try:
        connection.execute(_BOOKS)
        check(connection, rooms)
        done = set(connection.execute("SELECT room, version FROM migrations.applied").fetchall())
        return [
            _apply_one(connection, room, migration, (run_as or {}).get(room.schema))
            for room, migration in _in_order(rooms)
            if (room.book, migration.version) not in done and migration.phase in phases
        ]
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s, %s)", _LOCK)


def check(connection: psycopg.Connection[Any], rooms: Sequence[Room]) -> list[str]:
    """What is missing (`schema/file`). Raises Unusable as `apply` does; changes nothing."""
    books = connection.execute("SELECT to_regclass('migrations.applied')").fetchone()
    if books is None or books[0] is None:
        return [f"{room.book}/{migration.name}" for room, migration in _in_order(rooms)]
    applied = {
        (room, version): (name, checksum)
        for room, version, name, checksum in connection.execute(
            "SELECT room, version, name, checksum FROM migrations.applied"
        )
    }
    for room in rooms:
        known = {migration.version: migration for migration in migrations_of(room)}
        for (book, version), (name, checksum) in applied.items():
            if book != room.book:
                continue
            if version not in known:
                raise Unusable(
                    f"The database is newer than this program: {book}/{name} has been applied, which this program "
                    "does not know. Use the newer program; nothing was changed."
                )
            if known[version].checksum != checksum:
                raise Unusable(
                    f"{book}/{known[version].name} differs from the file that was applied to this database as "
                    f"{name}. An applied migration is never changed: bring back the file and add a new one."
                )
    return [
        f"{room.book}/{migration.name}"
        for room, migration in _in_order(rooms)
        if (room.book, migration.version) not in applied
    ]


def _in_order(rooms: Sequence[Room]) -> Iterator[tuple[Room, Migration]]:
    for room in rooms:
        for migration in migrations_of(room):
            yield room, migration


def _apply_one(connection: psycopg.Connection[Any], room: Room, migration: Migration, login: str | None) -> str:
    with connection.transaction():
        if login is not None:
            connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(login)))
            connection.execute(sql.SQL("SET LOCAL search_path = {}").format(sql.Identifier(room.schema)))
        try:
            connection.execute(migration.text)  # several statements: no parameters
        except psycopg.Error as error:
            raise Unusable(f"{room.book}/{migration.name} failed, and nothing of it was kept: {error}") from error
        connection.execute("RESET ROLE")
        connection.execute(
            "INSERT INTO migrations.applied (room, version, name, checksum) VALUES (%s, %s, %s, %s)",
            (room.book, migration.version, migration.name, migration.checksum),
        )
    return f"{room.book}/{migration.name}"


_BOOKS: Final = """
CREATE SCHEMA IF NOT EXISTS migrations;
CREATE TABLE IF NOT EXISTS migrations.applied (
    room       text        NOT NULL,
    version    integer     NOT NULL,
    name       text        NOT NULL,
    checksum   text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (room, version)
);
"""
