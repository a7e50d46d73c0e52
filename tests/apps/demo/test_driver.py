"""The driver against the real HTTP of governance, on a log in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest

from apps.demo.driver import Driver
from apps.demo.plan import Plan, make_plan
from contracts.refusals import Kind, Refusal
from foundation.access.tokens import Tokens
from foundation.eventlog import InMemoryEventLog
from foundation.eventlog.demonstration import SettableClock
from foundation.web import Gate, create_app
from services.governance.api import router
from services.governance.application import Governance

TOKEN = "t" * 40
PEOPLE = {"PersonRegistered", "RoleGranted", "DossierOpened", "AssessorAssigned", "AssessorUnassigned"}


def people_only(plan: Plan) -> Plan:
    return replace(plan, steps=tuple(step for step in plan.steps if step.type in PEOPLE), shares=())


class Theater:
    """A governance service, and a driver for it."""

    def __init__(self, follow: Callable[[], None] = lambda: None, token: str = TOKEN) -> None:
        self.clock = SettableClock()
        self.log = InMemoryEventLog(self.clock)
        self.done: list[int] = []
        app = create_app([router(Governance(self.log, self.clock), Gate(Tokens((TOKEN,))))], hosts=[])
        self.driver = Driver(app, "http://127.0.0.1:8000", token, self.log, self.clock, follow)

    def run(self, plan: Plan) -> None:
        # In a thread of its own: the browser of other tests leaves an event loop running in the main one.
        with ThreadPoolExecutor(1, thread_name_prefix="steps") as own:
            own.submit(self.driver.run, plan, self.done.append).result()


PLAN = people_only(make_plan(2, 3, date(2026, 5, 29)))


def test_each_step_is_recorded_at_its_time_in_order_by_who_acts() -> None:
    theater = Theater()
    theater.run(PLAN)
    commands = [event for event in theater.log.read() if event.command_id is not None]
    assert [event.recorded_at for event in commands] == [step.at for step in PLAN.steps]
    assert [event.recorded_by for event in commands] == [
        f"person:{step.actor}" if step.actor else "service:operator" for step in PLAN.steps
    ]
    assert theater.done == list(range(len(PLAN.steps) + 1))
    assert theater.clock.moment is None


def test_sent_again_nothing_is_added() -> None:
    theater = Theater()
    theater.run(replace(PLAN, steps=PLAN.steps[:9]))
    theater.run(PLAN)
    head = theater.log.head()
    theater.run(PLAN)
    assert theater.log.head() == head
    assert theater.done[-1] == len(PLAN.steps)
    whole = Theater()
    whole.run(PLAN)
    assert [event.data for event in theater.log.read()] == [event.data for event in whole.log.read()]


def test_a_refused_step_ends_the_run_with_its_reason() -> None:
    theater = Theater(token="x" * 40)
    with pytest.raises(Refusal, match="401") as refused:
        theater.run(PLAN)
    assert refused.value.kind is Kind.UNAVAILABLE
    assert theater.log.head() == 0
    assert theater.clock.moment is None


def test_what_follows_is_derived_beside_the_steps_and_once_more_at_the_end() -> None:
    threads: list[str] = []
    theater = Theater(lambda: threads.append(threading.current_thread().name))
    theater.run(PLAN)
    assert threads[0].startswith("demo-following")
    assert threads[-2:] == ["steps_0"] * 2  # before the shares, and after


def test_what_fails_beside_the_steps_fails_the_run() -> None:
    def fail() -> None:
        raise Refusal(Kind.UNAVAILABLE, "no database")

    with pytest.raises(Refusal, match="no database"):
        Theater(fail).run(PLAN)
