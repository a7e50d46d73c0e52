"""What the continuum says: levels, clauses, what is missing, and the fewest new items that would do."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import combinations_with_replacement, product
from random import Random
from typing import Any

import pytest

from contracts.framework import MLDS_2016, Framework
from contracts.policy import BASELINE, Policy
from services.projections import continuum
from services.projections.decisions import Decisions, Rule
from services.projections.derivation import Derivation, Shown, met
from services.projections.rows import NOTHING, OVERALL_ROW, Standing, rows
from services.projections.timeline import LOOKED_AT, Step, Timeline
from tests.services.projections.histories import Teller, history_of
from tests.story import Story, framework, policy

RULE = Rule.of(BASELINE)
EMERGING = {6: "emerging"}
DEVELOPING = {6: "developing"}


def states(story: Story) -> tuple[Derivation, dict[int, Standing]]:
    """The state of the story's principal, and the rows that are read back for it."""
    timeline = Timeline()
    derivation = Derivation()
    for line in story.lines:
        if line.stream == f"dossier:{story.principal}" or line.type == LOOKED_AT:
            step = Step(line.position, line.type, line.recorded_by, line.recorded_at, line.data)
            timeline.look(derivation, step)
        elif line.stream.partition(":")[0] in ("commission", "framework"):
            timeline.take(line, line.recorded_at)
    kept = rows(story.principal, derivation, story.lines[-1].position, derivation.tracks)
    return derivation, {row.competency: Standing.of(row.level, row.standing, row.shown) for row in kept}


def told(story: Story, number: int = 6, rule: Rule = RULE) -> dict[str, Any]:
    return continuum.competency(number, states(story)[1].get(number, NOTHING), rule, MLDS_2016)


def test_nothing_recorded_yet() -> None:
    story = Story()
    story.dossier()
    found = told(story)
    assert found["level"] is None
    assert [level["level"] for level in found["levels"]] == ["aspiring", "emerging", "developing", "transformational"]
    assert all(level["reached"] is None for level in found["levels"])
    assert found["next"] == {
        "level": "aspiring",
        "missing": [{"clause": "items", "need": 1, "have": 0}],
        "fewest": 1,
        "sentence": "For Aspiring there has to be 1 more item judged at this level or higher. "
        "One new item can be enough for all of it.",
    }


def test_each_clause_tells_what_is_there_and_on_which_items_it_rests() -> None:
    story = Story()
    story.dossier()
    story.observed("o1", DEVELOPING, on="2026-02-03")
    story.whole_cycle("c1", DEVELOPING, by="c-wren", on="2026-02-24")
    story.observed("o2", {6: "aspiring"}, on="2026-02-25")
    found = told(story)
    assert found["title"] == MLDS_2016.competency(6).label
    assert found["policy"] == {"id": "mlds-baseline", "version": "1.0"}
    assert found["level"] == "emerging"
    assert found["levels"][1]["reached"] == {
        "at": "2026-02-24T12:00:00Z",
        "position": 6,
        "policy": {"id": "mlds-baseline", "version": "1.0"},
        "evidence_ids": ["o1", "c1"],
    }
    assert found["levels"][0]["clauses"] == [
        {"clause": "items", "need": 1, "have": 3, "met": True, "evidence_ids": ["o1", "c1", "o2"]}
    ]
    assert found["levels"][2]["clauses"] == [
        {"clause": "items", "need": 3, "have": 2, "met": False, "evidence_ids": ["o1", "c1"]},
        {"clause": "kinds.feedback_cycle", "need": 1, "have": 1, "met": True, "evidence_ids": ["c1"]},
        {"clause": "kinds.artifact", "need": 1, "have": 0, "met": False, "evidence_ids": []},
        {"clause": "assessors", "need": 2, "have": 2, "met": True, "evidence_ids": ["o1", "c1"]},
        {"clause": "span_days", "need": 60, "have": 21, "met": False, "evidence_ids": ["o1", "c1"]},
    ]
    assert found["next"] == {
        "level": "developing",
        "missing": [
            {"clause": "items", "need": 3, "have": 2},
            {"clause": "kinds.artifact", "need": 1, "have": 0},
            {"clause": "span_days", "need": 60, "have": 21, "not_before": "2026-04-04"},
        ],
        "fewest": 1,
        "sentence": "For Developing there has to be 1 more item judged at this level or higher, 1 more artifact and "
        "60 days between the first item and the last (now 21, so not before April 4, 2026). "
        "One new item can be enough for all of it.",
    }


def test_next_is_null_at_the_top() -> None:
    story = Story()
    story.dossier()
    story.adopted(policy(emerging={"items": 1}, developing={"items": 1}, transformational={"items": 1}))
    story.observed("o1", {6: "transformational"}, on="2026-02-03")
    assert told(story)["next"] is None


