"""Imports by the rules: bytes, dates, grouping, faults by row and column, all or nothing, and again without harm."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.refusals import Kind, Refusal
from foundation.access.permissions import OPERATOR, Caller
from services.evidence.import_check import _by_row
from services.evidence.import_csv import COLUMNS, TEMPLATE
from tests.services.evidence.conftest import Answer, World, observation

HEADER = "type,principal,evidence_id,occurred_on,setting,competency,level,narrative,recorded_by"


def row(own: str = "", day: str = "2026-02-03", text: str = "Led the data meeting", **other: str) -> str:
    cells = {
        "type": "ObservationRecorded",
        "principal": "p-heron",
        "evidence_id": own,
        "occurred_on": day,
        "setting": "Retreats",
        "competency": "6",
        "level": "emerging",
        "narrative": text,
        "recorded_by": "person:c-otter",
    } | other
    return ",".join(cells[name] for name in HEADER.split(","))


def csv(*rows: str, header: str = HEADER, end: str = "\n") -> bytes:
    return (end.join([header, *rows]) + end).encode()


def send(world: World, data: bytes, by: str | None = "registrar-1", query: str = "") -> Answer:
    return world.post(f"/imports{query}", None, by, None, files={"file": ("visits.csv", data)})


def places(answer: Answer) -> list[str]:
    assert answer.refused == (422, "import-faults"), answer.body
    return [fault["pointer"] for fault in answer.body["errors"]]


TWO = (row("e-1"), row("e-2", "2026-02-05", "Second visit", setting="Learning Labs", recorded_by="person:c-wren"))


@pytest.mark.parametrize(
    "data",
    [
        csv(*TWO),
        b"\xef\xbb\xbf" + csv(*TWO),
        csv(*TWO, end="\r\n"),
        b"\xef\xbb\xbf" + csv(*TWO, end="\r\n"),
        csv(*TWO, end="\r"),
        csv(*TWO).rstrip(),
        csv(*TWO).replace(b",", b";"),
        csv(*TWO, ",,,,,,,,", " , ,,,,,,,", ""),
        csv(*(line + "," for line in TWO), header=HEADER + ","),
        csv(*(line + ",yes" for line in TWO), header=HEADER + ",distinct"),
    ],
    ids=["plain", "bom", "crlf", "bom-crlf", "cr", "no-end", "semicolon", "empty-rows", "nameless", "distinct"],
)
def test_the_same_two_items_however_the_file_was_saved(world: World, data: bytes) -> None:
    """Byte order mark, line ends, separator, empty rows and nameless columns make no difference."""
    before = world.log.head()
    answer = send(world, data)
    assert answer.status == 201, answer.body
    assert {name: answer.body[name] for name in ("items", "added", "already_there")} == {
        "items": 2,
        "added": 2,
        "already_there": 0,
    }
    assert answer.body["position"] == before + 2
    first, second = world.log.read(after=before, unseal=True)
    assert first.recorded_by == "person:c-otter"
    assert first.tags == ("dossier:p-heron", "principal:p-heron", "evidence:e-1", "person:c-otter")
    assert first.data == observation(narrative="Led the data meeting") | {"evidence_id": "e-1"}
    assert second.data["narrative"] == "Second visit"


def test_columns_stand_in_any_order(world: World) -> None:
    names = HEADER.split(",")[::-1]
    turned = [",".join(dict(zip(HEADER.split(","), line.split(","), strict=True))[n] for n in names) for line in TWO]
    assert send(world, csv(*turned, header=",".join(names))).body["added"] == 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (csv(*TWO).decode().encode("utf-16"), "UTF-16"),
        (csv(*TWO).decode().encode("utf-16-le"), "UTF-16"),
        (csv(row(text="Señora Núñez")).decode().encode("cp1252"), "line 2, byte offset 148"),
        (csv(row()) + row(text="très bien").encode("cp1252"), "line 3"),
        (csv(row(text="a\x00b")), "NUL"),
        (b"", "empty"),
        (csv(row(text='"open')), "quotation mark"),
        (csv(row(text='"a"b')), "quotation mark"),
        (csv(*TWO).replace(b",", b"\t"), "tabs"),
        (csv(row(text="x" * (1 << 20))), "too long"),
        (csv(row(text="x" * (1 << 21))), "longer than"),
    ],
    ids=[
        "utf16",
        "utf16-no-mark",
        "1252",
        "mixed",
        "nul",
        "empty",
        "open-quote",
        "stray-quote",
        "tabs",
        "long",
        "endless",
    ],
)
def test_what_cannot_be_read_for_certain_is_refused_with_its_place(world: World, data: bytes, words: str) -> None:
    """A file in another encoding or with a broken quotation is not repaired, and not taken in part."""
    before = world.log.head()
    answer = send(world, data)
    assert len(places(answer)) == 1
    assert words in answer.body["errors"][0]["detail"]
    assert world.log.head() == before


@pytest.mark.parametrize(
    "day",
    ["03/04/2026", "25/02/2026", "3-Feb-26", "46056", "2026-2-3", "2026-02-30", "0026-02-03", "1926-02-03",
     "2026-02-03T00:00:00", " 2026-02-03", "２０２６-02-03", ""],
)  # fmt: skip
def test_no_date_is_guessed(world: World, day: str) -> None:
    """Only a date that exists, written YYYY-MM-DD in plain digits, within the years of use, is taken."""
    assert places(send(world, csv(row(day=day)))) == ["/rows/2/occurred_on"]


def test_every_fault_is_named_by_row_and_column_and_nothing_is_stored(world: World) -> None:
    """One pass finds them all, and the rows that are fine wait for the others."""
    data = csv(
        row("e-40", text="fine"),
        row("e-41", "2026-02-04", level="proficient", text="no such level"),
        row("e-42", "2999-02-04", competency="4711", text="two faults in one row"),
        row("e-43", "2026-02-05", principal="p-nobody", text="unknown principal"),
        row("e-40", "2026-02-06", text="id of the first row"),
        row("e-44", "2026-02-07", text="fine too", recorded_by="person:c-wren"),
    )
    before = world.log.head()
    answer = send(world, data)
    assert places(answer) == [
        "/rows/3/level",
        "/rows/4/occurred_on",
        "/rows/4/competency",
        "/rows/5/principal",
        "/rows/6/evidence_id",
    ]
    assert send(world, data, query="?dry_run=true").body == answer.body
    assert world.log.head() == before


CSV_FAULTS: list[tuple[str, bytes, list[str]]] = [
    ("a column is missing", csv(header=HEADER.replace(",level", "")), ["/rows/1/level"]),
    ("an unknown column", csv(header=HEADER + ",note"), ["/rows/1"]),
    ("a column twice", csv(header=HEADER + ",level"), ["/rows/1/level"]),
    ("a value in a nameless column", csv(row() + ",x", header=HEADER + ","), ["/rows/2"]),
    ("more cells than columns", csv(row() + ",x"), ["/rows/2"]),
    ("fewer cells than columns", csv(row().rpartition(",")[0]), ["/rows/2"]),
    ("another type", csv(row(type="FeedbackGiven")), ["/rows/2/type"]),
    ("no type", csv(row(type="")), ["/rows/2/type"]),
    ("no narrative", csv(row(text="")), ["/rows/2/narrative"]),
    ("an unknown setting", csv(row(setting="Online")), ["/rows/2/setting"]),
    ("a competency that is no number", csv(row(competency="six")), ["/rows/2/competency"]),
    ("a competency with decimals", csv(row(competency="6.0")), ["/rows/2/competency"]),
    ("no level", csv(row(level="")), ["/rows/2/level"]),
    ("a level in capitals", csv(row(level="Emerging")), ["/rows/2/level"]),
    ("an id with spaces", csv(row("e 1")), ["/rows/2/evidence_id"]),
    ("a principal with spaces", csv(row(principal=" p-heron")), ["/rows/2/principal"]),
    ("a recorder without a prefix", csv(row(recorded_by="c-otter")), ["/rows/2/recorded_by"]),
    ("a recorder that is a service", csv(row(recorded_by="service:import")), ["/rows/2/recorded_by"]),
    ("a recorder who is not assigned", csv(row(recorded_by="person:coach-idle")), ["/rows/2/occurred_on"]),
    ("a recorder who is the principal", csv(row(recorded_by="person:p-heron")), ["/rows/2/recorded_by"]),
    ("distinct is yes or empty", csv(row() + ",no", header=HEADER + ",distinct"), ["/rows/2/distinct"]),
    ("a competency twice in an item", csv(row("e"), row("e")), ["/rows/3/competency"]),
    ("equal rows without ids", csv(row(), row()), ["/rows/3/evidence_id"]),
    ("a near double in the file", csv(row("e-1"), row("e-2", text="other")), ["/rows/3/occurred_on"]),
    ("faults of form and of the log together", csv(row(level="x", principal="p-nobody")),
        ["/rows/2/level", "/rows/2/principal"]),
    ("faults of form and of the recorder together", csv(row(text="", recorded_by="person:coach-idle")),
        ["/rows/2/narrative", "/rows/2/occurred_on"]),
    ("rows are counted as a spreadsheet does", csv("", row(text='"two\nlines"'), row(level="x", day="2026-02-04")),
        ["/rows/4/level"]),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), [case[1:] for case in CSV_FAULTS], ids=[case[0] for case in CSV_FAULTS])
def test_a_csv_that_breaks_a_rule_is_refused_there(world: World, data: bytes, expected: list[str]) -> None:
    before = world.log.head()
    assert places(send(world, data)) == expected
    assert world.log.head() == before


def test_rows_with_one_id_make_one_item_wherever_they_stand(world: World) -> None:
    data = csv(row("e-1"), row("e-2", "2026-02-04"), row("e-1", competency="7", level="aspiring"))
    assert send(world, data).body["added"] == 2
    first = world.log.read()[-2]
    assert [(j["competency"], j["level"]) for j in first.data["judgments"]] == [(6, "emerging"), (7, "aspiring")]


def test_the_same_file_again_adds_nothing(world: World) -> None:
    """Items with an id of their own, and those that got theirs from their content."""
    data = csv(*TWO, row(day="2026-02-08", text="no id"))
    first = send(world, data).body
    head = world.log.head()
    again = send(world, data)
    assert (again.status, again.body) == (201, {"items": 3, "added": 0, "already_there": 3, "position": head})
    assert first["added"] == 3
    more = send(world, csv(*TWO, row(day="2026-02-08", text="no id"), row("e-9", "2026-02-09", "new")))
    assert (more.body["added"], more.body["already_there"]) == (1, 3)


def test_what_is_there_with_other_content_is_refused(world: World) -> None:
    send(world, csv(*TWO))
    assert places(send(world, csv(row("e-1", text="other words")))) == ["/rows/2/evidence_id"]
    assert places(send(world, csv(row("e-1", principal="p-egret")))) == ["/rows/2/evidence_id"]


def test_a_near_double_of_what_is_there_needs_to_be_said_distinct(world: World) -> None:
    world.observe().made()
    assert places(send(world, csv(row("e-1")))) == ["/rows/2/occurred_on"]
    assert send(world, csv(row("e-1") + ",yes", header=HEADER + ",distinct")).body["added"] == 1


def test_an_id_from_content_says_nothing_without_the_key(world: World) -> None:
    one, other = World(world.blobs), World(world.blobs)
    for each in (one, other):
        assert send(each, csv(row())).body["added"] == 1
    assert one.log.read()[-1].data["evidence_id"] != other.log.read()[-1].data["evidence_id"]


@pytest.mark.parametrize(
    ("by", "expected"),
    [("registrar-1", 201), ("director-1", 201), (None, 201), ("c-otter", 403), ("p-heron", 403), ("auditor-1", 403)],
)
def test_who_imports(world: World, by: str | None, expected: int) -> None:
    assert send(world, csv(*TWO), by).status == expected


def test_a_dry_run_stores_nothing(world: World) -> None:
    before = world.log.head()
    answer = send(world, csv(*TWO), query="?dry_run=true")
    assert (answer.status, answer.body) == (200, {"items": 2, "added": 2, "already_there": 0, "position": before})
    assert world.log.head() == before


def test_the_template_names_the_columns() -> None:
    assert (
        TEMPLATE == "type,principal,evidence_id,occurred_on,setting,competency,level,narrative,recorded_by,distinct\n"
    )


# JSON Lines


def line(type_: str, own: str | None, by: str = "c-otter", **members: Any) -> dict[str, Any]:
    said = {"type": type_, "principal": "p-heron", "recorded_by": f"person:{by}", "evidence_id": own} | members
    return {name: value for name, value in said.items() if value is not None}


def lines(*values: dict[str, Any]) -> bytes:
    return "".join(json.dumps(value) + "\n" for value in values).encode()


CYCLE = (
    line("FeedbackCycleOpened", "c-1", occurred_on="2026-01-10", focus=[6], setting="Learning Labs"),
    line("FeedbackGiven", "c-1", occurred_on="2026-01-12", feedback="Try pairs."),
    line("ResponseRecorded", "c-1", "p-heron", occurred_on="2026-01-14", response="I did."),
    line("FeedbackCycleClosed", "c-1", occurred_on="2026-01-20", judgments=observation()["judgments"]),
    line("ObservationRecorded", "o-1", **observation()),
    line("EvidenceDisputed", "o-1", "p-heron", reason="not me"),
    line("DisputeResolved", "o-1", "director-1", outcome="rejected"),
    line("EvidenceRetracted", "o-1", reason="wrong person"),
    line("ObservationRecorded", "o-2", **observation(supersedes="o-1")),
    line("MentoringRecorded", None, "p-heron", occurred_on="2026-01-20", mentee_id="p-egret", competencies=[6]),
)


def test_json_lines_carry_every_step_of_an_item_and_again_add_nothing(world: World) -> None:
    before = world.log.head()
    answer = send(world, lines(*CYCLE))
    assert answer.body.get("added") == len(CYCLE), answer.body
    assert [event.type for event in world.log.read(after=before)] == [one["type"] for one in CYCLE]
    retraction = next(event for event in world.log.read() if event.type == "DisputeResolved")
    assert retraction.tags[-2:] == ("person:director-1", "person:c-otter")
    again = send(world, lines(*CYCLE)).body
    assert (again["added"], again["already_there"]) == (0, len(CYCLE))
    assert [one["state"] for one in world.all_items("/principals/p-heron/evidence")] == [
        "complete", "retracted", "complete", "complete"
    ]  # fmt: skip


@pytest.mark.parametrize(("value", "added"), [(True, 2), ("yes", 2), (False, None)])
def test_distinct_in_json_lines(world: World, value: object, added: int | None) -> None:
    visits = [line("ObservationRecorded", f"o-{n}", **observation(narrative=f"n{n}")) for n in (1, 2)]
    assert send(world, lines(*(visit | {"distinct": value} for visit in visits))).body.get("added") == added


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        ("like e-1, recorded", "like row 7, recorded"),
        ("like e-1.", "like row 7."),
        ("e-1 and a-2 and e-1", "row 7 and row 2 and row 7"),
        ("e-10, the-e-1, e-1.b and e-1_", "e-10, the-e-1, e-1.b and e-1_"),
        ("person:e-1 at /evidence/e-1", "person:e-1 at /evidence/e-1"),
        ("7 of a-2", "row 3 of row 2"),
    ],
)
def test_only_whole_ids_are_called_by_their_row(detail: str, shown: str) -> None:
    assert _by_row(detail, {"e-1": 7, "a-2": 2, "7": 3}) == shown


def without(one: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name not in names}


NEITHER_TRUE_NOR_FALSE: tuple[Any, ...] = (7, 1, 0, 1.0, 0.0, "true", "", None, [], {})

JSON_FAULTS: list[tuple[str, bytes, list[str]]] = [
    ("no object", b'{"a": 1}\n[]\n', ["/rows/1/type", "/rows/1/principal", "/rows/1/recorded_by", "/rows/2"]),
    ("a member twice", b'{"type": "x", "type": "y"}', ["/rows/1"]),
    ("a dossier", lines(line("DossierOpened", None, principal_id="p-heron")), ["/rows/1/type"]),
    ("an artifact", lines(line("ArtifactSubmitted", "a-1")), ["/rows/1/type"]),
    ("a type of nobody", lines(line("LevelReached", "a-1")), ["/rows/1/type"]),
    ("a missing member", lines(without(CYCLE[0], "focus")), ["/rows/1/focus"]),
    ("an unknown member", lines(CYCLE[0] | {"position": 7}), ["/rows/1/position"]),
    ("a step without an id", lines(without(CYCLE[1], "evidence_id")), ["/rows/1/evidence_id"]),
    ("a step of an unknown item", lines(CYCLE[1]), ["/rows/1/evidence_id"]),
    ("steps in the wrong order", lines(CYCLE[0], CYCLE[3]), ["/rows/2/evidence_id"]),
    ("an item begun twice", lines(CYCLE[0], CYCLE[0] | {"focus": [7]}), ["/rows/2/evidence_id"]),
    ("an item begun twice, elsewhere", lines(CYCLE[0], CYCLE[0] | {"principal": "p-egret"}), ["/rows/2/evidence_id"]),
    ("a line twice", lines(CYCLE[0], CYCLE[1], CYCLE[1]), ["/rows/3/evidence_id"]),
    ("a response by another", lines(CYCLE[0], CYCLE[2] | {"recorded_by": "person:c-otter"}), ["/rows/2/recorded_by"]),
    ("a judgment's competency", lines(line("ObservationRecorded", "o", **observation(
        judgments=[{"competency": 6, "level": "emerging"}, {"competency": 99, "level": "emerging"}]))),
        ["/rows/1/judgments/1/competency"]),
    *((f"distinct is {value!r}", lines(CYCLE[0] | {"distinct": value}), ["/rows/1/distinct"])
        for value in NEITHER_TRUE_NOR_FALSE),
    ("only the fault of the beginning", lines(CYCLE[0] | {"focus": [99]}, CYCLE[1], CYCLE[2]), ["/rows/1/focus/0"]),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), [c[1:] for c in JSON_FAULTS], ids=[c[0] for c in JSON_FAULTS])
def test_json_lines_that_break_a_rule_are_refused_there(world: World, data: bytes, expected: list[str]) -> None:
    before = world.log.head()
    assert places(send(world, data)) == expected
    assert world.log.head() == before


# whatever the bytes


@pytest.fixture(scope="module")
def still_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One world for many dry runs."""
    return World(tmp_path_factory.mktemp("artifacts"))


