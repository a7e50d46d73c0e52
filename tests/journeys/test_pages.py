"""The pages in a real browser: readable by all, by keyboard, narrow, without JavaScript, quiet in the console."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.apps.portal import samples

pytestmark = pytest.mark.needs("chromium")

PAGES = {
    "home": "/",
    "home filtered": "/?name=ana&region=Southeast",
    "home, nobody found": "/?name=zzz",
    "principal": "/principals/p-3",
    "competency": "/principals/p-3/competencies/6",
    "competency at the top": "/principals/p-3/competencies/5",
    "competency without text": "/principals/p-3/competencies/18",
    "overall": "/principals/p-3/competencies/overall",
    "badge": f"/credentials/{samples.SHARED}",
    "badge with a name": f"/credentials/{samples.NAMED}",
    "badge revoked": f"/credentials/{samples.REVOKED}",
    "verify": "/verify",
    "missing": "/nowhere",
    "gone": f"/credentials/{samples.ERASED}",
}
VERDICTS = {
    "valid": "Valid",
    "invalid": "Not valid",
    "revoked": "Revoked",
    "suspended": "Suspended",
    "expired": "Not in force",
    "unchecked": "Could not be checked",
    "untrusted": "Issuer not trusted here",
}
DESKTOP, PHONE, NARROW = (1280, 900), (375, 720), (320, 640)


@pytest.fixture
def quiet(page: Page) -> Iterator[Page]:
    """A page whose console stays empty: no script error, no refusal by the Content-Security-Policy."""
    said: list[str] = []
    page.set_default_timeout(10_000)
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    yield page
    # A page that is missing on purpose is no fault of the page.
    assert [text for text in said if "status of 404" not in text and "status of 410" not in text] == []


def _size(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})


def _open_everything(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


def _no_axe_violations(page: Page) -> None:
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
    assert found.violations_count == 0, found.generate_report()


def _no_sideways_scrolling(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def _verify(page: Page, site: str, *sent: dict[str, Any]) -> None:
    page.goto(f"{site}/verify")
    page.get_by_label("Choose a badge file").or_(page.get_by_label("Drop a badge file here")).set_input_files(
        [
            {"name": f"badge-{n}.json", "mimeType": "application/json", "buffer": json.dumps(one).encode()}
            for n, one in enumerate(sent)
        ]
    )
    page.get_by_role("button", name="Check").click()
    page.locator(".result").first.wait_for()


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_every_page_is_accessible_and_fits(quiet: Page, site: str, path: str) -> None:
    quiet.goto(site + path)
    _open_everything(quiet)
    for size in (DESKTOP, PHONE):
        _size(quiet, size)
        _no_axe_violations(quiet)
    _size(quiet, NARROW)
    _no_sideways_scrolling(quiet)


@pytest.mark.parametrize("path", ["/", "/principals/p-3", f"/credentials/{samples.SHARED}", "/verify"])
def test_a_page_stays_within_its_budget(page: Page, site: str, path: str) -> None:
    answers: list[Any] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(site + path, wait_until="networkidle")
    assert all(answer.url.startswith(site) for answer in answers), "a page loads nothing from elsewhere"
    assert sum(answer.request.sizes()["responseBodySize"] for answer in answers) < 160_000
    assert page.evaluate("document.fonts.check('700 16px \"Public Sans\"')")


@pytest.mark.parametrize("verdict", VERDICTS)
def test_each_verdict_is_text_in_a_live_region_and_has_the_focus(quiet: Page, site: str, verdict: str) -> None:
    _verify(quiet, site, {"verdict": verdict})
    word = VERDICTS[verdict]
    heading = quiet.get_by_role("status").get_by_role("heading", name=word)
    expect(heading).to_be_focused()
    expect(heading).to_have_accessible_name(f"{word} (Competency 6, Developing level)")
    expect(quiet).to_have_title(f"{word}: Check a badge · Leader Badges")
    expect(quiet.locator(".checks > li")).to_have_count(10)
    for size in (DESKTOP, PHONE, NARROW):
        _size(quiet, size)
        _no_sideways_scrolling(quiet)
        _no_axe_violations(quiet)


def test_the_badge_page_tells_its_verdict_as_text(quiet: Page, site: str) -> None:
    quiet.goto(f"{site}/credentials/{samples.REVOKED}")
    expect(quiet.get_by_role("status").get_by_role("heading", name="Revoked")).to_be_visible()
    expect(quiet.get_by_role("link", name="Add to LinkedIn")).to_have_count(0)


def test_checking_works_by_keyboard_alone(quiet: Page, site: str) -> None:
    quiet.goto(f"{site}/verify")
    visited = []
    for _ in range(12):
        quiet.keyboard.press("Tab")
        visited.append(quiet.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
        assert quiet.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", visited
        if visited[-1] == "text":
            quiet.keyboard.insert_text('{"verdict": "expired"}')
        if visited[-1] == "send":
            break
    assert visited[0] == "Skip to the content"
    assert visited[-4:] == ["file", "text", "recipient", "send"]
    quiet.keyboard.press("Enter")
    expect(quiet.get_by_role("heading", name="Not in force")).to_be_focused()


def test_skipping_to_the_content(quiet: Page, site: str) -> None:
    quiet.goto(site)
    quiet.keyboard.press("Tab")
    quiet.keyboard.press("Enter")
    expect(quiet.locator("main")).to_be_focused()


def test_nothing_chosen_is_told_and_has_the_focus(quiet: Page, site: str) -> None:
    quiet.goto(f"{site}/verify")
    quiet.get_by_role("button", name="Check").click()
    expect(quiet.get_by_role("alert")).to_have_text("Choose a badge file, or paste a badge, then press Check.")
    expect(quiet.get_by_role("alert")).to_be_focused()
    _no_axe_violations(quiet)


def test_several_badges_keep_their_order_and_their_sources(quiet: Page, site: str) -> None:
    _verify(quiet, site, {"verdict": "valid"}, {"verdict": "revoked"}, {"verdict": "valid"})
    expect(quiet.get_by_role("heading", name="2 of 3 badges valid.")).to_be_focused()
    expect(quiet.locator(".result h2")).to_have_text(
        [f"{word} (Competency 6, Developing level)" for word in ("Valid", "Revoked", "Valid")]
    )
    expect(quiet.locator(".result dd.address bdi")).to_have_text(["badge-0.json", "badge-1.json", "badge-2.json"])
    _no_axe_violations(quiet)


def test_a_badge_dropped_anywhere_is_checked(quiet: Page, site: str) -> None:
    quiet.goto(f"{site}/verify")
    dropped = quiet.evaluate_handle(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File(['{"verdict": "suspended"}'], "dropped.json", {type: "application/json"}));
            return data;
        }"""
    )
    quiet.dispatch_event("footer", "drop", {"dataTransfer": dropped})
    expect(quiet.get_by_role("heading", name="Suspended")).to_be_focused()
    expect(quiet.locator(".result dd.address bdi")).to_have_text("dropped.json")


