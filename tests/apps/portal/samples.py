"""A small made-up deployment for the pages: data in the shapes of the HTTP interface, no service behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Response
from fastapi.routing import APIRouter

from apps.portal.pages import Pages
from apps.portal.ports import Ports, SharedBadge, Source
from apps.portal.routes import router
from apps.portal.views.people import PersonRow
from contracts.achievements import AchievementKey
from contracts.continuum import LEVELS, Level
from contracts.framework import MLDS_2016
from contracts.policy import BASELINE
from contracts.refusals import Kind, Refusal
from foundation.web import create_app
from services.credentials.achievements import achievement, name_of
from services.credentials.picture import Face, draw

ORIGIN = "http://127.0.0.1:8000"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
POLICY = {"id": "mlds-baseline", "version": "1.0"}

SHARED = "0b3f6c1e-7a1d-4c53-9a55-6d0f4a3a9f10"
NAMED = "1c3f6c1e-7a1d-4c53-9a55-6d0f4a3a9f11"
REVOKED = "2d3f6c1e-7a1d-4c53-9a55-6d0f4a3a9f12"
ERASED = "3e3f6c1e-7a1d-4c53-9a55-6d0f4a3a9f13"
UNSHARED = "4f3f6c1e-7a1d-4c53-9a55-6d0f4a3a9f14"

NAMES = [
    "Amelia",
    "Ana",
    "Andre",
    "Ben",
    "Carla",
    "Dana",
    "Elena",
    "Frank",
    "Grace",
    "Helen",
    "Ines",
    "Joy",
    "Karl",
    "Lena",
    "Luis",
    "Mai",
    "Marcus",
    "Nadia",
    "Omar",
    "Priya",
]
FAMILIES = [
    "Whitfield",
    "Okafor",
    "Ruiz",
    "Shah",
    "Becker",
    "Lindqvist",
    "Collins",
    "Nguyen",
    "Petrova",
    "Archer",
    "Adeyemi",
    "Jensen",
    "Morales",
    "Parker",
]
REGIONS = ("Southeast", "Heart of Missouri", "Kansas City", "Northeast", "St. Louis")
CHECKS = ("structure", "context", "schema", "proof", "issuer", "dates", "status", "refresh", "endorsements", "log")


def level_of(number: int) -> str | None:
    return (None, "aspiring", "emerging", "developing", "emerging", "transformational", "aspiring", "emerging")[
        number % 8
    ]


def evidence_items() -> list[dict[str, Any]]:
    kinds = ("observation", "observation", "feedback_cycle", "artifact")
    return [
        {
            "evidence_id": f"e-{n}",
            "kind": kinds[n % 4],
            "state": "retracted" if n == 5 else "complete",
            "dispute": "open" if n == 3 else None,
            "events": [
                {"type": "X", "data": {"occurred_on": f"2026-0{1 + n}-1{n}", "setting": "Learning Labs"}},
                {"type": "Y", "data": {"occurred_on": f"2026-0{1 + n}-2{n}"}},
            ],
        }
        for n in range(6)
    ]


def competency(number: int, level: str | None) -> dict[str, Any]:
    rank = -1 if level is None else Level(level).rank
    levels: list[dict[str, Any]] = []
    for one in LEVELS:
        have = {
            "items": max(0, 3 + rank - one.rank) if rank >= 0 else 0,
            "assessors": 2,
            "span_days": 30 + 60 * (rank + 1),
        }
        have |= {"kinds.observation": 2, "kinds.feedback_cycle": max(rank, 0), "kinds.artifact": 1}
        stands = one.rank <= rank
        clauses = []
        for clause, need in BASELINE.levels[one].clauses():
            there = max(have[clause], need) if stands else min(have[clause], need - 1 if clause == "items" else need)
            clauses.append({"clause": clause, "need": need, "have": there, "met": there >= need, "evidence_ids": []})
        reached = {"at": f"2026-0{one.rank + 2}-14T15:04:05Z", "position": 12, "policy": POLICY,
                   "evidence_ids": [f"e-{n}" for n in range(one.rank + 2)]}  # fmt: skip
        levels.append({"level": one.value, "reached": reached if stands else None, "clauses": clauses})
    return {
        "competency": number,
        "title": MLDS_2016.competency(number).title,
        "level": level,
        "policy": POLICY,
        "levels": levels,
        "next": None
        if rank == 3
        else {
            "level": LEVELS[rank + 1].value,
            "missing": [{"clause": "items", "need": 3, "have": 2}],
            "fewest": 1,
            "sentence": f"One more artifact, judged {LEVELS[rank + 1].label} by an assessor who has not judged yet, "
            "and on or after May 3, 2026.",
        },
    }


def overall() -> dict[str, Any]:
    levels = []
    for one in LEVELS:
        clauses = []
        for c in MLDS_2016.competencies:
            have = level_of(c.number)
            met = have is not None and Level(have).rank >= one.rank
            clauses.append(
                {"clause": "competency", "competency": c.number, "need": one.value, "have": have, "met": met}
            )
        levels.append({"level": one.value, "reached": None, "clauses": clauses})
    return {"competency": "overall", "title": "Overall level", "level": None, "policy": POLICY, "levels": levels,
            "next": {"level": "aspiring", "missing": [], "fewest": None,
                     "sentence": "4 competencies are not at Aspiring yet: 8, 16, 24 and 32."}}  # fmt: skip


def continuum(principal: str) -> dict[str, Any]:
    if principal not in {row.id for row in rows()}:
        raise Refusal(Kind.UNKNOWN_PRINCIPAL, f"No dossier of {principal}.")
    return {
        "principal": principal,
        "position": 4711,
        "as_of": None,
        "known_at": None,
        "overall": overall(),
        "competencies": [competency(c.number, level_of(c.number)) for c in MLDS_2016.competencies],
    }


def rows(count: int = 60) -> list[PersonRow]:
    found = [
        PersonRow(
            f"p-{n}",
            f"{NAMES[n % len(NAMES)]} {FAMILIES[n % len(FAMILIES)]}",
            REGIONS[n % len(REGIONS)],
            (None, "aspiring", "emerging")[n % 3],
            {"aspiring": 4 + n % 5, "emerging": 8 + n % 7, "developing": n % 8, "transformational": n % 3},
            32,
        )
        for n in range(count)
    ]
    found[7] = PersonRow("p-hostile", '<script>alert(1)</script> "O\'Brien"', "<b>Region</b>", None, {}, 32)
    return found


def credentials(_: str) -> list[dict[str, Any]]:
    def one(id_: str, competency: int | str, level: str, state: str = "issued", **more: Any) -> dict[str, Any]:
        return {"id": id_, "competency": competency, "level": level, "state": state, "attainment": 12} | more

    return [
        one(SHARED, 6, "developing", shared=True),
        one(NAMED, "overall", "aspiring", shared=True),
        one(REVOKED, 4, "emerging", "revoked", reason="lapsed", shared=False),
        *(one(str(number), number, "aspiring", shared=False) for number in (1, 2, 3, 7, 9, 11)),
    ]


def document(credential_id: str, *, issuer: str = "Example Agency (demonstration)") -> dict[str, Any]:
    which = Level.ASPIRING if credential_id == NAMED else Level.DEVELOPING
    key = AchievementKey("mlds-2016", "overall" if credential_id == NAMED else 6, which)
    award = achievement(ORIGIN, MLDS_2016, BASELINE, key)
    return {
        "id": f"{ORIGIN}/credentials/{credential_id}",
        "name": name_of(key.competency, key.level),
        "description": "Reached on 5 evidence items (2 observations, 2 feedback cycles, 1 artifact), judged by 2 "
        "assessors over 75 days, under policy mlds-baseline 1.0 and framework mlds-2016. It records professional "
        "development; it is no license, no certificate and no evaluation rating.",
        "issuer": {"id": "did:key:z6MkqRYqQiSgvZQdnBytw86Qbs2ZWUkGv22od935YF4s8M7V", "name": issuer},
        "validFrom": "2026-09-14T12:00:00Z",
        "awardedDate": "2026-09-14T11:59:58Z",
        "credentialSubject": {
            "id": "urn:uuid:11111111-7a1d-4c53-9a55-6d0f4a3a9f10",
            "achievement": award,
            "result": [{"type": ["Result"], "resultDescription": f"{award['id']}#level",
                        "achievedLevel": f"{award['id']}#{which.value}"}],
        },
    }  # fmt: skip


def answer(verdict: str, source: str = "badge.png", **members: Any) -> dict[str, Any]:
    """One object of `POST /verify`."""
    failing = {
        "invalid": "proof",
        "revoked": "status",
        "suspended": "status",
        "expired": "dates",
        "untrusted": "issuer",
    }
    checks = []
    for name in CHECKS:
        result = "failed" if failing.get(verdict) == name else "passed"
        if verdict == "unchecked" and name == "status":
            result = "not_checked"
        detail = {
            "passed": "as it should be",
            "failed": f"{'not trusted here: ' if name == 'issuer' else ''}the {name} does not hold",
            "not_checked": "https://status.example/3 did not answer within 5 s",
        }[result]
        checks.append({"name": name, "result": result, "detail": detail})
    ours = verdict not in ("untrusted", "invalid")
    return {
        "source": source,
        "verdict": verdict,
        "issuer": {"id": "did:web:badges.example", "name": "Example Agency" if ours else None,
                   "claimed_name": "Example Agency of Everything", "trusted": ours},
        "achievement": {"id": f"{ORIGIN}/achievements/mlds-2016/6/developing",
                        "name": "Competency 6, Developing level"},
        "subject": "urn:uuid:11111111-7a1d-4c53-9a55-6d0f4a3a9f10",
        "recipient": None,
        "valid_from": "2026-09-14T12:00:00Z",
        "valid_until": None,
        "checks": checks,
    } | members  # fmt: skip


def shared_badge(credential_id: str) -> SharedBadge:
    if credential_id == ERASED:
        raise Refusal(Kind.ERASED, "Erased.")
    if credential_id not in (SHARED, NAMED, REVOKED):
        raise Refusal(Kind.UNKNOWN_CREDENTIAL, "No such badge is shared.")
    one = document(credential_id)
    holder = "Dana <script>alert(2)</script> Whitfield" if credential_id == NAMED else None
    return SharedBadge(one, json.dumps(one).encode(), holder)


def verify(sources: Sequence[Source], recipient: str | None) -> list[Mapping[str, Any]]:
    """The verdict stands in what is sent: `{"verdict": …}`; one of our documents is valid, or revoked."""
    found = []
    for source in sources:
        try:
            sent = json.loads(source.content)
        except ValueError:
            hostile = {
                "issuer": {"id": None, "name": None, "claimed_name": None, "trusted": False},
                "achievement": {"id": None, "name": None},
            }
            found.append(answer("invalid", source.name, subject=None, valid_from=None, **hostile))
            continue
        verdict = sent.pop("verdict", "revoked" if REVOKED in str(sent.get("id")) else "valid")
        sent = {key: value for key, value in sent.items() if key in answer("valid")}
        if recipient:
            sent["recipient"] = "matched" if recipient == "dana@example.org" else "not_matched"
        found.append(answer(verdict, source.name) | sent)
    return found


def ports(*, demonstration: bool = True, **replaced: Any) -> Ports:
    names = {row.id: row.name for row in rows()}
    made: dict[str, Any] = {
        "public_url": ORIGIN,
        "demonstration": demonstration,
        "framework": lambda: MLDS_2016,
        "policy": lambda: BASELINE,
        "people": rows,
        "name_of": names.get,
        "continuum": continuum,
        "evidence": lambda _: evidence_items(),
        "credentials": credentials,
        "shared_badge": shared_badge,
        "verify": verify,
    }
    return Ports(**(made | replaced))


def app(the_ports: Ports | None = None) -> FastAPI:
    """The pages, and the pictures that a credentials service would serve."""
    own = the_ports or ports()
    pages = Pages(demonstration=own.demonstration, public_url=own.public_url)
    machine = APIRouter()

    @machine.get("/credentials/{credential_id}.png")
    def picture(credential_id: str) -> Response:
        label = MLDS_2016.competency(6).label
        face = Face("6", label, Level.DEVELOPING, "Missouri Leadership Development System", 2026, True)
        return Response(draw(face), media_type="image/png")

    @machine.get("/credentials/{credential_id}")
    def credential(credential_id: str) -> Response:
        return Response(shared_badge(credential_id).content, media_type="application/vc")

    @machine.get("/broken")
    def broken() -> Response:
        raise RuntimeError("a secret of the machine")

    return create_app([router(own, pages), machine], hosts=["testserver"], error_page=pages.error)
