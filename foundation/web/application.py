"""The web application around the services' routers: problems for every error, headers, host names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.refusals import Kind, Refusal
from foundation.web.negotiation import prefers_html
from foundation.web.problems import bare_problem, problem
from foundation.web.routes import RefusedRequest, validation_refusal

ErrorPage = Callable[[Request, int, str, str | None], Response]
"""Draws an error for people: request, status, title, detail where there is one."""

LOOPBACK_NAMES: Final = ("127.0.0.1", "localhost", "::1")

_log = structlog.get_logger(__name__)
_TITLES: Final = {404: "Not found", 405: "Method not allowed"}


def create_app(
    routers: Iterable[APIRouter],
    *,
    hosts: Sequence[str],
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None,
    error_page: ErrorPage | None = None,
) -> FastAPI:
    """The application. `hosts` are the names under which it answers; loopback names are always among them.

    `error_page` draws errors where a browser asks outside `/api/`; programs get problem details everywhere.
    """
    app = FastAPI(
        title="MLDS evidence and credentials",
        version="1",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
    )
    for router in routers:
        app.include_router(router)
    faces = _Faces(error_page)
    for kind, answer in (
        (Refusal, _refusal),
        (RequestValidationError, _validation),
        (StarletteHTTPException, _http),
        (Exception, _unknown),
    ):
        app.add_exception_handler(kind, faces.of(answer))
    app.add_middleware(_Guard, hosts=frozenset({*LOOPBACK_NAMES, *hosts}), faces=faces)
    return app


def _operation_id(route: APIRoute) -> str:
    # FastAPI's own takes any one of the methods, and so another at each start.
    return re.sub(r"\W+", "_", f"{route.name}{route.path_format}_{min(route.methods or ())}").strip("_").lower()


class _Faces:
    """The two faces of an error: problem details, and a page where a browser asks for one."""

    def __init__(self, error_page: ErrorPage | None) -> None:
        self._error_page = error_page

    def of(self, answer: Callable[[Request, Exception], JSONResponse]) -> Callable[[Request, Exception], Response]:
        return lambda request, error: self.face(request, answer(request, error))

    def face(self, request: Request, answer: JSONResponse) -> Response:
        if (
            self._error_page is None
            or request.url.path.startswith("/api/")
            or not prefers_html(request.headers.get("accept"))
        ):
            return answer
        said = json.loads(bytes(answer.body))
        page = self._error_page(request, answer.status_code, said["title"], said.get("detail"))
        for name in ("retry-after", "www-authenticate", "allow"):
            if name in answer.headers:
                page.headers[name] = answer.headers[name]
        return page


def _refusal(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)
    return problem(error)


def _validation(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return problem(validation_refusal(error))


def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StarletteHTTPException)
    if isinstance(error, RefusedRequest):
        return problem(error.refusal)
    title = _TITLES.get(error.status_code, "Not possible")
    if error.status_code == 400:
        return problem(Refusal(Kind.INVALID_JSON, f"The body cannot be read: {error.detail}."))
    return bare_problem(error.status_code, title, dict(error.headers or {}))


def _unknown(request: Request, error: Exception) -> JSONResponse:
    # What we did not foresee leaks nothing to the caller, and everything to whoever runs this.
    _log.error("unforeseen", path=request.url.path, method=request.method, exc_info=error)
    return bare_problem(500, "Something went wrong here")


class _Guard:
    """Refuses foreign host names (DNS rebinding), and sets the headers that every answer has."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str], faces: _Faces) -> None:
        self._app = app
        self._hosts = hosts
        self._faces = faces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        if _host(request) not in self._hosts and scope["path"] not in ("/livez", "/readyz"):
            refusal = Refusal(Kind.WRONG_HOST, "This server does not answer under that host name.")
            await self._faces.face(request, problem(refusal))(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "no-referrer")
                if scope["path"].startswith("/api/"):
                    headers.setdefault("Cache-Control", "no-store")
            elif bodiless:
                message = {**message, "body": b""}
            await send(message)

        # HEAD is GET without the content (RFC 9110 section 9.3.2), at every address.
        bodiless = scope["method"] == "HEAD"
        await self._app({**scope, "method": "GET"} if bodiless else scope, receive, with_headers)


def _host(request: Request) -> str:
    host = request.headers.get("host", "")
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()
