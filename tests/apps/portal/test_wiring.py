"""The pages on the services themselves, on real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from apps.composition import System
from apps.portal.wiring import ports_of
from tests.apps.portal import samples
from tests.systems import TOKEN, People

PAGE = {"Accept": samples.BROWSER}


@pytest.fixture
def pages(system: System) -> Iterator[TestClient]:
    """The pages as the demonstration shows them, in front of a deployment's services."""
    with TestClient(samples.app(replace(ports_of(system), demonstration=True)), headers=PAGE) as client:
        yield client


def test_what_coaches_saw_is_on_the_pages(system: System, people: People, pages: TestClient) -> None:
    people.observe("2026-02-03")
    people.observe("2026-03-10", by="c-wren")
    system.catch_up()

    home = pages.get("/").text
    assert '<a href="/principals/p-heron">' in home
    assert "<li>1 Emerging</li>" in home
    principal = pages.get("/principals/p-heron").text
    assert "Emerging reached, 2 pieces of evidence" in principal
    assert "2 not shared" in principal
    six = pages.get("/principals/p-heron/competencies/6").text
    assert "February 3, 2026" in six
    assert "March 10, 2026" in six
    assert "What next" in six
    assert pages.get("/principals/p-heron/competencies/overall").status_code == 200
    assert pages.get("/principals/c-otter").status_code == 404


def test_a_badges_page_from_before_sharing_to_after(system: System, people: People) -> None:
    people.observe("2026-02-03")
    system.catch_up()
    badge = people.get("/principals/p-heron/credentials")["items"][0]["id"]
    address = f"/credentials/{badge}"
    assert people.client.get(address, headers=PAGE).status_code == 404

    share = people.post(f"{address}/shares", {"show_name": True}, by="p-heron")["share_id"]
    system.catch_up()
    page = people.client.get(address, headers=PAGE)
    assert page.status_code == 200
    assert "<h2>Valid</h2>" in page.text
    assert "Awarded to" in page.text
    assert "Reached on 1 evidence item (1 observation), judged by 1 assessor on one day" in page.text
    assert people.client.get(address).headers["content-type"] == "application/vc"
    assert people.client.get(f"{address}.json").content == people.client.get(address).content
    picture = people.client.get(f"{address}.png", headers=PAGE)
    assert picture.headers["content-type"] == "image/png"

    answer = people.client.post(
        "/verify",
        files=[("file", ("badge.png", picture.content, "image/png")), ("file", ("none.json", b"{}", "text/plain"))],
        headers=PAGE,
    )
    assert "1 of 2 badges valid." in answer.text

    head = {
        "Authorization": f"Bearer {TOKEN}",
        "Idempotency-Key": "6b0f0b0e-9c1e-4f3b-8f4e-0a6a5f3f2b11",
        "On-Behalf-Of": "person:p-heron",
    }
    people.client.delete(f"/api/v1/shares/{share}", headers=head).raise_for_status()
    system.catch_up()
    assert people.client.get(address, headers=PAGE).status_code == 404


def test_a_deployment_shows_no_page_about_a_person(system: System, people: People) -> None:
    people.observe("2026-02-03")
    system.catch_up()
    assert "p-heron" not in people.client.get("/", headers=PAGE).text
    assert people.client.get("/principals/p-heron", headers=PAGE).status_code == 404
