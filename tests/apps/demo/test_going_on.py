"""Finding a demonstration again, and choosing the badge that is shared."""

from __future__ import annotations

from datetime import UTC, date, datetime

from apps.demo.driver import command_of, highest
from apps.demo.plan import make_plan
from apps.demo.stage import recognized
from contracts.events.governance import PersonRegistered
from foundation.eventlog import Command, InMemoryEventLog, new_event

LAST = date(2026, 5, 29)


def begun(seed: int, size: int) -> InMemoryEventLog:
    """A log that holds the first step of a plan."""
    log = InMemoryEventLog()
    step = make_plan(seed, size, LAST).steps[0]
    event = new_event(PersonRegistered(**step.body), recorded_by="service:operator", subject=step.body["person_id"])
    log.append([event], command=Command.of("service:operator", str(step.key), step.line), recorded_at=step.at)
    return log


def test_the_log_tells_which_plan_it_holds_on_any_later_day() -> None:
    assert recognized(begun(7, 2), seed=7, size=2) == make_plan(7, 2, LAST)


def test_another_seed_or_size_or_other_people_are_not_recognized() -> None:
    assert recognized(begun(7, 2), seed=8, size=2) is None
    assert recognized(begun(7, 2), seed=7, size=3) is None
    assert recognized(InMemoryEventLog(), seed=7, size=2) is None
    log = InMemoryEventLog()
    stranger = new_event(PersonRegistered(person_id="a", name="A"), recorded_by="service:operator", subject="a")
    log.append([stranger], recorded_at=datetime(2024, 5, 31, tzinfo=UTC))
    assert recognized(log, seed=7, size=2) is None


def test_a_step_is_known_by_who_acts_and_its_key() -> None:
    first, second = make_plan(7, 2, LAST).steps[:2]
    assert command_of(first.actor, first.key) != command_of(second.actor, second.key)
    assert command_of("", first.key) != command_of("registrar-1", first.key)


def test_the_highest_badge_is_an_overall_one_then_by_level_then_the_lowest_number() -> None:
    def badge(competency: int | str, level: str, state: str = "issued") -> dict[str, object]:
        return {"id": f"{competency} {level}", "competency": competency, "level": level, "state": state}

    six, four = badge(6, "developing"), badge(4, "developing")
    overall = badge("overall", "aspiring")
    lost = badge(1, "transformational", "revoked")
    assert highest([badge(1, "emerging"), six, four, lost]) == four
    assert highest([six, overall, badge(3, "transformational")]) == overall
    assert highest([lost]) is None
