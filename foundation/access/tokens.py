"""The operator's bearer tokens."""

from __future__ import annotations

import hmac
from collections.abc import Sequence


class Tokens:
    """Several tokens may stand side by side, so that they can be changed without a stop."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = [token.encode() for token in tokens]

    def accept(self, authorization: str | None) -> bool:
        """Whether an `Authorization` header carries one of them (RFC 6750 section 2.1), in constant time."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            return False
        sent = token.strip().encode()
        return sum(hmac.compare_digest(sent, known) for known in self._tokens) > 0  # all are compared, always
