"""The pages over HTTP, on made-up data: who gets a page, what its headers say, what is escaped."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from starlette.testclient import TestClient

from apps.portal.pages import CSP
from tests.apps.portal import samples

PAGES = (
    "/",
    "/principals/p-3",
    "/principals/p-hostile",
    "/principals/p-3/competencies/6",
    "/principals/p-3/competencies/overall",
    f"/credentials/{samples.SHARED}",
    f"/credentials/{samples.NAMED}",
    "/verify",
    "/nowhere",
)


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(samples.app(), headers={"Accept": samples.BROWSER}, raise_server_exceptions=False) as made:
        yield made


class _Markup(HTMLParser):
    """Collects what a Content-Security-Policy would refuse, and ids that stand twice."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.refused: list[str] = []
        self.ids: list[str] = []
        self._in_script = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._in_script = tag == "script"
        if tag == "style" or (tag == "script" and "src" not in given):
            self.refused.append(tag)
        self.refused += [name for name in given if name == "style" or name.startswith("on")]
        self.refused += [f"{value}" for value in given.values() if value and value.startswith("javascript:")]
        if given.get("id"):
            self.ids.append(str(given["id"]))

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.refused.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_the_headers_and_nothing_inline(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == CSP
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "Accept" in answer.headers["vary"]
    markup = _Markup(answer.text)
    assert markup.refused == []
    assert len(markup.ids) == len(set(markup.ids))


def test_the_policy_allows_our_own_files_and_nothing_else() -> None:
    told = dict(part.split(" ", 1) for part in CSP.split("; "))
    assert told["default-src"] == "'none'"
    assert "unsafe" not in CSP
    assert told["require-trusted-types-for"] == "'script'"


def test_names_are_escaped(client: TestClient) -> None:
    for path in ("/", "/principals/p-hostile", f"/credentials/{samples.NAMED}"):
        html = client.get(path).text
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert" in html


def test_programs_at_the_same_address_get_the_credential(client: TestClient) -> None:
    path = f"/credentials/{samples.SHARED}"
    assert client.get(path).headers["content-type"].startswith("text/html")
    for accept in ("*/*", "application/vc", "application/ld+json", "application/vc, text/html;q=0.5"):
        assert client.get(path, headers={"Accept": accept}).headers["content-type"] == "application/vc"


def test_following_a_link_to_the_picture_gives_the_picture(client: TestClient) -> None:
    answer = client.get(f"/credentials/{samples.SHARED}.png")
    assert answer.headers["content-type"] == "image/png"


def test_head_is_answered_like_get(client: TestClient) -> None:
    answer = client.head(f"/credentials/{samples.SHARED}")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    ("path", "status", "heading"),
    [
        ("/nowhere", 404, "Nothing here"),
        (f"/credentials/{samples.UNSHARED}", 404, "Nothing here"),
        ("/credentials/no-uuid", 404, "Nothing here"),
        (f"/credentials/{samples.ERASED}", 410, "No longer here"),
        ("/principals/p-unknown", 404, "Nothing here"),
        ("/principals/%3Cscript%3E", 404, "Nothing here"),
        ("/principals/p-3/competencies/99", 404, "Nothing here"),
        ("/principals/p-3/competencies/nonsense", 404, "Nothing here"),
        ("/static/old/portal.css", 404, "Nothing here"),
        ("/broken", 500, "Something went wrong here"),
    ],
)
def test_errors_are_pages_for_people(client: TestClient, path: str, status: int, heading: str) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert f"<h1>{heading}</h1>" in answer.text
    assert "secret" not in answer.text


def test_a_foreign_host_name_gets_a_page(client: TestClient) -> None:
    answer = client.get("/", headers={"Host": "evil.example"})
    assert answer.status_code == 421
    assert "<h1>Not our address</h1>" in answer.text


def test_pages_about_people_are_the_demonstrations_only() -> None:
    real = TestClient(samples.app(samples.ports(demonstration=False)), headers={"Accept": samples.BROWSER})
    home = real.get("/")
    assert home.status_code == 200
    assert "Demonstration" not in home.text
    assert "Whitfield" not in home.text
    for path in ("/principals/p-3", "/principals/p-3/competencies/6", "/principals/p-unknown"):
        assert real.get(path).status_code == 404
    assert real.get(f"/credentials/{samples.SHARED}").status_code == 200


def test_a_badge_says_the_holders_name_only_by_their_own_act(client: TestClient) -> None:
    assert "Awarded to" not in client.get(f"/credentials/{samples.SHARED}").text
    assert "Whitfield" in client.get(f"/credentials/{samples.NAMED}").text


