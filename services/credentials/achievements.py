"""What a badge is awarded for: an Open Badges 3.0 Achievement for each competency × level, and the overall level.

Source: Open Badges 3.0 (1.2), data model of Achievement, ResultDescription, RubricCriterionLevel, Alignment.
No text is invented: what has not been supplied shows the number or the working label, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from contracts.achievements import AchievementKey
from contracts.continuum import LEVELS, OVERALL, CompetencyOrOverall, Level
from contracts.framework import Competency, Framework
from contracts.packaged import packaged
from contracts.policy import Policy, Requirements
from contracts.vocabulary import EvidenceKind

PROGRAMME: Final = "Missouri Leadership Development System"
NOT_SUPPLIED: Final = "official text not supplied yet"
PSEL_URL: Final = "https://www.npbea.org/psel/"

_KINDS: Final = {
    EvidenceKind.OBSERVATION: ("observation", "observations"),
    EvidenceKind.FEEDBACK_CYCLE: ("feedback cycle", "feedback cycles"),
    EvidenceKind.ARTIFACT: ("artifact", "artifacts"),
}


def counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def kind_counted(number: int, kind: EvidenceKind) -> str:
    """ "2 feedback cycles"."""
    return counted(number, *_KINDS[kind])


def achievement(origin: str, framework: Framework, policy: Policy, key: AchievementKey) -> dict[str, Any]:
    """The Achievement, as it stands in badges and at its id. Raises KeyError for an unknown competency."""
    return _Achievement(origin, framework, policy, key).whole()


def name_of(competency: CompetencyOrOverall, level: Level) -> str:
    if competency == OVERALL:
        return f"Overall, {level.label} level"
    return f"Competency {competency}, {level.label} level"


def short_title(framework: Framework, competency: CompetencyOrOverall) -> str:
    """What the picture shows under the number."""
    if competency == OVERALL:
        return f"All {len(framework.competencies)} competencies"
    return framework.competency(int(competency)).label


class _Achievement:
    def __init__(self, origin: str, framework: Framework, policy: Policy, key: AchievementKey) -> None:
        self.origin = origin
        self.framework = framework
        self.policy = policy
        self.key = key
        self.id = key.id(origin)
        self.competency: Competency | None = (
            None if key.competency == OVERALL else framework.competency(int(key.competency))
        )

    def whole(self) -> dict[str, Any]:
        key, competency = self.key, self.competency
        document: dict[str, Any] = {
            "id": self.id,
            "type": ["Achievement"],
            "achievementType": "Competency" if competency else "Achievement",
            "name": name_of(key.competency, key.level),
            "description": self.description(),
            "humanCode": f"{self.framework.id}/{key.competency}",
            "version": f"{self.framework.id}, {self.policy.id} {self.policy.version}",
            "criteria": {"narrative": self.criteria()},
            "image": {
                "id": f"{self.id}.png",
                "type": "Image",
                "caption": f"{name_of(key.competency, key.level)}: step {key.level.rank + 1} of {len(LEVELS)}",
            },
            "resultDescription": [self.continuum()],
        }
        if alignments := self.alignments():
            document["alignment"] = alignments
        return document

    def description(self) -> str:
        competency = self.competency
        if competency is None:
            return (
                f"Every one of the {len(self.framework.competencies)} competencies of the {PROGRAMME} "
                f"({self.framework.id}) stands at the {self.key.level.label} level or higher."
            )
        place = " · ".join(part for part in (self.domain_name(competency), competency.heading) if part is not None)
        text = competency.label if competency.has_official_text else f"{competency.label} ({NOT_SUPPLIED})"
        return f"{text}. {PROGRAMME}, competency {competency.number}" + (f": {place}." if place else ".")

    def domain_name(self, competency: Competency) -> str | None:
        for domain in self.framework.domains or ():
            if domain.id == competency.domain:
                return domain.name or domain.id
        return competency.domain

    def criteria(self) -> str:
        level = self.key.level
        rule = f"policy {self.policy.id} {self.policy.version}"
        if self.competency is None:
            return (
                f"Reached when every competency of the framework {self.framework.id} has the "
                f"{level.label} level standing, under {rule}."
            )
        descriptor = self.competency.descriptor(level)
        shown = descriptor or f"{NOT_SUPPLIED[0].upper()}{NOT_SUPPLIED[1:]}."
        lower = (
            ""
            if level is LEVELS[0]
            else f" Every lower level ({', '.join(one.label for one in LEVELS[: level.rank])}) has to stand too."
        )
        return (
            f"{level.label}: {shown}\n\n"
            f"Reached, under {rule}, when evidence judged {level.label} or higher satisfies every clause: "
            f"{clauses_in_words(self.policy.levels[level])}.{lower} "
            "Assessors are assigned to the principal; nobody judges their own record."
        )

    def continuum(self) -> dict[str, Any]:
        """The four levels; RDF keeps no order, so the rank stands in `level`."""
        levels = []
        for level in LEVELS:
            step = {
                "id": f"{self.id}#{level.value}",
                "type": ["RubricCriterionLevel"],
                "name": level.label,
                "level": str(level.rank + 1),
            }
            if self.competency is not None and (descriptor := self.competency.descriptor(level)):
                step["description"] = descriptor
            levels.append(step)
        return {
            "id": f"{self.id}#level",
            "type": ["ResultDescription"],
            "name": "Level on the continuum",
            "resultType": "RubricCriterionLevel",
            "requiredLevel": f"{self.id}#{self.key.level.value}",
            "rubricCriterionLevel": levels,
        }

    def alignments(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = [
            {
                "type": ["Alignment"],
                "targetName": self.competency.label if self.competency else "All competencies",
                "targetUrl": f"{self.origin}/achievements/{self.framework.id}"
                + (f"/{self.competency.number}" if self.competency else ""),
                "targetFramework": self.framework.title or self.framework.id,
                "targetCode": str(self.competency.number) if self.competency else OVERALL,
            }
        ]
        labels = _psel_labels()
        found.extend(
            {
                "type": ["Alignment"],
                "targetName": labels.get(code, f"PSEL {code}"),
                "targetUrl": PSEL_URL,
                "targetFramework": "Professional Standards for Educational Leaders 2015",
                "targetCode": code,
            }
            for code in ((self.competency.psel or ()) if self.competency else ())
        )
        return found


def clauses_in_words(requirements: Requirements) -> str:
    """ "at least 3 evidence items, among them at least 1 feedback cycle and 1 artifact, by at least 2 assessors, …"."""
    parts = [f"at least {counted(requirements.items, 'evidence item', 'evidence items')}"]
    kinds = [kind_counted(need, EvidenceKind(kind)) for kind, need in (requirements.kinds or {}).items() if need > 0]
    if kinds:
        parts.append("among them at least " + " and ".join(kinds))
    if requirements.assessors:
        parts.append(f"judged by at least {counted(requirements.assessors, 'assessor', 'different assessors')}")
    if requirements.span_days:
        parts.append(f"over at least {counted(requirements.span_days, 'day', 'days')}")
    return ", ".join(parts)


def competency_document(origin: str, framework: Framework, number: int) -> dict[str, Any]:
    """A competency as plain JSON, which alignments point to. Raises KeyError for an unknown one."""
    competency = framework.competency(number)
    return {
        "id": f"{origin}/achievements/{framework.id}/{number}",
        "framework": framework.id,
        "competency": number,
        "title": competency.title,
        "label": competency.label,
        "official_text": competency.has_official_text,
        "domain": competency.domain,
        "heading": competency.heading,
        "levels": [
            {
                "level": level.value,
                "name": level.label,
                "descriptor": competency.descriptor(level),
                "achievement": AchievementKey(framework.id, number, level).id(origin),
            }
            for level in LEVELS
        ],
        "psel": competency.psel or [],
    }


def framework_document(origin: str, framework: Framework) -> dict[str, Any]:
    """A framework as plain JSON: where its competencies and achievements are."""
    return {
        "id": f"{origin}/achievements/{framework.id}",
        "framework": framework.id,
        "title": framework.title,
        "publisher": framework.publisher,
        "competencies": [
            {
                "competency": competency.number,
                "label": competency.label,
                "id": f"{origin}/achievements/{framework.id}/{competency.number}",
            }
            for competency in framework.competencies
        ],
        "overall": [AchievementKey(framework.id, OVERALL, level).id(origin) for level in LEVELS],
    }


@lru_cache(maxsize=1)
def _psel_labels() -> Mapping[str, str]:
    return {
        code: f"{standard['name']}: {label}"
        for standard in packaged("psel-2015")["standards"]
        for code, label in standard["elements"].items()
    }
