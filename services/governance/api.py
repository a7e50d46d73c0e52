"""HTTP of governance: people, roles, dossiers, assignments."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from pydantic import AliasChoices, Field

from contracts.events.governance import Assignment, AssignmentEnd, Person, RoleGrant, RoleRevocation
from contracts.ids import ID_PATTERN, Id
from contracts.statement import Statement
from contracts.vocabulary import AssessorAs
from foundation.access.permissions import Caller
from foundation.web import Gate, api_router, command, idempotency_key
from services.governance.application import Governance, Receipt

PersonId = Annotated[str, Path(pattern=ID_PATTERN)]


class NewPerson(Person):
    person_id: Id | None = None
    """An id that names nobody; without one, it is made."""


class NewPrincipal(Statement):
    person_id: Id


class NewAssignment(Assignment):
    person_id: Id
    as_: Annotated[AssessorAs, Field(alias="as", validation_alias=AliasChoices("as"))] = "coach"


def router(governance: Governance, gate: Gate) -> APIRouter:
    routes = api_router(prefix="/api/v1", tags=["people"])
    a_caller = Depends(gate.caller)
    a_key = Depends(idempotency_key)

    @routes.post("/people", status_code=201)
    def register_person(
        request: Request, body: NewPerson, caller: Caller = a_caller, key: str | None = a_key
    ) -> dict[str, Any]:
        """Registers a person. Name and e-mail are encrypted for them."""
        made = command(request, caller, key, body.person_id)
        return _answer(governance.register(caller, body, body.person_id, made))

    @routes.post("/people/{person_id}/roles", status_code=201)
    def grant_role(
        request: Request, person_id: PersonId, body: RoleGrant, caller: Caller = a_caller, key: str | None = a_key
    ) -> dict[str, Any]:
        """Grants a role for days; `from` and `until` are both in it."""
        return _answer(governance.grant_role(caller, person_id, body, command(request, caller, key)))

    @routes.post("/people/{person_id}/roles/revocation", status_code=201)
    def revoke_role(
        request: Request, person_id: PersonId, body: RoleRevocation, caller: Caller = a_caller, key: str | None = a_key
    ) -> dict[str, Any]:
        """Ends a role; `on` is the first day no longer in it."""
        return _answer(governance.revoke_role(caller, person_id, body, command(request, caller, key)))

    @routes.post("/principals", status_code=201)
    def open_dossier(
        request: Request, body: NewPrincipal, caller: Caller = a_caller, key: str | None = a_key
    ) -> dict[str, Any]:
        """Opens the dossier of a registered person, who becomes a principal by it."""
        made = command(request, caller, key, body.person_id)
        return _answer(governance.open_dossier(caller, body.person_id, made)) | {"principal_id": body.person_id}

    @routes.post("/principals/{principal}/assessors", status_code=201)
    def assign(
        request: Request, principal: PersonId, body: NewAssignment, caller: Caller = a_caller, key: str | None = a_key
    ) -> dict[str, Any]:
        """Assigns an assessor to a principal for days; as a coach unless said otherwise."""
        made = command(request, caller, key)
        return _answer(governance.assign(caller, principal, body.person_id, body, made))

    @routes.post("/principals/{principal}/assessors/{person_id}/end", status_code=201)
    def end_assignment(
        request: Request,
        principal: PersonId,
        person_id: PersonId,
        body: AssignmentEnd,
        caller: Caller = a_caller,
        key: str | None = a_key,
    ) -> dict[str, Any]:
        """Ends an assignment; `on` is the first day no longer in it."""
        made = command(request, caller, key)
        return _answer(governance.end_assignment(caller, principal, person_id, body, made))

    return routes


def _answer(receipt: Receipt) -> dict[str, Any]:
    return {"person_id": receipt.id, "position": receipt.position}
