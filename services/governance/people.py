"""Registering people, granting and revoking their roles. Pure: a standing and a statement in, an event out."""

from __future__ import annotations

from datetime import date, timedelta

from contracts.continuum import LEVELS
from contracts.events.governance import PersonRegistered, RoleGrant, RoleGranted, RoleRevocation, RoleRevoked
from contracts.refusals import Fault, Kind, Refusal
from contracts.vocabulary import Role
from foundation.access.standing import HeldRole, Standing


def register(target: Standing, name: str, email: str | None) -> PersonRegistered:
    """Raises Refusal PERSON_EXISTS where the id is taken."""
    if target.registered:
        raise Refusal(
            Kind.PERSON_EXISTS,
            f"The id {target.person} is taken by somebody who is registered. Give this person another id.",
            [Fault("/person_id", "this id is taken")],
        )
    return (
        PersonRegistered(person_id=target.person, name=name, email=email)
        if email
        else PersonRegistered(person_id=target.person, name=name)
    )


def require_registered(target: Standing) -> None:
    if not target.registered:
        raise Refusal(
            Kind.UNKNOWN_PERSON, f"Nobody is registered under the id {target.person}. Register the person first."
        )


def grant(target: Standing, wanted: RoleGrant) -> RoleGranted:
    """Raises Refusal UNKNOWN_PERSON, ROLE_HELD, or INVALID_BODY where the scope is none of that role."""
    require_registered(target)
    directs = wanted.role in (Role.DIRECTOR, Role.LEAD_DIRECTOR)
    if directs and wanted.scope is not None and wanted.scope not in set(LEVELS):
        raise Refusal(
            Kind.INVALID_BODY,
            f"A director's scope is a level: {', '.join(LEVELS)}.",
            [Fault("/scope", f"not a level; one of {', '.join(LEVELS)}")],
        )
    for held in target.roles:
        if held.role == wanted.role and held.scope == wanted.scope and _meet(held, wanted.from_, wanted.until):
            raise Refusal(
                Kind.ROLE_HELD,
                f"{target.person} is {held.role.value} already, {_days(held.first, held.last)}. Grant the role for "
                "days outside of that, or revoke it first.",
                [Fault("/role", "held already in these days")],
            )
    return RoleGranted.model_validate({"person_id": target.person, **_present(wanted)})


def revoke(target: Standing, wanted: RoleRevocation) -> RoleRevoked:
    """Raises Refusal UNKNOWN_PERSON, or ROLE_NOT_HELD where there is nothing that would end."""
    require_registered(target)
    if not any(held.role == wanted.role and (held.last is None or held.last >= wanted.on) for held in target.roles):
        raise Refusal(
            Kind.ROLE_NOT_HELD,
            f"{target.person} is not {wanted.role.value} on {wanted.on} or later, so there is nothing to revoke.",
            [Fault("/role", "not held on that day or later")],
        )
    return RoleRevoked(person_id=target.person, role=wanted.role, on=wanted.on, reason=wanted.reason)


def principal_role_where_missing(target: Standing, today: date) -> RoleGranted | None:
    """The grant that opening a dossier makes."""
    if target.holds(Role.PRINCIPAL, on=today):
        return None
    later = [held.first for held in target.roles if held.role is Role.PRINCIPAL and held.first > today]
    until = {"until": min(later) - timedelta(days=1)} if later else {}
    return RoleGranted.model_validate({"person_id": target.person, "role": Role.PRINCIPAL, "from": today, **until})


def _meet(held: HeldRole, first: date, last: date | None) -> bool:
    return (last is None or held.first <= last) and (held.last is None or first <= held.last)


def _days(first: date, last: date | None) -> str:
    return f"from {first}" + (f" until {last}" if last else "")


def _present(wanted: RoleGrant) -> dict[str, object]:
    members: dict[str, object] = {"role": wanted.role, "from": wanted.from_}
    if wanted.until is not None:
        members["until"] = wanted.until
    if wanted.scope is not None:
        members["scope"] = wanted.scope
    return members
