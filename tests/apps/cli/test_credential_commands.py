"""`mlds verify`, `mlds credential …` and `mlds keys …` on a real system: answers, exits, rehearsals."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from apps.cli.main import run
from apps.composition import System
from foundation.access.permissions import OPERATOR, Caller
from tests.databases import Database
from tests.services.credentials.world import World

Run = Callable[..., "Answer"]


class Answer:
    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def mlds(
    system: System, database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs a command in this process, on the test's system."""
    for service, url in database.urls.items():
        monkeypatch.setenv(f"MLDS_{service.upper()}_DATABASE_URL", url)
    monkeypatch.setenv("MLDS_HOME", str(system.settings.home))
    monkeypatch.setenv("MLDS_MASTER_KEY_FILE", str(system.settings.master_key_file))

    def command(*words: str) -> Answer:
        capsys.readouterr()
        status = run(list(words))
        said = capsys.readouterr()
        return Answer(status, said.out, said.err)

    return command


@pytest.fixture
def badge(system: System, database: Database, tmp_path: Path) -> str:
    """The id of a badge of p-heron, derived and signed by the system itself."""
    world = World(database, tmp_path)
    for person, role in (("registrar-1", "registrar"), ("chair-1", "chair"), ("c-otter", "coach")):
        world.person(person, role)
    world.principal("p-heron", "p-heron@example.org")
    world.observed(level="aspiring")
    system.catch_up()
    (issued,) = world.events("CredentialIssued")
    return str(issued.data["credential_id"])


@pytest.fixture
def file(system: System, badge: str, tmp_path: Path) -> Path:
    shown = system.credentials.application.credential(Caller(OPERATOR), badge)
    path = tmp_path / "badge.json"
    path.write_text(json.dumps(shown.document, indent=1))
    return path


def test_verify_answers_for_each_source_in_order(mlds: Run, file: Path, tmp_path: Path) -> None:
    altered = tmp_path / "altered.json"
    altered.write_text(file.read_text().replace("Aspiring level", "Transformational level"))
    assert mlds("verify", str(file)).status == 0
    answer = mlds("verify", str(file), str(altered), str(tmp_path / "missing.json"), "--format", "json")
    assert answer.status == 1
    assert [(Path(one["source"]).name, one["verdict"]) for one in answer.objects] == [
        ("badge.json", "valid"),
        ("altered.json", "invalid"),
        ("missing.json", "unchecked"),
    ]


def test_verify_reads_standard_input_and_compares_the_holder(
    mlds: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for email, status, said in (("P-Heron@example.org", 0, "matched"), ("x@example.org", 1, "not_matched")):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(file.read_bytes())))
        answer = mlds("verify", "-", "--recipient", email, "--format", "json")
        assert (answer.status, answer.objects[0]["recipient"], answer.objects[0]["verdict"]) == (status, said, "valid")
        assert answer.objects[0]["source"] == "-"


def test_verify_at_a_time_before_it_was_issued_is_not_valid_yet(mlds: Run, file: Path) -> None:
    answer = mlds("verify", str(file), "--at", "2020-01-01T00:00:00Z", "--format", "json")
    assert (answer.status, answer.objects[0]["verdict"]) == (1, "expired")


