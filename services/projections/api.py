"""HTTP of the projections: the continuum of a principal, and one competency of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from contracts.continuum import OVERALL, CompetencyOrOverall
from contracts.ids import ID_PATTERN
from contracts.refusals import Fault, Kind, Refusal
from foundation.access.permissions import Caller
from foundation.web import Gate, api_router, min_position_of
from services.projections.application import Projections

PrincipalId = Annotated[str, Path(pattern=ID_PATTERN)]
Competency = Annotated[str, Path(pattern=r"^(overall|[1-9][0-9]{0,8})$", description="a number, or overall")]


def only_now(
    as_of: Annotated[str | None, Query(description="not supported yet")] = None,
    known_at: Annotated[str | None, Query(description="not supported yet")] = None,
) -> None:
    """FastAPI dependency. Raises Refusal NOT_SUPPORTED_YET where another time is asked for."""
    for name, value in (("as_of", as_of), ("known_at", known_at)):
        if value is not None:
            raise Refusal(
                Kind.NOT_SUPPORTED_YET,
                f"{name} is not supported yet: without it the answer is as of now.",
                [Fault(f"/query/{name}", "not supported yet")],
            )


def router(projections: Projections, gate: Gate) -> APIRouter:
    routes = api_router(prefix="/api/v1", tags=["continuum"])
    a_caller = Depends(gate.caller)
    waited = [Depends(only_now), Depends(min_position_of(lambda: projections))]

    @routes.get("/principals/{principal}/continuum", dependencies=waited)
    def read_continuum(principal: PrincipalId, caller: Caller = a_caller) -> dict[str, Any]:
        """Where a principal stands on every competency, why, and what is missing next."""
        return projections.continuum(caller, principal)

    @routes.get("/principals/{principal}/continuum/{competency}", dependencies=waited)
    def read_competency(principal: PrincipalId, competency: Competency, caller: Caller = a_caller) -> dict[str, Any]:
        """One competency, or the overall level: clause by clause why, and what is missing next."""
        wanted: CompetencyOrOverall = OVERALL if competency == OVERALL else int(competency)
        return projections.competency(caller, principal, wanted)

    return routes
