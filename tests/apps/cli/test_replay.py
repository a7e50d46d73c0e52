"""`mlds replay` on files: what it prints and how it ends."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from apps.cli.main import run
from contracts.history import Line
from services.projections.replay import attainment_data
from tests.services.projections import oracle
from tests.services.projections.histories import history_of
from tests.story import Story, framework, policy

EMERGING = {6: "emerging"}


@pytest.fixture
def mlds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `mlds replay FILE options --format json`; the file is a story or bytes. Gives (exit, lines, messages)."""

    def call(history: Story | bytes, *options: object, shape: str = "json") -> tuple[int, list[Any], str]:
        path = tmp_path / "history.jsonl"
        path.write_bytes(history if isinstance(history, bytes) else history.file())
        ended = run(["replay", str(path), *map(str, options), "--format", shape])
        printed = capsys.readouterr()
        lines = printed.out.splitlines()
        return ended, [json.loads(line) for line in lines] if shape == "json" else lines, printed.err

    return call


def two_visits() -> Story:
    story = Story()
    story.dossier()
    story.observed("e1", EMERGING, on="2026-02-03")
    story.observed("e2", EMERGING, by="c-wren", on="2026-02-10")
    return story


def of(lines: list[Any], competency: int | str, principal: str = "p-heron") -> Any:
    return next(one for one in lines if one["principal"] == principal and one["competency"] == competency)


def test_it_prints_a_line_for_every_competency_and_the_overall_level(mlds: Any) -> None:
    ended, lines, errors = mlds(two_visits())
    assert (ended, errors) == (0, "")
    assert [one["competency"] for one in lines] == [*range(1, 33), "overall"]
    assert of(lines, 6) == {
        "principal": "p-heron",
        "competency": 6,
        "level": "emerging",
        "reached": [
            {
                "level": "aspiring",
                "at": "2026-02-03T12:00:00Z",
                "position": 2,
                "policy": {"id": "mlds-baseline", "version": "1.0"},
                "evidence_ids": ["e1"],
            },
            {
                "level": "emerging",
                "at": "2026-02-10T12:00:00Z",
                "position": 3,
                "policy": {"id": "mlds-baseline", "version": "1.0"},
                "evidence_ids": ["e1", "e2"],
            },
        ],
        "lapsed": [],
    }
    assert of(lines, 1) == {"principal": "p-heron", "competency": 1, "level": None, "reached": [], "lapsed": []}


def test_times_are_printed_as_they_are_written(mlds: Any) -> None:
    story = two_visits()
    story.lines[2] = story.lines[2]._replace(recorded_at="2026-02-10T12:00:00.500Z")
    assert of(mlds(story)[1], 6)["reached"][1]["at"] == "2026-02-10T12:00:00.500Z"


def test_principals_come_in_the_order_of_their_dossiers(mlds: Any) -> None:
    story = Story()
    story.record("person:a", "PersonRegistered", {"person_id": "a", "name": {"erased": True}}, by="registrar-1")
    for name in ("z", "a", "m"):
        story.dossier(name)
    assert list(dict.fromkeys(one["principal"] for one in mlds(story)[1])) == ["z", "a", "m"]


def test_an_empty_history_is_legal_and_gives_nothing(mlds: Any) -> None:
    assert mlds(b"") == (0, [], "")


def test_the_table_is_for_people(mlds: Any) -> None:
    ended, lines, _ = mlds(two_visits(), shape="table")
    assert ended == 0
    assert any("emerging" in line for line in lines)


@pytest.mark.parametrize("seed", range(8))
def test_json_lines_are_those_of_the_plain_rule(mlds: Any, seed: int) -> None:
    story = history_of(seed, 40)
    assert mlds(story)[:2] == (0, oracle.levels(story.lines))


def test_standard_input_is_a_history_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Input:
        buffer = io.BytesIO(two_visits().file())

    monkeypatch.setattr("sys.stdin", Input)
    assert run(["replay", "-", "--format", "json"]) == 0
    assert '"emerging"' in capsys.readouterr().out


# illegal, or called wrongly


def test_the_first_illegal_line_is_named_and_nothing_is_derived(mlds: Any) -> None:
    story = two_visits()
    story.retracted("e9")
    story.retracted("e8")
    ended, lines, errors = mlds(story)
    assert (ended, lines) == (1, [])
    assert errors.startswith("line 4: ")
    assert "e9" in errors


def test_a_file_that_is_not_there_is_called_wrongly(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["replay", str(tmp_path / "none.jsonl")]) == 2
    assert "none.jsonl" in capsys.readouterr().err
    assert run(["replay", str(tmp_path)]) == 2


@pytest.mark.parametrize("option", [("--as-of", "2026-01-01"), ("--known-at", "2026-01-01T00:00:00Z")])
def test_the_two_times_are_not_supported_yet(mlds: Any, option: tuple[str, str]) -> None:
    ended, lines, errors = mlds(two_visits(), *option)
    assert (ended, lines) == (2, [])
    assert "yet" in errors