def test_verify_needs_the_login_of_the_credentials_service_only(
    mlds: Run, file: Path, system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for login in ("governance", "evidence", "projections", "keys"):
        monkeypatch.delenv(f"MLDS_{login.upper()}_DATABASE_URL")
    monkeypatch.setenv("MLDS_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("MLDS_MASTER_KEY_FILE", str(tmp_path / "elsewhere" / "none.key"))
    answer = mlds("verify", str(file), "--format", "json")
    assert (answer.status, answer.objects[0]["verdict"]) == (0, "valid"), answer.err
    assert "last moments" in answer.err


def test_verify_called_wrongly_says_how_to_call_it(mlds: Run, file: Path, tmp_path: Path) -> None:
    assert mlds("verify", str(file), "--at", "tomorrow").status == 2
    assert mlds("verify", str(file), "--trust", str(tmp_path / "none.json")).status == 2
    bad = tmp_path / "trust.json"
    bad.write_text('{"issuers": [{"id": "did:web:x.example", "name": "X"}]}')
    answer = mlds("verify", str(file), "--trust", str(bad))
    assert answer.status == 2
    assert "/issuers/0" in answer.err


def test_verify_offline_fetches_no_address(mlds: Run) -> None:
    answer = mlds("verify", "https://badges.example.org/1", "--offline", "--format", "json")
    assert (answer.status, answer.objects[0]["verdict"]) == (1, "unchecked")


def test_show_tells_the_state_and_holds_the_document(mlds: Run, badge: str) -> None:
    (shown,) = mlds("credential", "show", badge, "--format", "json").objects
    assert (shown["state"], shown["principal"]) == ("issued", "p-heron")
    assert shown["document"]["id"].endswith(badge)
    assert mlds("credential", "show", badge).status == 0
    assert mlds("credential", "show", str(uuid4())).status == 2


def test_without_yes_nothing_is_changed(mlds: Run, system: System, badge: str) -> None:
    head = system.log("evidence").head()
    for words in (("revoke", badge, "--reason", "error"), ("reissue", badge)):
        answer = mlds("credential", *words, "--as", "registrar-1", "--format", "json")
        assert answer.status == 0, answer.err
        assert {one["done"] for one in answer.objects} == {False}
        assert "Nothing was changed" in answer.err
    assert system.log("evidence").head() == head


def test_a_revocation_is_proposed_by_one_and_approved_by_another(mlds: Run, badge: str, file: Path) -> None:
    assert mlds("credential", "revoke", badge, "--reason", "error", "--as", "registrar-1", "--yes").status == 0
    assert mlds("credential", "approve", badge, "--as", "registrar-1", "--yes").status == 1
    assert mlds("credential", "approve", badge, "--as", "chair-1", "--yes").status == 0
    answer = mlds("verify", str(file), "--format", "json")
    assert (answer.status, answer.objects[0]["verdict"]) == (1, "revoked")
    assert mlds("credential", "reissue", badge, "--as", "registrar-1", "--yes").status == 1


def test_who_may_not_is_refused_and_a_person_and_a_reason_are_asked_for(mlds: Run, badge: str) -> None:
    assert mlds("credential", "revoke", badge, "--reason", "error", "--as", "c-otter", "--yes").status == 1
    assert mlds("credential", "revoke", badge, "--reason", "error", "--yes").status == 2
    assert mlds("credential", "revoke", badge, "--as", "registrar-1", "--yes").status == 2
    assert mlds("credential", "revoke", badge, "--reason", "dislike", "--as", "registrar-1", "--yes").status == 1
    answer = mlds("credential", "suspend", badge, "--reason", "inquiry", "--as", "chair-1", "--yes")
    assert answer.status == 1
    assert "MLDS_SUSPENSION" in " ".join(answer.err.split())


def test_a_reissue_is_signed_at_once_and_the_file_before_it_is_revoked(mlds: Run, badge: str, file: Path) -> None:
    answer = mlds("credential", "reissue", badge, "--as", "registrar-1", "--yes", "--format", "json")
    assert [one["type"] for one in answer.objects] == ["IssuanceIntended", "CredentialRevoked"]
    assert "document" not in answer.objects[0]["data"]
    assert mlds("verify", str(file), "--format", "json").objects[0]["verdict"] == "revoked"
    (shown,) = mlds("credential", "show", badge, "--format", "json").objects
    assert shown["state"] == "issued"


def test_keys_are_made_and_retired_and_what_they_signed_stays_good(mlds: Run, file: Path) -> None:
    (first,) = mlds("keys", "list", "--format", "json").objects
    assert (first["state"], first["file_here"]) == ("signs", True)
    assert mlds("keys", "retire", first["key"], "--yes").status == 1  # the only one
    assert mlds("keys", "new").status == 0
    assert len(mlds("keys", "list", "--format", "json").objects) == 1
    (made,) = mlds("keys", "new", "--yes", "--format", "json").objects
    assert mlds("keys", "retire", first["key"], "--yes").status == 0
    assert [(one["key"], one["state"]) for one in mlds("keys", "list", "--format", "json").objects] == [
        (first["key"], "retired"),
        (made["key"], "signs"),
    ]
    assert mlds("verify", str(file), "--format", "json").objects[0]["verdict"] == "valid"
    assert mlds("keys", "retire", "z6MkNobody", "--yes").status == 2
    assert mlds("keys", "compromised", first["key"]).status == 2
