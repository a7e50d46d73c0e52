"""The published vectors of W3C's EdDSA cryptosuites: same documents, same digests, same signatures.

Source: w3c/vc-di-eddsa, TestVectors/eddsa-rdfc-2022 and TestVectors/proof-set-chain, commit abb673e (W3C
Software and Document License), as printed in "Data Integrity EdDSA Cryptosuites v1.0", appendix A and B.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import base58
import pytest

from foundation.signing import SoftwareKey
from services.credentials.canonical import Work, canonical
from services.credentials.contexts import PINNED, Contexts, pinned
from services.credentials.data_integrity import document_digest, holds, options_digest
from services.credentials.multikey import did_key, encode_base58, parse_multikey
from services.credentials.proofs import Circumstances, Proven, prove
from services.credentials.trust_file import NOBODY
from tests.services.credentials.badges import NOW, hash_data

EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
# The examples' context gives every word a meaning, so it is known in these tests and never in the system.
CONTEXTS = Contexts(
    {
        **{url: pinned().document(url) for url in PINNED},
        EXAMPLES: {"@context": {"@vocab": "https://www.w3.org/ns/credentials/examples#"}},
    }
)

UNSIGNED: dict[str, Any] = {
    "@context": ["https://www.w3.org/ns/credentials/v2", EXAMPLES],
    "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential", "AlumniCredential"],
    "name": "Alumni Credential",
    "description": "A minimum viable example of an Alumni Credential.",
    "issuer": "https://vc.example/issuers/5678",
    "validFrom": "2023-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"},
}
PUBLIC, PRIVATE = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2", "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq"
PROOF = {
    "type": "DataIntegrityProof",
    "cryptosuite": "eddsa-rdfc-2022",
    "created": "2023-02-24T23:36:38Z",
    "verificationMethod": f"did:key:{PUBLIC}#{PUBLIC}",
    "proofPurpose": "assertionMethod",
}
DOCUMENT_HASH = "517744132ae165a5349155bef0bb0cf2258fff99dfe1dbd914b938d775a36017"
OPTIONS_HASH = "bea7b7acfbad0126b135104024a5f1733e705108f42d59668b05c0c50004c6b0"
SIGNATURE = (
    "4d8e53c2d5b3f2a7891753eb16ca993325bdb0d3cfc5be1093d0a18426f5ef85"
    "78cadc0fd4b5f4dd0d1ce0aefd15ab120b7a894d0eb094ffda4e6553cd1ed50d"
)
VALUE = "z2YwC8z3ap7yx1nZYCg4L3j3ApHsF8kgPdSb5xoS1VR7vPG3F561B52hYnQF9iseabecm3ijx4K1FBTQsCZahKZme"


def key(private: str) -> SoftwareKey:
    """Multikey of a private Ed25519 key: 0x8026, then the seed (Controlled Identifiers section 2.2.2)."""
    raw = base58.b58decode(private[1:])
    assert raw[:2] == b"\x80\x26"
    return SoftwareKey.from_seed(raw[2:])


def test_the_document_and_the_proof_have_the_published_digests() -> None:
    assert document_digest(UNSIGNED, CONTEXTS).hex() == DOCUMENT_HASH
    assert options_digest(UNSIGNED, PROOF, CONTEXTS).hex() == OPTIONS_HASH
    assert hash_data(UNSIGNED, PROOF, CONTEXTS).hex() == OPTIONS_HASH + DOCUMENT_HASH
    assert (
        '<did:example:abcdefgh> <https://www.w3.org/ns/credentials/examples#alumniOf> "The School of Examples" .\n'
        in canonical(UNSIGNED, CONTEXTS)
    )


def test_signing_gives_the_published_signature() -> None:
    signer = key(PRIVATE)
    assert did_key(signer.public_key) == f"did:key:{PUBLIC}"
    signature = signer.sign(hash_data(UNSIGNED, PROOF, CONTEXTS))
    assert signature.hex() == SIGNATURE
    assert encode_base58(signature) == VALUE
    assert holds(VALUE, signer.public_key, hash_data(UNSIGNED, PROOF, CONTEXTS))


def test_the_second_published_signature_is_over_its_digests() -> None:
    """The employment document; its context (citizenship v4rc1) is in no package, so from its digests on."""
    data = bytes.fromhex(OPTIONS_HASH + "03f59e5b04ab575b1172cb684f22eede72f0e9033e0b5c67d0e2506768d6ce11")
    value = "zeuuS9pi2ZR8Q41bFFJKS9weSWkwa7pRcxHTHzxjDEHtVSZp3D9Rm3JdzT82EQpmXMb9wvfFJLuDPeSXZaRX1q1c"
    assert holds(value, parse_multikey(PUBLIC), data)
    assert encode_base58(key(PRIVATE).sign(data)) == value


KEYS = {
    "1": ("z6MktgKTsu1QhX6QPbyqG6geXdw6FQCZBPq7uQpieWbiQiG7", "z3u2W4YnTstS1nSSBAgZcYSJF43JuZ9uLV6bF38B1Bf8NugW"),
    "2": ("z6MkhWqdDBPojHA7cprTGTt5yHv5yUi1B8cnXn8ReLumkw6E", "z3u2cfp4Q17kMGhNCh348a3yw3cUBiWK6RXRzyJE54sixMFn"),
    "3": ("z6MkmEq87wkHCYnWnNZkigeDMGTN7oUw1upkhzd77KuXERS1", "z3u2Zr3tcDLBDQKGxVa9SRDFNLqNqPWsa8p9rWPvCEH6bADB"),
    "4": ("z6Mkm1S51iPHJvDEkJ9MRtxJmT8Pqo6wHipAFwBAjN83vntT", "z3u2ZTWiFwM17veUR7sXniY66Gf14SqMdpMLy7SW9x4EDdmw"),
}
IDS = {
    "1": "urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544",
    "2": "urn:uuid:8cc9022b-6b14-4cf3-8571-74972c5feb54",
    "3": "urn:uuid:d94f792a-c546-4d06-b38a-da070ab56c23",
}


def published(number: str, created: str, value: str, **members: Any) -> dict[str, Any]:
    public = KEYS[number][0]
    identity = {"id": IDS[number]} if number in IDS else {}
    return {
        "type": "DataIntegrityProof",
        **identity,
        "cryptosuite": "eddsa-rdfc-2022",
        "created": created,
        "verificationMethod": f"did:key:{public}#{public}",
        "proofPurpose": "assertionMethod",
        **members,
        "proofValue": value,
    }


CHAIN = [
    published(
        "1",
        "2023-02-24T23:36:38Z",
        "z66vWyqwAghu52WbpRkCwFRTu6Msn92ArtjpJ3gGMSVoU5RADwBfszoDt1QWY8owqLPz4nTj7hAwV7xFti1p93zdr",
    ),
    published(
        "2",
        "2023-02-24T23:36:38Z",
        "z2scr94SNNrGpP2bE7ajvKWeUHm7HJ2edDkxpARvFAQ8V3USzwEzibqrXKaLHBrWostswsfvg82twQR88BgtnsrXY",
    ),
    published(
        "3",
        "2023-02-26T22:06:38Z",
        "zWaPeEvBAkhQpNQj8pknuvg5STcKnt3cvM9t4kAYeJETFjvVMSXEEjadC4uxC9fKCn6JHbjt6fj2fhoaVNynBm6J",
        previousProof=[IDS["1"], IDS["2"]],
    ),
    published(
        "4",
        "2023-02-26T22:16:38Z",
        "z4b5uUtxNiV4E541LiR8qLvA21xM1Vt4Hfn6nLmmDePdFvLB3jFj3HyEEJyRMbpJzv4Gfdr8ABeuRTxAvZv6KWRRh",
        previousProof=IDS["3"],
    ),
]


def proven(proofs: list[dict[str, Any]], document: Mapping[str, Any] = UNSIGNED) -> Proven:
    placed = [(f"/proof/{index}", proof) for index, proof in enumerate(proofs)]
    given = Circumstances(at=NOW, now=NOW, trust=NOBODY, own=None, contexts=CONTEXTS, work=Work(10**6))
    asking = prove({**document, "proof": proofs}, placed, "https://vc.example/issuers/5678", given)
    try:
        next(asking)
    except StopIteration as done:
        found: Proven = done.value
        return found
    raise AssertionError("did:key needs nothing from elsewhere")


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_published_sets_and_chains_hold(length: int) -> None:
    assert proven(CHAIN[:length]).result == "passed"


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_published_chain_without_one_of_its_links_does_not_hold(missing: int) -> None:
    assert proven([proof for index, proof in enumerate(CHAIN) if index != missing]).result == "failed"


def test_a_published_chain_over_another_document_does_not_hold() -> None:
    assert proven(CHAIN, {**UNSIGNED, "name": "Alumna Credential"}).result == "failed"
