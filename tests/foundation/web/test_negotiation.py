from __future__ import annotations

import pytest
from fastapi import APIRouter, Request, Response
from starlette.responses import HTMLResponse
from starlette.testclient import TestClient

from contracts.refusals import Kind, Refusal
from foundation.web import create_app, prefers_html

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        (BROWSER, True),
        ("text/html", True),
        ("text/html, application/json", True),
        ("application/json;q=0.5, text/html", True),
        ("*/*", False),
        (None, False),
        ("", False),
        ("application/vc, text/html", False),
        ("text/html;q=0", False),
        ("text/html;q=0.5, application/json", False),
        ("text/html;q=nonsense", False),
        ("application/vc+ld+json", False),
    ],
)
def test_a_page_is_served_where_html_is_named_first(accept: str | None, page: bool) -> None:
    assert prefers_html(accept) is page


def _client() -> TestClient:
    router = APIRouter()

    @router.get("/gone")
    def gone() -> Response:
        raise Refusal(Kind.ERASED, "Erased <for good>.")

    @router.get("/api/v1/gone")
    def gone_too() -> Response:
        raise Refusal(Kind.ERASED, "Erased.")

    @router.get("/broken")
    def broken() -> Response:
        raise RuntimeError("secret")

    def page(_: Request, status: int, title: str, detail: str | None) -> Response:
        return HTMLResponse(f"page: {title}; {detail}", status)

    return TestClient(create_app([router], hosts=["testserver"], error_page=page), raise_server_exceptions=False)


@pytest.mark.parametrize(("path", "status"), [("/gone", 410), ("/nowhere", 404), ("/broken", 500)])
def test_an_error_is_a_page_for_browsers_and_a_problem_for_programs(path: str, status: int) -> None:
    client = _client()
    for_people = client.get(path, headers={"Accept": BROWSER})
    assert (for_people.status_code, for_people.text[:5]) == (status, "page:")
    assert "secret" not in for_people.text
    for_programs = client.get(path)
    assert for_programs.status_code == status
    assert for_programs.headers["content-type"] == "application/problem+json"


def test_the_api_answers_problems_whoever_asks() -> None:
    answer = _client().get("/api/v1/gone", headers={"Accept": BROWSER})
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_foreign_host_name_is_refused_with_a_page_too() -> None:
    answer = _client().get("/gone", headers={"Accept": BROWSER, "Host": "evil.example"})
    assert (answer.status_code, answer.text[:5]) == (421, "page:")
