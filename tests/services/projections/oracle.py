"""The rule again, slow and plain: after every event everything is worked out anew from all events so far.

Shares no code with `services/projections/derivation.py`; written from the words of the domain alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from contracts.history import Line
from contracts.packaged import packaged

LEVELS = ("aspiring", "emerging", "developing", "transformational")
BASELINE = {
    "id": "mlds-baseline",
    "version": "1.0",
    "framework": "mlds-2016",
    "effective_from": "2016-07-01",
    "levels": {
        "aspiring": {"items": 1},
        "emerging": {"items": 2},
        "developing": {"items": 3, "kinds": {"feedback_cycle": 1, "artifact": 1}, "assessors": 2, "span_days": 60},
        "transformational": {
            "items": 4,
            "kinds": {"feedback_cycle": 2, "artifact": 1},
            "assessors": 2,
            "span_days": 180,
        },
    },
}
KINDS = {"ObservationRecorded": "observation", "FeedbackCycleOpened": "feedback_cycle", "ArtifactSubmitted": "artifact"}


def levels(history: Sequence[Line], throughout: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """What `mlds replay --format json` prints, line by line."""
    opened: list[str] = []
    standing: dict[tuple[str, Any], list[dict[str, Any]]] = {}
    reached: dict[tuple[str, Any], list[dict[str, Any]]] = {}
    lapsed: dict[tuple[str, Any], list[dict[str, Any]]] = {}
    everything = frameworks_of(history) if throughout else {}
    for count, line in enumerate(history, start=1):
        so_far = history[:count]
        frameworks = {**everything, **frameworks_of(so_far)}
        numbers = sorted({number for framework in frameworks.values() for number in framework})
        policy = throughout or policy_in_force(so_far)
        if line.type == "DossierOpened":
            opened.append(line.subject)
            for competency in [*numbers, "overall"]:
                standing[line.subject, competency] = []
        looked_at = []
        if line.stream.startswith("dossier:"):
            looked_at = [line.subject]
        elif line.type == "ReassessmentOrdered":
            looked_at = list(opened)
        for principal in looked_at:
            items = counting_items(so_far, principal)

            def qualifying(competency: int, rank: int, items: Any = items) -> list[Any]:
                return [item for item in items if item["ranks"].get(competency, -1) >= rank]

            def all_stand(policy: Any, rank: int, principal: str = principal, frameworks: Any = frameworks) -> bool:
                wanted = frameworks.get(policy["framework"], [])
                return bool(wanted) and all(len(standing.get((principal, n), [])) > rank for n in wanted)

            def lapse(key: tuple[str, Any], rank: int, line: Line = line) -> None:
                while len(standing[key]) > rank:
                    gone = len(standing[key]) - 1
                    standing[key].pop()
                    lapsed.setdefault(key, []).append(
                        {"level": LEVELS[gone], "at": line.recorded_at, "position": line.position}
                    )

            def reach(
                key: tuple[str, Any], rank: int, evidence_ids: list[str], line: Line = line, policy: Any = policy
            ) -> None:
                standing[key].append(policy)
                reached.setdefault(key, []).append(
                    {
                        "level": LEVELS[rank],
                        "at": line.recorded_at,
                        "position": line.position,
                        "policy": {"id": policy["id"], "version": policy["version"]},
                        "evidence_ids": evidence_ids,
                    }
                )

            if line.type != "ReassessmentOrdered":
                for competency in numbers:
                    key = (principal, competency)
                    for rank, under in enumerate(list(standing.setdefault(key, []))):
                        if not satisfied(under, competency, rank, qualifying(competency, rank)):
                            lapse(key, rank)
                            break
                key = (principal, "overall")
                for rank, under in enumerate(list(standing[key])):
                    if not all_stand(under, rank):
                        lapse(key, rank)
                        break
            for competency in numbers:
                key = (principal, competency)
                standing.setdefault(key, [])
                for rank in range(len(standing[key]), 4):
                    found = qualifying(competency, rank)
                    if not satisfied(policy, competency, rank, found):
                        break
                    reach(key, rank, [item["evidence_id"] for item in found])
            for rank in range(len(standing[principal, "overall"]), 4):
                if not all_stand(policy, rank):
                    break
                reach((principal, "overall"), rank, [])
    known = sorted({number for framework in frameworks_of(history).values() for number in framework})
    return [
        {
            "principal": principal,
            "competency": competency,
            "level": LEVELS[len(stands) - 1] if (stands := standing.get((principal, competency), [])) else None,
            "reached": reached.get((principal, competency), []),
            "lapsed": lapsed.get((principal, competency), []),
        }
        for principal in opened
        for competency in [*known, "overall"]
    ]


def frameworks_of(history: Sequence[Line]) -> dict[str, list[int]]:
    found = [packaged("mlds-framework")]
    found += [line.data["framework"] for line in history if line.type == "FrameworkPublished"]
    return {framework["id"]: [c["number"] for c in framework["competencies"]] for framework in found}


def policy_in_force(so_far: Sequence[Line]) -> Any:
    """At the last of these events."""
    today = so_far[-1].recorded_at[:10]
    best = None
    for line in so_far:
        if line.type == "PolicyAdopted" and line.data["effective_from"] <= today:
            policy = line.data["policy"]
            if best is None or policy["effective_from"] >= best["effective_from"]:
                best = policy
    return best or BASELINE


def counting_items(so_far: Sequence[Line], principal: str) -> list[dict[str, Any]]:
    """Complete and unretracted items, in the order of their first steps, with what they show."""
    dossier = [line for line in so_far if line.stream == f"dossier:{principal}"]
    gone = {
        line.data["evidence_id"]
        for line in dossier
        if line.type == "EvidenceRetracted" or (line.type == "DisputeResolved" and line.data["outcome"] == "upheld")
    }
    items = []
    for first in dossier:
        kind = KINDS.get(first.type)
        if kind is None or first.data["evidence_id"] in gone:
            continue
        mine = [line for line in dossier if line.data.get("evidence_id") == first.data["evidence_id"]]
        judging = [line for line in mine if "judgments" in line.data]
        stands = [
            line for line in judging if line is [one for one in judging if one.recorded_by == line.recorded_by][-1]
        ]
        ranks: dict[int, int] = {}
        days: dict[int, list[str]] = {}
        persons: dict[int, set[str]] = {}
        for line in stands:
            for judgment in line.data["judgments"]:
                number, rank = judgment["competency"], LEVELS.index(judgment["level"])
                ranks[number] = min(rank, ranks.get(number, rank))
                days.setdefault(number, []).append(line.data["occurred_on"])
                persons.setdefault(number, set()).add(line.recorded_by)
        items.append(
            {
                "evidence_id": first.data["evidence_id"],
                "kind": kind,
                "ranks": ranks,
                "days": {number: max(found) for number, found in days.items()},
                "persons": persons,
            }
        )
    return items


def satisfied(policy: Any, competency: int, rank: int, found: list[Any]) -> bool:
    clauses = policy["levels"][LEVELS[rank]]
    if len(found) < clauses["items"]:
        return False
    for kind, need in clauses.get("kinds", {}).items():
        if len([item for item in found if item["kind"] == kind]) < need:
            return False
    persons = set()
    for item in found:
        persons |= item["persons"][competency]
    if len(persons) < clauses.get("assessors", 0):
        return False
    days = sorted(date.fromisoformat(item["days"][competency]) for item in found)
    return (days[-1] - days[0]).days >= clauses.get("span_days", 0)
