"""What is registered of an event type, and the marks that would be passed over."""

from __future__ import annotations

from typing import Annotated

import pytest

from contracts.events import EVENT_TYPES, Event
from contracts.events.registry import Personal, event
from contracts.ids import Text
from contracts.statement import Statement


def test_every_text_that_a_person_writes_is_marked() -> None:
    written = {
        (name, field)
        for name, kind in EVENT_TYPES.items()
        for field in kind.model.model_fields
        if field in {"narrative", "feedback", "response", "filename", "name", "email", "note"}
    }
    assert written
    assert [f"{name}.{field}" for name, field in written if field not in EVENT_TYPES[name].personal] == []


def test_a_mark_inside_a_union_is_refused_when_the_type_is_registered() -> None:
    class Asked(Event):
        question: Annotated[Text, Personal()] | None = None

    with pytest.raises(TypeError, match=r"Asked\.question"):
        event(owner="evidence", stream="dossier")(Asked)
    assert "Asked" not in EVENT_TYPES


def test_a_mark_in_a_member_of_a_member_is_refused() -> None:
    class Answer(Statement):
        text: Annotated[Text, Personal()]

    class Answered(Event):
        answers: list[Answer]

    Answered.model_rebuild(_types_namespace={"Answer": Answer})
    with pytest.raises(TypeError, match=r"Answered\.answers"):
        event(owner="evidence", stream="dossier")(Answered)
