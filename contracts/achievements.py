"""Ids and public paths of achievements: a competency at a level, or the overall level.

An id lives for decades: it names the framework version, the competency and the level, and nothing that an
administrator might rename.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from contracts.continuum import OVERALL, CompetencyOrOverall, Level
from contracts.ids import is_id

_NUMBER = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(frozen=True, slots=True)
class AchievementKey:
    framework: str
    competency: CompetencyOrOverall
    level: Level

    @property
    def path(self) -> str:
        """`/achievements/{framework}/{number|overall}/{level}`, below the public origin."""
        return f"/achievements/{self.framework}/{self.competency}/{self.level.value}"

    def id(self, origin: str) -> str:
        """The absolute id; `origin` has no slash at its end."""
        return origin + self.path


def parse_competency(text: str) -> CompetencyOrOverall | None:
    """A competency's number, or `overall`, as it stands in paths; None for anything else."""
    if text == OVERALL:
        return OVERALL
    return int(text) if _NUMBER.fullmatch(text) else None


def parse_achievement(framework: str, competency: str, level: str) -> AchievementKey | None:
    """The key of an achievement's path, or None where it is none."""
    number = parse_competency(competency)
    if number is None or not is_id(framework) or level not in {one.value for one in Level}:
        return None
    return AchievementKey(framework, number, Level(level))
