"""Databases, logins and schemas: what `mlds migrate` makes, and who may do what in it.

One database holds the log (schema `log`, the owner's) and a schema for each service, which its login owns.
A second one, with `_keys` added to its name, holds the data keys, under a login of its own.

Logins belong to the whole cluster, so they carry the name of their database (`mlds_evidence`,
`mlds_demo_evidence`): the demonstration's logins can't even connect to the real database beside it, and
making one never changes the other's passwords.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from contracts.events import EVENT_TYPES
from foundation.postgres.connections import connect
from foundation.postgres.faults import Unusable
from foundation.postgres.migrations import Phase, Room, apply

SERVICES: Final = ("governance", "evidence", "projections", "credentials")
LOG: Final = Room("log", "foundation.eventlog")
KEYS: Final = Room("keys", "foundation.postgres")
KEYS_SUFFIX: Final = "_keys"
_OLDEST: Final = 150000


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What `migrate` found or made."""

    database: str
    keys_database: str
    logins: Mapping[str, str]
    """Service (or `keys`) → login."""
    new_passwords: Mapping[str, str] = field(repr=False)
    """Service (or `keys`) → password, of logins made just now or given one now. The caller stores them, 0600."""
    applied: Sequence[str]
    """Migrations applied just now, `schema/file`."""
    created: bool
    """Whether the database was made just now."""
    demonstration: bool
    urls: Mapping[str, str] = field(repr=False, default_factory=dict)
    """Service (or `keys`) → URL with login and password, where the password is known."""


def login_of(database: str, service: str) -> str:
    """The login of a service (or `keys`) in a database."""
    return f"{database}_{service}"


def migrate(
    admin_url: str,
    *,
    database: str | None = None,
    rooms: Sequence[Room] = (),
    passwords: Mapping[str, str] | None = None,
    demonstration: bool = False,
    event_owners: Mapping[str, str] | None = None,
    phases: Sequence[Phase] = ("pre", "post"),
    reset_passwords: bool = False,
    keep: Callable[[Mapping[str, str]], None] | None = None,
) -> Provisioned:
    """Makes or upgrades the database, its key database, logins, schemas and grants. Repeatable.

    `admin_url` is the owner's, to any database of the cluster; `database` (default: the URL's own) is made
    when it is not there. `passwords` are those that the caller keeps (service or `keys` → password). A login
    made now without one gets a new one; so does an existing one under `reset_passwords`, which locks out
    whoever uses the old. `keep` is called with the new ones before they count, so that no crash loses them.
    `demonstration` counts when the database is made, and is checked later.
    `event_owners` (type → service) defaults to the registry of `contracts.events`. Raises Unusable.
    """
    database = database or urlsplit(admin_url).path.lstrip("/")
    if not database:
        raise Unusable("The database URL names no database: add it after the last slash.")
    keys_database = database + KEYS_SUFFIX
    names = (*SERVICES, "keys")
    logins = {name: login_of(database, name) for name in names}
    for name in (keys_database, *logins.values()):
        if len(name.encode()) > 63:
            raise Unusable(f"{name} is longer than the 63 bytes that PostgreSQL takes: use a shorter database name.")
    known = dict(passwords or {})
    with connect(admin_url, limits=None) as admin:
        if admin.info.server_version < _OLDEST:
            raise Unusable(f"PostgreSQL 15 or later is needed; this is version {admin.info.server_version // 10000}.")
        admin.execute("SELECT pg_advisory_lock(7811887, 4)")  # one at a time; the connection's end lets it go
        made = _ensure_logins(admin, logins, known, reset_passwords, keep)
        created = _ensure_database(admin, database, [logins[name] for name in SERVICES])
        _ensure_database(admin, keys_database, [logins["keys"]])
        known |= made
        with connect(with_database(admin_url, database), limits=None) as connection:
            applied = _upgrade_log(connection, rooms, logins, event_owners, demonstration, phases)
        with connect(with_database(admin_url, keys_database), limits=None) as connection:
            applied += _upgrade_keys(connection, logins["keys"], phases)
    return Provisioned(
        database=database,
        keys_database=keys_database,
        logins=logins,
        new_passwords=made,
        applied=applied,
        created=created,
        demonstration=demonstration,
        urls={
            name: with_login(
                with_database(admin_url, keys_database if name == "keys" else database), logins[name], known[name]
            )
            for name in names
            if name in known
        },
    )


def drop_demonstration(admin_url: str, database: str) -> None:
    """Drops a demonstration's database and key database, if they are there. Raises Unusable for a real one."""
    with connect(admin_url, limits=None) as admin:
        if admin.execute("SELECT FROM pg_database WHERE datname = %s", (database,)).fetchone() is None:
            return
        with connect(with_database(admin_url, database), limits=None) as connection:
            there = connection.execute("SELECT to_regclass('log.nature')").fetchone()
            is_log = there is not None and there[0] is not None
            nature = connection.execute("SELECT demonstration FROM log.nature").fetchone() if is_log else None
        if nature is None or not nature[0]:
            raise Unusable(f"{database} is no demonstration database, and is not dropped.")
        for name in (database, database + KEYS_SUFFIX):
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def with_database(url: str, database: str) -> str:
    """The same server and login, another database."""
    return urlunsplit(urlsplit(url)._replace(path="/" + quote(database, safe="")))


