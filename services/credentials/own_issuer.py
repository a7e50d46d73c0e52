"""This deployment's own issuer for verifying: keys, lists and log from its own database, no network."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final
from uuid import UUID

from contracts.refusals import Refusal
from foundation.eventlog import EventLog, Recorded, item
from foundation.eventlog import query as log_query
from foundation.eventlog.dcb import QueryItem
from foundation.postgres.connections import Pool

from .badge import credential_digest, credential_url
from .did import did_key_document
from .issuer import Issuer, IssuerKey, issuer_keys, own_did_document
from .key_ring import KEY_EVENTS
from .published_lists import own_bits
from .status_list import Bits
from .verdicts import LogFinding, Source

_MOST_EXPECTED: Final = 1_000


class DatabaseIssuer:
    """An `OwnIssuer` for one call of verify: what it has read once it does not read again."""

    def __init__(self, log: EventLog, pool: Pool, issuer: Issuer) -> None:
        self._log = log
        self._pool = pool
        self._issuer = issuer
        self._keys: list[IssuerKey] = issuer_keys(log.read(KEY_EVENTS))
        self._identifiers = {issuer.did(key.key) for key in self._keys}
        self._lists: dict[str, Bits | None] = {}
        self._issued: dict[UUID, list[Recorded]] = {}

    def expect(self, sources: Sequence[Source]) -> None:
        """Looks up at once what the log holds about ids of ours that stand in these sources.

        A hint and no more: it spares a question for each of many badges, and what it misses is asked for later.
        """
        pattern = re.compile(re.escape(credential_url(self._issuer.origin, "")).encode() + rb"([0-9a-f-]{36})")
        named = (match[1].decode() for source in sources for match in pattern.finditer(source.data or b""))
        ids = dict.fromkeys(UUID(one) for one in islice(named, _MOST_EXPECTED) if _is_uuid(one))
        if len(ids) < 2:
            return
        try:
            found = self._log.read(log_query(*(_issuing_of(one) for one in ids)))
        except Refusal:
            return
        self._issued = {one: [] for one in ids}
        for event in found:
            self._issued[UUID(event.data["credential_id"])].append(event)

    def is_ours(self, identifier: str, /) -> bool:
        return identifier in self._identifiers

    @property
    def name(self) -> str:
        return self._issuer.name

    def did_document(self, identifier: str, /) -> Mapping[str, Any]:
        if self._issuer.has_document:
            return own_did_document(self._issuer, self._keys)
        return did_key_document(identifier)

    def status_list(self, url: str, /) -> Bits | None:
        if url not in self._lists:
            self._lists[url] = own_bits(self._pool, self._issuer.origin, url)
        return self._lists[url]

    def log(self, document: Mapping[str, Any], /) -> LogFinding:
        """Compares the whole content with what was recorded when it was issued."""
        url = document.get("id")
        prefix = credential_url(self._issuer.origin, "")
        name = url.removeprefix(prefix) if isinstance(url, str) and url.startswith(prefix) else ""
        if not _is_uuid(name):
            return LogFinding("failed", "names this deployment as its issuer, and an id that is none of ours")
        try:
            recorded = self._issued.get(UUID(name))
            if recorded is None:
                recorded = self._log.read(log_query(_issuing_of(UUID(name))))
        except Refusal as refusal:
            return LogFinding("not_checked", f"our own log is out of reach: {refusal.detail}")
        digest = credential_digest(document)
        for event in recorded:
            if event.data["sha256"] == digest:
                return LogFinding(
                    "passed", f"recorded here at position {event.position}", recorded_at=event.recorded_at
                )
        if recorded:
            return LogFinding("failed", "another content was recorded here for the credential of this id")
        return LogFinding("failed", "names this deployment as its issuer, and was never issued here")


def _issuing_of(credential_id: UUID) -> QueryItem:
    return item(types=("CredentialIssued",), tags=(f"credential:{credential_id}",))


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
