"""The service's SQL, by name: `sql/*.sql`."""

from __future__ import annotations

from typing import Final

from foundation.postgres.queries import Queries

QUERIES: Final = Queries("services.credentials")


def query(name: str) -> str:
    """The text of a query. Raises KeyError."""
    return QUERIES[name]
