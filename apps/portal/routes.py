"""The addresses of the pages. Where a program and a person ask at the same address, `Accept` decides."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from contracts.achievements import parse_competency
from contracts.continuum import LEVELS
from contracts.ids import is_id
from contracts.refusals import Kind, Refusal
from foundation.web import prefers_html
from foundation.web.routes import RefusedRequest

from .pages import Pages
from .ports import Ports, Source
from .views import continuum as continuum_view
from .views.badge import badge_page
from .views.home import stairs
from .views.people import people
from .views.verdicts import Drawing, Verdicts, verdicts

MAX_FILES: Final = 50
MAX_FORM_BYTES: Final = 16 << 20
SHOWN_MOST: Final = 200
"""Results on one page; a file can hold thousands of credentials."""
EXAMPLE: Final = Drawing("6", "developing", "Developing", 3)
"""The badge on the first page: decoration."""


class PageRoute(APIRoute):
    """Answers only who prefers HTML; for anyone else the address belongs to the next router."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        if match is not Match.NONE and not prefers_html(_header(scope, b"accept")):
            return Match.NONE, {}
        return match, child

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def counted(request: Request) -> Response:
            return await handler(_FormRequest(request.scope, request.receive))

        return counted


def router(ports: Ports, pages: Pages) -> APIRouter:
    """The pages of `ports`. Include it before the services' routers: it passes on what asks for no page."""
    routes = APIRouter(include_in_schema=False)
    routes.include_router(_static(pages))
    shared = APIRouter(route_class=PageRoute)
    _home(shared, ports, pages)
    _principals(shared, ports, pages)
    _badges(routes, shared, ports, pages)
    _verify(shared, ports, pages)
    routes.include_router(shared)
    return routes


def _static(pages: Pages) -> APIRouter:
    routes = APIRouter()

    @routes.get("/static/{version}/{name}")
    def static(request: Request, version: str, name: str) -> Response:
        answer = pages.static.answer(request, name) if version == pages.static.version else None
        if answer is None:
            raise Refusal(Kind.NOT_FOUND, "There is no such file.")
        return answer

    return routes


def _home(routes: APIRouter, ports: Ports, pages: Pages) -> None:
    @routes.api_route("/", methods=["GET", "HEAD"])
    def home(request: Request, name: str = "", region: str = "", after: str = "") -> Response:
        framework = ports.framework()
        found = people(ports.people(), name=name, region=region, after=after) if ports.demonstration else None
        return pages.page(
            request,
            "home.html",
            people=found,
            competencies=len(framework.competencies),
            domains=len(framework.domains or ()),
            stairs=stairs(ports.policy()),
            example=EXAMPLE,
        )


def _principals(routes: APIRouter, ports: Ports, pages: Pages) -> None:
    def named(principal: str) -> str:
        # Until people sign in, pages about a person are for the made-up people of a demonstration only.
        if not ports.demonstration:
            raise Refusal(Kind.NOT_FOUND, "There is no page here.")
        name = ports.name_of(principal) if is_id(principal) else None
        if name is None:
            raise Refusal(Kind.UNKNOWN_PRINCIPAL, "There is no principal of that id.")
        return name

    @routes.api_route("/principals/{principal}", methods=["GET", "HEAD"])
    def principal_page(request: Request, principal: str) -> Response:
        name = named(principal)
        continuum = ports.continuum(principal)
        framework = ports.framework()
        return pages.page(
            request,
            "principal.html",
            id=principal,
            name=name,
            picture=continuum_view.picture(continuum, framework),
            overall=continuum_view.competency(continuum["overall"], framework, ()),
            badges=continuum_view.badges(ports.credentials(principal)),
            as_of=continuum_view.as_of(continuum),
            levels=LEVELS,
        )

    @routes.api_route("/principals/{principal}/competencies/{competency}", methods=["GET", "HEAD"])
    def competency_page(request: Request, principal: str, competency: str) -> Response:
        name = named(principal)
        wanted = parse_competency(competency)
        continuum = ports.continuum(principal)
        everything = [continuum["overall"], *continuum["competencies"]]
        one = next((one for one in everything if wanted is not None and one["competency"] == wanted), None)
        if one is None:
            raise Refusal(Kind.NOT_FOUND, "The framework has no competency of that number.")
        return pages.page(
            request,
            "competency.html",
            id=principal,
            name=name,
            competency=continuum_view.competency(one, ports.framework(), ports.evidence(principal)),
            neighbours=continuum_view.neighbours(one["competency"], continuum["competencies"]),
        )


