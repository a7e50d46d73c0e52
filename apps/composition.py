"""The one place that builds and wires: from settings to a running system."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from types import TracebackType
from typing import Final

from fastapi import FastAPI

from apps.installation import Installation, installation, migrate
from foundation.access.tokens import Tokens
from foundation.artifacts import ArtifactStore
from foundation.eventlog import Follower, catch_up, run_follower
from foundation.eventlog.demonstration import DemonstrationLog, SettableClock
from foundation.eventlog.postgres_log import PostgresEventLog
from foundation.postgres.connections import Pool
from foundation.postgres.data_keys import DataKeys, read_master_key
from foundation.postgres.embedded import EmbeddedServer
from foundation.settings import SERVICES, Settings
from foundation.web import Gate, create_app
from services.evidence.application import Evidence
from services.governance.application import Governance

PARTS: Final = (*SERVICES, "portal")
"""What `mlds serve` can be told to serve."""


@contextmanager
def started_server(settings: Settings) -> Iterator[EmbeddedServer | None]:
    """The embedded server, started or joined; None where another server is set."""
    if settings.database_url or settings.service_urls:
        yield None
        return
    with EmbeddedServer(settings.home) as server:
        yield server


class System:
    """All parts of one deployment, made when they are first asked for. Use `System.open`, and close it."""

    def __init__(self, settings: Settings, place: Installation) -> None:
        self.settings = settings
        self.place = place
        self.clock = SettableClock()
        self._closing = ExitStack()
        self._pools: dict[str, Pool] = {}
        self._logs: dict[str, PostgresEventLog] = {}

    @classmethod
    @contextmanager
    def open(cls, settings: Settings, note: Callable[[str], None] = lambda _: None) -> Iterator[System]:
        """The system of these settings. An embedded database is made or upgraded first; `note` says so."""
        with started_server(settings) as server:
            if server is not None:
                migrate(settings, server, note)
            with cls(settings, installation(settings, server)) as system:
                yield system

    def __enter__(self) -> System:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._closing.close()

    # the ground

    def pool(self, login: str) -> Pool:
        """Connections of a service's login, or of `keys`."""
        if login not in self._pools:
            self._pools[login] = self._closing.enter_context(Pool(self.place.url(login), name=f"mlds {login}"))
        return self._pools[login]

    def log(self, service: str) -> PostgresEventLog:
        """The log on a service's login: it appends that service's event types."""
        if service not in self._logs:
            log = (
                DemonstrationLog(self.pool(service), keys=self.subject_keys, clock=lambda: self.clock.moment)
                if self.settings.demo
                else PostgresEventLog(self.pool(service), keys=self.subject_keys)
            )
            self._closing.callback(log.close)
            self._logs[service] = log
        return self._logs[service]

    @cached_property
    def master_key(self) -> bytes:
        return read_master_key(self.place.master_key_file)

    @cached_property
    def subject_keys(self) -> DataKeys:
        return DataKeys(self.pool("keys"), self.master_key)

    @cached_property
    def artifacts(self) -> ArtifactStore:
        return ArtifactStore(self.place.artifacts, DataKeys(self.pool("keys"), self.master_key, "artifact"))

    # the services

    @cached_property
    def governance(self) -> Governance:
        return Governance(self.log("governance"), self.clock)

    @cached_property
    def evidence(self) -> Evidence:
        return Evidence(self.log("evidence"), self.artifacts, self.clock)

    # what follows

    def followers(self, parts: Sequence[str] = PARTS) -> list[tuple[Follower, PostgresEventLog]]:
        """Each follower of the parts with its log, in the order in which one builds on the other."""
        found: list[tuple[Follower, PostgresEventLog]] = []
        return found

    def behind(self) -> int:
        """How many events the follower that is furthest back has not seen."""
        return 0

    def catch_up(self, advance: Callable[[int], None] | None = None) -> None:
        """Brings every follower to the log's end, where no process leads it."""
        for follower, log in self.followers():
            catch_up(follower, log)

    def workers(self, parts: Sequence[str]) -> list[tuple[str, Callable[[threading.Event], None]]]:
        """What runs beside the web server: a name, and what to call with the event that stops it."""
        return [
            (follower.name, lambda stop, f=follower, g=log: run_follower(f, g, stop))
            for follower, log in self.followers(parts)
        ]

    # the faces

    def web_app(self, parts: Sequence[str] = PARTS) -> FastAPI:
        """The HTTP application of these parts."""
        gate = Gate(Tokens(self.settings.tokens))
        del gate
        return create_app([], hosts=[])
