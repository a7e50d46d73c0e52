"""The one place that builds and wires: from settings to a running system."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property, partial
from types import TracebackType
from typing import Final
from urllib.parse import urlsplit

from fastapi import FastAPI

from apps import health
from apps.installation import Installation, installation, migrate
from apps.portal import routes as portal
from apps.portal.pages import Pages
from apps.portal.wiring import ports_of
from foundation.access.tokens import Tokens
from foundation.artifacts import ArtifactStore
from foundation.eventlog.demonstration import DemonstrationLog, SettableClock
from foundation.eventlog.followers import Follower, standing_of
from foundation.eventlog.postgres_log import PostgresEventLog
from foundation.eventlog.running import catch_up, run_follower
from foundation.fetching import Fetcher, parse_allow
from foundation.postgres.connections import Pool
from foundation.postgres.data_keys import DataKeys, read_master_key
from foundation.postgres.embedded import EmbeddedServer
from foundation.settings import SERVICES, Settings
from foundation.web import Gate, create_app
from services.credentials import api as credentials_api
from services.credentials import public_api
from services.credentials.key_ring import KeyRing, passphrase_of
from services.credentials.room import CredentialsRoom
from services.credentials.verdicts import Source, Verdict
from services.evidence import api as evidence_api
from services.evidence.application import Evidence
from services.governance import api as governance_api
from services.governance.application import Governance
from services.governance.reading import People
from services.projections import api as projections_api
from services.projections.application import Projections

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
                if server is not None:
                    system.make_first_key(note)
                yield system

    def __enter__(self) -> System:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._closing.close()

    def make_first_key(self, note: Callable[[str], None]) -> None:
        """The issuer's first key, where there is none. In a demonstration it waits for the demonstration's time."""
        if self.settings.demo and self.log("credentials").head() == 0 and self.clock.moment is None:
            return
        made = self.credentials.keys.ensure_first()
        if made is not None and not self.settings.demo:
            note(f"Made the issuer's first key, {made}; its file is in {self.place.issuer_keys}. Back it up too.")

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
    def people(self) -> People:
        return People(self.log("governance"))

    @cached_property
    def evidence(self) -> Evidence:
        return Evidence(self.log("evidence"), self.artifacts, self.clock)

    @cached_property
    def projections(self) -> Projections:
        return Projections(self.log("projections"), self.clock)

    @cached_property
    def credentials(self) -> CredentialsRoom:
        return CredentialsRoom(
            self.log("credentials"),
            self.pool("credentials"),
            KeyRing(self.place.issuer_keys, passphrase_of(self.master_key)),
            self.settings.public_url,
            self.settings.demo or self.settings.loopback,
            self.clock,
            issue=self.settings.issue,
            suspension=self.settings.suspension,
        )

    def verify(self, sources: Sequence[Source], recipient: str | None = None) -> list[Verdict]:
        """As `POST /verify` does: fetches within its bounds, and nothing where a loopback origin is all there is."""
        fetcher = Fetcher(allow=parse_allow(",".join(self.settings.fetch_allow)))
        return self.credentials.verify(sources, recipient, fetcher=fetcher, policy=self.settings.verify_fetch)

    # what follows

    def followers(self, parts: Sequence[str] = PARTS) -> list[tuple[Follower, PostgresEventLog]]:
        """Each follower of the parts with its log, in the order in which one builds on the other."""
        found: list[tuple[Follower, PostgresEventLog]] = []
        if "projections" in parts:
            found.append((self.projections.follower, self.log("projections")))
        if "credentials" in parts:
            found.append((self.credentials.intend(), self.log("credentials")))
        return found

    def behind(self) -> int:
        """How many events the follower that is furthest back has not seen, and intents that are not signed."""
        lags = [standing_of(follower, log).lag for follower, log in self.followers()]
        return max(lags) + self.credentials.signing().waiting()

    def catch_up(self, advance: Callable[[int], None] = lambda _: None) -> None:
        """Brings every follower to the log's end, and signs what is intended; where no process does it already."""
        for follower, log in self.followers():
            catch_up(follower, log, progress=lambda position, _: advance(position))
        self.credentials.signing().drain()

    def workers(self, parts: Sequence[str]) -> list[tuple[str, Callable[[threading.Event], None]]]:
        """What runs beside the web server: a name, and what to call with the event that stops it."""
        found: list[tuple[str, Callable[[threading.Event], None]]] = [
            (follower.name, partial(run_follower, follower, log)) for follower, log in self.followers(parts)
        ]
        if "evidence" in parts:
            found.append(("evidence.sweep", self._sweep))
        if "credentials" in parts:
            signing = self.credentials.signing()
            found.append((signing.name, signing.run))
        return found

    def _sweep(self, _: threading.Event) -> None:
        """Once at the start: files that a crash left between storing and recording."""
        self.evidence.sweep_artifacts()

    # the faces

    def web_app(self, parts: Sequence[str] = PARTS) -> FastAPI:
        """The HTTP application of these parts. Raises Refusal where the database has another public origin."""
        if "credentials" in parts:
            self.credentials.check_origin()
        return self.interface(parts)

    def interface(self, parts: Sequence[str] = PARTS) -> FastAPI:
        """The same, made without a look at the database: what `make docs` describes."""
        gate = Gate(Tokens(self.settings.tokens))
        routers = [health.router(self, parts)]
        pages = None
        if "portal" in parts:
            pages = Pages(demonstration=self.settings.demo, public_url=self.settings.public_url)
            routers.append(portal.router(ports_of(self), pages))
        if "governance" in parts:
            routers.append(governance_api.router(self.governance, gate))
        if "evidence" in parts:
            routers.append(evidence_api.router(self.evidence, gate))
        if "projections" in parts:
            routers.append(projections_api.router(self.projections, gate))
        if "credentials" in parts:
            room = self.credentials
            routers.append(credentials_api.router(room.application, room.public, room.progress, gate))
            routers.append(public_api.router(room.application, room.public, room.lists, self.verify))
        host = urlsplit(self.settings.public_url).hostname or ""
        return create_app(routers, hosts=[host], error_page=pages.error if pages else None)
