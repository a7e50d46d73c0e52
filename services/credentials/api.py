"""HTTP of credentials for who may read the record, and the decisions about them. Public addresses: `public_api`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import Field

from contracts.ids import ID_PATTERN, Text
from contracts.statement import Statement
from foundation.access.permissions import Caller
from foundation.web import Gate, Page, api_router, command, idempotency_key, min_position_of

from .application import Credentials, Receipt
from .badge import credential_bytes
from .followers import Progress
from .public import PublicDocuments
from .serving import CREDENTIAL_TYPES, best_type

PrincipalId = Annotated[str, Path(pattern=ID_PATTERN)]


class NewShare(Statement):
    days: Annotated[int, Field(ge=1)] | None = None
    """Without it the share stands until its holder ends it."""
    show_name: bool = False


class Why(Statement):
    reason: Text


class Proposal(Statement):
    reason: Text
    """`withdrawn`, `error` or `misconduct`."""
    note: Text | None = None


def router(credentials: Credentials, public: PublicDocuments, progress: Progress, gate: Gate) -> APIRouter:
    routes = api_router(prefix="/api/v1", tags=["credentials"])
    a_caller = Depends(gate.caller)
    a_key = Depends(idempotency_key)
    min_position = Depends(min_position_of(lambda: progress))

    @routes.get("/principals/{principal}/credentials", dependencies=[min_position])
    def list_credentials(principal: PrincipalId, page: Page = Depends(), caller: Caller = a_caller) -> dict[str, Any]:
        """The principal's credentials, oldest attainment first."""
        found = credentials.credentials_of(caller, principal, after=page.after_position(), limit=page.limit)
        return page.answer(found, lambda one: one["attainment"], lambda one: one)

    @routes.get("/credentials/{credential_id}.png", dependencies=[min_position])
    def picture(credential_id: str, caller: Caller = a_caller) -> Response:
        """The badge's picture with the credential in it."""
        shown = credentials.credential(caller, credential_id)
        png = public.baked(shown.document, credentials.level_of(credential_id))
        return Response(png, media_type="image/png")

    @routes.get("/credentials/{credential_id}", dependencies=[min_position])
    def credential(request: Request, credential_id: str, caller: Caller = a_caller) -> Response:
        """The signed credential, by `Accept` as application/vc and others."""
        shown = credentials.credential(caller, credential_id)
        media_type = best_type(request.headers.get("accept"), CREDENTIAL_TYPES)
        return Response(credential_bytes(shown.document), media_type=media_type, headers={"Vary": "Accept"})

    @routes.post("/credentials/{credential_id}/shares", status_code=201)
    def share(
        request: Request, credential_id: str, body: NewShare, caller: Caller = a_caller, key: str | None = a_key
    ) -> dict[str, Any]:
        """Shows the badge at its public address, until the days are over or its holder ends it."""
        made = command(request, caller, key)
        receipt = credentials.share(caller, credential_id, body.days, body.show_name, made)
        return {"share_id": receipt.id, "credential_id": credential_id, "position": receipt.position}

    @routes.delete("/shares/{share_id}")
    def end_share(
        request: Request, share_id: str, caller: Caller = a_caller, key: str | None = a_key
    ) -> dict[str, Any]:
        """Ends a share."""
        receipt = credentials.end_share(caller, share_id, command(request, caller, key))
        return {"share_id": receipt.id, "position": receipt.position}

    @routes.post("/credentials/{credential_id}/suspension", status_code=201)
    def suspend(
        request: Request, credential_id: str, body: Why, caller: Caller = a_caller, key: str | None = a_key
    ) -> dict[str, Any]:
        """For a pending inquiry."""
        made = command(request, caller, key)
        return _answer(credentials.suspend(caller, credential_id, body.reason, made))

    @routes.post("/credentials/{credential_id}/reinstatement", status_code=201)
    def reinstate(
        request: Request, credential_id: str, body: Why, caller: Caller = a_caller, key: str | None = a_key
    ) -> dict[str, Any]:
        made = command(request, caller, key)
        return _answer(credentials.reinstate(caller, credential_id, body.reason, made))

    @routes.post("/credentials/{credential_id}/revocation", status_code=202)
    def propose_revocation(
        request: Request, credential_id: str, body: Proposal, caller: Caller = a_caller, key: str | None = a_key
    ) -> dict[str, Any]:
        """Proposes it; a second person approves within 14 days."""
        made = command(request, caller, key)
        return _answer(credentials.propose_revocation(caller, credential_id, body.reason, body.note, made))

    @routes.post("/credentials/{credential_id}/revocation/approval", status_code=201)
    def approve_revocation(
        request: Request, credential_id: str, caller: Caller = a_caller, key: str | None = a_key
    ) -> dict[str, Any]:
        made = command(request, caller, key)
        return _answer(credentials.approve_revocation(caller, credential_id, made))

    @routes.post("/credentials/{credential_id}/reissue", status_code=201)
    def reissue(
        request: Request, credential_id: str, caller: Caller = a_caller, key: str | None = a_key
    ) -> dict[str, Any]:
        """The same credential with today's e-mail address and key; the one before is revoked as replaced."""
        return _answer(credentials.reissue(caller, credential_id, command(request, caller, key)))

    return routes


def _answer(receipt: Receipt) -> dict[str, Any]:
    return {"credential_id": receipt.id, "position": receipt.position}
