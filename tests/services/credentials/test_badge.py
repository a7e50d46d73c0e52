"""The badge: every achievement passes the linter, says the minimum, and signs to the same bytes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from contracts.achievements import AchievementKey
from contracts.continuum import LEVELS, OVERALL, Level
from contracts.framework import MLDS_2016
from contracts.policy import BASELINE
from contracts.vocabulary import EvidenceKind
from foundation.signing import SoftwareKey
from services.credentials.achievements import achievement
from services.credentials.badge import (
    Attained,
    Place,
    Recipient,
    badge,
    credential_bytes,
    credential_digest,
    identity,
)
from services.credentials.basis import Basis
from services.credentials.data_integrity import sign
from services.credentials.holder import is_holder
from services.credentials.issuer import Issuer
from services.credentials.linting import SUSPENDABLE_RULES, LintFaults, lint
from services.credentials.multikey import multikey

KEY = SoftwareKey.from_seed(bytes(32))
NAME = multikey(KEY.public_key)
REAL = Issuer("https://badges.example.gov", demonstration=False)
DEMO = Issuer("http://127.0.0.1:8000", demonstration=True)
FROM = datetime(2026, 9, 2, 10, 0, 0, 123456, tzinfo=UTC)
AWARDED = datetime(2026, 9, 1, 12, 0, 0, 987654, tzinfo=UTC)


def made(issuer: Issuer = REAL, competency: int | str = 4, level: Level = Level.DEVELOPING, **more: Any) -> dict:
    key = AchievementKey("mlds-2016", competency, level)
    counted = Basis(3, ((EvidenceKind.FEEDBACK_CYCLE, 2), (EvidenceKind.ARTIFACT, 1)), 2, 75)
    given: dict[str, Any] = {
        "key": NAME,
        "credential_id": "7c80ef9a-46a6-4dd6-b34a-a68eb38d9579",
        "attained": Attained(
            key,
            achievement(issuer.origin, MLDS_2016, BASELINE, key),
            BASELINE.ref,
            AWARDED,
            None if competency == OVERALL else counted,
        ),
        "recipient": Recipient(UUID("0b3f6c1e-7a1d-4c53-9a55-6d0f4a3a9f10"), "heron@example.com", "5a17"),
        "valid_from": FROM,
        "places": [Place("revocation", "r1", 94567)],
    }
    return badge(issuer, **(given | more))


@pytest.mark.parametrize("issuer", [REAL, DEMO])
def test_the_badge_of_every_achievement_passes_the_linter(issuer: Issuer) -> None:
    for number in [1, 4, 5, 6, 18, OVERALL]:
        for level in LEVELS:
            lint(made(issuer, number, level))


def test_times_are_whole_seconds_and_those_of_attainment_and_intent() -> None:
    document = made()
    assert document["awardedDate"] == "2026-09-01T12:00:00Z"
    assert document["validFrom"] == "2026-09-02T10:00:00Z"


def test_it_says_what_it_took_and_names_nobody() -> None:
    document = made()
    assert (
        "3 evidence items (2 feedback cycles, 1 artifact), judged by 2 assessors over 75 days"
        in (document["description"])
    )
    assert "policy mlds-baseline 1.0 and framework mlds-2016" in document["description"]
    assert "no certificate" in document["description"]
    assert set(document) == {
        "@context", "id", "type", "name", "description", "issuer", "validFrom", "awardedDate", "credentialSubject",
        "credentialStatus",
    }  # fmt: skip
    assert set(document["credentialSubject"]) == {"id", "type", "identifier", "achievement", "result"}
    assert "heron" not in str(document)


def test_the_holder_can_be_checked_by_e_mail_however_it_is_written() -> None:
    identities = made()["credentialSubject"]["identifier"]
    assert is_holder(" Heron@Example.com ", identities)
    assert not is_holder("egret@example.com", identities)
    assert identity("heron@example.com", "a") != identity("heron@example.com", "b")


def test_a_person_without_e_mail_gets_a_badge_with_a_subject_id_only() -> None:
    document = made(recipient=Recipient(UUID(int=5), None, "00"))
    assert document["credentialSubject"]["id"] == "urn:uuid:00000000-0000-0000-0000-000000000005"
    assert "identifier" not in document["credentialSubject"]
    lint(document)


def test_the_status_is_one_object_and_an_array_only_with_suspension() -> None:
    assert made()["credentialStatus"]["statusListIndex"] == "94567"
    both = made(places=[Place("revocation", "r1", 5), Place("suspension", "s1", 5)])
    assert [entry["statusPurpose"] for entry in both["credentialStatus"]] == ["revocation", "suspension"]
    lint(both, rules=SUSPENDABLE_RULES)
    with pytest.raises(LintFaults):
        lint(both)


def test_the_issuer_is_did_web_on_https_and_the_key_itself_on_loopback() -> None:
    assert made(REAL)["issuer"]["id"] == "did:web:badges.example.gov"
    assert Issuer("https://badges.example.gov:8443", False).did("") == "did:web:badges.example.gov%3A8443"
    assert made(DEMO)["issuer"]["id"] == f"did:key:{NAME}"
    assert DEMO.method(NAME) == f"did:key:{NAME}#{NAME}"
    assert REAL.method(NAME) == f"did:web:badges.example.gov#{NAME}"


def test_a_demonstrations_badge_says_so_three_times() -> None:
    document = made(DEMO)
    assert "demonstration" in document["issuer"]["name"]
    assert "demonstration" in document["issuer"]["description"].lower()
    assert "states nothing about anyone" in document["description"]
    assert "emonstration" not in str(made(REAL))


def test_signing_again_gives_the_same_bytes() -> None:
    once, again = (
        sign(lint(made()), KEY, verification_method=REAL.method(NAME), created=FROM.replace(microsecond=0))
        for _ in range(2)
    )
    assert credential_bytes(once) == credential_bytes(again)


def test_the_digest_is_that_of_the_content_in_whatever_order_it_is_written() -> None:
    document = made()
    turned = dict(reversed(list(document.items())))
    assert credential_digest(turned) == credential_digest(document)
    assert credential_digest({**document, "name": "x"}) != credential_digest(document)
