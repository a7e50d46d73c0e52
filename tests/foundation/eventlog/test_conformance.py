"""Our recorders behind the library's interface: its own tests, and agreement with its in-memory recorder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from eventsourcing.dcb.tests import DCBRecorderTestCase
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foundation.eventlog.dcb import (
    Condition,
    DCBEvent,
    DCBRecorder,
    InMemoryDCBRecorder,
    IntegrityError,
    Query,
    QueryItem,
)
from foundation.eventlog.memory import InMemoryRecorder
from foundation.eventlog.postgres_recorder import PostgresRecorder
from foundation.postgres.connections import Pool
from tests.databases import Database

TYPES = [
    *("type1", "type2", "type3", "type4", "typeN"),
    *("StudentRegistered", "CourseRegistered", "StudentJoinedCourse"),
]


def may_append(database: Database, types: list[str]) -> None:
    """Gives event types to the login of evidence, as `migrate` does from the registry."""
    owner = database.connect()
    for name in types:
        owner.execute(
            "INSERT INTO log.event_types SELECT %s, owner FROM log.event_types WHERE type = 'ObservationRecorded'",
            (name,),
        )


@pytest.fixture
def recorder(database: Database) -> PostgresRecorder:
    may_append(database, TYPES)
    return PostgresRecorder(database.pool("evidence"))


class TestLibrary(DCBRecorderTestCase):
    """The library's test case, run on both of ours."""

    @pytest.fixture(autouse=True)
    def _take(self, recorder: PostgresRecorder) -> None:
        self.recorder = recorder

    def test_append_and_read_on_postgresql(self) -> None:
        self._test_append_read(self.recorder)

    def test_append_and_subscribe_on_postgresql(self) -> None:
        self._test_append_subscribe(self.recorder)

    def test_append_and_read_in_memory(self) -> None:
        self._test_append_read(InMemoryRecorder())

    def test_append_and_subscribe_in_memory(self) -> None:
        self._test_append_subscribe(InMemoryRecorder())


TAGS = ["a", "b", "c", "d"]
SOME_TYPES = ["type1", "type2", "type3"]
events = st.builds(
    DCBEvent,
    type=st.sampled_from(SOME_TYPES),
    data=st.binary(max_size=3),
    tags=st.lists(st.sampled_from(TAGS), max_size=4),
)
items = st.builds(
    QueryItem,
    types=st.lists(st.sampled_from([*SOME_TYPES, "type4"]), max_size=3),
    tags=st.lists(st.sampled_from([*TAGS, "e"]), max_size=3),
)
queries = st.builds(Query, items=st.lists(items, max_size=3))
positions = st.none() | st.integers(0, 12)
steps = st.lists(
    st.tuples(
        st.lists(events, min_size=1, max_size=4),
        st.none() | st.builds(Condition, fail_if_events_match=queries, after=positions),
        queries,
        positions,
        st.none() | st.integers(0, 6),
    ),
    max_size=6,
)


def answer(recorder: DCBRecorder, query: Query, after: int | None, limit: int | None) -> Any:
    response = recorder.read(query, after=after, limit=limit)
    found = [(one.position, one.event.type, one.event.data, one.event.tags) for one in response]
    return found, response.head


def appended(recorder: DCBRecorder, batch: list[DCBEvent], condition: Condition | None) -> int | None:
    try:
        return recorder.append(batch, condition)
    except IntegrityError:
        return None


@pytest.fixture(scope="module")
def shared(templates: Any) -> Iterator[tuple[Database, Pool]]:
    made = templates.clone()
    may_append(made, TYPES)
    yield made, made.pool("evidence")
    templates.drop(made)


@given(steps)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_agrees_with_the_library_on_any_queries_and_conditions(shared: tuple[Database, Pool], run: Any) -> None:
    database, pool = shared
    database.connect().execute("TRUNCATE log.events, log.tags")
    theirs = InMemoryDCBRecorder()
    ours = [PostgresRecorder(pool), InMemoryRecorder()]
    for batch, condition, query, after, limit in run:
        expected = appended(theirs, batch, condition)
        for recorder in ours:
            assert appended(recorder, batch, condition) == expected
            assert answer(recorder, query, after, limit) == answer(theirs, query, after, limit)
