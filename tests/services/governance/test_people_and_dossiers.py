"""People, roles, assignments and the opening of dossiers, over HTTP on the log in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from foundation.access.tokens import Tokens
from foundation.eventlog import InMemoryEventLog
from foundation.web import Gate, create_app
from services.governance.api import router
from services.governance.application import Governance

TOKEN = "t" * 32
NOW = datetime(2026, 2, 10, 15, tzinfo=UTC)
Post = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def log() -> InMemoryEventLog:
    return InMemoryEventLog(clock=lambda: NOW)


@pytest.fixture
def post(log: InMemoryEventLog) -> Iterator[Post]:
    governance = Governance(InMemoryEventLog(shared_with=log, owner="governance"), lambda: NOW)
    app = create_app([router(governance, Gate(Tokens([TOKEN])))], hosts=[])
    with TestClient(app, base_url="http://localhost") as client:

        def send(
            path: str, body: dict[str, Any], by: str | None = None, key: str | None = "new"
        ) -> tuple[int, dict[str, Any]]:
            headers = {"Authorization": f"Bearer {TOKEN}"}
            if by:
                headers["On-Behalf-Of"] = f"person:{by}"
            if key:
                headers["Idempotency-Key"] = str(uuid4()) if key == "new" else key
            answer = client.post(f"/api/v1{path}", json=body, headers=headers)
            return answer.status_code, answer.json()

        yield send


@pytest.fixture
def people(post: Post) -> Post:
    for person in ("registrar-1", "p-heron", "c-otter"):
        assert post("/people", {"person_id": person, "name": f"Name of {person}"})[0] == 201
    assert post("/people/registrar-1/roles", {"role": "registrar", "from": "2025-01-01"})[0] == 201
    return post


def slug(answer: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    return answer[0], answer[1]["type"].rpartition(":")[2]


def test_a_person_gets_an_id_and_their_name_is_sealed(post: Post, log: InMemoryEventLog) -> None:
    status, answer = post("/people", {"name": "Ada Otter", "email": "ada@example.org"})
    assert status == 201
    assert set(answer) == {"person_id", "position"}
    [sealed] = log.read()
    assert set(sealed.data) == {"person_id"}
    [open_] = log.read(unseal=True)
    assert open_.data["email"] == "ada@example.org"
    assert open_.subject == answer["person_id"]


def test_the_same_person_sent_again_without_a_key_gets_the_first_answer(post: Post) -> None:
    body = {"person_id": "p-1", "name": "Ada"}
    assert post("/people", body, key=None) == post("/people", body, key=None)
    assert slug(post("/people", body | {"name": "Bo"})) == (409, "person-exists")


def test_the_same_key_gives_the_same_made_id(post: Post) -> None:
    key = str(uuid4())
    first = post("/people", {"name": "Ada"}, key=key)
    assert post("/people", {"name": "Ada"}, key=key) == first
    assert slug(post("/people", {"name": "Bo"}, key=key)) == (409, "idempotency-conflict")
    assert slug(post("/people", {"name": "Ada"}, key=None)) == (400, "missing-idempotency-key")


def test_only_a_registrar_or_the_operator_keeps_people(people: Post) -> None:
    assert people("/people", {"name": "New"}, by="registrar-1")[0] == 201
    assert slug(people("/people", {"name": "New"}, by="c-otter")) == (403, "forbidden")
    assert slug(people("/principals", {"person_id": "p-heron"}, by="p-heron")) == (403, "forbidden")
    assert slug(people("/people", {"name": "New"}, by="nobody")) == (403, "forbidden")


def test_a_registrar_whose_role_has_ended_keeps_nobody(people: Post) -> None:
    body = {"role": "registrar", "on": "2026-02-10", "reason": "moved on"}
    assert people("/people/registrar-1/roles/revocation", body)[0] == 201
    assert slug(people("/people", {"name": "New"}, by="registrar-1")) == (403, "forbidden")


def test_opening_a_dossier_needs_a_registered_person_and_makes_them_a_principal(
    people: Post, log: InMemoryEventLog
) -> None:
    assert slug(people("/principals", {"person_id": "p-ghost"})) == (404, "unknown-person")
    status, answer = people("/principals", {"person_id": "p-heron"})
    assert status == 201
    granted, opened = log.read()[-2:]
    assert (granted.type, granted.data["role"]) == ("RoleGranted", "principal")
    assert (opened.type, opened.tags) == ("DossierOpened", ("dossier:p-heron", "principal:p-heron"))
    assert answer["position"] == opened.position
    assert slug(people("/principals", {"person_id": "p-heron"})) == (409, "dossier-exists")


def test_who_is_a_principal_already_is_not_made_one_again(people: Post, log: InMemoryEventLog) -> None:
    people("/people/p-heron/roles", {"role": "principal", "from": "2025-07-01"})
    people("/principals", {"person_id": "p-heron"})
    assert [event.type for event in log.read()][-2:] == ["RoleGranted", "DossierOpened"]


def test_a_role_is_not_granted_twice_for_the_same_days(people: Post) -> None:
    role = {"role": "director", "scope": "emerging", "from": "2026-01-01", "until": "2026-06-30"}
    assert people("/people/c-otter/roles", role)[0] == 201
    assert slug(people("/people/c-otter/roles", role | {"until": "2026-03-01"})) == (409, "role-held")
    assert people("/people/c-otter/roles", role | {"from": "2026-07-01", "until": "2026-12-31"})[0] == 201
    assert people("/people/c-otter/roles", role | {"scope": "developing"})[0] == 201
    assert slug(people("/people/c-otter/roles", role | {"scope": "Region 5"})) == (422, "invalid-body")


def test_a_role_that_is_not_held_is_not_revoked(people: Post) -> None:
    body = {"role": "chair", "on": "2026-02-10", "reason": "r"}
    assert slug(people("/people/c-otter/roles/revocation", body)) == (409, "role-not-held")


def test_an_assessor_is_a_registered_person_other_than_the_principal(people: Post) -> None:
    body = {"person_id": "c-otter", "from": "2025-08-01", "until": "2026-01-31"}
    assert slug(people("/principals/p-heron/assessors", body)) == (404, "unknown-principal")
    people("/principals", {"person_id": "p-heron"})
    assert slug(people("/principals/p-heron/assessors", body | {"person_id": "ghost"})) == (404, "unknown-person")
    assert slug(people("/principals/p-heron/assessors", body | {"person_id": "p-heron"})) == (403, "own-record")
    assert people("/principals/p-heron/assessors", body)[0] == 201
    assert slug(people("/principals/p-heron/assessors", body)) == (409, "assignment-exists")
    assert people("/principals/p-heron/assessors", body | {"as": "mentor"})[0] == 201
    assert slug(people("/principals/p-heron/assessors", body | {"as": "friend"})) == (422, "invalid-body")


def test_an_assignment_ends_once(people: Post, log: InMemoryEventLog) -> None:
    people("/principals", {"person_id": "p-heron"})
    people("/principals/p-heron/assessors", {"person_id": "c-otter", "from": "2025-08-01"})
    assigned = log.read()[-1]
    assert assigned.tags == ("person:c-otter", "person:p-heron")
    assert assigned.data["as"] == "coach"
    end = "/principals/p-heron/assessors/c-otter/end"
    assert people(end, {"on": "2026-02-01"})[0] == 201
    assert slug(people(end, {"on": "2026-02-01"})) == (409, "assignment-unknown")
    assert people(end, {"on": "2026-01-15"})[0] == 201  # an earlier end corrects it


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("/people", {"name": ""}, "/name"),
        ("/people", {"name": "A", "email": "no"}, "/email"),
        ("/people", {"name": "A", "ssn": "1"}, "/ssn"),
        ("/people", {"name": "A", "person_id": "a b"}, "/person_id"),
        ("/people/c-otter/roles", {"role": "king", "from": "2026-01-01"}, "/role"),
        ("/people/c-otter/roles", {"role": "chair", "from": "1/2/2026"}, "/from"),
        ("/people/c-otter/roles", {"role": "chair", "from": "2026-02-02", "until": "2026-02-01"}, ""),
        ("/people/c-otter/roles", {"role": "chair", "from": "2026-02-02", "until": None}, ""),
    ],
)
def test_a_bad_body_is_refused_with_its_place(people: Post, path: str, body: dict[str, Any], place: str) -> None:
    status, answer = people(path, body)
    assert status == 422
    assert answer["errors"][0]["pointer"] == place
