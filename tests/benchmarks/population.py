"""Made-up evidence in bulk: the events of many principals over two years, in the order of recording.

Of 100 events about 33 are observations, 54 steps of feedback cycles, 12 artifacts and their reviews, and one is a
correction. Names nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any, NamedTuple

LEVELS = ("aspiring", "emerging", "developing", "transformational")
COMPETENCIES = range(1, 33)
START = date(2024, 7, 1)
DAYS = 700


class Told(NamedTuple):
    """An event of the stream `dossier:<principal>`."""

    principal: str
    type: str
    data: dict[str, Any]
    by: str
    """`person:ID`."""
    on: str
    """Day of recording."""


def evidence(events: int, *, principals: int, seed: int = 4) -> Iterator[Told]:
    """That many events: first all dossiers are opened, then day by day what was seen."""
    random = Random(seed)
    names = [f"p-{number:05d}" for number in range(principals)]
    coaches = [f"person:c-{number:04d}" for number in range(max(4, principals // 8))]
    open_cycles: dict[str, list[tuple[str, str, int, int]]] = {name: [] for name in names}
    unreviewed: dict[str, list[tuple[str, str]]] = {name: [] for name in names}
    counted: dict[str, list[str]] = {name: [] for name in names}
    days = [(START + timedelta(days=day)).isoformat() for day in range(DAYS)]
    narrative = "Saw the team read the data together, and asked what they would change by Friday."

    def judgments(day: int) -> list[dict[str, Any]]:
        ripe = 4 * day / DAYS
        return [
            {"competency": number, "level": LEVELS[min(3, max(0, int(random.gauss(ripe, 0.8))))]}
            for number in random.sample(COMPETENCIES, random.choice((1, 1, 2)))
        ]

    for told, name in enumerate(names):
        if told == events:
            return
        yield Told(name, "DossierOpened", {"principal_id": name}, "person:registrar-1", days[0])
    for number in range(principals, events):
        day = (number - principals) * DAYS // max(1, events - principals)
        on = days[day]
        index = random.randrange(principals)
        name = names[index]
        coach = coaches[(index // 4 + random.choice((0, 0, 1))) % len(coaches)]
        chance = random.random()
        base = {"evidence_id": f"e{number}", "occurred_on": days[max(0, day - random.choice((0, 0, 0, 1, 9)))]}
        if open_cycles[name] and chance < 0.4:
            evidence_id, opener, competency, step = open_cycles[name].pop()
            base["evidence_id"] = evidence_id
            if step == 0:
                yield Told(name, "FeedbackGiven", {**base, "feedback": narrative}, opener, on)
            elif step == 1:
                yield Told(name, "ResponseRecorded", {**base, "response": narrative}, f"person:{name}", on)
            else:
                found = judgments(day)
                yield Told(name, "FeedbackCycleClosed", {**base, "judgments": found}, opener, on)
                counted[name].append(evidence_id)
                continue
            open_cycles[name].append((evidence_id, opener, competency, step + 1))
        elif unreviewed[name] and chance < 0.5:
            evidence_id, submitter = unreviewed[name].pop()
            base["evidence_id"] = evidence_id
            reviewer = coach if coach != submitter else coaches[(coaches.index(coach) + 1) % len(coaches)]
            yield Told(name, "ArtifactReviewed", {**base, "judgments": judgments(day)}, reviewer, on)
            counted[name].append(evidence_id)
        elif chance < 0.6:
            competency = random.choice(COMPETENCIES)
            open_cycles[name].append((base["evidence_id"], coach, competency, 0))
            data = {**base, "focus": [competency], "setting": "Learning Labs"}
            yield Told(name, "FeedbackCycleOpened", data, coach, on)
        elif chance < 0.66:
            unreviewed[name].append((base["evidence_id"], f"person:{name}"))
            claims = [{"competency": random.choice(COMPETENCIES), "pointers": [{"page": 1}]}]
            data = {**base, "claims": claims, "media_type": "application/pdf", "size": 4096}
            data |= {"sha256": "0" * 64, "filename": "plan.pdf"}
            yield Told(name, "ArtifactSubmitted", data, f"person:{name}", on)
        elif chance < 0.67 and counted[name]:
            evidence_id = counted[name].pop(random.randrange(len(counted[name])))
            data = {"evidence_id": evidence_id, "reason": "typed on the wrong person"}
            yield Told(name, "EvidenceRetracted", data, coach, on)
        else:
            data = {**base, "setting": "District Push-In", "judgments": judgments(day), "narrative": narrative}
            counted[name].append(base["evidence_id"])
            yield Told(name, "ObservationRecorded", data, coach, on)
