"""What pages show, as pure functions of the interface's shapes."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.portal.pages import Pages
from apps.portal.views import words
from apps.portal.views.badge import badge_page
from apps.portal.views.continuum import badges, competency, picture
from apps.portal.views.home import stairs
from apps.portal.views.people import PAGE_SIZE, PersonRow, people
from apps.portal.views.verdicts import LOOKS, verdict, verdicts
from contracts.framework import MLDS_2016, Framework
from contracts.policy import BASELINE
from tests.apps.portal import samples

ROWS = st.lists(
    st.builds(
        PersonRow,
        id=st.from_regex(r"\A[a-z0-9]{1,6}\Z"),
        name=st.text(max_size=8),
        region=st.sampled_from([None, "Southeast", "Central"]),
        overall=st.sampled_from([None, "aspiring"]),
        levels=st.just({"aspiring": 2}),
        competencies=st.just(32),
    ),
    max_size=70,
    unique_by=lambda row: row.id,
)


@given(ROWS)
def test_paging_loses_and_doubles_nobody(rows: list[PersonRow]) -> None:
    seen, after = [], ""
    for _ in range(len(rows) + 1):
        page = people(rows, after=after)
        seen += [one.id for one in page.shown]
        if page.next is None:
            break
        after = parse_qs(page.next)["after"][0]
    assert sorted(seen) == sorted(row.id for row in rows)
    assert seen == [row.id for row in sorted(rows, key=lambda row: (row.name.casefold(), row.id))]


@given(ROWS)
def test_the_page_before_ends_where_this_one_begins(rows: list[PersonRow]) -> None:
    first = people(rows)
    if first.next is None:
        return
    second = people(rows, after=parse_qs(first.next)["after"][0])
    assert second.previous == ""
    if second.next is not None:
        third = people(rows, after=parse_qs(second.next)["after"][0])
        assert third.previous is not None
        assert people(rows, after=parse_qs(third.previous)["after"][0]).shown == second.shown


def test_a_filter_keeps_its_place_while_paging() -> None:
    page = people(samples.rows(), region="Southeast", name="a")
    assert page.filtered
    assert all(one.region == "Southeast" for one in page.shown)
    assert page.next is None or "region=Southeast" in page.next
    assert len(people(samples.rows()).shown) == PAGE_SIZE


def test_a_bar_says_in_words_what_it_shows() -> None:
    row = PersonRow("p", "P", None, None, {"aspiring": 3, "developing": 1}, 6)
    shown = people([row]).shown[0]
    assert [(s.level, s.start, s.width) for s in shown.segments] == [("developing", 0, 1), ("aspiring", 1, 3)]
    assert shown.summary == ("1 Developing", "3 Aspiring", "2 not yet")


def test_the_steps_say_what_the_policy_asks() -> None:
    assert [stair.asks for stair in stairs(BASELINE)] == [
        "1 piece of evidence",
        "2 pieces of evidence",
        "3 pieces of evidence, 1 feedback cycle and 1 artifact among them, from 2 different assessors, "
        "over 60 days or more",
        "4 pieces of evidence, 2 feedback cycles and 1 artifact among them, from 2 different assessors, "
        "over 180 days or more",
    ]


def test_the_picture_groups_by_domain_and_invents_no_text() -> None:
    shown = picture(samples.continuum("p-3"), MLDS_2016)
    assert [group.name for group in shown.groups] == [
        "Visionary Leader",
        "Instructional Leader",
        "Managerial Leader",
        "Domain not supplied yet",
    ]
    rows = {row.number: row for group in shown.groups for row in group.rows}
    assert len(rows) == 32
    assert (rows[18].label, rows[18].official) == ("Competency 18", False)
    assert (rows[1].label, rows[1].official) == ("1. Vision and school context", False)
    assert rows[6].official
    assert [cell.state for cell in rows[3].cells] == ["reached", "reached", "reached", "some"]
    assert [cell.current for cell in rows[3].cells] == [False, False, True, False]
    assert rows[3].cells[2].words == "Developing reached, 3 pieces of evidence"
    assert rows[8].cells[0].words == "Aspiring not yet"


def test_a_framework_of_numbers_alone_is_shown_by_numbers() -> None:
    bare = Framework.model_validate({"id": "bare", "competencies": [{"number": n} for n in range(1, 33)]})
    shown = picture(samples.continuum("p-3"), bare)
    assert [row.label for row in shown.groups[0].rows][:2] == ["Competency 1", "Competency 2"]


def test_a_competency_tells_why_and_what_next() -> None:
    shown = competency(samples.competency(6, "developing"), MLDS_2016, samples.evidence_items())
    assert (shown.level_label, shown.steps, shown.next_label) == ("Developing", 3, "Transformational")
    developing = shown.levels[2]
    assert developing.current
    assert developing.reached_on == "April 14, 2026"
    assert [(c.asks, c.need, c.met) for c in developing.clauses] == [
        ("Pieces of evidence", "3", True),
        ("Feedback cycle", "1", True),
        ("Artifact", "1", True),
        ("Different assessors", "2", True),
        ("Days from first to last", "60", True),
    ]
    assert [(e.kind, e.on, e.note) for e in developing.evidence] == [
        ("Observation", "January 20, 2026", ""),
        ("Observation", "February 21, 2026", ""),
        ("Feedback cycle", "March 22, 2026", ""),
        ("Artifact", "April 23, 2026", "disputed"),
    ]
    assert shown.levels[3].next


def test_badges_that_count_come_first() -> None:
    held = badges(samples.credentials("p-3"))
    assert held[0].name == "Competency 6, Developing"
    assert held[-1].note == "revoked: lapsed"
    assert held[0].href == f"/credentials/{samples.SHARED}"
    assert held[-1].href is None


@pytest.mark.parametrize("name", LOOKS)
def test_each_verdict_has_its_own_word_icon_and_sentence(name: str) -> None:
    shown = verdict(samples.answer(name))
    others = [look for other, look in LOOKS.items() if other != name]
    assert shown.look.word not in {look.word for look in others}
    assert shown.look.icon not in {look.icon for look in others}
    assert shown.look.sentence not in {look.sentence for look in others}
    assert bool(shown.reason) is (name != "valid")
    assert len(shown.checks) == 10


def test_a_badge_is_drawn_from_the_credential_and_only_where_its_proof_holds() -> None:
    drawn = verdict(samples.answer("valid")).drawing
    assert drawn is not None
    assert (drawn.mark, drawn.level, drawn.steps, drawn.faded) == ("6", "developing", 3, False)
    assert verdict(samples.answer("invalid")).drawing is None
    assert verdict(samples.answer("unchecked")).drawing is None
    stranger = verdict(samples.answer("untrusted")).drawing
    assert stranger is not None
    assert (stranger.mark, stranger.level, stranger.faded) == ("★", None, True)


def test_a_forged_badge_is_not_given_the_name_that_it_claims() -> None:
    forged = verdict(samples.answer("invalid", issuer={"id": "did:x", "name": "Ours", "claimed_name": "Ours"}))
    assert (forged.issuer_name, forged.issuer_claims) == ("", "Ours")
    assert verdict(samples.answer("revoked")).issuer_name == "Example Agency"
    assert verdict(samples.answer("untrusted")).issuer_name == ""


def test_a_false_endorsement_is_not_given_as_the_reason() -> None:
    answer = samples.answer("revoked")
    answer["checks"] = [
        {"name": "endorsements", "result": "failed", "detail": "false"},
        {"name": "status", "result": "failed", "detail": "revoked by its issuer"},
    ]
    assert verdict(answer).reason == "Revocation: revoked by its issuer"


def test_of_several_the_summary_counts_the_good_ones() -> None:
    assert verdicts([samples.answer("valid"), samples.answer("untrusted")]).summary == "1 of 2 badges valid."


def test_a_badge_page_shows_what_the_credential_says() -> None:
    page = badge_page(
        samples.SHARED,
        samples.document(samples.SHARED),
        samples.answer("valid"),
        holder=None,
        public_url=samples.ORIGIN,
    )
    assert page.name == "Competency 6, Developing level"
    assert page.what_it_took[0].startswith("Reached on 5 evidence items")
    assert page.says_no_certificate
    assert [(name, reached) for name, _, reached in page.steps] == [
        ("Aspiring", False),
        ("Emerging", False),
        ("Developing", True),
        ("Transformational", False),
    ]
    assert page.awarded == page.issued == "September 14, 2026"


@given(st.text())
def test_text_from_elsewhere_holds_no_controls_and_stays_short(text: str) -> None:
    shown = words.clean(text, 50)
    assert len(shown) <= 50
    assert not any(ord(c) < 32 and c not in "\t\n" for c in shown)
    assert not any(c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069" for c in shown)
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-03-02", "March 2, 2026"),
        ("2026-03-02T23:59:59Z", "March 2, 2026"),
        ("2026-03-02T23:59:59-06:00", "March 3, 2026"),
        ("soon", "soon"),
        (None, ""),
        (7, ""),
    ],
)
def test_days_in_words(text: object, said: str) -> None:
    assert words.day(text) == said


@given(st.text(), st.text(), st.sampled_from(sorted(LOOKS)))
def test_no_text_of_a_stranger_becomes_markup(name: str, claimed: str, which: str) -> None:
    answer = samples.answer(which, achievement={"id": name, "name": f"<b>{name}"})
    answer["issuer"] |= {"claimed_name": f"<i>{claimed}", "name": None}
    html = _TEMPLATES.render(verdicts=verdicts([answer]))
    assert "<b>" not in html
    assert "<i>" not in html


class _Templates:
    def __init__(self) -> None:
        self._pages = Pages(demonstration=True, public_url=samples.ORIGIN)

    def render(self, **shown: object) -> str:
        template = self._pages.templates.get_template("verify.html")
        return template.render(path="/verify", fault="", recipient="", max_files=1, shown_most=1, **shown)


_TEMPLATES = _Templates()
