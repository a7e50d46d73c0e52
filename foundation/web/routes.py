"""Routes that read strictly: JSON by `contracts.strict_json`, and no query parameter that is not known.

Who calls is looked at before anything of the body is read, and how much is read depends on the route.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Coroutine, Iterator
from typing import Any, Final

from fastapi import APIRouter, HTTPException, Request, Response, params
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope

from contracts.refusals import Fault, Kind, Refusal
from contracts.statement import fault_of
from contracts.strict_json import JsonFault, parse
from foundation.web.requests import Gate

MAX_BODY_BYTES: Final = 1 << 20
MAX_UPLOAD_BYTES: Final = 101 << 20
"""A file of 100 MB, and what stands around it."""


class RefusedRequest(HTTPException):
    """Carries a refusal through FastAPI's reading of the body, which lets only HTTPException through."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(400)
        self.refusal = refusal


class StrictRequest(Request):
    """Counts what comes in: at most `MAX_BODY_BYTES`, and `MAX_UPLOAD_BYTES` where a route that takes files gets
    them. Only files go to the disk on their way in; everything else is held in memory."""

    def __init__(self, scope: Scope, receive: Receive, *, takes_files: bool) -> None:
        super().__init__(scope, receive)
        self._takes_files = takes_files

    async def stream(self) -> AsyncGenerator[bytes, None]:
        upload = self._takes_files and self.headers.get("content-type", "").lower().startswith("multipart/")
        left = limit = MAX_UPLOAD_BYTES if upload else MAX_BODY_BYTES
        async for chunk in super().stream():
            left -= len(chunk)
            if left < 0:
                raise RefusedRequest(Refusal(Kind.TOO_LARGE, f"The body is larger than {limit} bytes."))
            yield chunk

    async def json(self) -> Any:
        try:
            return parse(await self.body(), max_bytes=MAX_BODY_BYTES)
        except JsonFault as fault:
            raise RefusedRequest(
                Refusal(
                    Kind.INVALID_JSON,
                    f"The body cannot be read for certain: {fault.detail}.",
                    [Fault(fault.pointer, fault.detail)],
                )
            ) from None


class StrictRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()
        known = _query_names(self.dependant)
        gates = list(_gates(self.dependant))
        takes_files = self.body_field is not None and isinstance(self.body_field.field_info, params.Form)

        async def strict(request: Request) -> Response:
            # FastAPI reads the body before it asks any dependency. Nobody unknown makes us receive one.
            for gate in gates:
                gate.caller(request.headers.get("authorization"), request.headers.get("on-behalf-of"))
            check_query(request, known)
            return await handler(StrictRequest(request.scope, request.receive, takes_files=takes_files))

        return strict


def check_query(request: Request, known: Collection[str]) -> None:
    """Raises Refusal for a query parameter that is not known, or stands twice."""
    for name in request.query_params:
        if name not in known:
            raise Refusal(
                Kind.INVALID_PARAMETER,
                f"No parameter {name!r} is known here"
                + (f"; there are: {', '.join(sorted(known))}." if known else "."),
                [Fault(f"/query/{name}", "no such parameter is known here")],
            )
        if len(request.query_params.getlist(name)) > 1:
            raise Refusal(Kind.INVALID_PARAMETER, f"The parameter {name!r} stands twice.")


def _query_names(dependant: Dependant) -> set[str]:
    names = {field.alias for field in dependant.query_params}
    return names.union(*(_query_names(inner) for inner in dependant.dependencies))


def _gates(dependant: Dependant) -> Iterator[Gate]:
    """The gate whose `caller` a route depends on, at any depth."""
    for inner in dependant.dependencies:
        gate = getattr(inner.call, "__self__", None)
        if isinstance(gate, Gate) and inner.call == gate.caller:
            yield gate
        yield from _gates(inner)


def api_router(**options: Any) -> APIRouter:
    """A router whose routes read strictly. Every `api.py` starts from one."""
    return APIRouter(route_class=StrictRoute, **options)


def validation_refusal(error: RequestValidationError) -> Refusal:
    """What FastAPI found wrong with a request, as a refusal with the place of each fault."""
    faults = []
    kind = Kind.INVALID_PARAMETER
    for item in error.errors():
        where, *path = item["loc"]
        if where == "body":
            kind = Kind.INVALID_BODY
            faults.append(fault_of({**item, "loc": tuple(path)}))
        else:
            faults.append(fault_of({**item, "loc": (where, *path)}))
    first = faults[0]
    place = f"{first.pointer}: " if first.pointer else ""
    more = f" ({len(faults) - 1} more below)" if len(faults) > 1 else ""
    return Refusal(kind, f"{place}{first.detail}{more}.", faults)
