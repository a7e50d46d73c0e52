"""Assigning assessors to principals. Pure: standings and a statement in, an event out."""

from __future__ import annotations

from datetime import date

from contracts.events.governance import AssessorAssigned, AssessorUnassigned, Assignment
from contracts.refusals import Fault, Kind, Refusal
from foundation.access.standing import Standing
from services.governance.people import require_registered


def assign(assessor: Standing, principal: str, wanted: Assignment) -> AssessorAssigned:
    """Raises Refusal UNKNOWN_PERSON, OWN_RECORD, or ASSIGNMENT_EXISTS where the days overlap with the same task."""
    require_registered(assessor)
    if assessor.person == principal:
        raise Refusal(
            Kind.OWN_RECORD,
            "Nobody judges their own record, so a principal is never their own assessor. Assign somebody else.",
            [Fault("/person_id", "this is the principal")],
        )
    for known in assessor.assignments:
        same = known.principal == principal and known.as_ == wanted.as_
        if (
            same
            and (wanted.until is None or known.first <= wanted.until)
            and (known.last is None or wanted.from_ <= known.last)
        ):
            until = f" until {known.last}" if known.last else ""
            raise Refusal(
                Kind.ASSIGNMENT_EXISTS,
                f"{assessor.person} is assigned to {principal} as {known.as_} already, from {known.first}{until}. "
                "Choose days outside of that, or end that assignment first.",
                [Fault("/from", "assigned already in these days")],
            )
    members: dict[str, object] = {"principal_id": principal, "as": wanted.as_, "from": wanted.from_}
    if wanted.until is not None:
        members["until"] = wanted.until
    return AssessorAssigned.model_validate(members)


def end(assessor: Standing, principal: str, on: date) -> AssessorUnassigned:
    """`on` is the first day no longer in it. Raises Refusal ASSIGNMENT_UNKNOWN where nothing would end."""
    theirs = [known for known in assessor.assignments if known.principal == principal]
    if not any(known.last is None or known.last >= on for known in theirs):
        raise Refusal(
            Kind.ASSIGNMENT_UNKNOWN,
            f"{assessor.person} is not assigned to {principal} on {on} or later, so there is nothing to end.",
            [Fault("/on", "no assignment on that day or later")],
        )
    return AssessorUnassigned(principal_id=principal, on=on)