def with_login(url: str, login: str, password: str) -> str:
    """The same server and database, another login."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(login, safe='')}:{quote(password, safe='')}@{host}"))


def _ensure_logins(
    admin: psycopg.Connection[Any],
    logins: Mapping[str, str],
    known: Mapping[str, str],
    reset_passwords: bool,
    keep: Callable[[Mapping[str, str]], None] | None,
) -> dict[str, str]:
    made = {}
    with admin.transaction():
        for name, login in logins.items():
            there = admin.execute("SELECT FROM pg_roles WHERE rolname = %s", (login,)).fetchone() is not None
            if there and (name in known or not reset_passwords):
                continue
            password = known.get(name) or secrets.token_urlsafe(32)
            verb = sql.SQL("ALTER" if there else "CREATE")
            admin.execute(
                sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD {}").format(
                    verb, sql.Identifier(login), sql.Literal(_verifier(admin, password))
                )
            )
            if name not in known:
                made[name] = password
            # To hand the login its schema, an owner who is no superuser must be able to become it.
            admin.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(login)))
        if made and keep:
            keep(made)
    return made


def _verifier(admin: psycopg.Connection[Any], password: str) -> str:
    """The password as SCRAM-SHA-256 keeps it: the password itself reaches neither the server nor its log."""
    return admin.pgconn.encrypt_password(password.encode(), b"", b"scram-sha-256").decode()


def _ensure_database(admin: psycopg.Connection[Any], database: str, logins: Sequence[str]) -> bool:
    there = admin.execute("SELECT FROM pg_database WHERE datname = %s", (database,)).fetchone() is not None
    if not there:
        try:
            admin.execute(
                sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(sql.Identifier(database))
            )
        except psycopg.errors.DuplicateDatabase:  # another migration was faster
            there = True
        except psycopg.errors.InsufficientPrivilege as error:
            raise Unusable(
                f"This login may not make the database {database}: make it, owned by this login, and migrate again."
            ) from error
    admin.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)))
    for login in logins:
        admin.execute(
            sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(
                sql.Identifier(database), sql.Identifier(login)
            )
        )
    return not there


def _upgrade_log(
    connection: psycopg.Connection[Any],
    rooms: Sequence[Room],
    logins: Mapping[str, str],
    event_owners: Mapping[str, str] | None,
    demonstration: bool,
    phases: Sequence[Phase],
) -> list[str]:
    owner_of = event_owners if event_owners is not None else {name: kind.owner for name, kind in EVENT_TYPES.items()}
    services = [logins[name] for name in SERVICES]
    connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    connection.execute("CREATE SCHEMA IF NOT EXISTS log")
    applied = apply(connection, [LOG], phases=phases)
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(7811887, 2)")
        nature = connection.execute("SELECT demonstration FROM log.nature").fetchone()
        if nature is None:
            connection.execute("INSERT INTO log.nature (demonstration) VALUES (%s)", (demonstration,))
        elif nature[0] != demonstration:
            raise Unusable(
                "This is a demonstration database, and it stays one: use another for real records."
                if nature[0]
                else "This database holds real records: a demonstration needs a database of its own."
            )
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO log.event_types (type, owner) VALUES (%s, %s) "
                "ON CONFLICT (type) DO UPDATE SET owner = excluded.owner WHERE event_types.owner <> excluded.owner",
                [(name, logins[owner]) for name, owner in owner_of.items()],
            )
        to = sql.SQL(", ").join(map(sql.Identifier, services))
        for grant in (
            "GRANT USAGE ON SCHEMA log TO {}",
            "GRANT SELECT ON log.events, log.tags, log.event_types, log.nature TO {}",
            "GRANT INSERT ON log.staging TO {}",
            "GRANT EXECUTE ON FUNCTION log.append, log.append_one, log.append_staged, log.matching, log.rarest, "
            "log.read, log.read_narrow TO {}",
            "GRANT EXECUTE ON PROCEDURE log.record, log.record_one, log.settle TO {}",
        ):
            connection.execute(sql.SQL(grant).format(to))
        for service in SERVICES:
            connection.execute(
                sql.SQL("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}").format(
                    sql.Identifier(service), sql.Identifier(logins[service])
                )
            )
    rooms = [*(Room(name, "foundation.eventlog", "follower_migrations") for name in SERVICES), *rooms]
    return applied + apply(connection, rooms, run_as={name: logins[name] for name in SERVICES}, phases=phases)


def _upgrade_keys(connection: psycopg.Connection[Any], login: str, phases: Sequence[Phase]) -> list[str]:
    connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    connection.execute("CREATE SCHEMA IF NOT EXISTS keys")
    applied = apply(connection, [KEYS], phases=phases)
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA keys TO {}").format(sql.Identifier(login)))
    connection.execute(sql.SQL("GRANT SELECT, INSERT, UPDATE ON keys.data_keys TO {}").format(sql.Identifier(login)))
    return applied
