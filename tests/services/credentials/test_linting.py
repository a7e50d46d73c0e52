"""What is signed: only what was linted, once; each rule refuses its fault, with its place."""

from __future__ import annotations

from typing import Any

import pytest

from foundation.signing import SoftwareKey
from services.credentials.data_integrity import holds, sign, unsecured
from services.credentials.linting import (
    LIST_RULES,
    RULES,
    SUSPENDABLE_RULES,
    LintedCredential,
    LintFaults,
    Redeemed,
    lint,
)
from services.credentials.status_list import MIN_ENTRIES, list_credential
from tests.services.credentials.badges import CREATED, LIST, NOW, Issuer, change, example, hash_data, verify

S, A = "credentialSubject", "achievement"
FAULTS: list[tuple[tuple[str | int, ...], Any, str]] = [
    (("@context",), example()["@context"][::-1], "/@context"),
    (("@context",), example()["@context"][:1], "/@context"),
    (("@context",), [*example()["@context"], "https://evil.example/"], "/@context"),
    (("proof",), {}, "/proof"),
    (("type",), ["OpenBadgeCredential", "VerifiableCredential"], "/type"),
    (("type",), "VerifiableCredential", "/type"),
    (("issuer",), "did:web:b.example", "/issuer"),
    (("issuer", "type"), "Profile", "/issuer"),
    (("issuer", "id"), "b.example", "/issuer/id"),
    (("issuer", "name"), " ", "/issuer/name"),
    (("id",), "7", "/id"),
    (("name",), "", "/name"),
    (("name",), None, "/name"),
    (("validFrom",), "2026-09-01T12:00:00", "/validFrom"),
    (("validFrom",), "2026-09-01T12:00:00+02:00", "/validFrom"),
    (("awardedDate",), "2026-09-01", "/awardedDate"),
    (("validUntil",), "2026-08-01T12:00:00Z", "/validUntil"),
    (("evidence",), [], "/evidence"),
    (("evidence",), "https://b.example/e", "/evidence"),
    (("principalLevel",), "x", "/principalLevel"),
    (("endorsementJwt",), ["a.b.c"], "/endorsementJwt"),
    ((S, "id"), "p-heron", f"/{S}/id"),
    ((S, "type"), ["Subject"], f"/{S}"),
    ((S, "result"), {"type": ["Result"]}, f"/{S}/result"),
    ((S, "identifier", 0, "type"), ["IdentityObject"], f"/{S}/identifier/0/type"),
    ((S, "identifier", 0, "identityHash"), "sha256$12", f"/{S}/identifier/0/identityHash"),
    ((S, A, "id"), "a/il", f"/{S}/{A}/id"),
    ((S, A, "criteria"), {"type": ["Criteria"]}, f"/{S}/{A}/criteria"),
    ((S, A, "description"), "", f"/{S}/{A}/description"),
    ((S, A, "tag"), "one", f"/{S}/{A}/tag"),
    ((S, "result", 0, "achievedLevel"), "https://b.example/a/il#9", f"/{S}/result/0/achievedLevel"),
    ((S, "result", 0, "resultDescription"), "https://b.example/a/il#x", f"/{S}/result/0/resultDescription"),
    (("credentialStatus",), [example()["credentialStatus"]], "/credentialStatus"),
    (("credentialStatus", "statusListIndex"), 7, "/credentialStatus/statusListIndex"),
    (("credentialStatus", "id"), LIST, "/credentialStatus/id"),
    (("credentialStatus", "statusPurpose"), "message", "/credentialStatus/statusPurpose"),
    (
        ("credentialSchema",),
        [{"id": "https://b.example/s", "type": "1EdTechJsonSchemaValidator2019"}],
        "/credentialSchema/0/type",
    ),
    ((S, A, "creator"), {"id": "https://b.example/a/il", "type": ["Profile"]}, f"/{S}/{A}/creator/id"),
    (("issuer", "name"), 2**60, "/issuer/name"),
]


@pytest.mark.parametrize(("path", "value", "pointer"), FAULTS)
def test_each_fault_is_refused_with_its_place(path: tuple[str | int, ...], value: Any, pointer: str) -> None:
    with pytest.raises(LintFaults) as refused:
        lint(change(example(), *path, to=value))
    assert pointer in {fault.pointer for fault in refused.value.faults}, refused.value.faults


@pytest.mark.parametrize("path", [("validFrom",), ("id",), ("name",), ("issuer", "name"), (S, A), (S, A, "criteria")])
def test_what_is_missing_is_refused(path: tuple[str, ...]) -> None:
    with pytest.raises(LintFaults):
        lint(change(example(), *path, drop=True))


def test_every_rule_has_its_reason_written_down() -> None:
    assert all(rule.__doc__ for rule in (*RULES, *LIST_RULES, *SUSPENDABLE_RULES))


def test_all_faults_are_told_at_once() -> None:
    document = change(change(example(), "name", to=""), "validFrom", drop=True)
    with pytest.raises(LintFaults) as refused:
        lint(document)
    assert {"/name", "/validFrom"} <= {fault.pointer for fault in refused.value.faults}


def test_a_linted_credential_is_signed_once_and_as_it_was_linted() -> None:
    issuer = Issuer()
    document = issuer.unsigned()
    linted = lint(document)
    document["name"] = "changed after linting"
    signed = sign(linted, issuer.key, verification_method=issuer.method, created=CREATED)
    assert signed["name"] == "Leadership, level 3"
    assert verify(signed, trust=issuer.trust()).verdict == "valid"
    with pytest.raises(Redeemed):
        sign(linted, issuer.key, verification_method=issuer.method, created=CREATED)
    with pytest.raises(Redeemed):
        LintedCredential(document, issuer.contexts, b"", object())


def test_signing_again_gives_the_same_bytes() -> None:
    issuer = Issuer()
    first, second = (
        sign(lint(issuer.unsigned(status=True)), issuer.key, verification_method=issuer.method, created=CREATED)
        for _ in range(2)
    )
    assert first == second
    assert holds(first["proof"]["proofValue"], issuer.key.public_key, hash_data(unsecured(first), first["proof"]))
    assert not holds(
        first["proof"]["proofValue"], SoftwareKey.generate().public_key, hash_data(unsecured(first), first["proof"])
    )


def test_a_status_list_is_linted_and_signed() -> None:
    issuer = Issuer()
    unsigned = list_credential(
        url=LIST,
        issuer=issuer.id,
        purpose="revocation",
        data=bytes(MIN_ENTRIES // 8),
        valid_from=CREATED,
        valid_until=NOW,
        ttl=1000,
    )
    assert sign(lint(unsigned, rules=LIST_RULES), issuer.key, verification_method=issuer.method, created=CREATED)[
        "proof"
    ]
    with pytest.raises(LintFaults):
        lint(unsigned)


def test_a_second_status_entry_only_where_suspension_is_on() -> None:
    first = example()["credentialStatus"]
    both = change(
        example(), "credentialStatus", to=[first, {**first, "id": f"{LIST}s#1", "statusPurpose": "suspension"}]
    )
    with pytest.raises(LintFaults):
        lint(both)
    lint(both, rules=SUSPENDABLE_RULES)
