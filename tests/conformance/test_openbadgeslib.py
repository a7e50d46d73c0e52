"""An independent implementation: what `openbadgeslib` signs we take, and what we sign it takes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from openbadgeslib import ob3
from openbadgeslib.baking import bake_png, extract_png
from openbadgeslib.ob3.ldp import OB3LdpSigner, OB3LdpVerifier
from openbadgeslib.ob3.verifier import OB3VerificationError

from services.credentials.baking import bake, extract
from services.credentials.data_integrity import sign
from services.credentials.linting import lint
from tests.services.credentials.badges import CREATED, NOW, Issuer, change, verify
from tests.services.credentials.pictures import picture


def pem(issuer: Issuer) -> bytes:
    """The issuer's private key as openbadgeslib reads it."""
    return issuer.key._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(issuer: Issuer) -> bytes:
    key = Ed25519PublicKey.from_public_bytes(issuer.key.public_key)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def theirs(issuer: Issuer, **members: Any) -> dict[str, Any]:
    """A badge as openbadgeslib makes and signs it."""
    credential = ob3.OpenBadgeCredential(
        issuer=ob3.Issuer(id=issuer.id, name="Another agency"),
        recipient_id="mailto:a@example.com",
        achievement=ob3.Achievement(
            id="https://c.example/a/1",
            name="Welding",
            description="Joins metal.",
            criteria_narrative="Three seams.",
            tags=["metal"],
            credits_available=2.5,
            achievement_type="Certificate",
        ),
        issuance_date=CREATED,
        **members,
    )
    signed: dict[str, Any] = OB3LdpSigner(pem(issuer)).sign(credential, created=CREATED)
    return signed


def test_their_badge_is_valid_with_us() -> None:
    issuer = Issuer()
    verdict = verify(theirs(issuer), trust=issuer.trust())
    assert verdict.verdict == "valid", verdict.as_json()
    assert verdict.as_json()["achievement"]["name"] == "Welding"
    assert verify(theirs(issuer)).verdict == "untrusted"
    assert verify(change(theirs(issuer), "name", to="Brazing"), trust=issuer.trust()).verdict == "invalid"
    ended = theirs(issuer, expiration_date=NOW - timedelta(seconds=1))
    assert verify(ended, trust=issuer.trust()).verdict == "expired"


def test_their_evidence_results_and_identities_are_read() -> None:
    issuer = Issuer()
    badge = theirs(
        issuer,
        credits_earned=2.0,
        evidence=[ob3.Evidence(id="https://c.example/e/1", narrative="A seam.")],
        identifiers=[ob3.IdentityObject.create("a@example.com", salt="pepper")],
    )
    verdict = verify(badge, trust=issuer.trust(), recipient=" A@Example.com ")
    assert verdict.verdict == "valid", verdict.as_json()
    assert verdict.recipient == "matched"


def test_our_badge_is_valid_with_them() -> None:
    issuer = Issuer()
    signed = sign(lint(issuer.unsigned(status=True)), issuer.key, verification_method=issuer.method, created=CREATED)
    for verifier in (OB3LdpVerifier(public_pem(issuer)), OB3LdpVerifier.for_issuer_did(issuer.id)):
        credential = verifier.verify(json.dumps(signed))
        assert credential.achievement.name == "Leadership"
    with pytest.raises(OB3VerificationError):
        OB3LdpVerifier(public_pem(issuer)).verify(json.dumps(change(signed, "name", to="x")))
    with pytest.raises(OB3VerificationError):
        OB3LdpVerifier(public_pem(Issuer())).verify(json.dumps(signed))


def test_pictures_are_read_both_ways() -> None:
    issuer = Issuer()
    text = json.dumps(sign(lint(issuer.unsigned()), issuer.key, verification_method=issuer.method, created=CREATED))
    keyword = b"openbadgecredential"
    assert extract_png(bake(picture(), text.encode()), keyword=keyword) in (text, text.encode())
    assert extract(bake_png(picture(), text, keyword=keyword)) == text.encode()
