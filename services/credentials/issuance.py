"""Which attainments give a badge, and what a lapse takes back. Pure.

A `LevelReached` is a cause, and a cause has one credential for ever. A lapse revokes the credential of that
level; if the level is reached again, that is a new statement and a new credential, which names the one before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from contracts.continuum import OVERALL
from contracts.events.credentials import CredentialRevoked, IssuanceIntended, StatusEntry
from foundation.eventlog import NewEvent, event_id_from, new_event

BY_RULE = "service:credentials"
Issue = Literal["all", "overall"]


def gives_badge(issue: Issue, competency: int | str) -> bool:
    """Whether an attainment gives a badge under MLDS_ISSUE; narrowing it takes nothing back."""
    return issue == "all" or competency == OVERALL


def credential_tags(principal: str, cause: int) -> Sequence[str]:
    """The tags of every credential event, beside its stream."""
    return (f"principal:{principal}", f"cause:{cause}")


def intended(event: IssuanceIntended, principal: str) -> NewEvent:
    """The first intent of a cause. Its event id is the cause's: it can be recorded once only."""
    return new_event(
        event,
        recorded_by=BY_RULE,
        tags=credential_tags(principal, event.cause),
        subject=principal,
        event_id=event_id_from("credentials", "IssuanceIntended", str(event.cause)),
    )


def intent(
    *,
    credential_id: UUID | str,
    cause: int,
    previous: str | None,
    status: tuple[str, int],
    key: str,
    document: Mapping[str, Any],
) -> IssuanceIntended:
    """`document` is the unsigned badge; the proof is created at its `validFrom`."""
    return IssuanceIntended.model_validate(
        {
            "credential_id": str(credential_id),
            "cause": cause,
            **({"previous": previous} if previous else {}),
            "status": StatusEntry(list=status[0], index=status[1]).to_data(),
            "key": key,
            "created": document["validFrom"],
            "document": dict(document),
        }
    )


def lapsed(credential_id: str, *, principal: str, cause: int, because: int) -> NewEvent:
    """Revokes the credential of a level that lapsed; `because` is the position of the `LevelLapsed`."""
    return new_event(
        CredentialRevoked(credential_id=credential_id, reason="lapsed"),
        recorded_by=BY_RULE,
        tags=credential_tags(principal, cause),
        subject=principal,
        event_id=event_id_from("credentials", "CredentialRevoked", str(because)),
    )