def check(world: World, data: bytes) -> None:
    before = world.log.head()
    try:
        world.evidence.imports.run(Caller(OPERATOR), io.BytesIO(data), dry_run=True)
    except Refusal as refusal:
        assert refusal.kind is Kind.IMPORT_FAULTS  # noqa: PT017  # either is right
        assert refusal.errors  # noqa: PT017
    assert world.log.head() == before


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.one_of(st.binary(max_size=400), st.binary(max_size=200).map(lambda b: csv(*TWO) + b), st.text().map(str.encode))
)
def test_any_bytes_are_an_import_or_faults(still_world: World, data: bytes) -> None:
    check(still_world, data)


CELL = st.one_of(
    st.sampled_from(
        ["", "yes", "6", "emerging", "p-heron", "2026-02-03", "Retreats", "person:c-otter", "e-1", '"', "x"]
    ),
    st.text(max_size=8),
)
SEPARATOR, END = st.sampled_from(",;"), st.sampled_from(["\n", "\r\n", "\r"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.lists(CELL, min_size=10, max_size=10), max_size=4), SEPARATOR, END, st.permutations(COLUMNS))
def test_any_cells_are_an_import_or_faults(
    still_world: World, rows: list[list[str]], separator: str, end: str, names: list[str]
) -> None:
    text = end.join(separator.join(cells) for cells in [names, *rows])
    check(still_world, text.encode("utf-8", "surrogatepass"))


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(CYCLE), st.dictionaries(st.sampled_from(sorted({n for one in CYCLE for n in one})), JSON))
def test_any_members_are_an_import_or_faults(still_world: World, base: dict[str, Any], changed: dict[str, Any]) -> None:
    check(still_world, lines(base | changed))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3)))[:4])
def test_items_keep_the_order_of_the_file(world: World, order: tuple[int, ...]) -> None:
    rows = [row(f"e-{n}", f"2026-02-0{n + 1}", principal=("p-heron", "p-egret")[n % 2]) for n in order]
    before = world.log.head()
    send(world, csv(*rows))
    assert [event.data["evidence_id"] for event in world.log.read(after=before)] == [f"e-{n}" for n in order]


def test_an_import_that_others_overtake_looks_again(world: World) -> None:
    """Somebody records the same visit between the check and the append."""
    imports = world.evidence.imports
    rests: list[Callable[[], Answer]] = [lambda: world.observe(evidence_id="e-1", narrative="other")]

    def progress(what: str, done: int, total: int | None) -> None:
        if what == "Checking" and rests:
            rests.pop()().made()

    with pytest.raises(Refusal) as refused:
        imports.run(Caller(OPERATOR), io.BytesIO(csv(row("e-1"))), progress=progress)
    assert refused.value.kind is Kind.IMPORT_FAULTS
