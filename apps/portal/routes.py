"""The addresses of the pages. Where a program and a person ask at the same address, `Accept` decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from contracts.achievements import parse_competency
from contracts.continuum import LEVELS
from contracts.ids import UUID_PATTERN, is_id
from contracts.refusals import Kind, Refusal
from foundation.web import prefers_html
from foundation.web.routes import StrictRequest

from .pages import Pages
from .ports import Ports, SharedBadge, Source
from .views import continuum as continuum_view
from .views.badge import badge_page
from .views.home import stairs
from .views.people import people
from .views.verdicts import Drawing, Verdicts, verdicts

NOT_SHARED: Final = "There is no badge here, or its holder does not share it."
MAX_FILES: Final = 50
MAX_FILE_BYTES: Final = 16 << 20
SHOWN_MOST: Final = 200
"""Results on one page; a file can hold thousands of credentials."""
MAX_TEXT: Final = 1_000_000
EXAMPLE: Final = Drawing("6", "developing", "Developing", 3)
"""The badge on the first page: decoration."""
_UUID: Final = re.compile(UUID_PATTERN)


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
            return await handler(StrictRequest(request.scope, request.receive))

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
    def shared_badge(credential_id: str) -> SharedBadge:
        if not _UUID.fullmatch(credential_id):
            raise Refusal(Kind.UNKNOWN_CREDENTIAL, NOT_SHARED)
        return ports.shared_badge(credential_id)

    @routes.get("/credentials/{credential_id}.json")
    def download(credential_id: str) -> Response:
        badge = shared_badge(credential_id)
        headers = {
            "Content-Disposition": f'attachment; filename="badge-{credential_id}.json"',
            "Cache-Control": "no-store",
            "Access-Control-Allow-Origin": "*",
        }
        return Response(badge.content, media_type="application/vc", headers=headers)

    @shared.api_route("/credentials/{credential_id}", methods=["GET", "HEAD"])
    def badge(request: Request, credential_id: str) -> Response:
        found = shared_badge(credential_id)
        answers = ports.verify([Source(f"{credential_id}.json", found.content)], None)
        page = badge_page(credential_id, found.document, answers[0], holder=found.holder, public_url=ports.public_url)
        return pages.page(request, "badge.html", badge=page)


def _verify(routes: APIRouter, ports: Ports, pages: Pages) -> None:
    def draw(
        request: Request, found: Verdicts | None, *, fault: str = "", text: str = "", recipient: str = ""
    ) -> Response:
        return pages.page(
            request,
            "verify.html",
            verdicts=found,
            fault=fault,
            text=text,
            recipient=recipient,
            max_files=MAX_FILES,
            shown_most=SHOWN_MOST,
        )

    @routes.api_route("/verify", methods=["GET", "HEAD"])
    def form(request: Request) -> Response:
        return draw(request, None)

    @routes.post("/verify")
    def verify(
        request: Request,
        file: list[UploadFile] = File(default=[]),
        text: str = Form("", max_length=MAX_TEXT),
        recipient: str = Form("", max_length=320),
    ) -> Response:
        sources = []
        for upload in file:
            content = upload.file.read(MAX_FILE_BYTES + 1)
            if upload.filename or content:  # a form without a file sends an empty part without a name
                sources.append(Source(upload.filename or "file", content))
        if text.strip():
            sources.append(Source("Pasted text", text.strip().encode()))
        if not sources:
            return draw(request, None, fault="Choose a badge file, or paste a badge, then press Check.", text=text)
        if len(sources) > MAX_FILES:
            return draw(request, None, fault=f"Check at most {MAX_FILES} files at a time.", recipient=recipient)
        answers = ports.verify(sources, recipient.strip() or None)
        return draw(request, verdicts(answers), recipient=recipient)


def _header(scope: Scope, wanted: bytes) -> str | None:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), None)
