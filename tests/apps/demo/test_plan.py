"""The generator: a pure function whose every step is legal, and whose people are worth looking at."""

from __future__ import annotations

import io
from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader

from apps.demo.cast import Shape
from apps.demo.plan import DAYS, Plan, key_of, make_plan
from contracts.dossier import BY_AN_ASSESSOR, Dossiers
from contracts.times import parse_date
from contracts.vocabulary import REGIONS
from foundation.access.standing import Folded, standing
from services.evidence.observation import Visits, near_double
from tests.apps.demo.histories import data_of, folded, levels, lines

LAST = date(2026, 5, 29)
plans = st.builds(
    make_plan,
    st.integers(0, 2**32),
    st.integers(1, 8),
    st.dates(date(2020, 1, 1), date(2035, 12, 31)),
)


@pytest.fixture(scope="module")
def full() -> Plan:
    return make_plan(1, 60, LAST)


@given(st.integers(0, 2**32), st.integers(0, 9), st.dates(date(2020, 1, 1), date(2035, 1, 1)))
@settings(max_examples=15, deadline=None)
def test_same_seed_size_and_day_give_the_same_plan(seed: int, size: int, last: date) -> None:
    assert make_plan(seed, size, last) == make_plan(seed, size, last)


def test_another_seed_or_size_gives_other_commands() -> None:
    keys = {
        key_of(*asked)
        for asked in ((1, 60, LAST, 0), (2, 60, LAST, 0), (1, 61, LAST, 0), (1, 60, LAST, 1), (16, 0, LAST, 0))
    }
    assert len(keys) == 5
    assert make_plan(1, 3, LAST).steps != make_plan(2, 3, LAST).steps


@given(plans)
@settings(max_examples=25, deadline=None)
def test_every_history_is_legal(plan: Plan) -> None:
    """Legal as `mlds replay` checks it: envelope, models, and the invariants of contracts/dossier.py."""
    assert len(levels(plan)) == 33 * len(plan.cast.principals)


@given(plans)
@settings(max_examples=25, deadline=None)
def test_every_step_is_permitted_when_it_is_recorded(plan: Plan) -> None:
    dossiers, visits = Dossiers(), Visits()
    people: dict[str, list[Folded]] = {}
    competencies = range(1, 33)
    for step, line in zip(plan.steps, lines(plan), strict=True):
        data = data_of(step)
        if line.stream.startswith("person:"):
            people.setdefault(line.subject, []).append(folded(line))
            continue
        refusal = dossiers.check(
            step.type,
            step.principal,
            data,
            recorded_by=line.recorded_by,
            recorded_on=line.on,
            competencies=competencies,
        )
        assert refusal is None, refusal
        own = standing(step.actor, people[step.actor])
        day = step.at.date()
        if step.type in BY_AN_ASSESSOR or (step.type == "MentoringRecorded" and step.actor != step.principal):
            assert own.assigned(step.principal, parse_date(data["occurred_on"])), step
        elif step.type in ("EvidenceDisputed", "ResponseRecorded", "ArtifactSubmitted"):
            assert step.actor == step.principal
        elif step.type == "DisputeResolved":
            assert own.holds("director", on=day)  # type: ignore[arg-type]  # roles are their words
            assert line.recorded_by not in dossiers.items[step.item].judged_by
        elif step.type == "EvidenceRetracted":
            assert dossiers.items[step.item].began_by == line.recorded_by
        if step.type == "ObservationRecorded":
            double = near_double(step.principal, data, line.recorded_by, visits, dossiers)
            assert (double is not None) == step.path.endswith("?distinct=true")
            visits.add(step.principal, data, line.recorded_by)
        if step.type == "MentoringRecorded":
            assert data["mentee_id"] in dossiers.opened
        dossiers.apply(step.type, step.principal, data, line.recorded_by)


