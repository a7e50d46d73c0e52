"""The closed registry of event types as the codec needs it, with the upcasting of older versions.

Rows name a type and its version, never an import path: what a row says is looked up here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from contracts.events import EVENT_TYPES, EventType

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""Data of version n to data of version n + 1. It must bear that personal members are absent or erased."""


class UnknownEventType(Exception):
    """The database holds a type, or a version of one, that this code does not know: a newer one wrote it."""


class TypeRegistry:
    """Current types, and for each older version the function that lifts its data by one version."""

    def __init__(
        self,
        types: Mapping[str, EventType] = EVENT_TYPES,
        upcasters: Mapping[tuple[str, int], Upcaster] | None = None,
    ) -> None:
        self.types = types
        self._upcasters = dict(upcasters or {})
        for kind in types.values():
            for version in range(1, kind.version):
                if (kind.name, version) not in self._upcasters:
                    raise ValueError(f"{kind.name} is at {kind.version}, version {version} is not lifted")

    def check(self, name: str, version: int) -> EventType:
        """The type, or UnknownEventType with a sentence that names it."""
        kind = self.types.get(name)
        if kind is None:
            raise UnknownEventType(
                f"The log holds events of type {name}, which this version of the program does not know: "
                "use the newer version that wrote them."
            )
        if version > kind.version:
            raise UnknownEventType(
                f"The log holds {name} of version {version}; this version of the program knows it up to "
                f"version {kind.version}: use the newer version that wrote it."
            )
        return kind

    def upcast(self, name: str, version: int, data: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The current version, and the data lifted to it."""
        current = self.check(name, version).version
        while version < current:
            data = self._upcasters[name, version](data)
            version += 1
        return current, data
