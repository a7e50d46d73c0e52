"""May the key that made the proof speak for the issuer, at the moment asked for?

Source: W3C Controlled Identifiers 1.0 sections 2.2 (`expires`, `revoked`), 2.3.1 (`assertionMethod`), 3.3.
"""

from __future__ import annotations

from .proofs import Circumstances, Proven
from .verdicts import Check, LogFinding


def key_in_use(proven: Proven, issuer: str | None, given: Circumstances, log: LogFinding | None = None) -> Check:
    """The part of the check `issuer` that ties key and issuer together. Trust is asked for elsewhere.

    A key revoked later still counts for what our own log recorded before its revocation.
    """

    def check(result: str, detail: str) -> Check:
        return Check(
            "issuer", "passed" if result == "passed" else "not_checked" if result == "not_checked" else "failed", detail
        )

    if proven.key_fault is not None:
        return check("failed", proven.key_fault)
    if proven.key_unknown is not None:
        return check("not_checked", f"the issuer's key could not be had: {proven.key_unknown}")
    key = proven.key
    if key is None:
        if proven.foreign is None:
            return check("not_checked", "no proof names a key of the issuer that is read here")
        return check("failed", f"the proof is by {proven.foreign[:200]}, which is not the issuer named")
    if key.controller != issuer:
        return check("failed", f"the key is controlled by {key.controller[:200]}, which is not the issuer")
    if not key.for_assertions:
        return check("failed", "the key is none that the issuer uses for assertions")
    if key.expires is not None and key.expires < given.at:
        return check("failed", f"the key expired at {key.expires.isoformat()}")
    if key.revoked is not None and key.revoked <= given.at:
        if log is not None and log.result == "not_checked":
            return check(
                "not_checked",
                f"the key was revoked at {key.revoked.isoformat()}, and whether the "
                "credential was recorded before could not be looked up",
            )
        if log is None or log.result != "passed" or log.recorded_at is None or log.recorded_at >= key.revoked:
            return check("failed", f"the key was revoked at {key.revoked.isoformat()}")
        return check("passed", "the key was revoked later; the credential was recorded before")
    return check("passed", "the key is one that the issuer uses for assertions")