# what if


def written(tmp_path: Path, value: object, name: str = "given.json") -> Path:
    path = tmp_path / name
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def test_a_policy_is_in_force_throughout_whatever_was_adopted(mlds: Any, tmp_path: Path) -> None:
    story = two_visits()
    story.adopted(policy("strict", emerging={"items": 9}), on="2026-02-11")
    story.observed("e3", {7: "emerging"}, on="2026-02-12")
    given = policy("what-if", effective_from="2030-01-01", emerging={"items": 1})
    ended, lines, _ = mlds(story, "--policy", written(tmp_path, given))
    assert ended == 0
    assert of(lines, 7)["level"] == "emerging"
    assert {one["policy"]["id"] for line in lines for one in line["reached"]} == {"what-if"}


def test_a_policy_may_name_a_framework_that_the_history_publishes(mlds: Any, tmp_path: Path) -> None:
    story = two_visits()
    story.published(framework("mini", 6))
    ended, lines, _ = mlds(story, "--policy", written(tmp_path, policy("what-if", framework="mini")))
    assert ended == 0
    assert of(lines, "overall")["level"] == "emerging"
    assert [one["position"] for one in of(lines, "overall")["reached"]] == [2, 3]


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (policy(framework="unheard-of"), "unheard-of"),
        (policy("mlds-baseline", "1.0"), "other content"),
        ({**policy(), "extra": 1}, "extra"),
        (policy(emerging={"items": 0}), "items"),
        ("{", "not JSON"),
        ('{"id": "a", "id": "b"}', "twice"),
        ("[]", "given.json"),
    ],
    ids=str,
)
def test_an_illegal_policy_file_is_named(mlds: Any, tmp_path: Path, given: object, word: str) -> None:
    ended, lines, errors = mlds(two_visits(), "--policy", written(tmp_path, given))
    assert (ended, lines) == (1, [])
    assert "given.json" in errors
    assert word in errors


def test_given_frameworks_stand_in_place_of_the_packaged_one(mlds: Any, tmp_path: Path) -> None:
    story = Story()
    story.dossier()
    story.observed("e1", {40: "aspiring"}, on="2026-02-03")
    one, two = (written(tmp_path, framework(name, *numbers), f"{name}.json") for name, numbers in _TWO)
    ended, lines, _ = mlds(story, "--framework", one, "--framework", two)
    assert ended == 0
    assert [line["competency"] for line in lines] == [6, 40, "overall"]
    assert of(lines, 40)["level"] == "aspiring"
    assert of(lines, "overall")["level"] is None  # the baseline names a framework that is not among them
    assert mlds(two_visits(), "--framework", two)[0] == 1  # 6 is not known then
    assert mlds(story)[0] == 1


_TWO = (("six", (6,)), ("forty", (40,)))


def test_the_packaged_framework_with_its_texts_may_be_given(mlds: Any, tmp_path: Path) -> None:
    story = two_visits()
    given = framework("mlds-2016", 6)
    ended, lines, _ = mlds(story, "--framework", written(tmp_path, given))
    assert ended == 0
    assert of(lines, "overall")["level"] == "emerging"


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"id": "x", "competencies": []}, "competencies"),
        (framework("x", 6, 6), "twice"),
        ({**framework("x", 6), "colour": 1}, "colour"),
        ("", "not JSON"),
    ],
    ids=str,
)
def test_an_illegal_framework_file_is_named(mlds: Any, tmp_path: Path, given: object, word: str) -> None:
    ended, lines, errors = mlds(two_visits(), "--framework", written(tmp_path, given))
    assert (ended, lines) == (1, [])
    assert "given.json" in errors
    assert word in errors


def test_two_frameworks_of_one_id_and_other_content_are_refused(mlds: Any, tmp_path: Path) -> None:
    one, two = (written(tmp_path, framework("x", number), f"{number}.json") for number in (6, 7))
    assert mlds(two_visits(), "--framework", one, "--framework", two)[0] == 1
    assert mlds(two_visits(), "--framework", one, "--framework", one)[0] == 0


# check


def with_attainments(story: Story) -> Story:
    """The same history with what follows recorded at its end, as a follower would have."""
    replayed = story.replayed()
    for name, principal in replayed._opened.items():
        for one in principal.made:
            type_ = "LevelReached" if one.reached else "LevelLapsed"
            story.record(f"attainment:{name}", type_, attainment_data(name, one), by="service:projections")
    return story


def lapsed() -> Story:
    story = two_visits()
    story.retracted("e2")
    return with_attainments(story)


def test_recorded_attainments_that_follow_make_no_difference(mlds: Any) -> None:
    assert mlds(lapsed(), "--check")[0] == 0
    assert mlds(two_visits())[0] == 0


@pytest.mark.parametrize("seed", range(4))
def test_the_check_holds_for_any_history(mlds: Any, seed: int) -> None:
    story = history_of(seed, 40)
    story.lines = [line._replace(position=number) for number, line in enumerate(story.lines, 1)]
    assert mlds(with_attainments(_without_nonsense(story)), "--check")[0] == 0


