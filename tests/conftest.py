"""Fixtures for all tests: real PostgreSQL, one embedded server for the run, a fresh database for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.composition import System
from tests.databases import Database, Templates
from tests.systems import People, people_of, system_on

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


@pytest.fixture
def system(database: Database, tmp_path: Path) -> Iterator[System]:
    """All services on a fresh database; nothing follows the log by itself: call `system.catch_up()`."""
    with system_on(database, tmp_path) as made:
        yield made


@pytest.fixture
def people(system: System) -> Iterator[People]:
    """The HTTP application as people use it, with those of `People.settle` registered."""
    with people_of(system) as made:
        made.settle()
        yield made
