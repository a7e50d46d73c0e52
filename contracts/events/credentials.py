"""What is signed, shown and taken back: credentials, shares, the issuer's keys."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from contracts.events.projections import Position
from contracts.events.registry import Event, Personal, event
from contracts.ids import Sha256, Text, Uuid
from contracts.statement import Statement
from contracts.times import Date, Timestamp

Document = Annotated[dict[str, Any], Personal()]
RevocationReason = Literal["lapsed", "replaced", "withdrawn", "error", "misconduct"]


class StatusEntry(Statement):
    list: Annotated[str, Field(min_length=1, max_length=200)]
    index: Annotated[int, Field(ge=0)]


class _About(Event):
    credential_id: Uuid


@event(owner="credentials", stream="credential", stream_id="credential_id")
class IssuanceIntended(_About):
    cause: Position
    """Position of the attainment. A cause has one credential id for ever."""
    previous: Uuid | None = None
    """The credential of the same level before it lapsed; in the log, not in public."""
    status: StatusEntry
    key: str
    """Id of the key (verification method fragment) that signs."""
    created: Timestamp
    document: Document
    """Whole, unsigned: all that the signature covers, so that signing again gives the same bytes."""


@event(owner="credentials", stream="credential", stream_id="credential_id")
class CredentialIssued(_About):
    intent: Position
    document: Document
    """Whole, signed."""
    sha256: Sha256
    """Of the signed document's bytes as served."""


@event(owner="credentials", stream="credential", stream_id="credential_id")
class CredentialRevocationProposed(_About):
    reason: RevocationReason
    note: Annotated[Text | None, Personal()] = None


@event(owner="credentials", stream="credential", stream_id="credential_id")
class CredentialRevoked(_About):
    reason: RevocationReason
    proposal: Position | None = None


@event(owner="credentials", stream="credential", stream_id="credential_id")
class CredentialSuspended(_About):
    reason: Annotated[Text, Personal()]


@event(owner="credentials", stream="credential", stream_id="credential_id")
class CredentialReinstated(_About):
    reason: Annotated[Text, Personal()]


@event(owner="credentials", stream="issuer")
class KeyMade(Event):
    key: str
    public_key_multibase: str


@event(owner="credentials", stream="issuer")
class KeyRetired(Event):
    key: str


@event(owner="credentials", stream="issuer")
class KeyCompromised(Event):
    key: str
    since: Timestamp


@event(owner="credentials", stream="share")
class ShareGranted(_About):
    show_name: bool
    until: Date | None = None
    """Last day in it; absent: until its holder ends it."""


@event(owner="credentials", stream="share")
class ShareEnded(_About):
    reason: Text | None = None
