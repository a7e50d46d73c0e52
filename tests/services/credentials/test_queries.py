"""Every named query is one that the migrated schema can prepare, on the service's own login."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

import services.credentials
from services.credentials.queries import QUERIES
from tests.databases import Database


@pytest.fixture(scope="module")
def names() -> list[str]:
    return sorted(QUERIES.all)


def test_every_query_can_be_prepared(database: Database, names: list[str]) -> None:
    connection = database.connect("credentials")
    for name in names:
        seen: dict[str, str] = {}

        def place(match: re.Match[str], seen: dict[str, str] = seen) -> str:
            return seen.setdefault(match[1] or f"at {match.start()}", f"${len(seen) + 1}")

        text = re.sub(r"%\((\w+)\)s|%s", place, QUERIES[name])
        try:
            connection.execute(f'PREPARE "{name}" AS {text.rstrip(";")}'.encode())
        except psycopg.Error as error:
            pytest.fail(f"{name}: {error}")
    assert len(names) > 30


def test_every_query_is_used(names: list[str]) -> None:
    sources = "".join(path.read_text() for path in Path(services.credentials.__file__).parent.glob("*.py"))
    assert [name for name in names if f'"{name}"' not in sources] == []
