"""A world for the tests of evidence: HTTP over the log in memory, people as the cases want them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from contracts.events import evidence as events
from foundation.access.permissions import Caller
from foundation.access.tokens import Tokens
from foundation.artifacts import ArtifactStore
from foundation.eventlog import Command, InMemoryEventLog, InMemorySubjectKeys
from foundation.web import Gate, create_app
from services.evidence.api import router as evidence_router
from services.evidence.application import Evidence
from services.governance.api import router as governance_router
from services.governance.application import Governance

TOKEN = "t" * 32


class World:
    """Who is there: p-heron and p-egret (dossiers), c-otter and c-wren (assigned to both), registrar-1,
    director-1, director-2, chair-1, auditor-1, and p-ibis with a dossier that nobody else is assigned to."""

    def __init__(self, blobs: Path) -> None:
        self.now = datetime(2025, 7, 1, 12, tzinfo=UTC)
        self.stored_by_last_call = 0
        self.log = InMemoryEventLog(clock=lambda: self.now)
        own = InMemoryEventLog(shared_with=self.log, owner="evidence")
        self.blobs = blobs
        self.evidence = Evidence(own, ArtifactStore(blobs, InMemorySubjectKeys()), lambda: self.now)
        governance = Governance(InMemoryEventLog(shared_with=self.log, owner="governance"), lambda: self.now)
        gate = Gate(Tokens([TOKEN]))
        self.app = create_app([governance_router(governance, gate), evidence_router(self.evidence, gate)], hosts=[])
        self.client = TestClient(self.app, base_url="http://localhost", headers={"Authorization": f"Bearer {TOKEN}"})
        self.settle()
        self.now = datetime(2026, 2, 10, 15, tzinfo=UTC)

    def settle(self) -> None:
        roles = {"registrar-1": "registrar", "director-1": "director", "chair-1": "chair", "auditor-1": "auditor"}
        people = ("p-heron", "p-egret", "p-ibis", "c-otter", "c-wren", "director-2", "coach-idle", *roles)
        for person in people:
            self.post("/people", {"person_id": person, "name": f"Name of {person}"}).made()
        for person, role in (*roles.items(), ("director-2", "director")):
            self.post(f"/people/{person}/roles", {"role": role, "from": "2025-07-01"}).made()
        for principal in ("p-heron", "p-egret", "p-ibis"):
            self.post("/principals", {"person_id": principal}).made()
        for principal in ("p-heron", "p-egret"):
            for coach in ("c-otter", "c-wren"):
                body = {"person_id": coach, "from": "2025-08-01"}
                self.post(f"/principals/{principal}/assessors", body).made()

    def post(self, path: str, body: Any, by: str | None = None, key: str | None = "new", **more: Any) -> Answer:
        headers = {"On-Behalf-Of": f"person:{by}"} if by else {}
        if key:
            headers["Idempotency-Key"] = str(uuid4()) if key == "new" else key
        sent = {"json": body} if body is not None else {}
        before = self.log.head()
        answer = Answer(self.client.post(f"/api/v1{path}", headers=headers, **sent, **more))
        self.stored_by_last_call = self.log.head() - before
        return answer

    def get(self, path: str, by: str | None = None) -> Answer:
        headers = {"On-Behalf-Of": f"person:{by}"} if by else {}
        return Answer(self.client.get(path if path.startswith("/api") else f"/api/v1{path}", headers=headers))

    def all_items(self, path: str, by: str | None = None) -> list[dict[str, Any]]:
        """Every page of a list."""
        items: list[dict[str, Any]] = []
        following: str | None = path
        while following:
            page = self.get(following, by).body
            items += page["items"]
            following = page["next"]
        return items

    # what coaches and principals do

    def observe(self, by: str = "c-otter", principal: str = "p-heron", query: str = "", **members: Any) -> Answer:
        key = members.pop("key", "new")
        return self.post(f"/principals/{principal}/observations{query}", observation(**members), by, key)

    def open_cycle(self, by: str = "c-otter", principal: str = "p-heron", **members: Any) -> Answer:
        body = {"occurred_on": "2026-01-20", "focus": [6], "setting": "Learning Labs"} | members
        return self.post(f"/principals/{principal}/feedback-cycles", body, by)

    def step(self, item: str, path: str, by: str, **members: Any) -> Answer:
        return self.post(path.format(item), members, by)

    def feedback(self, item: str, by: str = "c-otter", on: str = "2026-01-25") -> Answer:
        return self.step(item, "/feedback-cycles/{}/feedback", by, occurred_on=on, feedback="Try pairs.")

    def response(self, item: str, by: str = "p-heron", on: str = "2026-02-03") -> Answer:
        return self.step(item, "/feedback-cycles/{}/response", by, occurred_on=on, response="I did.")

    def close(self, item: str, by: str = "c-otter", on: str = "2026-02-05") -> Answer:
        return self.step(item, "/feedback-cycles/{}/close", by, occurred_on=on, judgments=judged(6, "emerging"))

    def retract(self, item: str, by: str = "c-otter") -> Answer:
        return self.step(item, "/evidence/{}/retraction", by, reason="wrong person")

    def dispute(self, item: str, by: str = "p-heron") -> Answer:
        return self.step(item, "/evidence/{}/dispute", by, reason="not me")

    def resolve(self, item: str, by: str = "director-1", outcome: str = "upheld") -> Answer:
        return self.step(item, "/evidence/{}/dispute/resolution", by, outcome=outcome)

    def evidence_answer(
        self, body: dict[str, Any], key: str, by: str = "c-otter", *, distinct: bool = False
    ) -> dict[str, Any]:
        """Records an observation without HTTP, as threads at once do."""
        path = "POST /api/v1/principals/p-heron/observations"
        receipt = self.evidence.begin(
            Caller(f"person:{by}"),
            "p-heron",
            events.ObservationRecorded,
            events.Observation.model_validate(body),
            None,
            Command.of(f"person:{by}", key, path),
            distinct=distinct,
        )
        return {"evidence_id": receipt.evidence_id, "position": receipt.position}

    def pass_days(self, days: int) -> None:
        self.now += timedelta(days=days)


class Answer:
    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code
        self.body: Any = response.json()

    @property
    def slug(self) -> str:
        return str(self.body.get("type", "")).rpartition(":")[2]

    @property
    def refused(self) -> tuple[int, str]:
        assert self.status >= 400, self.body
        assert self.body["detail"], self.body
        return self.status, self.slug

    def made(self) -> str:
        """The id made."""
        assert self.status == 201, self.body
        assert self.body["position"] >= 1
        return str(self.body.get("evidence_id") or self.body["person_id"])


def judged(competency: int, level: str) -> list[dict[str, Any]]:
    return [{"competency": competency, "level": level}]


def observation(**members: Any) -> dict[str, Any]:
    body = {
        "occurred_on": "2026-02-03",
        "setting": "Retreats",
        "judgments": judged(6, "emerging"),
        "narrative": "Led the data meeting.",
    } | members
    return {name: value for name, value in body.items() if value is not ...}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "artifacts")
    with made.client:
        yield made
