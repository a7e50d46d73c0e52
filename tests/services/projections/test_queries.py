"""Every named query is one that the migrated schema can prepare, on the service's own login."""

from __future__ import annotations

import re
from pathlib import Path

import services.projections
from foundation.postgres.queries import Queries
from tests.databases import Database

QUERIES = Queries("services.projections")


def test_every_query_can_be_prepared(database: Database) -> None:
    connection = database.connect("projections")
    connection.execute("CREATE TABLE projections.continuum_2 (LIKE projections.continuum_1)")
    for name, text in QUERIES.all.items():
        places = iter(f"${number}" for number in range(1, 20))
        prepared = re.sub(r"%s", lambda _, places=places: next(places), text)
        prepared = prepared.replace("{old}", "continuum_1").replace("{table}", "continuum_2")
        if prepared.split("\n")[-1].startswith(("DROP", "CREATE")) or "CREATE" in prepared:
            continue  # no statement that can be prepared: `rebuild` runs them in its tests
        connection.execute(f"PREPARE {name} AS {prepared.rstrip(';')}".encode())
    assert len(QUERIES.all) > 15


def test_every_query_is_used() -> None:
    sources = "".join(path.read_text() for path in Path(services.projections.__file__).parent.glob("*.py"))
    assert [name for name in QUERIES.all if f'"{name}"' not in sources] == []
