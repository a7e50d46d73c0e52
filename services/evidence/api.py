"""HTTP of evidence: recording it, its next steps, and reading what is held on a principal."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Path, Request, Response, UploadFile
from pydantic import ValidationError

from contracts.events import evidence as events
from contracts.ids import ID_PATTERN, Id
from contracts.refusals import Fault, Kind, Refusal
from contracts.statement import faults_of
from contracts.strict_json import JsonFault, parse
from foundation.access.permissions import Caller
from foundation.web import Gate, Page, api_router, command, idempotency_key, min_position_of
from services.evidence.application import Evidence, Receipt

MAX_METADATA = 1 << 18

PrincipalId = Annotated[str, Path(pattern=ID_PATTERN)]
EvidenceId = Annotated[str, Path(pattern=ID_PATTERN)]


class NewObservation(events.Observation):
    evidence_id: Id | None = None


class NewCycle(events.FeedbackCycle):
    evidence_id: Id | None = None


class NewMentoring(events.Mentoring):
    evidence_id: Id | None = None


class NewArtifact(events.ArtifactMetadata):
    evidence_id: Id | None = None


def metadata_of(part: Any) -> NewArtifact:
    """The part `metadata` of an artifact, sent as a field or as a file of JSON. Raises Refusal."""
    try:
        return NewArtifact.model_validate(
            parse(part if isinstance(part, str) else part.file.read(MAX_METADATA + 1), max_bytes=MAX_METADATA)
        )
    except JsonFault as fault:
        place = Fault(f"/metadata{fault.pointer}", fault.detail)
        raise Refusal(Kind.INVALID_JSON, f"The part metadata cannot be read: {fault.detail}.", [place]) from None
    except ValidationError as error:
        faults = faults_of(error, "/metadata")
        detail = f"{faults[0].pointer}: {faults[0].detail}."
        raise Refusal(Kind.INVALID_BODY, detail, faults) from None


def router(evidence: Evidence, gate: Gate) -> APIRouter:
    records, imports = evidence.records, evidence.imports
    routes = api_router(prefix="/api/v1", tags=["evidence"])
    a_caller = Depends(gate.caller)
    a_key = Depends(idempotency_key)

    @routes.post("/principals/{principal}/observations", status_code=201)
    def record_observation(
        request: Request,
        principal: PrincipalId,
        body: NewObservation,
        distinct: bool = False,
        caller: Caller = a_caller,
        key: str | None = a_key,
    ) -> dict[str, Any]:
        """Records what an assessor saw. `distinct=true` says that a near double is another visit."""
        made = command(request, caller, key, body.evidence_id)
        return _answer(
            evidence.begin(
                caller, principal, events.ObservationRecorded, body, body.evidence_id, made, distinct=distinct
            )
        )

    @routes.post("/principals/{principal}/feedback-cycles", status_code=201)
    def open_cycle(
        request: Request, principal: PrincipalId, body: NewCycle, caller: Caller = a_caller, key: str | None = a_key
    ) -> dict[str, Any]:
        """Opens a feedback cycle."""
        made = command(request, caller, key, body.evidence_id)
        return _answer(evidence.begin(caller, principal, events.FeedbackCycleOpened, body, body.evidence_id, made))

    @routes.post("/principals/{principal}/artifacts", status_code=201)
    def submit_artifact(
        request: Request,
        principal: PrincipalId,
        metadata: Annotated[Any, Form(description="JSON: occurred_on, claims, evidence_id?, supersedes?")],
        file: Annotated[UploadFile, File(description="PDF, PNG, JPEG or plain text, at most 100 MB")],
        caller: Caller = a_caller,
        key: str | None = a_key,
    ) -> dict[str, Any]:
        """Submits an artifact, by the principal or an assessor. It is stored encrypted."""
        body = metadata_of(metadata)
        made = command(request, caller, key, body.evidence_id)
        return _answer(
            evidence.submit_artifact(
                caller, principal, body, file.file, file.filename, file.content_type, body.evidence_id, made
            )
        )

    @routes.post("/principals/{principal}/mentoring", status_code=201)
    def record_mentoring(
        request: Request, principal: PrincipalId, body: NewMentoring, caller: Caller = a_caller, key: str | None = a_key
    ) -> dict[str, Any]:
        """Records that this principal coached another; never what passed between them."""
        made = command(request, caller, key, body.evidence_id)
        return _answer(evidence.begin(caller, principal, events.MentoringRecorded, body, body.evidence_id, made))

    @routes.post("/feedback-cycles/{evidence_id}/feedback", status_code=201)
    def give_feedback(
        request: Request,
        evidence_id: EvidenceId,
        body: events.Feedback,
        caller: Caller = a_caller,
        key: str | None = a_key,
    ) -> dict[str, Any]:
        """An assessor's feedback in an open cycle."""
        made = command(request, caller, key)
        return _answer(evidence.go_on(caller, evidence_id, events.FeedbackGiven, body, made))

    @routes.post("/feedback-cycles/{evidence_id}/response", status_code=201)
    def respond(
        request: Request,
        evidence_id: EvidenceId,
        body: events.Response,
        caller: Caller = a_caller,
        key: str | None = a_key,
    ) -> dict[str, Any]:
        """The principal's response in an open cycle."""
        made = command(request, caller, key)
        return _answer(evidence.go_on(caller, evidence_id, events.ResponseRecorded, body, made))

    @routes.post("/feedback-cycles/{evidence_id}/close", status_code=201)
    def close_cycle(
        request: Request,
        evidence_id: EvidenceId,
        body: events.CycleClosing,
        caller: Caller = a_caller,
        key: str | None = a_key,
    ) -> dict[str, Any]:
        """Closes a cycle with an assessor's judgments; it needs one feedback and one response."""
        made = command(request, caller, key)
        return _answer(evidence.go_on(caller, evidence_id, events.FeedbackCycleClosed, body, made))

    @routes.post("/artifacts/{evidence_id}/reviews", status_code=201)
    def review_artifact(
        request: Request,
        evidence_id: EvidenceId,
        body: events.Review,
        caller: Caller = a_caller,
        key: str | None = a_key,
    ) -> dict[str, Any]:
        """An assessor's review; each reviewer's last one stands."""
        made = command(request, caller, key)
        return _answer(evidence.go_on(caller, evidence_id, events.ArtifactReviewed, body, made))

    @routes.post("/evidence/{evidence_id}/retraction", status_code=201)
    def retract(
        request: Request,
        evidence_id: EvidenceId,
        body: events.Reason,
        caller: Caller = a_caller,
        key: str | None = a_key,
    ) -> dict[str, Any]:
        """Takes an item back, with the reason; it stays to be seen. Who began it, a director or a registrar."""
        made = command(request, caller, key)
        return _answer(evidence.go_on(caller, evidence_id, events.EvidenceRetracted, body, made))

    @routes.post("/evidence/{evidence_id}/dispute", status_code=201)
    def dispute(
        request: Request,
        evidence_id: EvidenceId,
        body: events.Reason,
        caller: Caller = a_caller,
        key: str | None = a_key,
    ) -> dict[str, Any]:
        """The principal disputes an item, with the reason."""
        made = command(request, caller, key)
        return _answer(evidence.go_on(caller, evidence_id, events.EvidenceDisputed, body, made))

    @routes.post("/evidence/{evidence_id}/dispute/resolution", status_code=201)
    def resolve(
        request: Request,
        evidence_id: EvidenceId,
        body: events.Resolution,
        caller: Caller = a_caller,
        key: str | None = a_key,
    ) -> dict[str, Any]:
        """A director who did not judge the item resolves the dispute; `upheld` retracts the item."""
        made = command(request, caller, key)
        return _answer(evidence.go_on(caller, evidence_id, events.DisputeResolved, body, made))

    @routes.post("/imports", status_code=201, responses={200: {"description": "a dry run: nothing was stored"}})
    def import_file(
        response: Response,
        file: Annotated[UploadFile, File(description="CSV or JSON Lines")],
        dry_run: bool = False,
        exclusive: bool = False,
        caller: Caller = a_caller,
        key: str | None = a_key,
    ) -> dict[str, Any]:
        """Imports evidence, all or nothing; every fault by row and column. The same file again adds nothing, so
        no key is needed."""
        done = imports.run(caller, file.file, dry_run=dry_run, exclusive=exclusive)
        if dry_run:
            response.status_code = 200
        return done.to_data()

    known = Depends(min_position_of(lambda: records))

    @routes.get("/principals/{principal}/evidence", dependencies=[known])
    def list_evidence(principal: PrincipalId, page: Page = Depends(), caller: Caller = a_caller) -> dict[str, Any]:
        """The evidence held on a principal, oldest first, each item with its events."""
        shown = records.evidence(caller, principal, page.after_position(), page.limit + 1)
        return page.answer(shown, lambda one: one.position, lambda one: one.to_data())

    @routes.get("/principals/{principal}/history", dependencies=[known])
    def list_history(principal: PrincipalId, page: Page = Depends(), caller: Caller = a_caller) -> dict[str, Any]:
        """Every event that concerns a principal, as history lines, oldest first."""
        lines = records.history(caller, principal, page.after_position(), page.limit + 1)
        return page.answer(lines, lambda line: line.position, lambda line: line._asdict())

    return routes


def _answer(receipt: Receipt) -> dict[str, Any]:
    return {"evidence_id": receipt.evidence_id, "position": receipt.position}
