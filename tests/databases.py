"""Fresh, migrated databases for tests, cloned from a template on one embedded server for the whole run."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from foundation.eventlog import PostgresEventLog, TypeRegistry
from foundation.postgres.connections import Limits, Pool
from foundation.postgres.data_keys import DataKeys
from foundation.postgres.embedded import EmbeddedServer
from foundation.postgres.migrations import Room
from foundation.postgres.provision import SERVICES, migrate, with_database

MASTER_KEY = bytes(range(32))


def service_rooms() -> list[Room]:
    """The migrations of every service that is there."""
    return [
        Room(name, f"services.{name}") for name in SERVICES if importlib.util.find_spec(f"services.{name}") is not None
    ]


@dataclass
class Database:
    """A database and its key database, with pools and logs on each service's login. Closed by its fixture."""

    name: str
    admin_url: str
    urls: Mapping[str, str]
    """Service or `keys` → URL with login and password."""
    passwords: Mapping[str, str]
    _closing: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _keys: DataKeys | None = None

    def pool(self, service: str, *, size: int = 24, limits: Limits | None = None) -> Pool:
        return self._closing.enter_context(Pool(self.urls[service], size=size, limits=limits or Limits()))

    def keys(self) -> DataKeys:
        """The subjects' data keys, one store for all logs of this database."""
        if self._keys is None:
            self._keys = DataKeys(self.pool("keys"), MASTER_KEY)
        return self._keys

    def log(
        self, service: str, *, registry: TypeRegistry | None = None, limits: Limits | None = None
    ) -> PostgresEventLog:
        log = PostgresEventLog(self.pool(service, limits=limits), keys=self.keys(), registry=registry)
        self._closing.callback(log.close)
        return log

    def connect(self, service: str | None = None) -> psycopg.Connection[Any]:
        """A bare connection on a service's login, or the owner's."""
        url = self.urls[service] if service else self.admin_url
        return self._closing.enter_context(psycopg.connect(url, autocommit=True))

    def close(self) -> None:
        self._closing.close()


class Templates:
    """One server for all workers of a run, and the databases that tests are cloned from."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.server = EmbeddedServer(folder / "home", durable=False).start()

    def clone(self, *, demonstration: bool = False) -> Database:
        """A fresh database in about a tenth of a second."""
        template = "template_demo" if demonstration else "template_real"
        passwords = self._made(template, demonstration)
        name = f"t{uuid.uuid4().hex[:12]}"
        admin = self.server.url("postgres")
        with psycopg.connect(admin, autocommit=True) as connection:
            for suffix in ("", "_keys"):
                connection.execute(
                    sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                        sql.Identifier(name + suffix), sql.Identifier(template + suffix)
                    )
                )
                to = [f"{template}_{service}" for service in passwords if (service == "keys") == (suffix == "_keys")]
                # What may connect is not copied from a template.
                grants = sql.SQL(
                    "REVOKE ALL ON DATABASE {0} FROM PUBLIC; GRANT CONNECT, TEMPORARY ON DATABASE {0} TO {1}"
                )
                connection.execute(
                    grants.format(sql.Identifier(name + suffix), sql.SQL(", ").join(map(sql.Identifier, to)))
                )
        urls = {
            service: self.server.url(
                f"{name}_keys" if service == "keys" else name, login=f"{template}_{service}", password=password
            )
            for service, password in passwords.items()
        }
        return Database(name, with_database(admin, name), urls, passwords)

    def drop(self, database: Database) -> None:
        database.close()
        with psycopg.connect(self.server.url("postgres"), autocommit=True) as connection:
            for suffix in ("", "_keys"):
                connection.execute(
                    sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database.name + suffix))
                )

    def close(self) -> None:
        self.server.stop()

    def _made(self, template: str, demonstration: bool) -> dict[str, str]:
        """The passwords of a template's logins; the first worker makes it."""
        kept = self._folder / f"{template}.json"
        with _locked(self._folder / "templates.lock"):
            if not kept.exists():
                made = migrate(
                    self.server.url("postgres"),
                    database=template,
                    rooms=service_rooms(),
                    demonstration=demonstration,
                )
                kept.write_text(json.dumps(dict(made.new_passwords)))
            passwords: dict[str, str] = json.loads(kept.read_text())
        return passwords


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
