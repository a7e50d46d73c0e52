"""The trust file: read strictly; one bad entry makes it illegal, and is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.credentials.multikey import jwk, multikey
from services.credentials.trust_file import TrustFault, parse_trust
from tests.services.credentials.badges import Issuer, verify

issuer = Issuer(id="did:web:b.example")
ENTRY = {"id": issuer.id, "name": "Agency", "reason": "named by the board"}


def text(*entries: Any) -> bytes:
    return json.dumps({"issuers": list(entries)}).encode()


def test_who_is_named_is_trusted_with_the_keys_named() -> None:
    for key in (
        {"id": issuer.method, "publicKeyMultibase": multikey(issuer.key.public_key)},
        {"id": "key-1", "publicKeyMultibase": multikey(issuer.key.public_key)},
        jwk(issuer.key.public_key),
        {**jwk(issuer.key.public_key), "kid": issuer.method},
    ):
        trust = parse_trust(text({**ENTRY, "keys": [key], "status_lists": ["https://b.example/s"]}))
        assert verify(issuer.badge(), trust=trust).verdict == "valid"
    other = {"id": issuer.method, "publicKeyMultibase": multikey(Issuer().key.public_key)}
    assert verify(issuer.badge(), trust=parse_trust(text({**ENTRY, "keys": [other]}))).verdict == "invalid"
    another = {"id": "did:web:b.example#key-9", "publicKeyMultibase": multikey(issuer.key.public_key)}
    assert verify(issuer.badge(), trust=parse_trust(text({**ENTRY, "keys": [another]}))).verdict == "invalid"
    assert parse_trust(text()).issuers == {}


GOOD_KEY = {"id": issuer.method, "publicKeyMultibase": multikey(issuer.key.public_key)}
BAD: list[Any] = [
    7,
    None,
    [],
    {},
    {**ENTRY, "id": ""},
    {**ENTRY, "id": 7},
    {**ENTRY, "id": "b.example"},
    {**ENTRY, "id": "http://b.example"},
    {**ENTRY, "id": "did:key:z6Mk"},
    {**ENTRY, "id": "did:web:127.0.0.1"},
    {**ENTRY, "id": "did:ion:x"},
    {**ENTRY, "name": ""},
    {**ENTRY, "reason": None},
    {k: v for k, v in ENTRY.items() if k != "reason"},
    {**ENTRY, "note": "x"},
    {**ENTRY, "keys": []},
    {**ENTRY, "keys": {}},
    {**ENTRY, "keys": [7]},
    {**ENTRY, "keys": [{**GOOD_KEY, "x": 1}]},
    {**ENTRY, "keys": [{"id": "a"}]},
    {**ENTRY, "keys": [{**GOOD_KEY, "publicKeyMultibase": "z6Mk"}]},
    {**ENTRY, "keys": [{"kty": "RSA"}]},
    {**ENTRY, "keys": [{**jwk(issuer.key.public_key), "d": "x"}]},
    {**ENTRY, "keys": [{**jwk(issuer.key.public_key), "kid": 7}]},
    {**ENTRY, "keys": [{**GOOD_KEY, "id": ""}]},
    {**ENTRY, "status_lists": "https://x.example"},
    {**ENTRY, "status_lists": ["http://x.example"]},
    ENTRY,
]


@pytest.mark.parametrize("entry", BAD)
def test_one_bad_entry_makes_the_file_illegal_and_is_named(entry: Any) -> None:
    with pytest.raises(TrustFault, match="/issuers/1"):
        parse_trust(text(ENTRY, entry))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"7",
        b'{"issuers": {}}',
        b'{"issuers": [], "x": 1}',
        b'{"issuers": [], "issuers": []}',
        b"\xff",
        b"{}",
        b"[" * 1000,
    ],
)
def test_a_file_of_another_form_is_illegal(data: bytes) -> None:
    with pytest.raises(TrustFault):
        parse_trust(data)
