"""Whether a person is a credential's holder, by the salted hash in it.

Source: Open Badges 3.0, IdentityHash: `sha256$` + hex(SHA-256(identity ‖ salt)), UTF-8. The salt is public,
so this compares and hides nobody.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any


def normal_email(email: str) -> str:
    """The one form in which e-mail addresses are hashed and compared: trimmed, NFC, lower case."""
    return unicodedata.normalize("NFC", email.strip()).lower()


def identity_hash(email: str, salt: str) -> str:
    """The `identityHash` of an address."""
    return "sha256$" + hashlib.sha256((normal_email(email) + salt).encode(errors="surrogatepass")).hexdigest()


def is_holder(email: str, identities: Iterable[Mapping[str, Any]]) -> bool:
    """Whether one of the checked IdentityObjects names this address."""
    asked = normal_email(email)
    if not asked:
        return False
    for identity in identities:
        if identity["identityType"] != "emailAddress":
            continue
        stated: str = identity["identityHash"]
        if identity["hashed"]:
            wanted = identity_hash(asked, identity.get("salt", ""))
            if hmac.compare_digest(stated.lower().encode(errors="surrogatepass"), wanted.encode()):
                return True
        elif normal_email(stated) == asked:
            return True
    return False
