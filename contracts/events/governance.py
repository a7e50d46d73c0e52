"""Who is who (people, roles, assignments), and what the Commission decides."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AliasChoices, Field, model_validator

from contracts.events.registry import Event, Personal, event
from contracts.framework import Framework
from contracts.ids import Id, Text
from contracts.policy import Policy, PolicyRef
from contracts.statement import Statement
from contracts.times import Date
from contracts.vocabulary import AssessorAs, Role

Email = Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]


class Period(Statement):
    """Days; `from` and `until` are both in it."""

    from_: Annotated[Date, Field(alias="from", validation_alias=AliasChoices("from"))]
    until: Date | None = None

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.until is not None and self.until < self.from_:
            raise ValueError("until is before from")
        return self


class Person(Statement):
    name: Annotated[Text, Personal()]
    email: Annotated[Email | None, Personal()] = None


class RoleGrant(Period):
    role: Annotated[Role, Field(strict=False)]
    scope: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class RoleRevocation(Statement):
    role: Annotated[Role, Field(strict=False)]
    on: Date
    """The first day no longer in it."""
    reason: Annotated[Text, Personal()]


class Assignment(Period):
    as_: Annotated[AssessorAs, Field(alias="as", validation_alias=AliasChoices("as"))]


class AssignmentEnd(Statement):
    on: Date


class _Reason(Event):
    reason: Annotated[Text, Personal()]


@event(owner="governance", stream="person", stream_id="person_id")
class PersonRegistered(Person, Event):
    person_id: Id


@event(owner="governance", stream="person")
class ErasureProposed(_Reason):
    pass


@event(owner="governance", stream="person")
class PersonErased(Event):
    proposal: Annotated[int, Field(ge=1)]


@event(owner="governance", stream="person")
class LegalHoldSet(_Reason):
    pass


@event(owner="governance", stream="person")
class LegalHoldLifted(_Reason):
    pass


@event(owner="governance", stream="person", stream_id="person_id")
class RoleGranted(RoleGrant, Event):
    person_id: Id


@event(owner="governance", stream="person", stream_id="person_id")
class RoleRevoked(RoleRevocation, Event):
    person_id: Id


@event(owner="governance", stream="person")
class AssessorAssigned(Assignment, Event):
    """Stream: the assessor."""

    principal_id: Id


@event(owner="governance", stream="person")
class AssessorUnassigned(AssignmentEnd, Event):
    principal_id: Id


@event(owner="governance", stream="commission")
class PolicyAdopted(Event):
    policy: Policy
    effective_from: Date

    @model_validator(mode="after")
    def _same_day(self) -> Self:
        if self.effective_from != self.policy.effective_from:
            raise ValueError("effective_from has to equal the policy's own")
        return self


@event(owner="governance", stream="commission")
class ReassessmentOrdered(Event):
    reason: Text


@event(owner="governance", stream="framework")
class FrameworkPublished(Event):
    framework: Framework


@event(owner="governance", stream="distinguished", stream_id="principal_id")
class DistinguishedNominated(_Reason):
    principal_id: Id


@event(owner="governance", stream="distinguished", stream_id="principal_id")
class VoteCast(Event):
    principal_id: Id
    vote: Literal["for", "against", "abstain"]


@event(owner="governance", stream="distinguished", stream_id="principal_id")
class DistinguishedConferred(Event):
    principal_id: Id
    policy: PolicyRef
    votes_for: Annotated[int, Field(ge=0)]
    share: Annotated[float, Field(ge=0, le=1)]


@event(owner="governance", stream="distinguished", stream_id="principal_id")
class DistinguishedDeclined(_Reason):
    principal_id: Id


@event(owner="governance", stream="distinguished", stream_id="principal_id")
class DistinguishedWithdrawn(_Reason):
    principal_id: Id