def _without_nonsense(story: Story) -> Story:
    again = Story()
    for line in story.lines:
        if line.type != "LevelReached":
            at = line.recorded_at[:10]
            again.record(line.stream, line.type, line.data, by=line.recorded_by, on=at)
    return again


def altered(number: int, **members: Any) -> Story:
    story = lapsed()
    line = story.lines[number]
    story.lines[number] = line._replace(data={**line.data, **members})
    return story


def without(number: int) -> Story:
    story = lapsed()
    del story.lines[number]
    story.lines = [
        line._replace(version=line.version - (line.stream.startswith("attainment") and index >= number))
        for index, line in enumerate(story.lines)
    ]
    return story


def swapped() -> Story:
    story = lapsed()
    first, second = story.lines[4].data, story.lines[5].data
    story.lines[4:6] = [story.lines[4]._replace(data=second), story.lines[5]._replace(data=first)]
    return story


def doubled() -> Story:
    story = lapsed()
    last: Line = story.lines[-1]
    story.record(last.stream, last.type, last.data, by="service:projections")
    return story


@pytest.mark.parametrize(
    ("story", "word"),
    [
        (without(4), "aspiring"),
        (without(5), "emerging"),
        (without(6), "LevelLapsed"),
        (altered(4, competency=7), "competency 7"),
        (altered(4, level="developing"), "developing"),
        (altered(4, because=1), "does not follow"),
        (altered(4, evidence_ids=["e2"]), "evidence_ids"),
        (altered(4, policy={"id": "other", "version": "1.0"}), "policy"),
        (altered(4, framework="other"), "framework"),
        (altered(4, competency={"odd": []}), "odd"),
        (altered(6, policy={"id": "other", "version": "1.0"}), "policy"),
        (altered(4, competency="overall"), "overall"),
        (doubled(), "again"),
        (swapped(), "order"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_difference_is_named(mlds: Any, story: Story, word: str) -> None:
    ended, lines, errors = mlds(story, "--check")
    assert ended == 1
    assert len(lines) == 33
    assert word in errors
    assert "p-heron" in errors
    # Without --check what is recorded as attained is taken no notice of.
    assert mlds(story)[0] == 0


# the cases, each as its kind


def test_k045_a_withdrawn_item_no_longer_counts(mlds: Any) -> None:
    story = two_visits()
    story.retracted("e2", by="c-wren")
    ended, lines, _ = mlds(story)
    assert (ended, of(lines, 6)["level"]) == (0, "aspiring")
    assert [(one["level"], one["position"]) for one in of(lines, 6)["lapsed"]] == [("emerging", 4)]
    for tell in (story.retracted, story.disputed):
        again = Story()
        again.lines = list(story.lines)
        again._versions = dict(story._versions)
        getattr(again, tell.__name__)("e2")
        ended, lines, errors = mlds(again)
        assert (ended, lines) == (1, [])
        assert errors.startswith("line 5: ")


def test_k046_a_stricter_policy_takes_nothing_away(mlds: Any) -> None:
    story = two_visits()
    story.adopted(policy(effective_from="2026-02-12", emerging={"items": 5}), on="2026-02-11")
    story.observed("e3", EMERGING, on="2026-02-13")
    story.reassessed(on="2026-02-14")
    for cut in (4, 5, 6):
        kept = Story()
        kept.lines = story.lines[:cut]
        assert kept.level(6) == "emerging"
    story.retracted("e2")
    assert story.level(6) == "emerging"  # e1 and e3 meet the policy that it was reached under
    story.retracted("e3")
    assert story.changes(6)[-1] == (8, "-emerging")


def test_k060_one_visit_typed_thrice_counts_thrice_on_replay(mlds: Any) -> None:
    story = Story()
    story.dossier()
    for number in (2, 3, 4):
        story.observed(f"e{number}", EMERGING, on="2026-02-01")
    assert [(one["level"], one["position"]) for one in of(mlds(story)[1], 6)["reached"]] == [
        ("aspiring", 2),
        ("emerging", 3),
    ]


def test_k061_a_reassessment_does_not_undo_a_granted_dispute(mlds: Any) -> None:
    story = two_visits()
    story.disputed("e2")
    story.resolved("e2", "upheld")
    story.reassessed(on="2026-02-14")
    assert story.changes(6) == [(2, "+aspiring"), (3, "+emerging"), (5, "-emerging")]


def test_k062_a_retraction_ends_an_open_dispute(mlds: Any) -> None:
    story = two_visits()
    story.disputed("e2")
    story.retracted("e2", by="c-wren")
    assert mlds(story)[0] == 0
    assert story.level(6) == "aspiring"
    story.resolved("e2", "upheld")
    ended, _, errors = mlds(story)
    assert ended == 1
    assert errors.startswith("line 6: ")
