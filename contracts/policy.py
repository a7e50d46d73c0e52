"""A policy: the versioned, dated rule that turns evidence into levels. Data, adopted by the Commission."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Annotated, Any, Final

from pydantic import Field, model_validator

from contracts.continuum import LEVELS, Level
from contracts.ids import Id, Text
from contracts.statement import Statement
from contracts.times import Date
from contracts.vocabulary import EvidenceKind

Count = Annotated[int, Field(ge=0)]
KindName = Annotated[str, Field(pattern="^(observation|feedback_cycle|artifact)$")]


class PolicyRef(Statement):
    id: Id
    version: Text


class Requirements(Statement):
    """What one level asks of the items that qualify for it. A clause that is absent asks nothing."""

    items: Annotated[int, Field(ge=1)]
    kinds: Mapping[KindName, Count] | None = None
    assessors: Count | None = None
    span_days: Count | None = None

    def clauses(self) -> Iterator[tuple[str, int]]:
        """(`items`, n), (`kinds.KIND`, n), (`assessors`, n), (`span_days`, n): those named, in this order."""
        yield "items", self.items
        for kind in EvidenceKind:
            if self.kinds is not None and kind.value in self.kinds:
                yield f"kinds.{kind.value}", self.kinds[kind.value]
        if self.assessors is not None:
            yield "assessors", self.assessors
        if self.span_days is not None:
            yield "span_days", self.span_days


class LevelRequirements(Statement):
    aspiring: Requirements
    emerging: Requirements
    developing: Requirements
    transformational: Requirements

    def __getitem__(self, level: Level) -> Requirements:
        return getattr(self, level.value)  # type: ignore[no-any-return]  # the four fields are Requirements


class MentoringClauses(Statement):
    records: Count | None = None
    mentees: Count | None = None
    competencies: Count | None = None
    effective_mentees: Count | None = None


class DistinguishedRule(Statement):
    mentoring: MentoringClauses
    quorum: Count
    max_share: Annotated[float, Field(ge=0, le=1, strict=False)]

    @model_validator(mode="before")
    @classmethod
    def _share_is_a_number(cls, data: Any) -> Any:
        # strict=False lets 0 and 1 be written as whole numbers; it must not let "0.05" or true in.
        share = data.get("max_share") if isinstance(data, dict) else None
        if isinstance(share, (str, bool)):
            raise ValueError("max_share has to be a number from 0 to 1")
        return data


class Policy(Statement):
    id: Id
    version: Text
    framework: Id
    effective_from: Date
    levels: LevelRequirements
    distinguished: DistinguishedRule | None = None

    @property
    def ref(self) -> PolicyRef:
        return PolicyRef(id=self.id, version=self.version)

    def asks_less_higher_up(self) -> list[str]:
        """Sentences on clauses that ask less at a higher level. Legal, but seldom meant."""
        found = []
        for lower, higher in pairwise(LEVELS):
            above = dict(self.levels[higher].clauses())
            for clause, need in self.levels[lower].clauses():
                if above.get(clause, 0) < need:
                    found.append(f"{clause} asks for {need} at {lower} but only for {above.get(clause, 0)} at {higher}")
        return found


BASELINE: Final = Policy.model_validate(
    {
        "id": "mlds-baseline",
        "version": "1.0",
        "framework": "mlds-2016",
        "effective_from": "2016-07-01",
        "levels": {
            "aspiring": {"items": 1},
            "emerging": {"items": 2},
            "developing": {
                "items": 3,
                "kinds": {"feedback_cycle": 1, "artifact": 1},
                "assessors": 2,
                "span_days": 60,
            },
            "transformational": {
                "items": 4,
                "kinds": {"feedback_cycle": 2, "artifact": 1},
                "assessors": 2,
                "span_days": 180,
            },
        },
        "distinguished": {
            "mentoring": {"records": 5, "mentees": 3, "competencies": 5, "effective_mentees": 2},
            "quorum": 8,
            "max_share": 0.05,
        },
    }
)
