"""Keys and whose they are: Multikey, did:key, did:web, JSON Web Key, documents."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from services.credentials.did import (
    DidFault,
    PublishedKey,
    did_document,
    did_key_document,
    document_url,
    find_method,
)
from services.credentials.multikey import (
    KeyFault,
    check_ed25519,
    did_key,
    encode_base58,
    jwk,
    multikey,
    parse_jwk,
    parse_multikey,
    thumbprint,
)
from tests.services.credentials.badges import Issuer

# One and the same in each process: parameters of tests are named after it.
KEY = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")  # RFC 8037 appendix A
P = 2**255 - 19
SMALL = [
    (0).to_bytes(32, "little"),
    (1).to_bytes(32, "little"),
    (P - 1).to_bytes(32, "little"),
    P.to_bytes(32, "little"),
    (P + 1).to_bytes(32, "little"),
    b"\xff" * 32,
    (1 | 1 << 255).to_bytes(32, "little"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
]


@pytest.mark.parametrize("raw", SMALL)
def test_a_key_for_which_anyone_can_sign_is_refused(raw: bytes) -> None:
    with pytest.raises(KeyFault):
        check_ed25519(raw)
    with pytest.raises(KeyFault):
        parse_multikey(encode_base58(b"\xed\x01" + raw))
    with pytest.raises(KeyFault):
        parse_jwk({**jwk(KEY), "x": jwk(raw)["x"]})


def test_a_key_has_one_name() -> None:
    assert multikey(KEY).startswith("z6Mk")
    assert parse_multikey(multikey(KEY)) == KEY
    assert parse_jwk(jwk(KEY)) == KEY
    rfc8037 = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert thumbprint(rfc8037) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"  # RFC 8037 appendix A.3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "z",
        7,
        None,
        multikey(KEY)[:-1],
        multikey(KEY) + "1",
        "m" + multikey(KEY)[1:],
        encode_base58(b"\x80\x24" + b"\2" + KEY),
        encode_base58(b"\xec\x01" + KEY),
        "z0OIl",
        "zé",
    ],
)
def test_a_multikey_of_another_form_is_refused(text: Any) -> None:
    with pytest.raises(KeyFault):
        parse_multikey(text)


@pytest.mark.parametrize(
    "changes", [{"d": "x"}, {"kty": "EC"}, {"crv": "X25519"}, {"x": ""}, {"x": 7}, {"x": "=" * 43}]
)
def test_a_jwk_of_another_form_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(KeyFault):
        parse_jwk({**jwk(KEY), **changes})


@pytest.mark.parametrize(
    ("did", "url"),
    [
        ("did:web:b.example", "https://b.example/.well-known/did.json"),
        ("did:web:B.Example", "https://b.example/.well-known/did.json"),
        ("did:web:host.example%3A8443:a:b", "https://host.example:8443/a/b/did.json"),
        ("did:web:localhost%3a8443", "https://localhost:8443/.well-known/did.json"),
        ("https://b.example/i", "https://b.example/i"),
    ],
)
def test_where_a_document_lies(did: str, url: str) -> None:
    assert document_url(did) == url


@pytest.mark.parametrize(
    "did",
    [
        "did:web:",
        "did:web:127.0.0.1",
        "did:web:0x7f.1",
        "did:web:2130706433",
        "did:web:127.1",
        "did:web:[::1]",
        "did:web:a.example:..:x",
        "did:web:a.example:.",
        "did:web:a.example/x",
        "did:web:a.example%2Fx",
        "did:web:user@a.example",
        "did:web:a.example%3A0",
        "did:web:a.example%3A99999",
        "did:web:a.example:b%2Fc",
        "did:web:a.example?x",
        "did:web:a.example#x",
        "did:web:ä.example",
        "did:web:-a.example",
        "did:web:a..example",
        "did:ion:x",
        "http://a.example",
        "",
        "did:web:a.example:",
    ],
)
def test_a_did_web_that_leads_elsewhere_is_refused(did: str) -> None:
    with pytest.raises(DidFault):
        document_url(did)


def test_a_did_key_stands_for_its_document() -> None:
    did = did_key(KEY)
    method = find_method(did_key_document(did), did, f"{did}#{multikey(KEY)}")
    assert (method.public_key, method.controller, method.for_assertions) == (KEY, did, True)
    for wrong in (
        did + "x",
        did[:-1],
        "did:key:",
        "did:key:z1" + did[9:],
        "did:key:" + encode_base58(b"\xed\x01" + SMALL[1]),
    ):
        with pytest.raises(DidFault):
            did_key_document(wrong)
    with pytest.raises(DidFault):
        find_method(did_key_document(did), did, did + "#other")


def test_our_document_lists_each_key_twice_and_keeps_retired_ones() -> None:
    other, did = Issuer().key.public_key, "did:web:b.example"
    revoked = datetime(2026, 10, 1, tzinfo=UTC)
    document = did_document(did, [PublishedKey("key-1", KEY), PublishedKey("key-2", other, revoked)])
    for name, key in (("key-1", KEY), ("key-1-jwk", KEY), ("key-2", other), ("key-2-jwk", other)):
        method = find_method(document, did, f"{did}#{name}")
        assert (method.public_key, method.for_assertions, method.expires) == (key, True, None)
        assert method.revoked == (revoked if key == other else None)


def base() -> dict[str, Any]:
    return did_document("did:web:b.example", [PublishedKey("k", KEY)])


METHOD = "did:web:b.example#k"
WRONG: dict[str, Any] = {
    "no object": [],
    "null": None,
    "another id": {**base(), "id": "did:web:c.example"},
    "no id": {},
    "twice": {**base(), "verificationMethod": base()["verificationMethod"] * 2},
    "not there": {**base(), "verificationMethod": []},
    "methods no list": {**base(), "verificationMethod": {}},
    "assertions no list": {**base(), "assertionMethod": METHOD},
    "too many": {**base(), "verificationMethod": [{}] * 1000},
    "no controller": {
        **base(),
        "verificationMethod": [{k: v for k, v in base()["verificationMethod"][0].items() if k != "controller"}],
    },
    "no key": {**base(), "verificationMethod": [{"id": METHOD, "type": "Multikey", "controller": "did:web:b.example"}]},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_document_that_does_not_give_the_key_says_why(name: str) -> None:
    with pytest.raises(DidFault):
        find_method(WRONG[name], "did:web:b.example", METHOD)


def test_relative_names_and_embedded_methods_are_read() -> None:
    entry = {**base()["verificationMethod"][0], "id": "#k"}
    relative = {**base(), "verificationMethod": [entry], "assertionMethod": ["#k"]}
    assert find_method(relative, "did:web:b.example", METHOD).for_assertions
    embedded = {**base(), "verificationMethod": [], "assertionMethod": [entry]}
    assert find_method(embedded, "did:web:b.example", METHOD).for_assertions
    login = {**base(), "verificationMethod": [], "assertionMethod": [], "authentication": [entry]}
    assert not find_method(login, "did:web:b.example", METHOD).for_assertions
