"""The services as compose starts them: a process each, on one PostgreSQL server, each with its own login only."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import psycopg
from psycopg import sql

from foundation.postgres.data_keys import make_master_key
from foundation.postgres.embedded import EmbeddedServer
from foundation.postgres.provision import login_of
from foundation.settings import SERVICES
from tests.support.system_packages import unpacked

ROOT = Path(__file__).resolve().parents[2]
MLDS = (sys.executable, "-c", "from apps.cli.main import main; main()")
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "governance": ("serve", "governance"),
    "evidence": ("serve", "evidence"),
    "projections": ("serve", "projections"),
    "credentials": ("serve", "credentials", "portal"),
}
"""The start commands of docker-compose.yml, less `--host`."""
TOKEN = secrets.token_hex(32)
T = TypeVar("T")


def eventually(look: Callable[[], T], *, seconds: float = 120.0) -> T:
    """The first true answer of `look`; its last answer or error after the deadline fails the test."""
    deadline = time.monotonic() + seconds
    waiting = threading.Event()
    while True:
        try:
            found = look()
            if found or time.monotonic() > deadline:
                assert found, found
                return found
        except httpx2.TransportError:
            if time.monotonic() > deadline:
                raise
        waiting.wait(0.05)


@dataclass(frozen=True)
class Deployment:
    """Running services. `ports`: service → its port on 127.0.0.1; `front`: that of the one origin."""

    ports: Mapping[str, int]
    environments: Mapping[str, Mapping[str, str]]
    front: int | None
    client: httpx2.Client

    def post(self, port: int, path: str, body: Mapping[str, Any], by: str = "", status: int = 201) -> dict[str, Any]:
        headers = self._headers(by) | {"Idempotency-Key": str(uuid.uuid4())}
        answer = self.client.post(f"http://127.0.0.1:{port}/api/v1{path}", json=body, headers=headers)
        assert answer.status_code == status, (path, answer.status_code, answer.text)
        said: dict[str, Any] = answer.json()
        return said

    def get(self, port: int, path: str, by: str = "") -> Any:
        answer = self.client.get(f"http://127.0.0.1:{port}/api/v1{path}", headers=self._headers(by))
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()

    def _headers(self, by: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {TOKEN}"} | ({"On-Behalf-Of": f"person:{by}"} if by else {})


@contextlib.contextmanager
def deployed(server: EmbeddedServer, folder: Path, *, front: bool) -> Iterator[Deployment]:
    """Migrates a new database, starts the services and, if asked, the front; stops them and drops the database."""
    database = f"d{uuid.uuid4().hex[:10]}"
    urls = {
        name: server.url(
            f"{database}_keys" if name == "keys" else database,
            login=login_of(database, name),
            password=secrets.token_hex(16),
        )
        for name in (*SERVICES, "keys")
    }
    common = _common(folder, urls["keys"])
    # The credentials service shares the issuer's keys with the migration, and nothing else is shared.
    homes = {name: folder / ("credentials" if name == "migrate" else name) for name in ("migrate", *SERVICES)}
    logins = {f"MLDS_{name.upper()}_DATABASE_URL_FILE": _kept(folder / f"{name}_url", urls[name]) for name in SERVICES}
    owner = {"MLDS_DATABASE_URL": server.url(database)}
    with contextlib.ExitStack() as closing:
        closing.callback(_drop, server, database)
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
        # Twice: the job runs at each start, and then changes nothing.
        for _ in range(2):
            migrated = subprocess.run(
                [*MLDS, "migrate"],
                env={**common, **owner, **logins, "MLDS_HOME": str(homes["migrate"])},
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert migrated.returncode == 0, migrated.stderr
        ports = dict(zip((*SERVICES, "front"), _free_ports(len(SERVICES) + 1), strict=True))
        token = _kept(folder / "token", TOKEN)
        environments = {
            name: {
                **common,
                "MLDS_HOME": str(homes[name]),
                "MLDS_TOKEN_FILE": token,
                f"MLDS_{name.upper()}_DATABASE_URL_FILE": logins[f"MLDS_{name.upper()}_DATABASE_URL_FILE"],
            }
            for name in SERVICES
        }
        for name in SERVICES:
            closing.enter_context(
                _running(
                    [*MLDS, *COMMANDS[name], "--port", str(ports[name])], environments[name], folder / f"{name}.log"
                )
            )
        if front:
            closing.enter_context(_front(folder, ports))
        client = closing.enter_context(httpx2.Client(timeout=20, trust_env=False))
        yield Deployment(ports, environments, ports["front"] if front else None, client)


@contextlib.contextmanager
def _front(folder: Path, ports: Mapping[str, int]) -> Iterator[None]:
    """nginx with the very files that the container mounts; only addresses and paths are this test's."""
    place = folder / "front"
    place.mkdir()
    text = (ROOT / "deploy/front/nginx.conf").read_text()
    for there, here in {
        "/tmp/": f"{place}/",
        "/etc/mlds-docs/openapi.json": str(ROOT / "docs/openapi.json"),
        "/etc/mlds/routes.map": str(ROOT / "deploy/front/routes.map"),
        "/etc/mlds/upstreams.conf": str(place / "upstreams.conf"),
        "listen 8080": f"listen 127.0.0.1:{ports['front']}",
        "worker_processes auto": "worker_processes 1",
    }.items():
        assert there in text, there
        text = text.replace(there, here)
    (place / "nginx.conf").write_text(text)
    addresses = "".join(f"    {name} 127.0.0.1:{ports[name]};\n" for name in SERVICES)
    (place / "upstreams.conf").write_text(f"map $service $address {{\n{addresses}}}\n")
    program = unpacked("nginx")
    assert program is not None
    # As root its workers would be another user's; in the container it is no root.
    user = "user root; " if os.geteuid() == 0 else ""
    command = [str(program), "-c", str(place / "nginx.conf"), "-e", "stderr", "-g", f"{user}daemon off;"]
    with _running(command, {"PATH": os.environ["PATH"]}, folder / "front.log"):
        yield


@contextlib.contextmanager
def _running(command: list[str], environment: Mapping[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=dict(environment), stdout=file, stderr=file, cwd=log.parent)
    try:
        yield
        assert process.poll() is None, f"{command} ended by itself: {log.read_text()}"
    finally:
        process.terminate()
        process.wait(30)


def _common(folder: Path, keys_url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLDS_")}
    make_master_key(folder / "master.key")
    return kept | {
        "PYTHONPATH": str(ROOT),
        "MLDS_MASTER_KEY_FILE": str(folder / "master.key"),
        "MLDS_KEYS_DATABASE_URL_FILE": _kept(folder / "keys_url", keys_url),
    }


def _kept(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o400)
    return str(path)


def _free_ports(number: int) -> list[int]:
    with contextlib.ExitStack() as held:
        found = [held.enter_context(socket.socket()) for _ in range(number)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in found]


def _drop(server: EmbeddedServer, database: str) -> None:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        for name in (database, f"{database}_keys"):
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        for service in (*SERVICES, "keys"):
            connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(login_of(database, service))))
