"""Whatever is sent, nothing ends in a 500, and every refusal is a problem detail (RFC 9457).

`schemathesis` reads our own OpenAPI document and sends what it allows and what it does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode

from apps.composition import System
from tests.databases import Templates
from tests.systems import TOKEN, people_of, system_on

ACTORS = ("person:c-otter", "person:registrar-1", "person:p-heron", "person:director-1", None)


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
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", application, headers={"Host": "127.0.0.1"})


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # a request that fails is short enough; shrinking would send thousands
)
@given(data=st.data())
def test_nothing_that_is_sent_ends_in_a_server_error(api: Any, data: st.DataObject) -> None:
    operations = [result.ok() for result in api.get_all_operations()]
    assert len(operations) > 30
    operation = data.draw(st.sampled_from(operations))
    mode = data.draw(st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE]))
    case: Case[Any] = data.draw(operation.as_strategy(generation_mode=mode))
    (case.query or {}).pop("min_position", None)  # it waits for a position, ten seconds long, and has tests of its own
    actor = data.draw(st.sampled_from(ACTORS))
    headers = {"Authorization": f"Bearer {TOKEN}", "Host": "127.0.0.1"} | ({"On-Behalf-Of": actor} if actor else {})
    answer = case.call(headers=headers)
    assert answer.status_code < 500, (case.as_curl_command(), answer.text)
    if answer.status_code >= 400:
        assert answer.headers["content-type"][0].startswith("application/problem+json"), answer.text
