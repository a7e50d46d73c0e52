"""Levels from a history file alone: no database, and no notice of what was recorded as attained.

Give it every legal line, in order; it holds one `Derivation` for each principal, and no line.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from contracts.continuum import LEVELS, OVERALL, CompetencyOrOverall
from contracts.history import Line
from contracts.policy import Policy
from services.projections.decisions import Decisions
from services.projections.derivation import Attainment, Derivation

ATTAINMENTS: Final = {"LevelReached": True, "LevelLapsed": False}


class Principal:
    __slots__ = ("derivation", "made", "recorded")

    def __init__(self) -> None:
        self.derivation = Derivation()
        self.made: list[Attainment] = []
        self.recorded: list[tuple[int, str, Mapping[str, Any]]] = []
        """Position, type and data of recorded attainments, as they stand in the file."""


class Replay:
    def __init__(
        self, frameworks: Mapping[str, Iterable[int]], *, throughout: Policy | None = None, check: bool = False
    ) -> None:
        """frameworks: competency numbers by id. throughout: in force always. check: keep what was recorded."""
        self._decisions = Decisions(frameworks, throughout=throughout)
        self._check = check
        self._opened: dict[str, Principal] = {}
        self._strangers: dict[str, Principal] = {}
        """Whose attainments are recorded without a dossier."""

    def take(self, line: Line) -> None:
        """The next line of a legal history."""
        if line.stream.startswith("dossier:"):
            if line.type == "DossierOpened":
                self._opened[line.subject] = Principal()
            principal = self._opened[line.subject]
            principal.made += principal.derivation.apply(
                line.type,
                line.data,
                position=line.position,
                by=line.recorded_by,
                at=line.recorded_at,
                decisions=self._decisions,
            )
        elif line.type == "PolicyAdopted":
            self._decisions.adopt(Policy.model_validate(line.data["policy"]))
        elif line.type == "FrameworkPublished":
            framework = line.data["framework"]
            self._decisions.publish(framework["id"], (competency["number"] for competency in framework["competencies"]))
        elif line.type == "ReassessmentOrdered":
            for principal in self._opened.values():
                principal.made += principal.derivation.reassess(
                    position=line.position, at=line.recorded_at, decisions=self._decisions
                )
        elif self._check and line.type in ATTAINMENTS:
            owner = self._opened.get(line.subject) or self._strangers.setdefault(line.subject, Principal())
            owner.recorded.append((line.position, line.type, line.data))

    def levels(self) -> Iterator[dict[str, Any]]:
        """One object for every competency and the overall level of every principal, in the published form."""
        numbers = sorted(set().union(*self._decisions.frameworks.values()))
        competencies: list[CompetencyOrOverall] = [*numbers, OVERALL]
        for name, principal in self._opened.items():
            made: dict[CompetencyOrOverall, list[Attainment]] = {}
            for one in principal.made:
                made.setdefault(one.competency, []).append(one)
            for competency in competencies:
                yield _levels(name, competency, made.get(competency, []))

    def differences(self) -> Iterator[str]:
        """A sentence for each difference between what was recorded and what was derived."""
        for name, principal in {**self._opened, **self._strangers}.items():
            yield from _compare(name, principal)


def _levels(name: str, competency: CompetencyOrOverall, made: list[Attainment]) -> dict[str, Any]:
    standing = -1
    for one in made:
        standing = one.rank if one.reached else one.rank - 1
    return {
        "principal": name,
        "competency": competency,
        "level": LEVELS[standing].value if standing >= 0 else None,
        "reached": [
            {
                **_when(one),
                "policy": {"id": one.rule.id, "version": one.rule.version},
                "evidence_ids": list(one.evidence_ids),
            }
            for one in made
            if one.reached
        ],
        "lapsed": [_when(one) for one in made if not one.reached],
    }


def _when(made: Attainment) -> dict[str, Any]:
    return {
        "level": LEVELS[made.rank].value,
        "at": made.at,
        "position": made.because,
    }


def attainment_data(principal: str, attainment: Attainment) -> dict[str, Any]:
    """The data of the `LevelReached` or `LevelLapsed` that records an attainment."""
    return {
        "principal_id": principal,
        "competency": attainment.competency,
        "level": LEVELS[attainment.rank].value,
        "policy": {"id": attainment.rule.id, "version": attainment.rule.version},
        "framework": attainment.rule.framework,
        "evidence_ids": list(attainment.evidence_ids),
        "because": attainment.because,
    }


def _compare(name: str, principal: Principal) -> Iterator[str]:
    derived = {
        _key(type_name, data): data
        for made in principal.made
        for type_name in ("LevelReached" if made.reached else "LevelLapsed",)
        for data in (attainment_data(name, made),)
    }
    order = list(derived)
    found: list[str] = []
    for position, type_name, data in principal.recorded:
        key = _key(type_name, data)
        if key in found:
            yield f"{name}: position {position} records again {_said(type_name, data)}"
        elif (expected := derived.get(key)) is None:
            yield f"{name}: position {position} records {_said(type_name, data)}, which does not follow"
        else:
            found.append(key)
            for member in sorted({*expected, *data}):
                if _text(expected.get(member)) != _text(data.get(member)):
                    yield (
                        f"{name}: position {position} records {_said(type_name, data)} with {member} "
                        f"{_text(data.get(member))}; derived: {_text(expected.get(member))}"
                    )
    missing = set(order) - set(found)
    for key in order:
        if key in missing:
            yield f"{name}: {_said(*_unkey(key))} follows and is not recorded"
    if found != [key for key in order if key not in missing]:
        yield f"{name}: attainments are recorded in another order than they follow"


def _key(type_name: str, data: Mapping[str, Any]) -> str:
    return _text([type_name, *(data.get(member) for member in ("competency", "level", "because"))])


def _unkey(key: str) -> tuple[str, Mapping[str, Any]]:
    type_name, competency, level, because = json.loads(key)
    return type_name, {"competency": competency, "level": level, "because": because}


def _said(type_name: str, data: Mapping[str, Any]) -> str:
    competency, level, because = (data.get(member) for member in ("competency", "level", "because"))
    what = OVERALL if competency == OVERALL else f"competency {_text(competency)}"
    return f"{type_name} of {what}, {_text(level)}, because of {_text(because)}"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
