"""A history is legal or its first illegal line is named, with what is wrong."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from contracts.history import HistoryReader, IllegalHistory, lines_of
from contracts.packaged import packaged
from tests.story import Story, framework, judged, policy

EMERGING = {6: "emerging"}


def read(file: bytes) -> int:
    return sum(1 for _ in HistoryReader().read_all(lines_of(io.BytesIO(file))))


def refused(file: bytes) -> tuple[int, str]:
    with pytest.raises(IllegalHistory) as caught:
        read(file)
    return caught.value.number, caught.value.detail


def a_story() -> Story:
    """Line 1 opens the dossier; 2 is an observation e1 by c-otter, 3 another, e2, by c-wren, retracted in 4."""
    story = Story()
    story.dossier()
    story.observed("e1", EMERGING, on="2026-02-03")
    story.observed("e2", EMERGING, by="c-wren", on="2026-02-10")
    story.retracted("e2")
    return story


def altered(**members: Any) -> bytes:
    """A story whose line 3 has other members in its envelope; None leaves one out."""
    lines = [line._asdict() for line in a_story().lines[:3]]
    lines[2] = {name: value for name, value in {**lines[2], **members}.items() if value is not None}
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def with_data(**members: Any) -> bytes:
    """The same with other members in the data of line 3."""
    data = {name: value for name, value in {**a_story().lines[2].data, **members}.items() if value != "absent"}
    return altered(data=data)


def test_a_legal_history_is_read_whole() -> None:
    assert read(a_story().file()) == 4
    assert read(b"") == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.replace(b"\n", b"\r\n"),
        lambda file: file.rstrip(b"\n"),
        lambda file: file.replace(b": ", b":\t "),
    ],
    ids=["CRLF", "no end of the last line", "other spaces"],
)
def test_forms_of_one_history(change: Callable[[bytes], bytes]) -> None:
    assert read(change(a_story().file())) == 4


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (b"", "blank"),
        (b"  ", "blank"),
        (b"[]", "not a JSON object"),
        (b"1", "not a JSON object"),
        (b"{", "not JSON"),
        (b'{"position": 9', "not JSON"),
        (b'{"position": NaN}', "NaN"),
        (b'{"position": 1, "position": 2}', "position"),
        (b'{"type": "\\ud800"}', "surrogate"),
        (b'{"type": "\xff"}', "UTF-8"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b"{}", "position is missing"),
        (b"[" * 100_000, "nested"),
        (b"1" * 5_000, "number"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_line_that_is_no_sound_json_object_is_named(line: bytes, word: str) -> None:
    lines = a_story().file().splitlines()
    number, detail = refused(b"\n".join([*lines[:2], line, *lines[2:]]))
    assert number == 3
    assert word in detail


@pytest.mark.parametrize("name", ["position", "stream", "version", "recorded_at", "recorded_by", "type", "data"])
def test_every_member_of_the_envelope_is_needed(name: str) -> None:
    assert refused(altered(**{name: None})) == (3, f"the member {name} is missing")


@pytest.mark.parametrize(
    ("members", "word"),
    [
        ({"extra": 1}, "extra"),
        ({"position": 2}, "does not rise"),
        ({"position": 0}, "from 1"),
        ({"position": 3.0}, "whole number"),
        ({"position": True}, "whole number"),
        ({"position": "3"}, "whole number"),
        ({"version": 2}, "has to be 3"),
        ({"version": 4}, "has to be 3"),
        ({"version": 3.0}, "has to be 3"),
        ({"version": True}, "has to be 3"),
        ({"stream": "person:p-heron"}, "dossier"),
        ({"stream": "dossier:"}, "stream"),
        ({"stream": "dossier:a b"}, "stream"),
        ({"stream": ["dossier:p-heron"]}, "stream"),
        ({"stream": "dossier:p-heron\n"}, "stream"),
        ({"recorded_by": "c-wren"}, "recorded_by"),
        ({"recorded_by": "person:"}, "recorded_by"),
        ({"recorded_by": "group:c-wren"}, "recorded_by"),
        ({"recorded_by": "person:c wren"}, "recorded_by"),
        ({"recorded_by": 7}, "recorded_by"),
        ({"recorded_by": "service:importer"}, "person"),
        ({"recorded_by": "person:p-heron"}, "no assessor of their own"),
        ({"type": "ObservationSeen"}, "ObservationSeen"),
        ({"type": 3}, "type"),
        ({"type": "FeedbackGiven"}, "FeedbackGiven"),
        ({"data": []}, "object"),
        ({"data": "x"}, "object"),
        ({"recorded_at": "2026-02-03T11:59:59Z"}, "before"),
        ({"recorded_at": "2026-02-03T11:59:59.999999Z"}, "before"),
        ({"recorded_at": 5}, "recorded_at"),
    ],
    ids=str,
)
def test_a_wrong_envelope_is_named(members: dict[str, Any], word: str) -> None:
    number, detail = refused(altered(**members))
    assert number == 3
    assert word in detail


@pytest.mark.parametrize(
    ("text", "legal"),
    [
        # Times are in UTC and written with Z, and exist. The line before is of 2026-02-03T12:00:00Z.
        ("2026-03-02T15:04:05Z", True),
        ("2026-03-02T15:04:05.123456Z", True),
        ("2026-03-02T15:04:05.1Z", True),
        ("2026-02-10T23:59:59Z", True),
        ("2026-03-02T09:04:05-06:00", False),
        ("2016-12-31T23:59:60Z", False),
        ("2026-03-02T15:04:60Z", False),
        ("2026-03-02T24:00:00Z", False),
        ("2026-03-02T15:60:00Z", False),
        ("2026-03-02T15:04:05", False),
        ("2026-03-02 15:04:05Z", False),
        ("2026-03-02t15:04:05Z", False),
        ("2026-03-02T15:04:05z", False),
        ("2026-03-02", False),
        ("2026-02-30T00:00:00Z", False),
        ("2026-03-02T15:04:05+00:00", False),
        ("2026-03-02T15:04:05-00:00", False),
        ("+002026-03-02T15:04:05Z", False),
        ("٢٠٢٦-03-02T15:04:05Z", False),
        ("2026-03-02T15:04:05.Z", False),
        ("2026-03-02T15:04:05.1234567Z", False),
        ("2026-03-02T15:04:05,5Z", False),
        ("2026-03-02T15:04:05Z\n", False),
    ],
)
def test_forms_of_recorded_at(text: str, legal: bool) -> None:
    if legal:
        assert read(altered(recorded_at=text)) == 3
    else:
        number, detail = refused(altered(recorded_at=text))
        assert number == 3
        assert "recorded_at" in detail


def test_times_are_compared_as_instants_and_not_as_text() -> None:
    # As text "…05.5Z" stands before "…05Z", and "…05.25Z" before "…05.5Z" either way.
    def times(*texts: str) -> bytes:
        lines = [line._asdict() for line in a_story().lines[: len(texts)]]
        return "".join(
            json.dumps({**line, "recorded_at": f"2026-03-02T15:04:{text}Z"}) + "\n"
            for line, text in zip(lines, texts, strict=True)
        ).encode()

    assert read(times("05", "05.5", "05.50", "05.500001")) == 4
    assert refused(times("05.5", "05", "06"))[0] == 2
    assert refused(times("05.5", "05.49", "06"))[0] == 2


@pytest.mark.parametrize(
    ("members", "word"),
    [
        ({"extra": 1}, "extra"),
        ({"evidence_id": "absent"}, "evidence_id"),
        ({"occurred_on": "absent"}, "occurred_on"),
        ({"narrative": "absent"}, "narrative"),
        ({"narrative": ""}, "narrative"),
        ({"narrative": "x" * 20_001}, "narrative"),
        ({"narrative": None}, "null"),
        ({"narrative": {"erased": False}}, "narrative"),
        ({"narrative": {"erased": 1}}, "narrative"),
        ({"narrative": {"erased": True, "why": "x"}}, "narrative"),
        ({"setting": {"erased": True}}, "setting"),
        ({"setting": "Retreat"}, "setting"),
        ({"evidence_id": "a b"}, "evidence_id"),
        ({"evidence_id": "x" * 65}, "evidence_id"),
        ({"evidence_id": "e1"}, "taken"),
        ({"occurred_on": "2026-02-11"}, "after the day"),
        ({"occurred_on": "2026-2-10"}, "occurred_on"),
        ({"occurred_on": "2026-02-30"}, "2026-02-30"),
        ({"occurred_on": "2026-02-10T00:00:00Z"}, "occurred_on"),
        ({"occurred_on": "2026-02-10\n"}, "occurred_on"),
        ({"occurred_on": 20260210}, "occurred_on"),
        ({"judgments": []}, "judgments"),
        ({"judgments": judged(EMERGING) * 2}, "twice"),
        ({"judgments": [{"competency": 6}]}, "level"),
        ({"judgments": [{"competency": 6, "level": "Emerging"}]}, "level"),
        ({"judgments": [{"competency": 6, "level": "emerging", "note": 1}]}, "note"),
        ({"judgments": [{"competency": "6", "level": "emerging"}]}, "competency"),
        ({"judgments": [{"competency": 6.0, "level": "emerging"}]}, "competency"),
        ({"judgments": [{"competency": True, "level": "emerging"}]}, "competency"),
        ({"judgments": judged({33: "emerging"})}, "33"),
        ({"judgments": judged({0: "emerging"})}, "competency"),
        ({"supersedes": "e1"}, "retracted"),
        ({"supersedes": "e9"}, "e9"),
        ({"supersedes": "e2"}, "e2"),
        ({"supersedes": None}, "null"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_wrong_data_of_an_observation_is_named(members: dict[str, Any], word: str) -> None:
    number, detail = refused(with_data(**members))
    assert number == 3
    assert word in detail


def test_an_erased_member_is_legal_where_the_member_is_encrypted() -> None:
    erased = {"erased": True}
    story = Story()
    story.dossier()
    story.observed("e1", EMERGING, on="2026-02-03", narrative=erased)
    story.cycle_opened("c1", [6], on="2026-02-03")
    story.step("FeedbackGiven", "c1", {"feedback": erased}, by="c-otter", on="2026-02-03")
    story.step("ResponseRecorded", "c1", {"response": erased}, by="p-heron", on="2026-02-03")
    story.submitted("a1", [6], on="2026-02-03", sha256=erased, filename=erased)
    story.record("dossier:p-heron", "EvidenceDisputed", {"evidence_id": "e1", "reason": erased}, by="p-heron")
    story.record("dossier:p-heron", "EvidenceRetracted", {"evidence_id": "e1", "reason": erased}, by="c-otter")
    assert read(story.file()) == len(story.lines)


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "0" * 63},
        {"sha256": "A" * 64},
        {"media_type": ""},
        {"size": 0},
        {"size": "1"},
        {"filename": ""},
        {"claims": []},
        {"claims": [{"competency": 6}]},
        {"claims": [{"competency": 6, "pointers": [{"page": 0}]}]},
        {"claims": [{"competency": 6, "pointers": [{"time": "1:60:00"}]}]},
        {"claims": [{"competency": 6, "pointers": [{"page": 1, "time": "0:00:01"}]}]},
        {"claims": [{"competency": 6, "pointers": []}] * 2},
        {"claims": [{"competency": 99, "pointers": []}]},
        {"blob": "x"},
    ],
    ids=str,
)
def test_wrong_data_of_an_artifact_is_named(change: dict[str, Any]) -> None:
    story = Story()
    story.dossier()
    story.submitted("a0", [6], on="2026-02-03", blob="0" * 64)
    story.submitted("a1", [6], on="2026-02-03").data.update(change)
    number, detail = refused(story.file())
    assert number == 3
    assert next(iter(change)) in detail


Tell = Callable[[Story], object]


@pytest.mark.parametrize(
    ("tell", "word"),
    [
        (lambda s: s.dossier(), "open already"),
        (lambda s: s.observed("e1", EMERGING, on="2026-02-11"), "taken"),
        (lambda s: s.feedback("e1", on="2026-02-11"), "not a feedback cycle"),
        (lambda s: s.reviewed("e1", EMERGING, on="2026-02-11"), "not an artifact"),
        (lambda s: s.reviewed("e9", EMERGING, on="2026-02-11"), "no item e9"),
        (lambda s: s.feedback("closed", on="2026-02-11"), "closed"),
        (lambda s: s.response("closed", on="2026-02-11"), "closed"),
        (lambda s: s.cycle_closed("closed", EMERGING, on="2026-02-11"), "closed"),
        (lambda s: s.cycle_closed("no-feedback", EMERGING, on="2026-02-11"), "no feedback"),
        (lambda s: s.cycle_closed("no-response", EMERGING, on="2026-02-11"), "no response"),
        (lambda s: s.feedback("no-feedback", by="p-heron", on="2026-02-11"), "no assessor"),
        (lambda s: s.response("no-response", by="c-otter", on="2026-02-11"), "p-heron"),
        (lambda s: s.response("no-response", by="service:import", on="2026-02-11"), "person"),
        (lambda s: s.reviewed("art", EMERGING, by="c-otter", on="2026-02-11"), "submitted"),
        (lambda s: s.reviewed("art", EMERGING, by="p-heron", on="2026-02-11"), "no assessor"),
        (lambda s: s.reviewed("art", {33: "emerging"}, by="c-wren", on="2026-02-11"), "33"),
        (lambda s: s.cycle_opened("x", [6, 6], on="2026-02-11"), "twice"),
        (lambda s: s.cycle_opened("x", [], on="2026-02-11"), "focus"),
        (lambda s: s.cycle_opened("x", [33], on="2026-02-11"), "33"),
        (lambda s: s.cycle_opened("x", [6], on="2026-02-11", observation_id="art"), "not an observation"),
        (lambda s: s.cycle_opened("x", [6], on="2026-02-11", observation_id="gone"), "retracted"),
        (lambda s: s.cycle_opened("x", [6], on="2026-02-11", observation_id="other"), "no item other"),
        (lambda s: s.mentored("x", [6], mentee="p-heron", on="2026-02-11"), "mentee"),
        (lambda s: s.mentored("x", [33], on="2026-02-11"), "33"),
        (lambda s: s.retracted("gone"), "retracted"),
        (lambda s: s.disputed("gone"), "retracted"),
        (lambda s: s.retracted("other"), "no item other"),
        (lambda s: s.observed("x", EMERGING, on="2026-02-11", supersedes="other-gone"), "no item other-gone"),
        (lambda s: s.observed("x", EMERGING, on="2026-02-11", supersedes="e1"), "not been retracted"),
        (lambda s: s.disputed("in-dispute"), "open already"),
        (lambda s: s.disputed("e1", by="service:x"), "person"),
        (lambda s: s.resolved("e1", "upheld"), "no dispute"),
        (lambda s: s.resolved("in-dispute", "upheld", by="p-heron"), "own record"),
        (lambda s: s.resolved("in-dispute", "upheld", by="service:x"), "person"),
        (lambda s: s.resolved("in-dispute", "granted"), "outcome"),
        (lambda s: s.record("dossier:p-new", "DossierOpened", {"principal_id": "p-heron"}, by="r"), "principal_id"),
        (lambda s: s.record("dossier:p-new", "EvidenceRetracted", {"evidence_id": "e1"}, by="r"), "reason"),
        (lambda s: s.adopted(policy(framework="unheard-of")), "unheard-of"),
        (lambda s: s.adopted(policy("known", "1", emerging={"items": 7})), "other content"),
        (lambda s: s.adopted(policy("mlds-baseline", "1.0")), "other content"),
        (lambda s: s.adopted(policy(emerging={})), "items"),
        (lambda s: s.adopted(policy(emerging={"items": 0})), "items"),
        (lambda s: s.adopted(policy(emerging={"items": 1, "hours": 1})), "hours"),
        (lambda s: s.adopted(policy(emerging={"items": 1, "kinds": {"essay": 1}})), "essay"),
        (lambda s: s.adopted(policy(emerging={"items": 1, "span_days": -1})), "span_days"),
        (lambda s: s.adopted(policy(emerging={"items": 1, "assessors": 1.0})), "assessors"),
        (lambda s: s.adopted({**policy(), "owner": "x"}), "owner"),
        (lambda s: s.adopted({**policy(), "levels": {"aspiring": {"items": 1}}}), "emerging"),
        (lambda s: s.adopted({**policy(), "version": 2}), "version"),
        (lambda s: s.adopted({**policy(), "distinguished": None}), "distinguished"),
        (
            lambda s: s.record(
                "commission:policies", "PolicyAdopted", {"policy": policy(), "effective_from": "2026-01-02"}, by="c"
            ),
            "effective_from",
        ),
        (lambda s: s.record("commission:other", "ReassessmentOrdered", {"reason": "x"}, by="c"), "commission:policies"),
        (lambda s: s.record("commission:policies", "ReassessmentOrdered", {"reason": ""}, by="c"), "reason"),
        (lambda s: s.record("commission:policies", "ReassessmentOrdered", {}, by="c"), "reason"),
        (lambda s: s.published(framework("mini", 7)), "other content"),
        (lambda s: s.published(framework("mlds-2016", 7)), "other content"),
        (lambda s: s.published({"id": "empty", "competencies": []}), "competencies"),
        (lambda s: s.published(framework("x", 0)), "number"),
        (lambda s: s.published(framework("x", 7, 7)), "twice"),
        (lambda s: s.published({**framework("x", 7), "colour": "red"}), "colour"),
        (lambda s: s.record("framework:y", "FrameworkPublished", {"framework": framework("x", 7)}, by="c"), "stream"),
        (lambda s: s.record("attainment:p-heron", "LevelReached", {}, by="c-otter"), "service:projections"),
        (lambda s: s.record("dossier:p-new", "ArtifactTakenDown", {"evidence_id": "a"}, by="c-otter"), "p-new"),
        (lambda s: s.record("cohort:c", "CohortMade", {}, by="c-otter"), "CohortMade"),
    ],
)  # fmt: skip
def test_what_the_file_itself_shows_to_be_impossible_is_named(tell: Tell, word: str) -> None:
    story = Story()
    story.dossier()
    story.dossier("p-egret")
    story.principal = "p-egret"
    story.observed("other", EMERGING, on="2026-02-01")
    story.observed("other-gone", EMERGING, on="2026-02-01")
    story.retracted("other-gone")
    story.principal = "p-heron"
    story.observed("e1", EMERGING, on="2026-02-02")
    story.observed("gone", EMERGING, on="2026-02-02")
    story.retracted("gone")
    story.observed("in-dispute", EMERGING, on="2026-02-02")
    story.disputed("in-dispute")
    story.whole_cycle("closed", EMERGING, on="2026-02-02")
    story.cycle_opened("no-feedback", [6], on="2026-02-02")
    story.response("no-feedback", on="2026-02-02")
    story.cycle_opened("no-response", [6], on="2026-02-02")
    story.feedback("no-response", on="2026-02-02")
    story.submitted("art", [6], by="c-otter", on="2026-02-02")
    story.adopted(policy("known", "1"))
    story.published(framework("mini", 6))
    assert read(story.file()) == len(story.lines)
    tell(story)
    story.observed("after", EMERGING, on="2026-02-12")
    number, detail = refused(story.file())
    assert number == len(story.lines) - 1
    assert word in detail


def test_what_is_unusual_and_legal() -> None:
    story = a_story()
    story.observed("e3", EMERGING, on="2020-02-10", supersedes="e2")
    story.observed("e4", EMERGING, by="c-otter", on="2026-02-10", supersedes="e2")
    story.cycle_opened("c1", [6], on="2026-02-12", observation_id="e1")
    story.response("c1", on="2026-02-11")
    story.feedback("c1", by="c-wren", on="2026-02-12")
    story.cycle_closed("c1", {7: "aspiring"}, by="c-lynx", on="2026-02-12")
    story.disputed("c1", by="c-otter")
    story.resolved("c1", "rejected")
    story.disputed("c1")
    story.retracted("c1", by="service:operator")
    story.submitted("a1", [6], by="c-otter", on="2026-02-12")
    story.reviewed("a1", {9: "aspiring"}, by="c-wren", on="2026-02-12")
    story.mentored("m1", [6], on="2026-02-12")
    story.disputed("m1")
    story.retracted("m1")
    story.published(packaged("mlds-framework"))
    story.published(framework("mini", 33))
    story.published(framework("mini", 33))
    story.adopted(policy(framework="mini", emerging={"items": 1, "kinds": {}, "assessors": 0}))
    story.adopted(policy(framework="mini", emerging={"items": 1, "kinds": {}, "assessors": 0}))
    story.observed("e5", {33: "emerging"}, on="2026-02-12")
    story.record("person:x", "PersonRegistered", {"whatever": [None]}, by="service:operator")
    story.record("dossier:p-heron", "ArtifactTakenDown", {"evidence_id": "a1", "reason": "x"}, by="c-otter")
    assert read(story.file()) == len(story.lines)


def test_a_competency_is_known_only_after_a_framework_has_it() -> None:
    story = Story()
    story.dossier()
    story.observed("e1", {33: "emerging"}, on="2026-02-12")
    story.published(framework("mini", 33))
    assert refused(story.file())[0] == 2


def test_positions_may_have_gaps_and_the_whole_file_is_checked() -> None:
    lines = [line._replace(position=line.position * 10) for line in a_story().lines]
    story = Story()
    story.lines = [*lines, lines[-1]._replace(position=41, version=6)]
    assert refused(story.file())[0] == 5
    story.lines = lines
    assert read(story.file()) == 4
