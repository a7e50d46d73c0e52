"""The parts of this service put together: what composition roots build, once for each process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from foundation.eventlog import PostgresEventLog
from foundation.fetching import Budget, Fetcher
from foundation.postgres.connections import Pool

from .application import Credentials
from .followers import Intend, Progress, require_origin
from .issuance import Issue
from .issuer import Issuer
from .key_ring import IssuerKeys, KeyRing
from .own_issuer import DatabaseIssuer
from .public import PublicDocuments
from .published_lists import PublishedLists
from .rulebook import Rulebook
from .signing import Signing
from .trust_file import NOBODY, Trust
from .verdicts import Source, Verdict
from .verification import Policy, verify_sources

VERIFY_SECONDS: Final = 10.0
"""What one call of verify may take; anybody may call it. It is looked at between credentials and proofs."""


@dataclass(frozen=True)
class CredentialsRoom:
    """`origin` has no slash at its end. `clock` gives aware times. Nothing connects before it is used."""

    log: PostgresEventLog
    pool: Pool
    ring: KeyRing
    origin: str
    demonstration: bool
    clock: Callable[[], datetime]
    issue: Issue = "all"
    suspension: bool = False

    @cached_property
    def issuer(self) -> Issuer:
        return Issuer(self.origin, self.demonstration)

    @cached_property
    def keys(self) -> IssuerKeys:
        return IssuerKeys(self.log, self.ring)

    @cached_property
    def lists(self) -> PublishedLists:
        return PublishedLists(self.pool, self.keys, self.issuer, self.clock)

    @cached_property
    def public(self) -> PublicDocuments:
        return PublicDocuments(Rulebook(self.log), self.keys, self.issuer, self.clock)

    @cached_property
    def application(self) -> Credentials:
        return self._application(rehearsal=False)

    @cached_property
    def rehearsal(self) -> Credentials:
        """Decides as the application does and changes nothing."""
        return self._application(rehearsal=True)

    def _application(self, *, rehearsal: bool) -> Credentials:
        return Credentials(
            self.log,
            self.pool,
            self.keys,
            self.issuer,
            suspension=self.suspension,
            clock=self.clock,
            rehearsal=rehearsal,
        )

    @cached_property
    def progress(self) -> Progress:
        return Progress(self.intend(), self.log)

    def intend(self) -> Intend:
        """The follower that intends; run it by `foundation.eventlog`."""
        return Intend(
            self.log,
            self.keys,
            self.issuer,
            issue=self.issue,
            suspension=self.suspension,
            clock=self.clock,
        )

    def signing(self) -> Signing:
        """The worker that signs; any number of processes may run one."""
        return Signing(self.log, self.pool, self.ring, self.issuer)

    def check_origin(self) -> None:
        """Raises Refusal where the badges of this database carry another public origin."""
        with self.pool.transaction() as cursor:
            require_origin(cursor, self.origin)

    def verify(
        self,
        sources: Sequence[Source],
        recipient: str | None = None,
        *,
        fetcher: Fetcher | None = None,
        policy: Policy = "trusted",
        at: datetime | None = None,
        trust: Trust = NOBODY,
        now: datetime | None = None,
    ) -> list[Verdict]:
        """As `verify_sources`, with our own issuer, within VERIFY_SECONDS. Without `fetcher` nothing is fetched."""
        end = time.monotonic() + VERIFY_SECONDS
        own = self.own_issuer()
        own.expect(sources)
        return verify_sources(
            sources,
            now=now or self.clock(),
            at=at,
            trust=trust,
            recipient=recipient,
            fetch=Budget(fetcher) if fetcher else None,
            policy=policy,
            own=own,
            out_of_time=lambda: time.monotonic() >= end,
        )

    def own_issuer(self) -> DatabaseIssuer:
        """For one call of verify."""
        return DatabaseIssuer(self.log, self.pool, self.issuer)
