"""`/livez`, `/readyz`, `/metrics`: what an orchestrator and an operator ask (Kubernetes and Prometheus forms)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fastapi import APIRouter, Response

from contracts.refusals import Kind, Refusal
from foundation.eventlog.followers import standing_of
from foundation.postgres.faults import Unusable
from foundation.web import api_router

if TYPE_CHECKING:
    from apps.composition import System


def router(system: System, parts: Sequence[str]) -> APIRouter:
    routes = api_router(tags=["health"])
    services = [part for part in parts if part != "portal"] or ["governance"]

    @routes.get("/livez")
    def livez() -> dict[str, str]:
        """Answers while the process does."""
        return {"status": "ok"}

    @routes.get("/readyz")
    def readyz() -> dict[str, str]:
        """Whether each service of this process reaches the log on its own login; 503 where one does not."""
        for service in services:
            try:
                system.log(service).head()
            except Unusable as fault:
                raise Refusal(Kind.UNAVAILABLE, f"{service}: {fault}") from None
        return {"status": "ok"}

    @routes.get("/metrics")
    def metrics() -> Response:
        """The log's head, and of each follower its position, lag and heartbeat, who is parked and if it fails."""
        return Response("\n".join(_metrics(system, parts)) + "\n", media_type="text/plain; version=0.0.4")

    return routes


def _metrics(system: System, parts: Sequence[str]) -> Iterator[str]:
    followers = system.followers(parts)
    yield "# TYPE mlds_follower_position gauge"
    yield "# TYPE mlds_follower_lag_events gauge"
    yield "# TYPE mlds_follower_heartbeat_timestamp_seconds gauge"
    yield "# TYPE mlds_follower_parked_principals gauge"
    yield "# TYPE mlds_follower_failing gauge"
    for follower, log in followers:
        state = standing_of(follower, log)
        label = f'{{follower="{follower.name}"}}'
        yield f"mlds_follower_position{label} {state.position}"
        yield f"mlds_follower_lag_events{label} {state.lag}"
        if state.heartbeat_at is not None:
            yield f"mlds_follower_heartbeat_timestamp_seconds{label} {state.heartbeat_at.timestamp():.3f}"
        yield f"mlds_follower_parked_principals{label} {state.parked}"
        # The reason stands in the process's log: a label that changes would make a new series of each.
        yield f"mlds_follower_failing{label} {int(state.failing is not None)}"
