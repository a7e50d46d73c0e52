"""One step of the demonstration: what one person does at one moment, as a call of the HTTP interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from apps.demo.files import FileSpec

API: Final = "/api/v1"
_NO_KEY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Step:
    at: datetime
    """When it is recorded, UTC."""
    actor: str
    """The person who acts; empty: the operator."""
    type: str
    """The event that it makes (its main one)."""
    path: str
    """Below `/api/v1`, with the query where there is one."""
    body: Mapping[str, Any]
    principal: str = ""
    """Whose dossier it is about."""
    item: str = ""
    """The evidence item that it begins or goes on with."""
    file: FileSpec | None = None
    key: UUID = _NO_KEY
    """Its Idempotency-Key, made of the plan's seed and its place in it."""

    @property
    def data(self) -> dict[str, Any]:
        """The event's data as far as the client knows it."""
        return {**self.body, "evidence_id": self.item} if self.item else dict(self.body)

    @property
    def line(self) -> str:
        return f"POST {API}{self.path}"

    def keyed(self, key: UUID) -> Step:
        return replace(self, key=key)


@dataclass(frozen=True, slots=True)
class ShareStep:
    """A principal shares the badge of their highest level; which one that is, shows when it is there."""

    principal: str
    show_name: bool
    days: int | None
    key: UUID
