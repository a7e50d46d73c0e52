"""A whole system on a test's database, and a client that calls its HTTP application as people would."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from apps.composition import System
from apps.installation import installation
from foundation.settings import Settings
from tests.databases import MASTER_KEY, Database

TOKEN = "token-of-the-tests-" + "x" * 32


@contextmanager
def system_on(database: Database, home: Path, **changed: Any) -> Iterator[System]:
    """The system of a fresh database, with the issuer's first key. `changed`: settings other than the defaults."""
    master = home / "master.key"
    master.write_bytes(MASTER_KEY)
    master.chmod(0o600)
    settings = Settings(
        home=home,
        service_urls={name: url for name, url in database.urls.items() if name != "keys"},
        keys_url=database.urls["keys"],
        master_key_file=master,
        tokens=(TOKEN,),
        **changed,
    )
    (home / "demo").mkdir(mode=0o700)
    with System(settings, installation(settings, None)) as system:
        system.make_first_key(lambda _: None)
        yield system


class People:
    """Speaks to the HTTP application in somebody's name. Refused calls raise unless `status` expects them."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def post(
        self, path: str, body: Mapping[str, Any] | None = None, by: str = "registrar-1", status: int = 201, **more: Any
    ) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": str(uuid.uuid4())}
        if by:
            headers["On-Behalf-Of"] = f"person:{by}"
        answer = self.client.post(f"/api/v1{path}", json=body, headers=headers | more.pop("headers", {}), **more)
        assert answer.status_code == status, (path, answer.status_code, answer.text)
        found: dict[str, Any] = answer.json()
        return found

    def get(self, path: str, by: str = "director-1", status: int = 200) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {TOKEN}"} | ({"On-Behalf-Of": f"person:{by}"} if by else {})
        answer = self.client.get(f"/api/v1{path}", headers=headers)
        assert answer.status_code == status, (path, answer.status_code, answer.text)
        found: dict[str, Any] = answer.json()
        return found

    def settle(self) -> None:
        """Registrar, director and chair; two principals with dossiers; two coaches assigned to both."""
        self.post("/people", {"person_id": "registrar-1", "name": "Rita Registrar"}, by="")
        self.post("/people/registrar-1/roles", {"role": "registrar", "from": "2025-08-01"}, by="")
        for person, role in (("director-1", "director"), ("chair-1", "chair")):
            self.post("/people", {"person_id": person, "name": person.title()})
            self.post(f"/people/{person}/roles", {"role": role, "from": "2025-08-01"})
        for principal, name in (("p-heron", "Hanna Heron"), ("p-egret", "Egon Egret")):
            self.post("/people", {"person_id": principal, "name": name, "email": f"{principal}@example.org"})
            self.post("/principals", {"person_id": principal})
        for coach in ("c-otter", "c-wren"):
            self.post("/people", {"person_id": coach, "name": coach.title()})
            for principal in ("p-heron", "p-egret"):
                self.post(f"/principals/{principal}/assessors", {"person_id": coach, "from": "2025-08-01"})

    def observe(
        self, day: str, by: str = "c-otter", principal: str = "p-heron", level: str = "emerging", **said: Any
    ) -> dict[str, Any]:
        body = {
            "occurred_on": day,
            "setting": "Retreats",
            "judgments": [{"competency": 6, "level": level}],
            "narrative": f"Seen on {day}.",
            **said,
        }
        return self.post(f"/principals/{principal}/observations", body, by=by)


@contextmanager
def people_of(system: System) -> Iterator[People]:
    with TestClient(system.web_app(), base_url="http://127.0.0.1:8000") as client:
        yield People(client)
