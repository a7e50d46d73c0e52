"""Embedded proofs: cryptosuite `eddsa-rdfc-2022`, alone, in sets and in chains.

Sources: W3C Data Integrity EdDSA Cryptosuites 1.0 section 3.2 (numbers in comments), Verifiable Credential
Data Integrity 1.0 sections 2.1 (proof sets, chains) and 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from contracts.times import format_timestamp
from foundation.signing import Signer

from .canonical import Work, canonical
from .contexts import Contexts, pinned
from .linting import LintedCredential
from .multikey import KeyFault, decode_base58, encode_base58
from .statements import Unsaid

SUITE: Final = "eddsa-rdfc-2022"
PURPOSE: Final = "assertionMethod"


def sign(document: LintedCredential, signer: Signer, *, verification_method: str, created: datetime) -> dict[str, Any]:
    """The document with one proof. Redeems the linted credential: a second call with it raises.

    `verification_method` is the DID URL of the signer's key, `created` the proof's moment, UTC. The same
    document, key and moment give the same bytes again (Ed25519 is deterministic).
    """
    unsigned, contexts, digest = document.redeem()
    options = proof_options(verification_method, created)
    data = options_digest(unsigned, options, contexts) + digest
    return {**unsigned, "proof": {**options, "proofValue": encode_base58(signer.sign(data))}}


def proof_options(verification_method: str, created: datetime) -> dict[str, Any]:
    """A proof without its value (section 3.2.5)."""
    return {
        "type": "DataIntegrityProof",
        "cryptosuite": SUITE,
        "created": format_timestamp(created),
        "verificationMethod": verification_method,
        "proofPurpose": PURPOSE,
    }


def document_digest(unsecured: Mapping[str, Any], contexts: Contexts | None = None, work: Work | None = None) -> bytes:
    return sha256(canonical(unsecured, contexts or pinned(), work=work).encode()).digest()


def options_digest(
    unsecured: Mapping[str, Any],
    proof: Mapping[str, Any],
    contexts: Contexts | None = None,
    work: Work | None = None,
    *,
    at: str = "/proof",
) -> bytes:
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    if "@context" in options and options["@context"] != unsecured.get("@context"):
        raise Unsaid(f"{at}/@context", "the proof names other contexts than the document")
    options["@context"] = unsecured.get("@context")
    return sha256(canonical(options, contexts or pinned(), at=at, work=work).encode()).digest()


def holds(proof_value: object, public_key: bytes, data: bytes) -> bool:
    """Whether a `proofValue` is this key's signature over these 64 bytes (3.2.7)."""
    try:
        signature = decode_base58(proof_value, size=64)
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
    except (KeyFault, InvalidSignature, ValueError):
        return False
    return True


def unsecured(document: Mapping[str, Any], previous: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The document without proofs but those that a chain goes back to (Data Integrity section 4.4)."""
    bare = {name: value for name, value in document.items() if name != "proof"}
    if previous:
        bare["proof"] = list(previous)
    return bare
