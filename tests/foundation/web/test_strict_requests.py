"""Requests are read strictly, and every error is a problem detail (RFC 9457)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated

import pytest
from fastapi import Depends, File, Request, UploadFile
from fastapi.testclient import TestClient
from starlette.types import Message

from contracts.events.evidence import Observation
from contracts.refusals import Kind, Refusal
from foundation.access.permissions import Caller
from foundation.access.tokens import Tokens
from foundation.web import Gate, Page, api_router, command, create_app, idempotency_key
from foundation.web.problems import STATUS

TOKEN = "t" * 32
GOOD = (
    '{"occurred_on": "2026-02-03", "setting": "Retreats", "narrative": "x", '
    '"judgments": [{"competency": 6, "level": "emerging"}]}'
)
JSON = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}


@pytest.fixture(scope="module")
def client() -> TestClient:
    gate = Gate(Tokens([TOKEN, "u" * 32]))
    router = api_router()

    @router.post("/observations", status_code=201)
    def record(
        request: Request,
        body: Observation,
        distinct: bool = False,
        caller: Caller = Depends(gate.caller),
        key: str | None = Depends(idempotency_key),
    ) -> dict[str, object]:
        made = command(request, caller, key)
        assert made is not None
        return {"actor": caller.actor, "line": made.line, "narrative": body.narrative, "distinct": distinct}

    @router.post("/files", status_code=201)
    def keep(file: Annotated[UploadFile, File()], caller: Caller = Depends(gate.caller)) -> dict[str, object]:
        return {"size": file.size}

    @router.get("/numbers")
    def numbers(page: Page = Depends()) -> dict[str, object]:
        after = page.after_position()
        return page.answer(list(range(after + 1, 8))[: page.limit + 1], lambda n: n, lambda n: n)

    @router.get("/boom")
    def boom() -> None:
        raise RuntimeError("secret text")

    @router.get("/busy")
    def busy() -> None:
        raise Refusal(Kind.LOG_BUSY, "Held.")

    return TestClient(
        create_app([router], hosts=["badges.example.gov"]), base_url="http://localhost", raise_server_exceptions=False
    )


def post(client: TestClient, body: str | bytes, **headers: str) -> tuple[int, dict[str, object]]:
    sent = {
        "Authorization": f"Bearer {TOKEN}",
        "Content-Type": "application/json",
        "Idempotency-Key": "0b9f7f0e-6a0c-4d53-8a55-6c1d2e3f4a5b",
        "On-Behalf-Of": "person:c-otter",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    answer = client.post("/observations", content=body, headers={k: v for k, v in sent.items() if v})
    return answer.status_code, answer.json()


def test_a_good_request_names_its_person_and_its_command(client: TestClient) -> None:
    status, body = post(client, GOOD)
    assert (status, body["actor"], body["line"]) == (201, "person:c-otter", "POST /observations")


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ('{"narrative": "a", ' + GOOD[1:], 400, "twice"),
        ('{"narr\\u0061tive": "a", ' + GOOD[1:], 400, "twice"),
        (GOOD.replace(": 6", ": NaN"), 400, "NaN"),
        (GOOD.replace('"x"', '"\\ud800"'), 400, "surrogate"),
        ("[" * 5000 + "]" * 5000, 400, "deep"),
        (b"\xff\xfe", 400, "UTF-8"),
        ("\ufeff" + GOOD, 400, "byte order mark"),
        ("", 422, "missing"),
        ("[]", 422, "object"),
        (GOOD.replace("}", ', "boss": 1}', 1), 422, "no such member"),
        (GOOD.replace('"x"', "null"), 422, "null"),
        (GOOD.replace(": 6", ': "6"'), 422, "whole number"),
        (GOOD.replace(": 6", ": 6.0"), 422, "whole number"),
        (GOOD.replace(": 6", ": true"), 422, "whole number"),
        (GOOD.replace("emerging", "proficient"), 422, "transformational"),
        (GOOD.replace("2026-02-03", "2026-02-30"), 422, "no day"),
        ('{"a": "' + "x" * (1 << 20) + '"}', 413, "larger"),
    ],
)
def test_a_body_that_cannot_be_read_for_certain_is_refused_with_its_place(
    client: TestClient, body: str | bytes, status: int, word: str
) -> None:
    got, problem = post(client, body)
    assert got == status
    assert word in str(problem)
    assert str(problem["type"]).startswith("urn:mlds:problem:")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer " + "x" * 32}, 401),
        ({"Authorization": "Basic " + TOKEN}, 401),
        ({"Authorization": f"bearer {'u' * 32}"}, 201),
        ({"On_Behalf_Of": "c-otter"}, 422),
        ({"On_Behalf_Of": "service:projections"}, 422),
        ({"Idempotency_Key": ""}, 400),
        ({"Idempotency_Key": "7"}, 400),
        ({"Content_Type": "text/plain"}, 422),
        ({"Host": "evil.example"}, 421),
        ({"Host": "badges.example.gov:8443"}, 201),
        ({"Host": "[::1]:8000"}, 201),
    ],
)
def test_headers(client: TestClient, headers: dict[str, str], status: int) -> None:
    assert post(client, GOOD, **headers)[0] == status


MEBIBYTE = b"x" * (1 << 20)
MULTIPART = "multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'


def two_mebibytes() -> Iterator[bytes]:
    yield PART
    yield from (MEBIBYTE, MEBIBYTE)
    yield b"\r\n--b--\r\n"


@pytest.mark.parametrize("path", ["/observations", "/files", "/files?unknown=1"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer " + "x" * 32}, 401),
        ({"Authorization": f"Bearer {TOKEN}", "On-Behalf-Of": "c-otter"}, 422),
    ],
)
def test_nothing_of_a_body_is_read_before_it_is_known_who_sends_it(
    client: TestClient, path: str, headers: dict[str, str], status: int
) -> None:
    # The body is malformed and too large: any reading of it would show in the answer.
    answer = client.post(path, content=b"{" * (2 << 20), headers={"Content-Type": "application/json"} | headers)
    assert answer.status_code == status
    assert answer.json()["type"] in ("urn:mlds:problem:unauthenticated", "urn:mlds:problem:invalid-parameter")


def test_the_server_is_not_asked_for_the_body_of_an_unknown_sender(client: TestClient) -> None:
    asked, said = [], []

    async def receive() -> Message:
        asked.append(1)
        return {"type": "http.request", "body": MEBIBYTE, "more_body": True}

    async def send(message: Message) -> None:
        said.append(message)

    scope = {"type": "http", "method": "POST", "path": "/files", "raw_path": b"/files", "query_string": b""}
    scope |= {"headers": [(b"host", b"localhost"), (b"content-type", MULTIPART.encode())], "http_version": "1.1"}

    async def call() -> None:
        await client.app(scope, receive, send)

    asyncio.run(call())
    assert (said[0]["status"], asked) == (401, [])


def test_how_much_is_read_depends_on_the_route_and_not_on_what_the_sender_calls_it(client: TestClient) -> None:
    def send(path: str, content_type: str) -> int:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": content_type}
        return client.post(path, content=two_mebibytes(), headers=headers).status_code

    assert send("/files", MULTIPART) == 201
    assert send("/files", "application/x-www-form-urlencoded") == 413
    assert send("/observations", MULTIPART) == 413


def test_an_unknown_or_doubled_query_parameter_is_named(client: TestClient) -> None:
    for query in ("distinkt=true", "distinct=true&distinct=false", "distinct=perhaps"):
        answer = client.post(
            f"/observations?{query}",
            content=GOOD,
            headers=JSON,
        )
        assert answer.status_code == 422
        assert "distin" in answer.text


def test_pages_follow_each_other_by_relative_urls(client: TestClient) -> None:
    seen: list[int] = []
    url: str | None = "/numbers?limit=3"
    while url:
        page = client.get(url).json()
        seen += page["items"]
        url = page["next"]
    assert seen == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("cursor", ["!", "bm9wZQ", "LTE", "InRleHQi", "W10", "MWU5OQ"])
def test_a_cursor_that_is_none_of_ours_is_refused(client: TestClient, cursor: str) -> None:
    assert client.get(f"/numbers?cursor={cursor}").status_code == 422


def test_what_was_not_foreseen_leaks_nothing(client: TestClient) -> None:
    answer = client.get("/boom")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_busy_says_when_to_come_back(client: TestClient) -> None:
    answer = client.get("/busy")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")


def test_what_the_server_itself_refuses_is_a_problem_too(client: TestClient) -> None:
    for answer in (client.get("/nowhere"), client.put("/numbers")):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.status_code in (404, 405)


def test_every_kind_of_refusal_has_a_slug_of_its_own_and_the_table_only_known_kinds() -> None:
    assert len({kind.slug for kind in Kind}) == len(Kind)
    assert set(STATUS) <= set(Kind)
