"""What the pages need of the services: small callables, wired where everything is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.framework import Framework
from contracts.policy import Policy

from .views.people import PersonRow

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """Something to verify: the name under which it was sent, and its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class SharedBadge:
    """A credential that its holder shares: the signed document, its bytes as served, the name if it is shown."""

    document: Json
    content: bytes
    holder: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Shapes are those of the HTTP interface; what is not there is refused with a `Refusal` (unknown, erased)."""

    public_url: str
    """The origin in public ids, without a slash at its end."""
    demonstration: bool
    """Whether the pages about people are open to read."""
    framework: Callable[[], Framework]
    policy: Callable[[], Policy]
    people: Callable[[], Sequence[PersonRow]]
    name_of: Callable[[str], str | None]
    continuum: Callable[[str], Json]
    """Principal → the object of `GET /principals/{id}/continuum`."""
    evidence: Callable[[str], Sequence[Json]]
    """Principal → the items of `GET /principals/{id}/evidence`."""
    credentials: Callable[[str], Sequence[Json]]
    """Principal → the items of `GET /principals/{id}/credentials`."""
    shared_badge: Callable[[str], SharedBadge]
    """Credential id → the badge while it is shared; Refusal before (unknown) and after erasure (erased)."""
    verify: Callable[[Sequence[Source], str | None], Sequence[Json]]
    """Sources and the recipient's e-mail, if given → the objects of `POST /verify`, in order."""
