"""A service's SQL by name: in `sql/*.sql` each query begins with a line `-- name: NAME`."""

from __future__ import annotations

from functools import cached_property
from importlib.resources import files


class Queries:
    """The named queries of a package, read once."""

    def __init__(self, package: str) -> None:
        """package: for example `services.projections`; its queries lie in `services/projections/sql/`."""
        self._package = package

    @cached_property
    def all(self) -> dict[str, str]:
        """Every query by name. Raises ValueError where a name stands twice."""
        found: dict[str, str] = {}
        for file in sorted((files(self._package) / "sql").iterdir(), key=lambda one: one.name):
            for part in file.read_text("utf-8").split("-- name: ")[1:] if file.name.endswith(".sql") else ():
                name, _, text = part.partition("\n")
                if name.strip() in found:
                    raise ValueError(f"{self._package}/sql/{file.name}: {name.strip()} stands twice")
                found[name.strip()] = text.strip()
        return found

    def __getitem__(self, name: str) -> str:
        return self.all[name]
