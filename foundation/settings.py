"""Every setting of a deployment: name, default and meaning, in one place. Read once, at start.

Any of them may stand in a file instead: `MLDS_TOKEN_FILE` names the file whose text is `MLDS_TOKEN`, and so
for each setting that holds a secret, so that no secret has to stand in an environment.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, cast
from urllib.parse import urlsplit

import platformdirs

SERVICES: Final = ("governance", "evidence", "projections", "credentials")


class SettingsFault(ValueError):
    """A setting that cannot be used: names it, and says what would do."""


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    default: str
    meaning: str
    secret: bool = False


ALL: Final = (
    Setting(
        "MLDS_HOME",
        "the user's data folder; /var/lib/mlds as root",
        "folder of the embedded database, the keys and the artifacts",
    ),
    Setting(
        "MLDS_DATABASE_URL",
        "embedded",
        "a PostgreSQL server (15 or later) instead of the embedded one; the owner's login",
        secret=True,
    ),
    *(
        Setting(
            f"MLDS_{service.upper()}_DATABASE_URL",
            "made by migrate",
            f"the login of the {service} service",
            secret=True,
        )
        for service in SERVICES
    ),
    Setting("MLDS_KEYS_DATABASE_URL", "made by migrate", "the key database and its login", secret=True),
    Setting("MLDS_MASTER_KEY_FILE", "made by migrate", "file of the master key (0600) that wraps all data keys"),
    Setting("MLDS_DEMO", "0", "1: work on the demonstration's database"),
    Setting(
        "MLDS_TOKEN",
        "none",
        "the operator's bearer token for HTTP; in MLDS_TOKEN_FILE one a line, each of at least 32 bytes",
        secret=True,
    ),
    Setting(
        "MLDS_PUBLIC_URL",
        "http://127.0.0.1:8000",
        "origin in public ids: loopback (issuer did:key, a demonstration) or https with a host name (did:web)",
    ),
    Setting("MLDS_ISSUE", "all", "which attainments give a badge: all, or overall only"),
    Setting("MLDS_SUSPENSION", "off", "on: a suspension entry beside the revocation entry of each new badge"),
    Setting(
        "MLDS_VERIFY_FETCH",
        "trusted",
        "whose status lists and DID documents verify fetches: trusted issuers' only, or any",
    ),
    Setting(
        "MLDS_FETCH_ALLOW",
        "none",
        "host:port, comma-separated, that may be fetched though private; for tests",
    ),
)


@dataclass(frozen=True, slots=True)
class Settings:
    home: Path
    database_url: str | None = None
    service_urls: Mapping[str, str] | None = None
    keys_url: str | None = None
    master_key_file: Path | None = None
    demo: bool = False
    tokens: tuple[str, ...] = ()
    public_url: str = "http://127.0.0.1:8000"
    issue: Literal["all", "overall"] = "all"
    suspension: bool = False
    verify_fetch: Literal["trusted", "any"] = "trusted"
    fetch_allow: tuple[str, ...] = ()

    def for_demonstration(self) -> Settings:
        """The same for the demonstration, which has logins and keys of its own, not those of the real services."""
        return replace(self, demo=True, service_urls=None, keys_url=None, master_key_file=None)

    @property
    def loopback(self) -> bool:
        """Whether the public origin is on this machine, so that everything is a demonstration."""
        return _is_loopback(urlsplit(self.public_url).hostname or "")


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """Reads the settings. Raises SettingsFault, which names the setting."""
    env = os.environ if environment is None else environment
    service_urls = {service: url for service in SERVICES if (url := _read(env, f"MLDS_{service.upper()}_DATABASE_URL"))}
    master = env.get("MLDS_MASTER_KEY_FILE")
    settings = Settings(
        home=Path(env["MLDS_HOME"]).expanduser().absolute() if env.get("MLDS_HOME") else default_home(),
        database_url=_read(env, "MLDS_DATABASE_URL"),
        service_urls=service_urls or None,
        keys_url=_read(env, "MLDS_KEYS_DATABASE_URL"),
        master_key_file=Path(master) if master else None,
        demo=_switch(env, "MLDS_DEMO", on="1", off="0"),
        tokens=_tokens(env),
        public_url=_origin(env.get("MLDS_PUBLIC_URL") or "http://127.0.0.1:8000"),
        issue=cast('Literal["all", "overall"]', _choice(env, "MLDS_ISSUE", "all", "overall")),
        suspension=_switch(env, "MLDS_SUSPENSION"),
        verify_fetch=cast('Literal["trusted", "any"]', _choice(env, "MLDS_VERIFY_FETCH", "trusted", "any")),
        fetch_allow=tuple(part.strip() for part in env.get("MLDS_FETCH_ALLOW", "").split(",") if part.strip()),
    )
    return settings.for_demonstration() if settings.demo else settings


def default_home() -> Path:
    return Path("/var/lib/mlds") if os.geteuid() == 0 else Path(platformdirs.user_data_dir("mlds"))


def _read(env: Mapping[str, str], name: str) -> str | None:
    if file := env.get(f"{name}_FILE"):
        try:
            return Path(file).read_text("utf-8").strip() or None
        except (OSError, UnicodeDecodeError) as fault:
            raise SettingsFault(f"{name}_FILE: {file} cannot be read ({fault})") from None
    return env.get(name) or None


def _choice(env: Mapping[str, str], name: str, *values: str) -> str:
    value = env.get(name) or values[0]
    if value not in values:
        raise SettingsFault(f"{name} is {' or '.join(values)}, not {value!r}")
    return value


def _switch(env: Mapping[str, str], name: str, *, on: str = "on", off: str = "off") -> bool:
    return _choice(env, name, off, on) == on


def _tokens(env: Mapping[str, str]) -> tuple[str, ...]:
    tokens = tuple((_read(env, "MLDS_TOKEN") or "").split())
    for token in tokens:
        if len(token.encode()) < 32:
            raise SettingsFault("MLDS_TOKEN: a token has at least 32 bytes; make one by `openssl rand -hex 32`")
    return tokens


def _origin(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise SettingsFault(f"MLDS_PUBLIC_URL: {text!r} is no URL") from None
    if not host or parts.path.rstrip("/") or parts.query or parts.fragment or parts.username is not None:
        raise SettingsFault(f"MLDS_PUBLIC_URL is an origin, such as https://badges.example.gov, not {text!r}")
    loopback = _is_loopback(host)
    if not (parts.scheme == "http" and loopback) and not (parts.scheme == "https" and _is_host_name(host)):
        raise SettingsFault(
            f"MLDS_PUBLIC_URL: {text!r} is neither http on loopback (a demonstration) nor https with a host name"
        )
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port is not None else "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_host_name(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." in host and host != "localhost" and not host.endswith(".")
    return False
