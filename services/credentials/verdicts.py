"""What verifying answers: ten checks in one order, and the verdict that follows from them.

The verdict is never set, only derived: the worst that is known wins, and `valid` stands exactly when no
check failed and none that should have been made was left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, Protocol

from .status_list import Bits

VerdictName = Literal["invalid", "revoked", "suspended", "expired", "unchecked", "untrusted", "valid"]
VERDICTS: Final[tuple[VerdictName, ...]] = (
    "invalid",
    "revoked",
    "suspended",
    "expired",
    "unchecked",
    "untrusted",
    "valid",
)
"""The worst first."""

CheckName = Literal[
    "structure", "context", "schema", "proof", "issuer", "dates", "status", "refresh", "endorsements", "log"
]
CHECKS: Final[tuple[CheckName, ...]] = (
    "structure",
    "context",
    "schema",
    "proof",
    "issuer",
    "dates",
    "status",
    "refresh",
    "endorsements",
    "log",
)
Result = Literal["passed", "failed", "not_checked"]
NOT_TRUSTED: Final = "not trusted here"


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `means` is the verdict that a failure of it gives."""

    name: CheckName
    result: Result
    detail: str
    means: VerdictName = "invalid"

    @property
    def verdict(self) -> VerdictName:
        if self.result == "passed":
            return "valid"
        return "unchecked" if self.result == "not_checked" else self.means


@dataclass(frozen=True, slots=True)
class Claims:
    """What the document says of itself, where it says it as text."""

    issuer: str | None = None
    issuer_name: str | None = None
    achievement: str | None = None
    achievement_name: str | None = None
    subject: str | None = None
    valid_from: str | None = None
    valid_until: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one credential, or for one source that holds none."""

    source: str
    claims: Claims
    trusted: bool
    issuer_name: str | None
    recipient: Literal["matched", "not_matched"] | None
    checks: tuple[Check, ...]

    @property
    def verdict(self) -> VerdictName:
        return min((check.verdict for check in self.checks), key=VERDICTS.index)

    @property
    def yes(self) -> bool:
        """Whether this is a yes: valid, and the holder, if asked for, is the one."""
        return self.verdict == "valid" and self.recipient != "not_matched"

    def check(self, name: CheckName) -> Check:
        return self.checks[CHECKS.index(name)]

    def as_json(self) -> dict[str, Any]:
        claims = self.claims
        return {
            "source": self.source,
            "verdict": self.verdict,
            "issuer": {
                "id": claims.issuer,
                "name": self.issuer_name,
                "claimed_name": claims.issuer_name,
                "trusted": self.trusted,
            },
            "achievement": {"id": claims.achievement, "name": claims.achievement_name},
            "subject": claims.subject,
            "recipient": self.recipient,
            "valid_from": claims.valid_from,
            "valid_until": claims.valid_until,
            "checks": [{"name": c.name, "result": c.result, "detail": c.detail} for c in self.checks],
        }


@dataclass(frozen=True, slots=True)
class Source:
    """Where a credential comes from. Without `data`, `fault` says why it could not be read."""

    name: str
    data: bytes | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class LogFinding:
    """What our own log says of a credential that names us as its issuer.

    `passed`: issued by us, with this content; `failed`: never; `not_checked`: the log is out of reach.
    `recorded_at` is the moment of its issuing, where it is known: it decides for keys revoked later.
    """

    result: Result
    detail: str
    recorded_at: datetime | None = None


class OwnIssuer(Protocol):
    """This deployment's own issuer, read from its own database: no network."""

    def is_ours(self, identifier: str, /) -> bool:
        """Whether this is its identifier; of a did:key issuer each of its keys has been one."""

    @property
    def name(self) -> str:
        """Its name, as shown to people."""

    def did_document(self, identifier: str, /) -> Mapping[str, Any]:
        """The current document of an identifier of ours (`did.did_document`)."""

    def status_list(self, url: str, /) -> Bits | None:
        """The list of that URL as it stands now; None if it is none of ours."""

    def log(self, document: Mapping[str, Any], /) -> LogFinding:
        """Whether this signed credential is in the log."""
