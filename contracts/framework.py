"""A framework: the versioned set of competencies. Data owned by the Commission, imported, never invented."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.continuum import Level
from contracts.ids import Id
from contracts.packaged import packaged

LevelName = Annotated[str, Field(pattern="^(aspiring|emerging|developing|transformational)$")]
ByLevel = Mapping[LevelName, str | None]


# The published text has these misprints. `title` keeps them, as the source does; people are shown what is meant.
_MISPRINTS: Final = {"varierty": "variety", "apppropriate": "appropriate"}


class _FrameworkPart(BaseModel):
    # Unlike statements, a framework may write null: "this text has not been supplied".
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Competency(_FrameworkPart):
    number: Annotated[int, Field(ge=1)]
    domain: str | None = None
    heading: str | None = None
    title: str | None = None
    working_label: str | None = None
    psel: list[str] | None = None
    descriptors: ByLevel | None = None
    working_descriptor: ByLevel | None = None
    status: str | None = None
    note: str | None = None

    @property
    def label(self) -> str:
        """What is shown: its title, else its working label, else its number; never an invented text."""
        text = self.title or self.working_label or f"Competency {self.number}"
        for printed, meant in _MISPRINTS.items():
            text = text.replace(printed, meant)
        return text

    @property
    def has_official_text(self) -> bool:
        return self.title is not None

    def descriptor(self, level: Level) -> str | None:
        """The official descriptor of a level, where it has been supplied."""
        return (self.descriptors or {}).get(level.value)


class Domain(_FrameworkPart):
    id: str
    name: str | None = None
    headings: list[str] | None = None


class Framework(_FrameworkPart):
    id: Id
    competencies: Annotated[list[Competency], Field(min_length=1)]
    title: str | None = None
    publisher: str | None = None
    about: str | None = None
    levels: list[str] | None = None
    distinguished_statements: Mapping[str, str] | None = None
    domains: list[Domain] | None = None

    @model_validator(mode="after")
    def _no_number_twice(self) -> Framework:
        seen: set[int] = set()
        for competency in self.competencies:
            if competency.number in seen:
                raise ValueError(f"competency {competency.number} stands twice")
            seen.add(competency.number)
        return self

    @cached_property
    def numbers(self) -> frozenset[int]:
        return frozenset(competency.number for competency in self.competencies)

    def competency(self, number: int) -> Competency:
        """Raises KeyError for a number that the framework does not have."""
        for competency in self.competencies:
            if competency.number == number:
                return competency
        raise KeyError(number)

    def to_data(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_unset=True)


MLDS_2016: Final = Framework.model_validate(packaged("mlds-framework"))
