"""Any bytes and any JSON give verdicts: never an exception, never `valid`, never long."""

from __future__ import annotations

import json
import time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.credentials.verdicts import CHECKS, Source
from services.credentials.verification import verify_sources
from tests.services.credentials.badges import LIST, NOW, Issuer, Pages, change, strings
from tests.services.credentials.pictures import SIGNATURE, chunk, itxt, picture

issuer = Issuer()
GOOD = issuer.sign(issuer.unsigned(status=True))
PAGES = Pages({LIST: issuer.list()})
names = st.sampled_from(
    [
        "@context",
        "id",
        "type",
        "issuer",
        "proof",
        "credentialSubject",
        "credentialStatus",
        "achievement",
        "validFrom",
        "validUntil",
        "verificationMethod",
        "cryptosuite",
        "previousProof",
        "endorsement",
        "verifiableCredential",
        "identifier",
        "@id",
        "@value",
        "result",
        "name",
        "evidence",
        "statusListIndex",
        "",
        "x",
    ]
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(
        [
            "VerifiableCredential",
            "OpenBadgeCredential",
            "VerifiablePresentation",
            "DataIntegrityProof",
            "eddsa-rdfc-2022",
            "did:key:z6Mk",
            "did:web:a.example",
            "2026-09-01T12:00:00Z",
            LIST,
            "https://www.w3.org/ns/credentials/v2",
            GOOD["@context"][1],
        ]
    ),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=5)),
    max_leaves=25,
)


def look(data: bytes) -> list[dict[str, Any]]:
    verdicts = verify_sources(
        [Source("x", data)], now=NOW, trust=issuer.trust(), fetch=PAGES, recipient="a@example.com"
    )
    assert verdicts
    answers = [verdict.as_json() for verdict in verdicts]
    for answer in answers:
        assert [check["name"] for check in answer["checks"]] == list(CHECKS)
        assert all(check["detail"] for check in answer["checks"])
    return answers


@settings(max_examples=300, deadline=2000)
@given(values)
def test_any_json_gives_verdicts(value: Any) -> None:
    assert all(answer["verdict"] != "valid" for answer in look(json.dumps(value).encode()))


@settings(max_examples=300, deadline=2000)
@given(st.binary(max_size=200))
def test_any_bytes_give_verdicts(data: bytes) -> None:
    assert all(answer["verdict"] != "valid" for answer in look(data))


@settings(max_examples=300, deadline=2000)
@given(st.sampled_from(strings(GOOD)), values)
def test_any_value_in_any_place_of_a_good_badge(place: tuple[tuple[str | int, ...], str], value: Any) -> None:
    path, text = place
    changed = change(GOOD, *path, to=value)
    for answer in look(json.dumps(changed).encode()):
        assert answer["verdict"] != "valid" or value in (text, [text]), path


@settings(max_examples=200, deadline=2000)
@given(
    st.sampled_from(
        [
            (),
            ("issuer",),
            ("credentialSubject",),
            ("credentialSubject", "achievement"),
            ("proof",),
            ("credentialStatus",),
        ]
    ),
    names,
    values,
)
def test_any_member_added_anywhere_is_seen(path: tuple[str, ...], name: str, value: Any) -> None:
    at: Any = GOOD
    for step in path:
        at = at[step]
    if name in at and at[name] == value:
        return
    for answer in look(json.dumps(change(GOOD, *path, name, to=value)).encode()):
        assert answer["verdict"] != "valid"


@settings(max_examples=200, deadline=2000)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"iTXt", b"tEXt", b"zTXt", b"IDAT", b"IHDR", b"IEND", b"abcd"]),
            st.one_of(st.binary(max_size=30), st.just(itxt(b"openbadgecredential", b"{}"))),
        ),
        max_size=4,
    ),
    st.binary(max_size=8),
    st.integers(0, 400),
)
def test_any_picture_gives_a_verdict(chunks: list[tuple[bytes, bytes]], tail: bytes, cut: int) -> None:
    whole = picture([chunk(kind, body) for kind, body in chunks]) + tail
    assert len(look(whole)) == 1
    assert len(look(whole[: len(SIGNATURE) + cut])) == 1


def test_bombs_end_soon() -> None:
    nodes = [{"type": ["Result"], "alignment": [{"type": ["Alignment"]} for _ in range(8)]} for _ in range(8)]
    same = change(GOOD, "credentialSubject", "result", to=nodes)
    bombs = {
        "deep": b"[" * 100_000,
        "deep objects": b'{"a":' * 50_000,
        "wide": json.dumps([{}] * 9_999).encode(),
        "wider": json.dumps([7] * 200_000).encode(),
        "long number": b"9" * 100_000,
        "long text": json.dumps("a" * 10**7).encode(),
        "blanks": b" " * 10**7,
        "alike": json.dumps(same).encode(),
        "much alike": json.dumps([same] * 50).encode(),
        "types": json.dumps(change(GOOD, "type", to=["VerifiableCredential"] * 100_000)).encode(),
        "contexts": json.dumps(change(GOOD, "@context", to=GOOD["@context"] * 10_000)).encode(),
        "ids": json.dumps(change(GOOD, "evidence", to=[{"id": f"urn:x:{n}"} for n in range(100_000)])).encode(),
        "base58": json.dumps(change(GOOD, "proof", "proofValue", to="z" + "2" * 10**6)).encode(),
        "presentation": json.dumps({"type": "VerifiablePresentation", "verifiableCredential": [7] * 100_000}).encode(),
    }
    for name, bomb in bombs.items():
        began = time.process_time()
        assert all(answer["verdict"] != "valid" for answer in look(bomb)), name
        assert time.process_time() - began < 5.0, name
