"""Achievements: what a badge is awarded for, in words that nobody invented."""

from __future__ import annotations

import pytest

from contracts.achievements import AchievementKey, parse_achievement
from contracts.continuum import LEVELS, OVERALL, Level
from contracts.framework import MLDS_2016
from contracts.policy import BASELINE, Requirements
from services.credentials.achievements import achievement, clauses_in_words, competency_document, framework_document

ORIGIN = "https://badges.example.gov"


def of(competency: int | str, level: Level = Level.DEVELOPING) -> dict:
    return achievement(ORIGIN, MLDS_2016, BASELINE, AchievementKey("mlds-2016", competency, level))


def test_an_id_names_framework_competency_and_level_and_reads_back() -> None:
    key = AchievementKey("mlds-2016", 4, Level.DEVELOPING)
    assert key.id(ORIGIN) == f"{ORIGIN}/achievements/mlds-2016/4/developing"
    assert parse_achievement("mlds-2016", "4", "developing") == key
    assert parse_achievement("mlds-2016", "overall", "emerging") == AchievementKey("mlds-2016", OVERALL, Level.EMERGING)


@pytest.mark.parametrize(
    ("framework", "competency", "level"),
    [
        ("mlds-2016", "04", "developing"),
        ("mlds-2016", "0", "developing"),
        ("mlds-2016", "-1", "developing"),
        ("mlds-2016", "4", "distinguished"),
        ("../etc", "4", "developing"),
        ("mlds-2016", "٤", "developing"),
    ],
)
def test_a_path_that_is_no_achievement_is_none(framework: str, competency: str, level: str) -> None:
    assert parse_achievement(framework, competency, level) is None


def test_every_achievement_of_the_framework_can_be_made_and_has_its_own_id() -> None:
    made = [of(number, level)["id"] for number in [*MLDS_2016.numbers, OVERALL] for level in LEVELS]
    assert len(set(made)) == (len(MLDS_2016.competencies) + 1) * 4


def test_official_text_stands_where_it_is_held() -> None:
    found = of(4)
    descriptor = MLDS_2016.competency(4).descriptor(Level.DEVELOPING)
    assert descriptor is not None
    assert descriptor in found["criteria"]["narrative"]
    assert "not supplied" not in str(found)
    assert [step["level"] for step in found["resultDescription"][0]["rubricCriterionLevel"]] == ["1", "2", "3", "4"]
    assert found["resultDescription"][0]["requiredLevel"] == f"{found['id']}#developing"


@pytest.mark.parametrize("number", [1, 18])
def test_text_that_is_not_held_is_said_to_be_missing_and_never_invented(number: int) -> None:
    found = of(number)
    label = MLDS_2016.competency(number).label
    assert f"{label} (official text not supplied yet)" in found["description"]
    assert "Official text not supplied yet." in found["criteria"]["narrative"]
    for step in found["resultDescription"][0]["rubricCriterionLevel"]:
        assert "description" not in step  # also a working descriptor is no official one


def test_a_misprint_of_the_source_is_shown_as_it_was_meant() -> None:
    shown = of(5)["description"]
    assert "variety" in shown
    assert "appropriate" in shown
    assert "varierty" in str(MLDS_2016.competency(5).title)


def test_criteria_are_the_clauses_of_the_policy_in_words() -> None:
    assert (
        "at least 4 evidence items, among them at least 2 feedback cycles and 1 artifact, judged by at least "
        "2 different assessors, over at least 180 days" in of(4, Level.TRANSFORMATIONAL)["criteria"]["narrative"]
    )
    assert "policy mlds-baseline 1.0" in of(4)["criteria"]["narrative"]
    assert clauses_in_words(Requirements(items=1)) == "at least 1 evidence item"


def test_alignment_names_the_framework_and_each_psel_element() -> None:
    codes = [one["targetCode"] for one in of(4)["alignment"]]
    assert codes == ["4", "4a", "4b", "6d", "9i", "10a", "10e"]
    assert all(one["targetUrl"].startswith("https://") for one in of(4)["alignment"])
    assert [one["targetCode"] for one in of(18)["alignment"]] == ["18"]


def test_the_overall_level_says_how_many_competencies_it_takes() -> None:
    found = of(OVERALL, Level.ASPIRING)
    assert found["name"] == "Overall, Aspiring level"
    assert "Every one of the 32 competencies" in found["description"]


def test_an_unknown_competency_has_no_achievement() -> None:
    with pytest.raises(KeyError):
        of(33)


def test_what_alignments_point_to_lists_the_achievements() -> None:
    document = competency_document(ORIGIN, MLDS_2016, 18)
    assert document["official_text"] is False
    assert [one["achievement"] for one in document["levels"]] == [of(18, level)["id"] for level in LEVELS]
    listed = framework_document(ORIGIN, MLDS_2016)
    assert len(listed["competencies"]) == 32