@given(plans)
@settings(max_examples=25, deadline=None)
def test_time_rises_over_two_program_years_and_ends_with_the_last_day(plan: Plan) -> None:
    times = [step.at for step in plan.steps]
    assert times == sorted(times)
    assert times[0].date() == plan.first == plan.last - timedelta(days=DAYS)
    assert times[-1] < plan.end
    assert plan.end.date() == plan.last + timedelta(days=1)


def test_keys_and_items_are_of_one_step_each(full: Plan) -> None:
    keys = [*(step.key for step in full.steps), *(share.key for share in full.shares)]
    assert len(set(keys)) == len(keys)
    begun = [step.item for step in full.steps if "evidence_id" in step.body]
    assert len(set(begun)) == len(begun)


def test_the_full_demonstration_has_something_of_everything(full: Plan) -> None:
    types = Counter(step.type for step in full.steps)
    assert {principal.region for principal in full.cast.principals} == set(REGIONS)
    assert set(Shape) == {principal.shape for principal in full.cast.principals}
    assert set(types) == {
        "PersonRegistered",
        "RoleGranted",
        "DossierOpened",
        "AssessorAssigned",
        "AssessorUnassigned",
        "ObservationRecorded",
        "FeedbackCycleOpened",
        "FeedbackGiven",
        "ResponseRecorded",
        "FeedbackCycleClosed",
        "ArtifactSubmitted",
        "ArtifactReviewed",
        "MentoringRecorded",
        "EvidenceRetracted",
        "EvidenceDisputed",
        "DisputeResolved",
    }
    settings_seen = {step.body["setting"] for step in full.steps if step.type == "ObservationRecorded"}
    assert {"Learning Labs", "District Push-In"} <= settings_seen
    assert {step.body["outcome"] for step in full.steps if step.type == "DisputeResolved"} == {"upheld", "rejected"}
    assert any("supersedes" in step.body for step in full.steps)
    late = [
        s for s in full.steps if "occurred_on" in s.body and (s.at.date() - parse_date(s.body["occurred_on"])).days > 9
    ]
    assert len(late) > 20
    assert {share.show_name for share in full.shares} == {True, False}
    narratives = [step.body["narrative"] for step in full.steps if "narrative" in step.body]
    assert len(set(narratives)) > 0.98 * len(narratives)
    assert not [text for text in narratives if "{" in text]


def test_cycles_take_weeks(full: Plan) -> None:
    opened = {s.item: s.at for s in full.steps if s.type == "FeedbackCycleOpened"}
    took = [(s.at - opened[s.item]).days for s in full.steps if s.type == "FeedbackCycleClosed"]
    assert min(took) >= 7
    assert max(took) > 35


def test_levels_spread(full: Plan) -> None:
    found = levels(full)
    overall = Counter(line["level"] for line in found if line["competency"] == "overall")
    assert overall["transformational"] >= 1
    assert overall["developing"] >= 1
    assert overall[None] > 40
    by_level = Counter(line["level"] for line in found)
    assert min(by_level[level] for level in ("aspiring", "emerging", "developing", "transformational")) > 40
    lapsed = [line for line in found if line["lapsed"]]
    returned = [line for line in lapsed if len(line["reached"]) > len({one["level"] for one in line["reached"]})]
    assert returned
    new = {principal.id for principal in full.cast.principals if principal.shape is Shape.NEW}
    assert max(sum(len(line["reached"]) for line in found if line["principal"] == one) for one in new) < 25


def test_files_are_real_and_always_the_same(full: Plan) -> None:
    files = [step.file for step in full.steps if step.file is not None]
    assert {file.kind for file in files} == {"pdf", "png", "txt"}
    for file in files[:60]:
        content = file.content()
        assert content == file.content()
        assert len(content) < 20_000
        match file.kind:
            case "pdf":
                pages = PdfReader(io.BytesIO(content), strict=True).pages
                assert len(pages) == file.pages
                assert file.title.split(",")[0] in pages[0].extract_text()
            case "png":
                with Image.open(io.BytesIO(content)) as image:
                    image.verify()
            case "txt":
                assert file.title in content.decode()