def test_a_laxer_policy_in_force_that_is_met_already_needs_no_item() -> None:
    story = Story()
    story.dossier()
    story.observed("o1", EMERGING, on="2026-02-03")
    laxer = Rule.of(Policy.model_validate(policy(emerging={"items": 1})))
    upcoming = told(story, rule=laxer)["next"]
    assert (upcoming["level"], upcoming["missing"], upcoming["fewest"]) == ("emerging", [], 0)
    assert "reassessment" in upcoming["sentence"]


def test_the_overall_level_names_the_competencies_that_hold_it_up() -> None:
    known = Framework.model_validate(framework("mini", 6, 7))
    story = Story()
    story.published(framework("mini", 6, 7))
    story.adopted(policy(framework="mini"))
    story.dossier()
    story.observed("o1", {6: "emerging", 7: "aspiring"}, on="2026-02-03")
    story.observed("o2", {6: "emerging"}, on="2026-02-04")
    rule = Rule.of(Policy.model_validate(policy(framework="mini")))
    found = states(story)[1]
    overall = continuum.overall(found[OVERALL_ROW], found, rule, known)
    assert overall["level"] == "aspiring"
    assert overall["levels"][0]["reached"]["evidence_ids"] == []
    assert overall["levels"][1]["clauses"] == [
        {"clause": "competency", "competency": 6, "need": "emerging", "have": "emerging", "met": True},
        {"clause": "competency", "competency": 7, "need": "emerging", "have": "aspiring", "met": False},
    ]
    assert overall["next"]["missing"] == [
        {"clause": "competency", "competency": 7, "need": "emerging", "have": "aspiring"}
    ]
    assert overall["next"]["fewest"] is None


# the fewest


def can_be_met(rule: Rule, rank: int, items: list[Shown], new: int) -> bool:
    """Tries every choice of that many new items: kinds, old and new assessors, days before, among and after."""
    days = [item.day for item in items] or [date(2026, 1, 1).toordinal()]
    persons = [items[0].assessors[0]] if items else []
    choices = list(
        product(
            ("observation", "feedback_cycle", "artifact"),
            [*persons, *(f"person:new-{number}" for number in range(new))],
            (min(days) - 999, days[0], max(days) + 999),
        )
    )
    return any(
        met(rule, rank, [*items, *(Shown(99, "n", rank, kind, day, (by,)) for kind, by, day in chosen)])
        for chosen in combinations_with_replacement(choices, new)
    )


@pytest.mark.parametrize("seed", range(40))
def test_the_fewest_is_exact(seed: int) -> None:
    teller = Teller(Random(seed))
    rule = Rule.of(Policy.model_validate(teller.a_policy()))
    story = history_of(seed, 25)
    _, found = states(story)
    for number in (6, 1):
        one = found.get(number, NOTHING)
        upcoming = continuum.competency(number, one, rule, None)["next"]
        if upcoming is None:
            continue
        rank = len(one.standing)
        qualifying = [item for item in one.shown if item.rank >= rank]
        few = upcoming["fewest"]
        if few <= 3:
            assert can_be_met(rule, rank, qualifying, few)
            assert few == 0 or not can_be_met(rule, rank, qualifying, few - 1)


def test_recording_the_fewest_reaches_the_level_and_nothing_less_does() -> None:
    story = Story()
    story.dossier()
    story.observed("o1", DEVELOPING, on="2026-02-03")
    story.whole_cycle("c1", DEVELOPING, on="2026-02-24")
    assert told(story)["next"]["fewest"] == 1
    story.submitted("a1", [6], on="2026-04-04")
    early = Story()
    early.lines = list(story.lines)
    early._versions = dict(story._versions)
    early.reviewed("a1", DEVELOPING, by="c-wren", on="2026-04-03")
    assert early.level(6) == "emerging"
    story.reviewed("a1", DEVELOPING, by="c-wren", on="2026-04-04")
    assert story.level(6) == "developing"


# the decisions by position


def test_the_timeline_tells_what_stood_before_each_position() -> None:
    story = Story()
    story.dossier()
    adopted = story.adopted(policy(effective_from="2026-02-02"), on="2026-02-01")
    timeline = Timeline()
    timeline.take(adopted, adopted.recorded_at)
    assert timeline.at(adopted.position).in_force("2026-03-01").id == "mlds-baseline"
    assert timeline.at(adopted.position + 1).in_force("2026-02-01").id == "mlds-baseline"
    assert timeline.at(adopted.position + 1).in_force("2026-02-02").id == "trial"
    assert timeline.now.in_force((date(2026, 2, 2) + timedelta(days=9)).isoformat()).id == "trial"


def test_decisions_once_copied_go_their_own_ways() -> None:
    first = Decisions({"mlds-2016": [1]})
    second = first.copy()
    second.adopt(Policy.model_validate(policy()))
    second.publish("mini", [6])
    assert first.in_force("2026-03-01").id == "mlds-baseline"
    assert second.in_force("2026-03-01").id == "trial"
    assert "mini" not in first.frameworks
