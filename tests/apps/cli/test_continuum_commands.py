"""`mlds continuum`, `rebuild` and `export` on a database."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apps.cli.main import run
from tests.databases import Database
from tests.story import replayed
from tests.systems import people_of, system_on

Mlds = Callable[..., tuple[int, str, str]]


@pytest.fixture
def mlds(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Mlds:
    """Runs a command on a database in which p-heron was observed twice, and reached emerging on competency 6."""
    with system_on(database, tmp_path) as system, people_of(system) as people:
        people.settle()
        people.observe("2026-02-03")
        people.observe("2026-02-10", by="c-wren")
    for name, url in database.urls.items():
        monkeypatch.setenv(f"MLDS_{name.upper()}_DATABASE_URL", url)
    monkeypatch.setenv("MLDS_HOME", str(tmp_path))
    monkeypatch.setenv("MLDS_MASTER_KEY_FILE", str(tmp_path / "master.key"))

    def call(*arguments: object) -> tuple[int, str, str]:
        capfdbinary.readouterr()
        ended = run([str(argument) for argument in arguments])
        printed = capfdbinary.readouterr()
        return ended, printed.out.decode(), printed.err.decode()

    return call


def test_the_commands_derive_what_follows_first_and_tell_it(mlds: Mlds) -> None:
    ended, out, _ = mlds("continuum", "p-heron", "--format", "json")
    assert ended == 0
    found = [json.loads(line) for line in out.splitlines()]
    assert [one["competency"] for one in found] == [*range(1, 33), "overall"]
    assert found[5]["level"] == "emerging"
    assert found[5]["next"]["level"] == "developing"
    assert found[32]["level"] is None


def test_the_picture_shows_level_reason_and_what_comes_next(mlds: Mlds) -> None:
    ended, out, _ = mlds("continuum", "p-heron")
    assert ended == 0
    assert "●" in out
    assert "31 competencies" in out
    assert "p-heron: no level overall" in out


def test_who_is_not_known_is_called_wrongly(mlds: Mlds) -> None:
    for arguments in (("continuum", "p-none"), ("export", "--principal", "p-none"), ("rebuild", "weather")):
        ended, out, errors = mlds(*arguments)
        assert (ended, out) == (2, "")
        assert arguments[-1] in errors
    assert mlds("continuum", "p-heron", "--as-of", "2026-01-01")[0] == 2


def test_the_export_replays_to_the_levels_of_the_read_model(mlds: Mlds, tmp_path: Path) -> None:
    ended, history, _ = mlds("export")
    assert ended == 0
    file = tmp_path / "history.jsonl"
    assert mlds("export", "--out", file)[:2] == (0, "")
    assert file.read_text() == history
    assert file.stat().st_mode & 0o777 == 0o600
    assert mlds("replay", file, "--check")[0] == 0
    _, out, _ = mlds("replay", file, "--format", "json")
    _, told, _ = mlds("continuum", "p-heron", "--format", "json")
    replays = [json.loads(line)["level"] for line in out.splitlines() if '"p-heron"' in line]
    assert replays == [json.loads(line)["level"] for line in told.splitlines()]


def test_a_principals_export_holds_what_is_theirs_and_no_other(mlds: Mlds, tmp_path: Path) -> None:
    ended, history, _ = mlds("export", "--principal", "p-heron")
    assert ended == 0
    lines = [json.loads(line) for line in history.splitlines()]
    streams = {line["stream"].partition(":")[0] for line in lines}
    assert streams == {"dossier", "attainment", "person", "credential"}
    assert {line["stream"] for line in lines} >= {"dossier:p-heron", "person:p-heron", "attainment:p-heron"}
    assert not [line for line in lines if "p-egret" in line["stream"] or "c-otter" in line["stream"]]
    assert "Seen on 2026-02-03." in history
    assert [line["version"] for line in lines if line["stream"] == "dossier:p-heron"] == [1, 2, 3]
    result = replayed(history.encode(), check=True)
    assert not list(result.differences())


def test_a_rebuild_says_what_it_did(mlds: Mlds) -> None:
    before = mlds("continuum", "p-heron", "--format", "json")[1]
    ended, out, _ = mlds("rebuild", "continuum", "--format", "json")
    assert ended == 0
    done: dict[str, Any] = json.loads(out)
    assert (done["model"], done["principals"], done["otherwise"]) == ("continuum", 2, [])
    assert mlds("continuum", "p-heron", "--format", "json")[1] == before
    ended, out, _ = mlds("rebuild")
    assert ended == 0
    assert "2 principals" in out


def test_an_export_that_cannot_be_written_is_called_wrongly(mlds: Mlds, tmp_path: Path) -> None:
    ended, _, errors = mlds("export", "--out", tmp_path / "none" / "history.jsonl")
    assert ended == 2
    assert "history.jsonl" in errors
    assert not list(tmp_path.glob("*.part"))
