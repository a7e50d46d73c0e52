"""What every request carries: who acts, the idempotency key, the position to wait for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Protocol

from fastapi import Header, Query, Request

from contracts.ids import is_id
from contracts.refusals import Kind, Refusal
from foundation.access.permissions import OPERATOR, Caller
from foundation.access.tokens import Tokens
from foundation.eventlog import Command

MIN_POSITION_WAIT_S: Final = 10.0
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Gate:
    """Tells who calls. One for each application: it knows the operator's tokens.

    >>> @router.get("/principals/{principal}/history")  # doctest: +SKIP
    ... def history(principal: str, caller: Caller = Depends(gate.caller)): ...
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def caller(
        self,
        authorization: str | None = Header(None, description="Bearer and the operator's token"),
        on_behalf_of: str | None = Header(None, description="person:ID, the person who acts"),
    ) -> Caller:
        """FastAPI dependency. Raises Refusal UNAUTHENTICATED or INVALID_PARAMETER."""
        if not self._tokens.accept(authorization):
            raise Refusal(
                Kind.UNAUTHENTICATED,
                "Send the operator's token in the header Authorization: Bearer TOKEN.",
            )
        if on_behalf_of is None:
            return Caller(OPERATOR)
        kind, _, name = on_behalf_of.partition(":")
        if kind != "person" or not is_id(name):
            raise Refusal(Kind.INVALID_PARAMETER, "The header On-Behalf-Of is written person:ID.")
        return Caller(on_behalf_of)


def idempotency_key(
    idempotency_key: str | None = Header(None, description="a UUID made by the client, the same when it tries again"),
) -> str | None:
    """FastAPI dependency: the key in lower case, or None. Raises Refusal where it is no UUID."""
    if idempotency_key is None:
        return None
    if not _UUID.fullmatch(idempotency_key):
        raise Refusal(
            Kind.MISSING_IDEMPOTENCY_KEY,
            "The header Idempotency-Key has to be a UUID, made anew for each command.",
        )
    return idempotency_key.lower()


def command(request: Request, caller: Caller, key: str | None, own_id: str | None = None) -> Command | None:
    """The command that a writing request is.

    `own_id` is the id that the body brings itself (an `evidence_id`, say): then no key is needed, and without
    one None is returned. Raises Refusal MISSING_IDEMPOTENCY_KEY where neither is there.
    """
    if key is None:
        if own_id is None:
            raise Refusal(
                Kind.MISSING_IDEMPOTENCY_KEY,
                "Send the header Idempotency-Key: a UUID made for this command, and the same one when you send "
                "it again.",
            )
        return None
    query = f"?{request.url.query}" if request.url.query else ""
    return Command.of(caller.actor, key, f"{request.method} {request.url.path}{query}")


class Waits(Protocol):
    """A read model that can be waited for."""

    def wait_for(self, position: int, timeout: float) -> bool:
        """Waits at most `timeout` seconds until everything up to `position` is in; tells whether it is."""


def min_position_of(model: Callable[[], Waits]) -> Callable[[int | None], None]:
    """A FastAPI dependency that waits, at most 10 s, until the model holds `?min_position=`."""

    def wait(
        min_position: int | None = Query(None, ge=0, le=2**53, description="wait until this position is in"),
    ) -> None:
        if min_position and not model().wait_for(min_position, MIN_POSITION_WAIT_S):
            raise Refusal(
                Kind.POSITION_NOT_REACHED,
                f"What was recorded at position {min_position} is not in this answer yet. Try again in a moment.",
            )

    return wait
