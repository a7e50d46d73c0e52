"""The continuum: four cumulative levels for each competency, and one overall level (MLDS)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal


class Level(StrEnum):
    """Where a principal stands on one competency. Compare by `rank`: the values are words."""

    ASPIRING = "aspiring"
    EMERGING = "emerging"
    DEVELOPING = "developing"
    TRANSFORMATIONAL = "transformational"

    @property
    def rank(self) -> int:
        """0 for aspiring up to 3 for transformational."""
        return RANKS[self.value]

    @property
    def label(self) -> str:
        return self.value.capitalize()


LEVELS: Final = tuple(Level)
RANKS: Final[dict[str, int]] = {level.value: rank for rank, level in enumerate(LEVELS)}

Overall = Literal["overall"]
OVERALL: Final[Overall] = "overall"
CompetencyOrOverall = int | Overall
