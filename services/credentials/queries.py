"""The service's SQL, by name: `sql/*.sql`, where each query begins with a line `-- name: NAME`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def queries() -> Mapping[str, str]:
    """Every named query. Raises ValueError where a name stands twice."""
    found: dict[str, str] = {}
    folder = files("services.credentials") / "sql"
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if not file.name.endswith(".sql"):
            continue
        for part in file.read_text("utf-8").split("-- name: ")[1:]:
            name, _, text = part.partition("\n")
            if name.strip() in found:
                raise ValueError(f"sql/{file.name}: {name.strip()} stands twice")
            found[name.strip()] = text.strip()
    return found


def query(name: str) -> str:
    """The text of a query. Raises KeyError."""
    return queries()[name]