def test_a_badge_page_can_be_previewed_and_passed_on(client: TestClient) -> None:
    html = client.get(f"/credentials/{samples.SHARED}").text
    url = f"{samples.ORIGIN}/credentials/{samples.SHARED}"
    assert f'<meta property="og:image" content="{url}.png">' in html
    assert f'<link rel="canonical" href="{url}">' in html
    assert "no certificate" in html
    assert re.search(r'href="https://www\.linkedin\.com/profile/add\?[^"]*certUrl=http%3A%2F%2F127', html)
    assert '<svg viewBox="0 0 ' in html


def test_a_badge_is_downloaded_as_json_byte_for_byte(client: TestClient) -> None:
    answer = client.get(f"/credentials/{samples.SHARED}.json")
    assert answer.content == samples.shared_badge(samples.SHARED).content
    assert answer.headers["content-disposition"].startswith("attachment")
    assert client.get(f"/credentials/{samples.UNSHARED}.json").status_code == 404
    assert client.get(f"/credentials/{samples.ERASED}.json").status_code == 410


def test_static_files_stay_for_ever_under_an_address_that_changes_with_them(client: TestClient) -> None:
    html = client.get("/verify").text
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', html):
        plain = client.get(address, headers={"Accept-Encoding": "identity"})
        packed = client.get(address, headers={"Accept-Encoding": "gzip"})
        assert plain.status_code == 200
        assert "immutable" in plain.headers["cache-control"]
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.content == plain.content


def test_a_page_is_packed_where_the_browser_takes_it(client: TestClient) -> None:
    packed = client.get("/", headers={"Accept-Encoding": "br, gzip;q=0.8"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in client.get("/", headers={"Accept-Encoding": "gzip;q=0, identity"}).headers


def test_links_with_tracking_parameters_still_work(client: TestClient) -> None:
    assert client.get(f"/credentials/{samples.SHARED}?trk=public&utm_source=x").status_code == 200


# Checking -----------------------------------------------------------------------------------------------------


def _file(verdict: str, name: str = "badge.json", **members: Any) -> tuple[str, tuple[str, bytes, str]]:
    return "file", (name, json.dumps({"verdict": verdict, **members}).encode(), "application/json")


def test_a_pasted_badge_and_files_are_checked_together_and_in_order(client: TestClient) -> None:
    answer = client.post(
        "/verify", files=[_file("revoked", "a.json"), _file("valid", "b.json")], data={"text": '{"verdict": "expired"}'}
    )
    assert answer.status_code == 200
    assert re.findall(r'<dd class="address"><bdi>(.*?)</bdi>', answer.text) == ["a.json", "b.json", "Pasted text"]
    assert "1 of 3 badges valid." in answer.text
    assert '{"verdict"' not in answer.text, "what was checked is not sent again with the next one"


def test_the_recipient_is_compared_apart_from_the_verdict(client: TestClient) -> None:
    for email, said in (("dana@example.org", "was issued to"), ("other@example.org", "was not issued to")):
        html = client.post("/verify", files=[_file("valid")], data={"recipient": email}).text
        assert f"This badge {said} that e-mail address." in html
        assert ">Valid<" in html


@pytest.mark.parametrize("data", [{}, {"text": ""}, {"text": "  \n "}, {"recipient": "a@example.org"}])
def test_nothing_to_check_is_told(client: TestClient, data: dict[str, str]) -> None:
    for answer in (
        client.post("/verify", data=data),
        client.post("/verify", data=data, files=[("file", ("", b"", "application/octet-stream"))]),
    ):
        assert answer.status_code == 200
        assert "Choose a badge file, or paste a badge" in answer.text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff",
        b"\x89PNG\r\n\x1a\n",
        b"<script>alert(1)</script>",
        b'{"verdict": "valid", "achievement": null}',
    ],
)
def test_whatever_is_sent_gives_a_page(client: TestClient, content: bytes) -> None:
    answer = client.post("/verify", files=[("file", ('"><script>x.json', content, "image/png"))])
    assert answer.status_code == 200
    assert _Markup(answer.text).refused == []


def test_too_many_files_are_told(client: TestClient) -> None:
    answer = client.post("/verify", files=[_file("valid", f"{n}.json") for n in range(51)])
    assert "Check at most 50 files at a time." in answer.text


def test_a_body_that_is_no_form_is_a_page_too(client: TestClient) -> None:
    answer = client.post("/verify", content=b"--x", headers={"Content-Type": "multipart/form-data"})
    assert answer.status_code == 200
    assert "could not be read as a form" in answer.text


def test_too_large_a_form_is_refused_with_a_sentence(client: TestClient) -> None:
    answer = client.post("/verify", files=[("file", ("big.json", b" " * (17 << 20), "application/json"))])
    assert answer.status_code == 413
    assert "larger than 16 MB together" in answer.text


def test_programs_that_post_are_not_answered_by_the_page(client: TestClient) -> None:
    answer = client.post("/verify", files=[_file("valid")], headers={"Accept": "*/*"})
    assert answer.status_code == 404  # no service stands behind the pages of this test
