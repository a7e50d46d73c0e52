"""HTTP of credentials: who reads, who decides, what stands at the public addresses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from contracts.events.governance import AssessorAssigned
from foundation.access.tokens import Tokens
from foundation.eventlog import new_event
from foundation.web import Gate, create_app
from services.credentials import api, public_api
from services.credentials.baking import extract
from services.credentials.room import CredentialsRoom
from tests.databases import Database
from tests.services.credentials.world import World

TOKEN = "t" * 32
V1 = "/api/v1"


class Client:
    """Calls as a person, or as nobody."""

    def __init__(self, room: CredentialsRoom) -> None:
        gate = Gate(Tokens([TOKEN]))
        routers = [
            api.router(room.application, room.public, room.progress, gate),
            public_api.router(room.application, room.public, room.lists, room.verify),
        ]
        self.http = TestClient(create_app(routers, hosts=[]), base_url="http://127.0.0.1:8000")

    def get(self, path: str, by: str | None = None, **headers: str) -> Any:
        return self.http.get(path, headers={**self._sign_in(by), **headers})

    def post(self, path: str, body: Any = None, by: str | None = None, key: str | None = "") -> Any:
        headers = self._sign_in(by) | ({"Idempotency-Key": key or str(uuid4())} if key is not None else {})
        return self.http.post(path, json=body, headers=headers)

    def delete(self, path: str, by: str) -> Any:
        return self.http.delete(path, headers=self._sign_in(by) | {"Idempotency-Key": str(uuid4())})

    @staticmethod
    def _sign_in(by: str | None) -> dict[str, str]:
        if by is None:
            return {}
        token = {"Authorization": f"Bearer {TOKEN}"}
        return token if by == "operator" else token | {"On-Behalf-Of": f"person:{by}"}


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    made = World(database, tmp_path, options={"suspension": True})
    made.principal()
    made.person("registrar-1", "registrar")
    made.person("chair-1", "chair")
    made.person("c-otter", "coach")
    made.reached(made.observed())
    made.settle()
    return made


@pytest.fixture
def client(world: World) -> Iterator[Client]:
    made = Client(world.room)
    with made.http:
        yield made


@pytest.fixture
def credential_id(world: World) -> str:
    return str(world.events("CredentialIssued")[0].data["credential_id"])


def problem(answer: Any, status: int, kind: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"urn:mlds:problem:{kind}", body
    return body


# reading


def test_the_list_of_a_principals_credentials(client: Client, world: World, credential_id: str) -> None:
    answer = client.get(f"{V1}/principals/p-heron/credentials", "p-heron")
    (cause,) = world.events("LevelReached")
    expected = {"id": credential_id, "competency": 6, "level": "emerging", "state": "issued"}
    assert answer.json() == {
        "items": [expected | {"attainment": cause.position, "shared": False}],
        "next": None,
    }


def test_the_list_pages_without_loss(client: Client, world: World) -> None:
    item = world.observed()
    for competency in range(10, 15):
        world.reached(item, competency=competency, because=item.position)
    world.settle()
    seen, path = [], f"{V1}/principals/p-heron/credentials?limit=2"
    while path:
        page = client.get(path, "operator").json()
        seen += [one["competency"] for one in page["items"]]
        path = page["next"]
    assert seen == [6, 10, 11, 12, 13, 14]


@pytest.mark.parametrize("by", ["p-heron", "registrar-1", "operator"])
def test_who_may_read_the_record_reads_the_credential(client: Client, credential_id: str, by: str) -> None:
    answer = client.get(f"{V1}/credentials/{credential_id}", by)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vc"
    assert answer.json()["id"].endswith(credential_id)
    picture = client.get(f"{V1}/credentials/{credential_id}.png", by)
    assert picture.headers["content-type"] == "image/png"
    assert json.loads(extract(picture.content)) == answer.json()


@pytest.mark.parametrize("path", ["principals/p-heron/credentials", "credentials/{id}", "credentials/{id}.png"])
def test_nobody_else_reads_it(client: Client, credential_id: str, path: str) -> None:
    path = f"{V1}/{path.format(id=credential_id)}"
    problem(client.get(path), 401, "unauthenticated")
    problem(client.get(path, "c-otter"), 403, "forbidden")


def test_a_past_assessor_reads_what_was_reached_until_their_last_day(
    client: Client, world: World, credential_id: str
) -> None:
    for assessor, until in (("c-before", "2026-01-31"), ("c-now", None)):
        world.person(assessor, "coach")
        said = {"principal_id": "p-heron", "as": "coach", "from": "2020-01-01"} | ({"until": until} if until else {})
        assigned = AssessorAssigned.model_validate(said)
        world.governance.append([new_event(assigned, stream=f"person:{assessor}", recorded_by="service:operator")])
    assert client.get(f"{V1}/principals/p-heron/credentials", "c-before").json()["items"] == []
    problem(client.get(f"{V1}/credentials/{credential_id}", "c-before"), 403, "forbidden")
    assert client.get(f"{V1}/credentials/{credential_id}", "c-now").status_code == 200


def test_what_is_not_there_is_said_to_be_unknown(client: Client) -> None:
    problem(client.get(f"{V1}/principals/p-nobody/credentials", "operator"), 404, "unknown-principal")
    for unknown in (str(uuid4()), "x", "%00", "a" * 300):
        problem(client.get(f"{V1}/credentials/{unknown}", "operator"), 404, "unknown-credential")
        problem(client.get(f"/credentials/{unknown}"), 404, "not-found")


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("*/*", "application/vc"),
        ("application/json", "application/json"),
        ("application/ld+json;q=0.5, application/vc+ld+json", "application/vc+ld+json"),
        ("text/plain", "application/vc"),
        ("application/json;q=x, application/ld+json", "application/ld+json"),
    ],
)
def test_accept_chooses_the_media_type(client: Client, credential_id: str, accept: str, given: str) -> None:
    answer = client.get(f"{V1}/credentials/{credential_id}", "operator", Accept=accept)
    assert answer.headers["content-type"] == given


# sharing


def test_the_public_address_answers_while_a_share_stands_and_only_then(
    client: Client, world: World, credential_id: str
) -> None:
    public = f"/credentials/{credential_id}"
    problem(client.get(public), 404, "not-found")
    share = client.post(f"{V1}{public}/shares", {}, "p-heron")
    assert share.status_code == 201
    assert set(share.json()) == {"share_id", "credential_id", "position"}
    world.settle()
    answer = client.get(public)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "no-cache"
    assert client.get(public, **{"If-None-Match": answer.headers["etag"]}).status_code == 304
    assert client.http.head(public).status_code == 200
    assert client.get(f"{public}.png").headers["content-type"] == "image/png"
    assert client.get(f"{V1}/principals/p-heron/credentials", "p-heron").json()["items"][0]["shared"] is True
    assert client.delete(f"{V1}/shares/{share.json()['share_id']}", "p-heron").status_code == 200
    world.settle()
    problem(client.get(public), 404, "not-found")
    problem(client.get(f"{public}.png"), 404, "not-found")


def test_only_the_principal_shares_and_ends_a_share(client: Client, world: World, credential_id: str) -> None:
    path = f"{V1}/credentials/{credential_id}/shares"
    problem(client.post(path, {}, "registrar-1"), 403, "not-the-principal")
    problem(client.post(path, {}, "operator"), 403, "person-needed")
    problem(client.post(path, {"days": 91}, "p-heron"), 422, "share-too-long")
    problem(client.post(path, {"days": 0}, "p-heron"), 422, "invalid-body")
    problem(client.post(path, {"forever": True}, "p-heron"), 422, "invalid-body")
    share = client.post(path, {"days": 14, "show_name": True}, "p-heron").json()["share_id"]
    problem(client.delete(f"{V1}/shares/{share}", "registrar-1"), 403, "not-the-principal")
    problem(client.delete(f"{V1}/shares/{uuid4()}", "p-heron"), 404, "unknown-share")
    world.settle()
    assert world.room.application.shared(credential_id).holder == "Name of p-heron"


def test_the_holders_name_is_shown_by_their_own_act_only(client: Client, world: World, credential_id: str) -> None:
    client.post(f"{V1}/credentials/{credential_id}/shares", {"days": 14}, "p-heron")
    world.settle()
    assert world.room.application.shared(credential_id).holder is None


def test_after_erasure_the_pages_are_gone_and_hold_no_name(client: Client, world: World, credential_id: str) -> None:
    client.post(f"{V1}/credentials/{credential_id}/shares", {"show_name": True}, "p-heron")
    world.settle()
    document = client.get(f"/credentials/{credential_id}").content
    world.database.keys().destroy("p-heron")
    for path in (f"/credentials/{credential_id}", f"/credentials/{credential_id}.png"):
        assert "heron" not in json.dumps(problem(client.get(path), 410, "erased"))
    problem(client.get(f"{V1}/credentials/{credential_id}", "operator"), 410, "erased")
    assert client.http.post("/verify", content=document).json()[0]["verdict"] == "valid"  # what they hold still counts


# deciding


def test_revocation_by_hand_takes_two_people(client: Client, world: World, credential_id: str) -> None:
    path = f"{V1}/credentials/{credential_id}/revocation"
    problem(client.post(path, {"reason": "error"}, "c-otter"), 403, "forbidden")
    problem(client.post(path, {"reason": "error"}, "operator"), 403, "person-needed")
    problem(client.post(path, {"reason": "lapsed"}, "registrar-1"), 422, "invalid-body")
    problem(client.post(f"{path}/approval", None, "chair-1"), 409, "credential-state")
    proposed = client.post(path, {"reason": "misconduct", "note": "see file"}, "registrar-1")
    assert proposed.status_code == 202
    problem(client.post(f"{path}/approval", None, "registrar-1"), 409, "second-person-needed")
    document = client.get(f"{V1}/credentials/{credential_id}", "operator").content
    assert client.post(f"{path}/approval", None, "chair-1").status_code == 201
    world.settle()
    (answer,) = client.http.post("/verify", content=document).json()
    assert answer["verdict"] == "revoked"
    (listed,) = client.get(f"{V1}/principals/p-heron/credentials", "operator").json()["items"]
    assert (listed["state"], listed["reason"]) == ("revoked", "misconduct")
    problem(client.post(path, {"reason": "error"}, "registrar-1"), 409, "credential-state")


def test_suspension_and_reinstatement_are_seen_by_verify(client: Client, world: World, credential_id: str) -> None:
    path = f"{V1}/credentials/{credential_id}"
    document = client.get(path, "operator").content
    problem(client.post(f"{path}/suspension", {}, "chair-1"), 422, "invalid-body")
    for act, verdict in (("suspension", "suspended"), ("reinstatement", "valid")):
        assert client.post(f"{path}/{act}", {"reason": "an inquiry"}, "chair-1").status_code == 201
        world.settle()
        assert client.http.post("/verify", content=document).json()[0]["verdict"] == verdict


def test_a_reissue_replaces_the_document_and_keeps_id_and_date(
    client: Client, world: World, credential_id: str
) -> None:
    path = f"{V1}/credentials/{credential_id}"
    before = client.get(path, "operator").json()
    answer = client.post(f"{path}/reissue", None, "registrar-1")
    assert answer.status_code == 201, answer.text
    world.settle()
    after = client.get(path, "operator").json()
    assert after["id"] == before["id"]
    assert after["awardedDate"] == before["awardedDate"]
    assert after["validFrom"] > before["validFrom"]
    places = [one["credentialStatus"][0]["statusListIndex"] for one in (before, after)]
    assert places[0] != places[1]
    verdicts = client.http.post("/verify", json=[before, after]).json()
    assert [one["verdict"] for one in verdicts] == ["revoked", "valid"]
    assert [one["source"] for one in verdicts] == ["#/0", "#/1"]
    assert len(client.get(f"{V1}/principals/p-heron/credentials", "operator").json()["items"]) == 1


def test_the_same_key_again_gives_the_first_answer(client: Client, world: World, credential_id: str) -> None:
    for path, body, by in (
        (f"{V1}/credentials/{credential_id}/shares", {"days": 3}, "p-heron"),
        (f"{V1}/credentials/{credential_id}/reissue", None, "registrar-1"),
        (f"{V1}/credentials/{credential_id}/revocation", {"reason": "error"}, "registrar-1"),
    ):
        key = str(uuid4())
        first, again = (client.post(path, body, by, key) for _ in range(2))
        assert first.status_code in (201, 202), first.text
        assert (again.status_code, again.json()) == (first.status_code, first.json())
        world.settle()
    problem(
        client.post(f"{V1}/credentials/{credential_id}/shares", {}, "p-heron", None), 400, "missing-idempotency-key"
    )


# public documents


def test_a_status_list_is_signed_open_and_fresh(client: Client, world: World, credential_id: str) -> None:
    answer = client.get("/status/r1")
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "public, max-age=300"
    document = answer.json()
    assert document["credentialSubject"]["statusPurpose"] == "revocation"
    assert document["credentialSubject"]["ttl"] == 300_000
    assert document["validUntil"] > document["validFrom"]
    assert client.get("/status/r1").content == answer.content  # signed once
    assert client.get("/status/s1").json()["credentialSubject"]["statusPurpose"] == "suspension"
    client.post(f"{V1}/credentials/{credential_id}/suspension", {"reason": "x"}, "chair-1")
    world.settle()
    assert (
        client.get("/status/s1").json()["credentialSubject"]["encodedList"]
        != (document["credentialSubject"]["encodedList"])
    )
    for unknown in ("r2", "x1", "r01", "r", "1", "r1x"):
        problem(client.get(f"/status/{unknown}"), 404, "not-found")
    problem(client.get("/status/r1?timestamp=2026-01-01T00:00:00Z"), 422, "not-supported-yet")


def test_achievements_stand_at_the_ids_that_badges_name(client: Client, credential_id: str) -> None:
    document = client.get(f"{V1}/credentials/{credential_id}", "operator").json()
    achievement = document["credentialSubject"]["achievement"]
    path = achievement["id"].removeprefix("http://127.0.0.1:8000")
    answer = client.get(path)
    found = answer.json()
    assert {name: value for name, value in found.items() if name != "@context"} == achievement
    assert "max-age" in answer.headers["cache-control"]
    assert client.get(f"{path}?policy=mlds-baseline&version=1.0").json() == found
    problem(client.get(f"{path}?policy=mlds-baseline&version=9"), 404, "not-found")
    problem(client.get(f"{path}?policy=mlds-baseline"), 422, "invalid-parameter")
    assert client.get(f"{path}.png").content.startswith(b"\x89PNG")
    target = achievement["alignment"][0]["targetUrl"].removeprefix("http://127.0.0.1:8000")
    assert client.get(target).json()["competency"] == 6
    assert len(client.get("/achievements/mlds-2016").json()["competencies"]) == 32
    for unknown in ("mlds-2017", "mlds-2016/33", "mlds-2016/6/distinguished", "mlds-2016/x/emerging.png"):
        problem(client.get(f"/achievements/{unknown}"), 404, "not-found")


def test_a_did_key_issuer_has_no_document_and_its_key_stands_as_one_jwk(client: Client, world: World) -> None:
    problem(client.get("/.well-known/did.json"), 404, "not-found")
    key = world.room.keys.current().key
    found = client.get(f"/keys/{key}").json()
    assert (found["kty"], found["crv"]) == ("OKP", "Ed25519")
    assert "d" not in found
    problem(client.get("/keys/z6Mkother"), 404, "not-found")


# verifying


def test_files_are_verified_each_by_name_and_good_beside_bad(client: Client, credential_id: str) -> None:
    png = client.get(f"{V1}/credentials/{credential_id}.png", "operator").content
    files = [("file", ("badge.png", png)), ("file", ("bad.json", b"{")), ("file", ("cut.png", png[:500]))]
    answer = client.http.post("/verify?recipient=heron@example.com", files=files)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert [(one["source"], one["verdict"]) for one in answer.json()] == [
        ("badge.png", "valid"), ("bad.json", "invalid"), ("cut.png", "invalid"),
    ]  # fmt: skip
    assert answer.json()[0]["recipient"] == "matched"


def test_whatever_the_body_is_the_answer_is_verdicts(client: Client) -> None:
    for body in (b"", b"null", b"[]", b"{}", b'{"a":1,"a":2}', b"\xff\xfe", b"[" * 5000, b"NaN", b"[{},1]"):
        answer = client.http.post("/verify", content=body)
        assert answer.status_code == 200, body
        assert isinstance(answer.json(), list)
        assert all(one["verdict"] in ("invalid", "unchecked") for one in answer.json())


def test_too_much_is_refused(client: Client) -> None:
    problem(client.http.post("/verify", content=b" " * (16 << 20) + b"{}"), 413, "too-large")
    files = [("file", (f"{n}.json", b"{}")) for n in range(201)]
    problem(client.http.post("/verify", files=files), 413, "too-large")
    problem(
        client.http.post("/verify", content=b"x", headers={"Content-Type": "multipart/form-data; boundary=b"}),
        422,
        "invalid-body",
    )


def test_any_origin_may_ask_first(client: Client) -> None:
    answer = client.http.options("/verify")
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-headers"] == "Content-Type"
