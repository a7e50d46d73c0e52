"""Each service as a process of its own, on one server, with its own login only: together they are the system."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest

from foundation.settings import SERVICES
from tests.databases import Templates
from tests.deploy.separate import COMMANDS, MLDS, ROOT, Deployment, deployed, eventually
from tests.support.system_packages import unpacked

SEEN = {
    "occurred_on": "2026-02-03",
    "setting": "District Push-In",
    "judgments": [{"competency": 6, "level": "aspiring"}],
    "narrative": "Asked three teachers what they needed.",
}


@pytest.fixture(scope="module")
def deployment(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("deployed")
    with deployed(templates.server, folder, front=unpacked("nginx") is not None) as found:
        for service in SERVICES:
            eventually(lambda s=service: ready(found, found.ports[s]))
        yield found


def ready(deployment: Deployment, port: int) -> bool:
    return deployment.client.get(f"http://127.0.0.1:{port}/readyz").status_code == 200


def test_the_start_commands_are_those_of_the_compose_file() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for command in COMMANDS.values():
        assert f"command: [{', '.join(command)}, --host, 0.0.0.0]" in text


def test_each_service_becomes_ready_on_its_own_login(deployment: Deployment) -> None:
    assert all(ready(deployment, deployment.ports[service]) for service in SERVICES)


def test_an_observation_travels_through_the_processes_to_a_badge(deployment: Deployment) -> None:
    seen_level_and_badge(deployment, deployment.ports, "heron")


@pytest.mark.needs("nginx")
def test_one_origin_answers_for_all_of_them(deployment: Deployment) -> None:
    assert deployment.front is not None
    origin = f"http://127.0.0.1:{deployment.front}"
    front = deployment.front
    eventually(lambda: ready(deployment, front))
    badge = seen_level_and_badge(deployment, dict.fromkeys(SERVICES, front), "egret")

    page = deployment.client.get(f"{origin}/", headers={"Accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    shared = deployment.post(front, f"/credentials/{badge}/shares", {}, by="p-egret")
    assert shared["position"] > 0
    page = eventually(
        lambda: (
            found
            if (
                found := deployment.client.get(f"{origin}/credentials/{badge}", headers={"Accept": "text/html"})
            ).is_success
            else None
        )
    )
    assert page.headers["content-type"].startswith("text/html")
    document = deployment.client.get(f"{origin}/credentials/{badge}", headers={"Accept": "application/vc"})
    verdicts = deployment.client.post(f"{origin}/verify", content=document.content).json()
    assert [verdict["verdict"] for verdict in verdicts] == ["valid"], verdicts

    assert deployment.client.get(f"{origin}/api/v1/openapi.json").json() == json.loads(
        (ROOT / "docs/openapi.json").read_text()
    )
    assert deployment.client.get(f"{origin}/livez").status_code == 200
    assert deployment.client.get(f"{origin}/metrics").status_code == 404
    unknown = deployment.client.get(f"{origin}/api/v1/nothing")
    assert (unknown.status_code, unknown.headers["content-type"]) == (404, "application/problem+json")


def seen_level_and_badge(deployment: Deployment, ports: Mapping[str, int], bird: str) -> str:
    """One observation on `p-BIRD`, recorded, derived and signed, each asked of its service's port; the badge's id."""
    registrar, principal, coach = f"r-{bird}", f"p-{bird}", f"c-{bird}"
    people = ports["governance"]
    deployment.post(people, "/people", {"person_id": registrar, "name": "Rita Registrar"})
    deployment.post(people, f"/people/{registrar}/roles", {"role": "registrar", "from": "2025-08-01"})
    for person in (principal, coach):
        deployment.post(people, "/people", {"person_id": person, "name": person}, by=registrar)
    deployment.post(people, "/principals", {"person_id": principal}, by=registrar)
    assignment = {"person_id": coach, "from": "2025-08-01"}
    deployment.post(people, f"/principals/{principal}/assessors", assignment, by=registrar)
    seen = deployment.post(ports["evidence"], f"/principals/{principal}/observations", SEEN, by=coach)

    path = f"/principals/{principal}/continuum/6?min_position={seen['position']}"
    six = deployment.get(ports["projections"], path, by=registrar)
    assert six["level"] == "aspiring"
    assert six["levels"][0]["reached"]["evidence_ids"] == [seen["evidence_id"]]

    def issued() -> str | None:
        items = deployment.get(ports["credentials"], f"/principals/{principal}/credentials", by=registrar)["items"]
        return next((badge["id"] for badge in items if badge["state"] == "issued"), None)

    badge = eventually(issued)
    assert badge is not None
    return badge


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_cannot_write_what_is_anothers(deployment: Deployment, service: str) -> None:
    environment = deployment.environments[service]
    url = Path(environment[f"MLDS_{service.upper()}_DATABASE_URL_FILE"]).read_text()
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in ("DELETE FROM log.events", "UPDATE log.events SET type = 'x'", "TRUNCATE log.events"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        for other in set(SERVICES) - {service}:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"CREATE TABLE {other}.mine (x int)")


def test_a_service_without_its_login_says_which_setting_is_missing(deployment: Deployment) -> None:
    environment = {
        name: value for name, value in deployment.environments["evidence"].items() if "EVIDENCE" not in name
    } | {"MLDS_GOVERNANCE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    done = subprocess.run(
        [*MLDS, "serve", "evidence", "--port", "9"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 3
    assert "MLDS_EVIDENCE_DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr
