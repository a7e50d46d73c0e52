"""Whatever is sent, nothing ends in a 500, and every refusal is a problem detail (RFC 9457).

`schemathesis` reads our own OpenAPI document and sends what it allows and what it does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error

from apps.composition import System
from tests.databases import Templates
from tests.systems import TOKEN, people_of, system_on


@pytest.fixture(scope="module")
def application(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    database = templates.clone()
    with system_on(database, tmp_path_factory.mktemp("home")) as system:
        with people_of(system) as people:
            people.settle()
            people.observe("2026-02-03", evidence_id="known-item")
        yield _served(system)
    templates.drop(database)


def _served(system: System) -> FastAPI:
    return system.web_app()


@pytest.fixture(scope="module")
def api(application: FastAPI) -> Any:
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", application)


schema = schemathesis.pytest.from_fixture("api")


@schema.parametrize()
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_nothing_that_is_sent_ends_in_a_server_error(case: Case[Any]) -> None:
    actors = ("person:c-otter", "person:registrar-1", None)
    actor = actors[len(str(case.path_parameters)) % len(actors)]
    headers = {"Authorization": f"Bearer {TOKEN}"} | ({"On-Behalf-Of": actor} if actor else {})
    answer = case.call(headers=headers)
    case.validate_response(answer, checks=[not_a_server_error])
    if answer.status_code >= 400 and answer.status_code != 405:
        assert answer.headers["content-type"][0].startswith("application/problem+json"), answer.text