def test_hostile_text_stays_text(quiet: Page, site: str) -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    _verify(
        quiet,
        site,
        {
            "verdict": "untrusted",
            "achievement": {"id": "javascript:alert(3)", "name": hostile},
            "issuer": {"id": "did:web:x", "name": None, "claimed_name": f"\u202e{hostile}", "trusted": False},
        },
    )
    expect(quiet.locator(".result dd bdi").first).to_have_text(hostile)
    assert quiet.locator("main img, main script").count() == 0
    quiet.goto(f"{site}/principals/p-hostile")
    expect(quiet.get_by_role("heading", level=1)).to_contain_text("<script>alert(1)</script>")


@pytest.fixture
def plain(browser: Browser, site: str) -> Iterator[Page]:
    """A browser without JavaScript."""
    context = browser.new_context(java_script_enabled=False, base_url=site)
    yield context.new_page()
    context.close()


def test_checking_works_without_javascript(plain: Page, site: str) -> None:
    _verify(plain, site, {"verdict": "untrusted"})
    heading = plain.get_by_role("status").get_by_role("heading", name="Issuer not trusted here")
    expect(heading).to_be_focused()
    expect(plain.locator(".drop")).to_contain_text("Choose a badge file")


def test_people_are_found_and_paged_without_javascript(plain: Page) -> None:
    plain.goto("/")
    names = []
    while True:
        names += plain.locator(".people tbody th").all_inner_texts()
        following = plain.get_by_role("link", name="Next")
        if following.count() == 0:
            break
        following.click()
    assert len(names) == 60
    plain.get_by_label("Name").fill("WHITFIELD")
    plain.get_by_role("button", name="Show").click()
    found = plain.locator(".people tbody th").all_inner_texts()
    assert found
    assert all("Whitfield" in name for name in found)
    plain.get_by_role("link", name=found[0]).first.click()
    plain.get_by_role("link", name="6. Observes").click()
    expect(plain.get_by_role("heading", name="Why")).to_be_visible()


def test_the_continuum_reads_as_a_table(quiet: Page, site: str) -> None:
    _size(quiet, PHONE)
    quiet.goto(f"{site}/principals/p-3")
    table = quiet.get_by_role("table", name="Competencies by level")
    row = table.get_by_role("row").filter(has=quiet.get_by_role("rowheader", name="6. Observes"))
    expect(row.get_by_role("cell")).to_have_text(
        ["3Aspiring reached, 3 pieces of evidence", "1Emerging not reached yet, 1 piece of evidence",
         "1Developing not reached yet, 1 piece of evidence", "Transformational not yet"]
    )  # fmt: skip


def test_forced_colours_keep_what_colour_says(browser: Browser, site: str) -> None:
    context = browser.new_context(forced_colors="active", base_url=site)
    page = context.new_page()
    page.goto("/principals/p-3")
    styles = [
        page.locator(f".continuum td.{state}").first.evaluate("cell => getComputedStyle(cell).borderTopStyle")
        for state in ("current", "reached:not(.current)", "some")
    ]
    assert styles == ["double", "solid", "dashed"]
    _no_axe_violations(page)
    context.close()


def test_on_paper_only_the_content_is_left(quiet: Page, site: str) -> None:
    quiet.goto(f"{site}/credentials/{samples.SHARED}")
    quiet.emulate_media(media="print")
    expect(quiet.get_by_role("navigation")).to_be_hidden()
    expect(quiet.get_by_role("heading", name="What it took")).to_be_visible()
