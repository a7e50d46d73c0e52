"""Badges, issuers and a small internet for the tests of proofs and verifying: counterparts, no mocks of ours."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from foundation.fetching import Fetched, FetchFault
from foundation.signing import SoftwareKey
from services.credentials import status_list
from services.credentials.contexts import Contexts, pinned
from services.credentials.data_integrity import document_digest, options_digest, proof_options
from services.credentials.did import PublishedKey, did_document
from services.credentials.multikey import did_key, encode_base58, multikey
from services.credentials.status_list import Bits
from services.credentials.trust_file import Trust, TrustedIssuer, TrustedKey
from services.credentials.verdicts import CHECKS, LogFinding, Source, Verdict
from services.credentials.verification import verify_sources

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CREATED = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
LIST = "https://b.example/status/r/3"


def hash_data(unsecured: Mapping[str, Any], proof: Mapping[str, Any], contexts: Contexts | None = None) -> bytes:
    """The 64 bytes that are signed: digest of the options, then of the document (`eddsa-rdfc-2022`, 3.2.3 to 3.2.5)."""
    return options_digest(unsecured, proof, contexts) + document_digest(unsecured, contexts)


def example() -> dict[str, Any]:
    """The worked example of a badge that everyone takes; its canonical form has a known digest."""
    return {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        "id": "https://b.example/credentials/7",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Leadership, level 3",
        "issuer": {"id": "did:web:b.example", "type": ["Profile"], "name": "Example Agency"},
        "validFrom": "2026-09-01T12:00:00Z",
        "awardedDate": "2026-09-01T12:00:00Z",
        "credentialSubject": {
            "id": "urn:uuid:0b3f6c1e-7a1d-4c53-9a55-6d0f4a3a9f10",
            "type": ["AchievementSubject"],
            "identifier": [
                {
                    "type": "IdentityObject",
                    "hashed": True,
                    "identityType": "emailAddress",
                    "salt": "Kosher",
                    "identityHash": "sha256$b5809d8a92f8858436d7e6b87c12ebc0ae1eac4baecc2c0b913aee2c922ef399",
                }
            ],
            "achievement": {
                "id": "https://b.example/a/il",
                "type": ["Achievement"],
                "name": "Leadership",
                "description": "One line.",
                "version": "2026.1",
                "criteria": {"narrative": "What is asked."},
                "resultDescription": [
                    {
                        "id": "https://b.example/a/il#level",
                        "type": ["ResultDescription"],
                        "name": "Level",
                        "resultType": "RubricCriterionLevel",
                        "rubricCriterionLevel": [
                            {
                                "id": "https://b.example/a/il#2",
                                "type": ["RubricCriterionLevel"],
                                "name": "Level 2",
                                "level": "2",
                            },
                            {
                                "id": "https://b.example/a/il#3",
                                "type": ["RubricCriterionLevel"],
                                "name": "Level 3",
                                "level": "3",
                            },
                        ],
                    }
                ],
            },
            "result": [
                {
                    "type": ["Result"],
                    "resultDescription": "https://b.example/a/il#level",
                    "achievedLevel": "https://b.example/a/il#3",
                }
            ],
        },
        "credentialStatus": {
            "id": f"{LIST}#94567",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "94567",
            "statusListCredential": LIST,
        },
    }


def change(document: Mapping[str, Any], *path: str | int, to: Any = None, drop: bool = False) -> dict[str, Any]:
    """A copy with one member set, or dropped."""
    changed: Any = copy.deepcopy(dict(document))
    at = changed
    for step in path[:-1]:
        at = at[step]
    if drop:
        del at[path[-1]]
    else:
        at[path[-1]] = to
    result: dict[str, Any] = changed
    return result


@dataclass
class Issuer:
    """An issuer somewhere: one key, one DID, and pages that it serves."""

    key: SoftwareKey = field(default_factory=SoftwareKey.generate)
    id: str = ""
    contexts: Contexts = field(default_factory=pinned)

    def __post_init__(self) -> None:
        self.id = self.id or did_key(self.key.public_key)

    @property
    def method(self) -> str:
        return f"{self.id}#{multikey(self.key.public_key) if self.id.startswith('did:key') else 'key-1'}"

    def document(self, **changes: Any) -> dict[str, Any]:
        return {**did_document(self.id, [PublishedKey("key-1", self.key.public_key)]), **changes}

    def unsigned(self, status: bool = False) -> dict[str, Any]:
        badge = change(example(), "issuer", "id", to=self.id)
        return badge if status else change(badge, "credentialStatus", drop=True)

    def sign(
        self, document: Mapping[str, Any], *, moment: datetime = CREATED, method: str | None = None, **options: Any
    ) -> dict[str, Any]:
        """Signs anything, also what our own linter would refuse."""
        proof = {**proof_options(method or self.method, moment), **options}
        data = hash_data(document, proof, self.contexts)
        return {**document, "proof": {**proof, "proofValue": encode_base58(self.key.sign(data))}}

    def badge(self, **members: Any) -> dict[str, Any]:
        """A signed badge without status, with these members set."""
        return self.sign({**self.unsigned(), **members})

    def list(self, *ones: int, purpose: str = "revocation", url: str = LIST, **members: Any) -> dict[str, Any]:
        """A signed status list with these bits set."""
        bits = bytearray(status_list.MIN_ENTRIES // 8)
        for one in ones:
            status_list.set_bit(bits, one)
        unsigned = status_list.list_credential(
            url=url,
            issuer=self.id,
            purpose=purpose,
            data=bits,
            valid_from=CREATED,
            valid_until=NOW + timedelta(days=1),
            ttl=60_000,
        )
        return self.sign({**unsigned, **members})

    def trust(self, *, keys: bool = False) -> Trust:
        held = (TrustedKey(self.method, self.key.public_key),) if keys else ()
        return Trust({self.id: TrustedIssuer(self.id, "Known here", "a test", held)})


class Pages:
    """A small internet: what stands at each address; everything else cannot be reached. Counts its visits."""

    def __init__(self, pages: Mapping[str, Any] | None = None) -> None:
        self.pages = dict(pages or {})
        self.visits: list[str] = []

    def __call__(self, url: str, /) -> Fetched:
        self.visits.append(url)
        if url not in self.pages:
            raise FetchFault(f"{url} could not be reached: no route to host")
        page = self.pages[url]
        body = page if isinstance(page, bytes) else json.dumps(page).encode()
        return Fetched(url, "application/vc", body)


@dataclass
class Ourselves:
    """A deployment's own issuer, as a port for verifying."""

    issuer: Issuer
    lists: dict[str, Bits] = field(default_factory=dict)
    finding: LogFinding = field(default_factory=lambda: LogFinding("passed", "issued here, recorded in the log"))
    document_changes: dict[str, Any] = field(default_factory=dict)
    name: str = "Our own agency"

    def is_ours(self, identifier: str, /) -> bool:
        return identifier == self.issuer.id

    def did_document(self, identifier: str, /) -> Mapping[str, Any]:
        return self.issuer.document(**self.document_changes)

    def status_list(self, url: str, /) -> Bits | None:
        return self.lists.get(url)

    def log(self, document: Mapping[str, Any], /) -> LogFinding:
        return self.finding


def verify(document: Any, *, name: str = "badge.json", now: datetime = NOW, **given: Any) -> Verdict:
    """The one verdict on a document or its text."""
    data = document if isinstance(document, bytes) else json.dumps(document, ensure_ascii=False).encode()
    (verdict,) = verify_sources([Source(name, data)], now=now, **given)
    return agrees(verdict)


def agrees(verdict: Verdict) -> Verdict:
    """Each answer's summary agrees with its parts: `valid` exactly when every check passed, all ten in order."""
    answer = verdict.as_json()
    assert [check["name"] for check in answer["checks"]] == list(CHECKS)
    assert (answer["verdict"] == "valid") == all(check["result"] == "passed" for check in answer["checks"])
    return verdict


def strings(value: Any, at: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], str]]:
    """Every text below a value with its path."""
    if isinstance(value, dict):
        return [found for name, member in value.items() for found in strings(member, (*at, name))]
    if isinstance(value, list):
        return [found for index, member in enumerate(value) for found in strings(member, (*at, index))]
    return [(at, value)] if isinstance(value, str) else []


Change = Callable[[dict[str, Any]], dict[str, Any]]
