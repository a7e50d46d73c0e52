"""The embedded server: closed to others, joined by a second start, alive after a kill."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from contracts.refusals import Refusal
from foundation.postgres.embedded import EmbeddedServer

# The interpreter may lie where only root can read, so it is left after the imports.
AS_NOBODY = """
import encodings.idna, os, psycopg, subprocess
from pathlib import Path
from foundation.postgres.embedded import EmbeddedServer
os.chdir("/"); os.setgroups([]); os.setgid(65534); os.setuid(65534)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("embedded") / "home"


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(home, durable=False) as running:
        yield running


def modes(folder: Path) -> dict[Path, int]:
    return {path: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.parents)}


def answers(server: EmbeddedServer) -> bool:
    with psycopg.connect(server.url()) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def test_everything_is_closed_to_others_and_no_other_mode_is_changed(tmp_path: Path) -> None:
    before = modes(tmp_path)
    with EmbeddedServer(tmp_path / "home", durable=False) as server:
        assert answers(server)
        for name in ("", "postgres", "postgres/data", "postgres/run"):
            assert stat.S_IMODE((tmp_path / "home" / name).stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "home/postgres/server.log").stat().st_mode) == 0o600
        with psycopg.connect(server.url()) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
            rules = connection.execute("SELECT type, user_name, auth_method FROM pg_hba_file_rules").fetchall()
    assert rules == [("local", ["mlds_owner"], "peer"), ("local", ["all"], "scram-sha-256")]
    assert modes(tmp_path) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can try as another user")
def test_another_user_gets_in_nowhere(server: EmbeddedServer, home: Path) -> None:
    program = AS_NOBODY + f"psycopg.connect({server.url()!r})"
    tried = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert tried.returncode != 0
    assert "Permission denied" in tried.stderr
    program = AS_NOBODY + f"os.listdir({str(home)!r})"
    assert "PermissionError" in subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stderr


def test_the_server_does_not_run_as_root(server: EmbeddedServer) -> None:
    pid = server.pid()
    assert pid is not None
    assert Path(f"/proc/{pid}").stat().st_uid != 0


def test_a_second_start_joins_and_the_last_to_leave_stops_it(home: Path) -> None:
    first = EmbeddedServer(home, durable=False).start()
    second = EmbeddedServer(home, durable=False).start()
    assert first.pid() == second.pid()
    first.stop()
    assert answers(second)
    second.stop()
    assert second.pid() is None


@pytest.mark.parametrize("victim", ["postmaster", "a backend"])
def test_it_starts_again_after_kill_9(home: Path, victim: str) -> None:
    first = EmbeddedServer(home, durable=False).start()
    with psycopg.connect(first.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (x int)")
        connection.execute("INSERT INTO kept VALUES (1)")
        before = connection.execute("SELECT count(*) FROM kept").fetchone()
        pid = first.pid() if victim == "postmaster" else connection.info.backend_pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    second = EmbeddedServer(home, durable=False).start()
    with psycopg.connect(second.url()) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == before
    first.stop()
    second.stop()


def test_a_stale_file_that_names_a_living_stranger_is_no_obstacle(home: Path) -> None:
    EmbeddedServer(home, durable=False).start().stop()
    file = home / "postgres/data/postmaster.pid"
    file.write_text(f"{os.getpid()}\n{home}/postgres/data\n1\n5432\n\n\n  1  1\nready\n")
    with EmbeddedServer(home, durable=False) as server:
        assert answers(server)


def test_a_making_that_was_killed_is_made_again(tmp_path: Path) -> None:
    half = tmp_path / "home/postgres/data.new"
    half.mkdir(parents=True)
    for folder in (half.parents[1], half.parent, half):
        folder.chmod(0o700)
    (half / "PG_VERSION").write_text("18\n")
    with EmbeddedServer(tmp_path / "home", durable=False) as server:
        assert answers(server)


def test_a_path_too_long_for_a_socket_gets_a_closed_one_elsewhere(tmp_path: Path) -> None:
    home = tmp_path / ("d" * 60) / ("e" * 60)
    with EmbeddedServer(home, durable=False) as server:
        assert answers(server)
        folder = server.socket_folder
        assert not folder.is_relative_to(home)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not folder.exists()


def test_an_open_folder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    home = tmp_path / "home"
    EmbeddedServer(home, durable=False).start().stop()
    data = home / "postgres/data"
    data.chmod(0o755)
    with pytest.raises(Refusal, match=r"open to other users.*chmod go-rwx"):
        EmbeddedServer(home).start()
    assert stat.S_IMODE(data.stat().st_mode) == 0o755
    data.chmod(0o700)
    home.chmod(0o777)
    with pytest.raises(Refusal, match="chmod go-w"):
        EmbeddedServer(home).start()
    home.chmod(0o700)
    tmp_path.chmod(0o777)
    with pytest.raises(Refusal, match="Everybody can write"):
        EmbeddedServer(home).start()
    tmp_path.chmod(0o700)


def test_a_link_in_the_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (tmp_path / "elsewhere").mkdir()
    (home / "postgres").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refusal, match="is not a folder"):
        EmbeddedServer(home).start()


def test_data_of_another_version_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    EmbeddedServer(home, durable=False).start().stop()
    (home / "postgres/data/PG_VERSION").write_text("17\n")
    with pytest.raises(Refusal, match="made by PostgreSQL 17"):
        EmbeddedServer(home).start()


def test_a_relative_home_is_refused() -> None:
    with pytest.raises(Refusal, match="absolute path"):
        EmbeddedServer(Path("home")).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="root tries it as an ordinary user")
def test_it_works_for_an_ordinary_user(tmp_path: Path) -> None:
    """As nobody, with a home below a folder that is theirs."""
    home = Path("/var/tmp") / f"mlds-test-{os.getpid()}"
    home.mkdir(mode=0o700)
    os.chown(home, 65534, 65534)
    program = AS_NOBODY + (
        f"with EmbeddedServer(Path({str(home / 'mlds')!r}), durable=False) as server:\n"
        "    with psycopg.connect(server.url()) as connection:\n"
        "        print(connection.execute('SELECT current_user').fetchone()[0], os.geteuid())"
    )
    try:
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert done.stdout == "mlds_owner 65534\n", done.stderr
    finally:
        subprocess.run(["rm", "-rf", str(home)], check=True)
