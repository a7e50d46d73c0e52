"""What an MLDS_HOME holds, and how it is made: logins, master key, folders of artifacts and keys.

The real system lies in MLDS_HOME itself, the demonstration's in `demo` below it; both share the embedded
PostgreSQL, each with databases and logins of its own.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from foundation.postgres import provision
from foundation.postgres.data_keys import make_master_key
from foundation.postgres.embedded import EmbeddedServer
from foundation.postgres.faults import Unusable
from foundation.postgres.folders import check_closed, make_closed, make_home
from foundation.postgres.migrations import Room
from foundation.postgres.provision import Provisioned
from foundation.settings import SERVICES, Settings

DATABASE: Final = "mlds"
DEMO_DATABASE: Final = "mlds_demo"
ROOMS: Final = tuple(Room(service, f"services.{service}") for service in SERVICES)


@dataclass(frozen=True, slots=True)
class Installation:
    """Where things lie, and how each login connects."""

    place: Path
    urls: Mapping[str, str]
    """Service, or `keys` → URL with login and password."""
    master_key_file: Path

    @property
    def artifacts(self) -> Path:
        return self.place / "artifacts"

    @property
    def issuer_keys(self) -> Path:
        """The issuer's signing keys, each in a file of its own, encrypted."""
        return self.place / "issuer"

    def url(self, login: str) -> str:
        """Raises Unusable where this process has not been given that login."""
        try:
            return self.urls[login]
        except KeyError:
            variable = f"MLDS_{login.upper()}_DATABASE_URL"
            raise Unusable(f"The login of {login} is not known here: set {variable}, or run `mlds migrate`.") from None


def installation(settings: Settings, server: EmbeddedServer | None) -> Installation:
    """What is there. Connects to nothing; what is missing shows when it is used."""
    place = settings.home / "demo" if settings.demo else settings.home
    urls = dict(_stored_logins(place))
    if server is not None:
        # Passwords are kept, addresses are not: the socket may lie elsewhere at the next start.
        urls = {name: provision.with_login(server.url(_database(settings)), *_split(url)) for name, url in urls.items()}
        if "keys" in urls:
            urls["keys"] = provision.with_database(urls["keys"], _database(settings) + provision.KEYS_SUFFIX)
    urls |= settings.service_urls or {}
    if settings.keys_url:
        urls["keys"] = settings.keys_url
    return Installation(place, urls, settings.master_key_file or place / "master.key")


def migrate(settings: Settings, server: EmbeddedServer | None, note: Callable[[str], None]) -> Provisioned:
    """Creates or upgrades everything; stores new passwords and the master key, and says what to back up."""
    if server is not None:
        admin = server.url()
    elif settings.database_url:
        admin = settings.database_url
    else:
        raise Unusable("No database to migrate: set MLDS_DATABASE_URL to the owner's login.")
    make_home(settings.home)
    place = settings.home / "demo" if settings.demo else settings.home
    if settings.demo:
        make_closed(place, os.geteuid(), os.getegid())
    known = {name: _split(url)[1] for name, url in _stored_logins(place).items()}
    given = {**(settings.service_urls or {}), **({"keys": settings.keys_url} if settings.keys_url else {})}
    known |= {name: _split(url)[1] for name, url in given.items()}
    database = _database(settings)

    def keep(passwords: Mapping[str, str]) -> None:
        urls = _stored_logins(place)
        for name, password in passwords.items():
            of = database + provision.KEYS_SUFFIX if name == "keys" else database
            login = provision.login_of(database, name)
            urls[name] = provision.with_login(provision.with_database(admin, of), login, password)
        store_closed(place / "logins.json", json.dumps(urls, indent=1))

    done = provision.migrate(
        admin,
        database=database,
        rooms=ROOMS,
        passwords=known,
        demonstration=settings.demo,
        reset_passwords=settings.demo,  # its folder may have been thrown away; nobody else keeps its passwords
        keep=keep,
    )
    key_file = settings.master_key_file or place / "master.key"
    if not key_file.exists():
        make_master_key(key_file)
    if done.created:
        note(_first_run(settings, place, key_file, embedded=server is not None))
    return done


def _first_run(settings: Settings, place: Path, key_file: Path, *, embedded: bool) -> str:
    if settings.demo:
        return f"Made a demonstration database; everything of it lies in {settings.home}. Nothing in it needs a backup."
    where = f"{settings.home}/postgres" if embedded else "your PostgreSQL server"
    return "\n".join(
        (
            "Made for the first time:",
            f"  the log and what follows from it   in {where}, database {_database(settings)}",
            f"  the keys of people's entries       there too, database {_database(settings)}{provision.KEYS_SUFFIX}",
            f"  the master key that wraps them     {key_file}",
            f"  passwords of the services' logins  {place / 'logins.json'}",
            f"  files that people attach, encrypted {place / 'artifacts'}",
            "Back up all of these, the master key apart from the rest: without it nobody reads what people wrote,",
            "and with it and a copy of the databases anybody does. Never restore the keys to a time before the log.",
        )
    )


def _database(settings: Settings) -> str:
    if settings.database_url and not settings.demo:
        return urlsplit(settings.database_url).path.lstrip("/") or DATABASE
    return DEMO_DATABASE if settings.demo else DATABASE


def _stored_logins(place: Path) -> dict[str, str]:
    path = place / "logins.json"
    if not path.exists():
        return {}
    check_closed(path, os.geteuid(), folder=False)
    stored: dict[str, str] = json.loads(path.read_text("utf-8"))
    return stored


def store_closed(path: Path, text: str) -> None:
    """Writes a file of mode 0600, whole or not at all."""
    work = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(work, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    work.rename(path)


def _split(url: str) -> tuple[str, str]:
    """Login and password of a URL."""
    parts = urlsplit(url)
    return unquote(parts.username or ""), unquote(parts.password or "")
