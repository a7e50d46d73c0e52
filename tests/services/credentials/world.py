"""A small world for the tests of issuing: a database, people, evidence and attainments as the log holds them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from contracts.continuum import Level
from contracts.events.evidence import DossierOpened, Judgment, ObservationRecorded
from contracts.events.governance import FrameworkPublished, PersonRegistered, PolicyAdopted, RoleGranted
from contracts.events.projections import LevelLapsed, LevelReached
from contracts.policy import BASELINE
from contracts.vocabulary import SETTINGS
from foundation.eventlog import Recorded, new_event
from foundation.eventlog import catch_up as follow
from services.credentials.key_ring import KeyRing
from services.credentials.room import CredentialsRoom
from tests.databases import Database

ORIGIN = "http://127.0.0.1:8000"


@dataclass
class World:
    database: Database
    folder: Path
    origin: str = ORIGIN
    options: dict[str, Any] = field(default_factory=dict)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def __post_init__(self) -> None:
        self.governance = self.database.log("governance")
        self.evidence = self.database.log("evidence")
        self.projections = self.database.log("projections")
        self.room = self.new_room()
        self.room.keys.ensure_first()

    def new_room(self, **options: Any) -> CredentialsRoom:
        """Another process of the same deployment."""
        given = {"origin": self.origin, "clock": self.clock, "demonstration": self.origin == ORIGIN}
        return CredentialsRoom(
            log=self.database.log("credentials"),
            pool=self.database.pool("credentials"),
            ring=KeyRing(self.folder / "keys", b"a passphrase of the tests"),
            **(given | self.options | options),
        )

    # what happened

    def person(self, person: str, *roles: str, email: str | None = None) -> str:
        said = {"person_id": person, "name": f"Name of {person}"} | ({"email": email} if email else {})
        event = PersonRegistered.model_validate(said)
        self.governance.append([new_event(event, recorded_by="service:operator", subject=person)])
        for role in roles:
            granted = RoleGranted.model_validate({"person_id": person, "role": role, "from": "2020-01-01"})
            self.governance.append([new_event(granted, recorded_by="service:operator")])
        return person

    def principal(self, person: str = "p-heron", email: str | None = "heron@example.com") -> str:
        self.person(person, "principal", email=email)
        opened = new_event(
            DossierOpened(principal_id=person), recorded_by="service:operator", tags=(f"principal:{person}",)
        )
        self.governance.append([opened])
        return person

    def observed(
        self, principal: str = "p-heron", competency: int = 6, level: str = "emerging", by: str = "c-otter",
        on: str = "2026-03-02",
    ) -> Recorded:  # fmt: skip
        item = str(uuid4())
        event = ObservationRecorded(
            evidence_id=item,
            occurred_on=on,  # type: ignore[arg-type]  # the model reads text
            setting=SETTINGS[0],
            judgments=[Judgment(competency=competency, level=Level(level))],
            narrative="What was seen.",
        )
        tags = (f"principal:{principal}", f"evidence:{item}")
        made = new_event(event, stream=f"dossier:{principal}", tags=tags, recorded_by=f"person:{by}", subject=principal)
        return self.evidence.append([made])[0]

    def reached(
        self,
        *items: Recorded,
        principal: str = "p-heron",
        competency: int | str = 6,
        level: str = "emerging",
        because: int | None = None,
        **more: Any,
    ) -> Recorded:
        return self._attained(LevelReached, items, principal, competency, level, because, **more)

    def lapsed(
        self, *, principal: str = "p-heron", competency: int | str = 6, level: str = "emerging", because: int = 1
    ) -> Recorded:
        return self._attained(LevelLapsed, (), principal, competency, level, because)

    def decided(self, framework: dict[str, Any], policy: dict[str, Any]) -> None:
        """The Commission publishes a framework and adopts a policy."""
        published = FrameworkPublished.model_validate({"framework": framework})
        adopted = PolicyAdopted.model_validate({"policy": policy, "effective_from": policy["effective_from"]})
        self.governance.append(
            [
                new_event(published, stream=f"framework:{framework['id']}", recorded_by="person:chair-1"),
                new_event(adopted, stream="commission:policies", recorded_by="person:chair-1"),
            ]
        )

    def _attained(
        self,
        model: type,
        items: Sequence[Recorded],
        principal: str,
        competency: int | str,
        level: str,
        because: int | None,
        *,
        framework: str = "mlds-2016",
        policy: dict[str, Any] | None = None,
    ) -> Recorded:
        ref = {name: policy[name] for name in ("id", "version")} if policy else BASELINE.ref.to_data()
        event = model.model_validate(
            {
                "principal_id": principal,
                "competency": competency,
                "level": level,
                "policy": ref,
                "framework": framework,
                "evidence_ids": [one.data["evidence_id"] for one in items],
                "because": because or max(one.position for one in items),
            }
        )
        made = new_event(event, recorded_by="service:projections", tags=(f"principal:{principal}",))
        return self.projections.append([made])[0]

    # what follows

    def settle(self, room: CredentialsRoom | None = None) -> None:
        """Intends, signs and folds until nothing is left to do."""
        room = room or self.room
        while True:
            catch_up(room)
            if not room.signing().drain():
                return

    def query(self, text: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self.room.pool.transaction() as cursor:
            return cursor.execute(text, parameters).fetchall()

    def tables(self, *, everything: bool = False) -> dict[str, list[tuple[Any, ...]]]:
        """What the service's tables hold; without what differs from day to day unless `everything`."""
        names = ["intents", "credentials", "status_lists", "status_entries", "shares", "erased"]
        names += ["signed_lists", "deployment"] if everything else []
        return {name: sorted(self.query(f"SELECT t::text FROM credentials.{name} t")) for name in names}

    def forget(self) -> None:
        """Empties the service's schema, as before a rebuild."""
        names = "deployment, intents, credentials, status_lists, status_entries, signed_lists, shares, erased"
        with self.room.pool.transaction() as cursor:
            for name in [*names.split(", "), "followers"]:
                cursor.execute(f"TRUNCATE credentials.{name}")

    def events(self, *types: str) -> list[Recorded]:
        return [event for event in self.room.log.read(unseal=True) if event.type in types]

    def documents(self) -> list[dict[str, Any]]:
        return [dict(event.data["document"]) for event in self.events("CredentialIssued")]


def catch_up(room: CredentialsRoom) -> None:
    follow(room.intend(), room.log)