def _badges(routes: APIRouter, shared: APIRouter, ports: Ports, pages: Pages) -> None:
    @routes.get("/credentials/{identifier:uuid}.json")
    def download(identifier: UUID) -> Response:
        credential_id = str(identifier)
        badge = ports.shared_badge(credential_id)
        headers = {
            "Content-Disposition": f'attachment; filename="badge-{credential_id}.json"',
            "Cache-Control": "no-store",
            "Access-Control-Allow-Origin": "*",
        }
        return Response(badge.content, media_type="application/vc", headers=headers)

    # A UUID and nothing after it: a link to the picture is followed by browsers that name text/html first.
    @shared.api_route("/credentials/{identifier:uuid}", methods=["GET", "HEAD"])
    def badge(request: Request, identifier: UUID) -> Response:
        credential_id = str(identifier)
        found = ports.shared_badge(credential_id)
        answers = ports.verify([Source(f"{credential_id}.json", found.content)], None)
        page = badge_page(credential_id, found.document, answers[0], holder=found.holder, public_url=ports.public_url)
        return pages.page(request, "badge.html", badge=page)


def _verify(routes: APIRouter, ports: Ports, pages: Pages) -> None:
    def draw(request: Request, found: Verdicts | None, *, fault: str = "", recipient: str = "") -> Response:
        return pages.page(
            request,
            "verify.html",
            verdicts=found,
            fault=fault,
            recipient=recipient,
            max_files=MAX_FILES,
            shown_most=SHOWN_MOST,
        )

    @routes.api_route("/verify", methods=["GET", "HEAD"])
    def form(request: Request) -> Response:
        return draw(request, None)

    @routes.post("/verify")
    def verify(request: Request, sent: Sent = Depends(_sent)) -> Response:
        recipient = sent.recipient
        if sent.fault:
            return draw(request, None, fault=sent.fault, recipient=recipient)
        answers = ports.verify(sent.sources, recipient or None)
        return draw(request, verdicts(answers), recipient=recipient)


@dataclass(frozen=True, slots=True)
class Sent:
    """What the form for checking sent: sources, or a sentence on what is missing."""

    sources: Sequence[Source] = ()
    recipient: str = ""
    fault: str = ""


async def _sent(request: Request) -> Sent:
    sources, recipient, text = [], "", ""
    try:
        async with request.form(max_files=MAX_FILES, max_fields=8, max_part_size=MAX_FORM_BYTES) as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    content = await value.read()
                    if value.filename or content:  # a form without a file sends an empty part without a name
                        sources.append(Source(value.filename or "file", content))
                elif name == "recipient":
                    recipient = value.strip()[:320]
                elif value.strip():
                    text = value.strip()
    except HTTPException as fault:
        if isinstance(fault, RefusedRequest):
            raise
        if "many" in str(fault.detail).lower():
            return Sent(fault=f"Check at most {MAX_FILES} files at a time.")
        return Sent(fault="What was sent could not be read as a form. Choose the file again, then press Check.")
    if text:
        sources.append(Source("Pasted text", text.encode("utf-8", "surrogatepass")))
    if not sources:
        return Sent(recipient=recipient, fault="Choose a badge file, or paste a badge, then press Check.")
    return Sent(sources, recipient)


class _FormRequest(Request):
    """Counts what comes in, and takes no more than `POST /verify` takes from programs."""

    async def stream(self) -> AsyncGenerator[bytes, None]:
        left = MAX_FORM_BYTES
        async for chunk in super().stream():
            left -= len(chunk)
            if left < 0:
                sentence = f"The files are larger than {MAX_FORM_BYTES >> 20} MB together. Check fewer at a time."
                raise RefusedRequest(Refusal(Kind.TOO_LARGE, sentence))
            yield chunk


def _header(scope: Scope, wanted: bytes) -> str | None:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), None)
