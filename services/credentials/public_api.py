"""HTTP at the root, open to any origin: shared badges, achievements, status lists, keys, verifying."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from contracts.policy import PolicyRef
from contracts.refusals import Kind, Refusal
from foundation.web import api_router
from foundation.web.routes import check_query

from .application import Credentials
from .badge import credential_bytes
from .public import PublicDocuments
from .published_lists import TTL, PublishedLists
from .serving import CREDENTIAL_TYPES, DOCUMENT_TYPES, OPEN, best_type, document
from .verdicts import Source, Verdict

Verify = Callable[[Sequence[Source], str | None], Sequence[Verdict]]
"""Sources and the holder's e-mail address, if one is asked for."""

MAX_BODY: Final = 16 << 20
MAX_FILES: Final = 200
_DAY: Final = 86_400


def router(credentials: Credentials, public: PublicDocuments, lists: PublishedLists, verify: Verify) -> APIRouter:
    routes = api_router(tags=["public"])
    _credentials(routes, credentials, public)
    _documents(routes, public, lists)
    routes.include_router(_verifying(verify))
    return routes


def _credentials(routes: APIRouter, credentials: Credentials, public: PublicDocuments) -> None:
    @routes.get("/credentials/{credential_id}.png")
    def picture(request: Request, credential_id: str) -> Response:
        """The picture of a shared badge, with the credential in it."""
        shown = credentials.shared(credential_id)
        png = public.baked(shown.document, credentials.level_of(credential_id))
        return document(request, png, "image/png", max_age_s=0)

    @routes.get("/credentials/{credential_id}")
    def credential(request: Request, credential_id: str) -> Response:
        """A shared badge: 404 before its holder shares it, 410 after erasure."""
        shown = credentials.shared(credential_id)
        media_type = best_type(request.headers.get("accept"), CREDENTIAL_TYPES)
        return document(request, credential_bytes(shown.document), media_type, max_age_s=0, vary=True)


def _documents(routes: APIRouter, public: PublicDocuments, lists: PublishedLists) -> None:
    @routes.get("/achievements/{framework}")
    def framework(request: Request, framework: str) -> Response:
        return document(request, public.framework(framework), "application/json", max_age_s=_DAY)

    @routes.get("/achievements/{framework}/{competency}")
    def competency(request: Request, framework: str, competency: str) -> Response:
        return document(request, public.competency(framework, competency), "application/json", max_age_s=_DAY)

    @routes.get("/achievements/{framework}/{competency}/{level}.png")
    def achievement_picture(request: Request, framework: str, competency: str, level: str) -> Response:
        png = public.achievement_picture(framework, competency, level)
        return document(request, png, "image/png", max_age_s=_DAY)

    @routes.get("/achievements/{framework}/{competency}/{level}")
    def achievement(
        request: Request,
        framework: str,
        competency: str,
        level: str,
        policy: str | None = Query(None, max_length=64, description="id of the policy that a badge names"),
        version: str | None = Query(None, max_length=200, description="version of that policy"),
    ) -> Response:
        """What a badge is awarded for, under the policy in force or the one asked for."""
        if (policy is None) != (version is None):
            raise Refusal(Kind.INVALID_PARAMETER, "policy and version are given together.")
        try:
            ref = None if policy is None or version is None else PolicyRef(id=policy, version=version)
        except ValueError:
            raise Refusal(Kind.NOT_FOUND, "There is no such policy.") from None
        found = public.achievement(framework, competency, level, ref)
        media_type = best_type(request.headers.get("accept"), DOCUMENT_TYPES)
        return document(request, found, media_type, max_age_s=3600, vary=True)

    @routes.get("/status/{name}")
    def status_list(
        request: Request, name: str, timestamp: str | None = Query(None, description="a past list")
    ) -> Response:
        """A Bitstring Status List credential, signed, as it stands now."""
        if timestamp is not None:
            raise Refusal(Kind.NOT_SUPPORTED_YET, "Past status lists are not served yet; leave out timestamp.")
        media_type = best_type(request.headers.get("accept"), CREDENTIAL_TYPES)
        age = int(TTL.total_seconds())
        return document(request, lists.current(name).body, media_type, max_age_s=age, vary=True)

    @routes.get("/keys/{name}")
    def key(request: Request, name: str) -> Response:
        """A key of the issuer, as one JSON Web Key."""
        return document(request, public.key(name), "application/jwk+json", max_age_s=_DAY)

    @routes.get("/.well-known/did.json")
    def did_document(request: Request) -> Response:
        return document(request, public.did_document(), "application/did+json", max_age_s=300)


def _verifying(verify: Verify) -> APIRouter:
    # Not strict: what is sent is a stranger's, and a fault in it is a verdict and no refusal.
    routes = APIRouter(tags=["verify"])

    @routes.post("/verify")
    def post(
        request: Request,
        sources: list[Source] = Depends(_sources),
        recipient: str | None = Query(None, max_length=320),
    ) -> JSONResponse:
        """One verdict for each credential sent: a credential, an array of them, or files (multipart)."""
        # A parameter that is passed over would be taken for one that was heeded.
        check_query(request, ("recipient",))
        verdicts = verify(sources, recipient)
        headers = {**OPEN, "Cache-Control": "no-store"}
        return JSONResponse([verdict.as_json() for verdict in verdicts], headers=headers)

    @routes.options("/verify")
    def preflight() -> Response:
        headers = {
            **OPEN,
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": "Content-Type",
            "Access-Control-Max-Age": str(_DAY),
        }
        return Response(status_code=204, headers=headers)

    return routes


async def _sources(request: Request) -> list[Source]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise Refusal(Kind.TOO_LARGE, f"The body is larger than {MAX_BODY} bytes.")
    kind = request.headers.get("content-type", "").lower()
    if not kind.startswith("multipart/"):
        return [Source("", bytes(body))]
    return await _files(Request(request.scope, _replay(bytes(body))))


async def _files(request: Request) -> list[Source]:
    try:
        async with request.form(max_files=MAX_FILES, max_fields=MAX_FILES, max_part_size=MAX_BODY) as form:
            sources = [
                Source(value.filename or name, await value.read())
                if isinstance(value, UploadFile)
                else Source(name, value.encode())
                for name, value in form.multi_items()
            ]
    except HTTPException as fault:
        if "many" in str(fault.detail).lower():
            raise Refusal(Kind.TOO_LARGE, f"At most {MAX_FILES} parts are verified at once.") from None
        raise Refusal(Kind.INVALID_BODY, f"The parts cannot be read: {fault.detail}") from None
    if not sources:
        raise Refusal(Kind.INVALID_BODY, "Send at least one file.")
    return sources


def _replay(body: bytes) -> Callable[[], Any]:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
