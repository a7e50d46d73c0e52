"""The image's recipe and the compose file, checked without an engine."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from foundation.settings import SERVICES, from_environment
from tests.support.system_packages import unpacked

ROOT = Path(__file__).resolve().parents[2]
OURS = ("migrate", *SERVICES)


@pytest.fixture(scope="module")
def composed() -> dict[str, Any]:
    tool = unpacked("compose")
    assert tool is not None
    done = subprocess.run(
        [tool, "-f", ROOT / "docker-compose.yml", "config", "--format", "json"],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, ROOT / "deploy/Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.needs("compose")
def test_compose_takes_the_file_without_a_word() -> None:
    tool = unpacked("compose")
    assert tool is not None
    done = subprocess.run(
        [tool, "-f", ROOT / "docker-compose.yml", "config", "-q"],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.needs("compose")
def test_every_container_is_closed(composed: dict[str, Any]) -> None:
    assert set(composed["services"]) == {"database", "front", *OURS}
    for name, service in composed["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert re.fullmatch(r"[1-9][0-9]*:[1-9][0-9]*", service["user"]), name
        assert "privileged" not in service, name


@pytest.mark.needs("compose")
def test_one_port_is_published_and_only_on_loopback(composed: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in composed["services"].items() if service.get("ports")}
    assert list(published) == ["front"]
    assert [port["host_ip"] for port in published["front"]] == ["127.0.0.1"]
    assert composed["networks"]["inside"]["internal"] is True
    outside = {name for name, service in composed["services"].items() if "outside" in service["networks"]}
    assert outside == {"front", "credentials"}


@pytest.mark.needs("compose")
def test_services_wait_for_the_migration_and_it_for_the_database(composed: dict[str, Any]) -> None:
    services = composed["services"]
    assert services["migrate"]["depends_on"]["database"]["condition"] == "service_healthy"
    for name in SERVICES:
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        assert "/readyz" in services[name]["healthcheck"]["test"]
        assert services["front"]["depends_on"][name]["condition"] == "service_healthy"


@pytest.mark.needs("compose")
def test_each_service_holds_its_own_login_and_no_other(composed: dict[str, Any]) -> None:
    for name in SERVICES:
        service = composed["services"][name]
        held = {secret["source"] for secret in service["secrets"]}
        assert held == {f"{name}_database_url", "keys_database_url", "master_key", "operator_token"}
        assert service["command"][:2] == ["serve", name]
        assert not any("PASSWORD" in variable for variable in service["environment"])


@pytest.mark.needs("compose")
def test_every_setting_in_the_file_is_one_that_the_program_reads(composed: dict[str, Any], tmp_path: Path) -> None:
    for name in OURS:
        environment = dict(composed["services"][name]["environment"])
        held = {secret["source"] for secret in composed["services"][name]["secrets"]}
        for variable, value in environment.items():
            if value.startswith("/run/secrets/"):
                assert value.removeprefix("/run/secrets/") in held, (name, variable)
                file = tmp_path / Path(value).name
                file.write_text("x" * 64)
                environment[variable] = str(file)
        settings = from_environment(environment)
        assert settings.keys_url == "x" * 64
        assert settings.master_key_file is not None
        assert set(settings.service_urls or {}) == (set(SERVICES) if name == "migrate" else {name})
        assert (settings.database_url is not None) == (name == "migrate")
        assert bool(settings.tokens) == (name != "migrate")


@pytest.mark.needs("compose")
def test_the_image_holds_the_folders_that_the_volumes_take_their_owner_from(composed: dict[str, Any]) -> None:
    recipe = (ROOT / "deploy/Dockerfile").read_text()
    made = re.search(r"install -d -o 10001 -g 10001 -m 0700 (.*)", recipe)
    assert made is not None
    for name in OURS:
        for volume in composed["services"][name].get("volumes", ()):
            assert volume["target"] in made[1].split(), (name, volume)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_secrets_are_made_once_each_readable_by_its_container_alone(tmp_path: Path) -> None:
    def make() -> None:
        subprocess.run(["sh", ROOT / "deploy/make-secrets.sh", tmp_path / "secrets"], check=True, capture_output=True)

    make()
    files = {file.name: file.read_bytes() for file in (tmp_path / "secrets").iterdir()}
    text = (ROOT / "docker-compose.yml").read_text()
    assert set(files) == set(re.findall(r"secrets}/(\w+)", text))
    for name in files:
        found = (tmp_path / "secrets" / name).stat()
        assert stat.S_IMODE(found.st_mode) == 0o400
        assert found.st_uid == (999 if name == "owner_password" else 10001)
    assert len(files["master_key"]) == 32
    assert files["owner_password"].decode() in files["owner_database_url"].decode()
    make()
    assert {file.name: file.read_bytes() for file in (tmp_path / "secrets").iterdir()} == files


def test_no_address_of_a_registry_stands_in_the_files() -> None:
    for path in (ROOT / "docker-compose.yml", *(ROOT / "deploy").rglob("*"), ROOT / "requirements/run.txt"):
        if path.is_file() and "secrets" not in path.parts:
            assert not re.search(r"https?://[^\s/]*(pypi|docker|debian|npmjs|ghcr|quay)", path.read_text("utf-8")), path
