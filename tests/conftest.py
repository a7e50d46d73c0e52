"""Fixtures for all tests: real PostgreSQL, one embedded server for the run, a fresh database for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databases import Database, Templates

pytest_plugins = ["tests.support.system_packages"]


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Templates]:
    """The run's server. Workers of pytest-xdist share it: the last one stops it."""
    folder = tmp_path_factory.getbasetemp()
    made = Templates(folder if worker_id == "master" else folder.parent)
    yield made
    made.close()


@pytest.fixture
def database(templates: Templates) -> Iterator[Database]:
    """A fresh migrated database, with logins for each service: `database.log("evidence")`."""
    made = templates.clone()
    yield made
    templates.drop(made)


@pytest.fixture
def demo_database(templates: Templates) -> Iterator[Database]:
    """As `database`, created as a demonstration: `append(..., recorded_at=...)` is taken."""
    made = templates.clone(demonstration=True)
    yield made
    templates.drop(made)
