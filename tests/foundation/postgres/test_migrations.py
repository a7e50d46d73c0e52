"""Migrations: repeatable, refused where they don't fit, and the same schema whoever makes it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest

from contracts.refusals import Refusal
from foundation.postgres.migrations import Room, check, migrations_of
from foundation.postgres.provision import drop_demonstration, migrate, with_database
from tests.databases import Templates, service_rooms


@pytest.fixture
def cluster(templates: Templates) -> Iterator[str]:
    """The owner's URL; databases called m… are dropped afterwards."""
    url = templates.server.url("postgres")
    yield url
    with psycopg.connect(url, autocommit=True) as connection:
        for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'm\\_%'").fetchall():
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        for (name,) in connection.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'm\\_%'").fetchall():
            connection.execute(f"DROP ROLE {name}")


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package `trial_room` of its own, with one migration for the schema `evidence`."""
    folder = tmp_path / "trial_room" / "migrations"
    folder.mkdir(parents=True)
    (tmp_path / "trial_room" / "__init__.py").touch()
    (folder / "0001_pre_first.sql").write_text("CREATE TABLE evidence.first (x int);")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    sys.modules.pop("trial_room", None)


ROOM = Room("evidence", "trial_room")


def test_the_schema_is_the_same_after_a_second_run(cluster: str) -> None:
    rooms = service_rooms()
    first = migrate(cluster, database="m_stable", rooms=rooms)
    assert first.created
    assert set(first.new_passwords) == {"governance", "evidence", "projections", "credentials", "keys"}
    before = schema(cluster, "m_stable")
    again = migrate(cluster, database="m_stable", rooms=rooms, passwords=first.new_passwords)
    assert (again.created, again.applied, dict(again.new_passwords)) == (False, [], {})
    assert schema(cluster, "m_stable") == before
    with psycopg.connect(again.urls["evidence"]) as connection:
        assert connection.execute("SELECT session_user").fetchone() == ("m_stable_evidence",)


def test_an_existing_login_keeps_its_password_unless_asked(cluster: str) -> None:
    first = migrate(cluster, database="m_kept")
    lost = migrate(cluster, database="m_kept")
    assert dict(lost.new_passwords) == {}
    assert dict(lost.urls) == {}
    psycopg.connect(first.urls["evidence"]).close()
    reset = migrate(cluster, database="m_kept", reset_passwords=True)
    psycopg.connect(reset.urls["evidence"]).close()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(first.urls["evidence"])


def test_passwords_are_kept_before_they_count(cluster: str) -> None:
    """A caller that dies while it keeps them leaves no login behind whose password nobody knows."""

    def dies(passwords: Mapping[str, str]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        migrate(cluster, database="m_dies", keep=dies)
    kept: dict[str, str] = {}
    made = migrate(cluster, database="m_dies", keep=kept.update)
    assert kept == dict(made.new_passwords)
    psycopg.connect(made.urls["evidence"]).close()


def test_two_at_once_apply_each_file_once(cluster: str, room: Path) -> None:
    applied: list[str] = []
    threads = [
        threading.Thread(target=lambda: applied.extend(migrate(cluster, database="m_two", rooms=[ROOM]).applied))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert applied.count("evidence/0001_pre_first.sql") == 1


def test_a_newer_database_is_refused(cluster: str, room: Path) -> None:
    (room / "0002_post_second.sql").write_text("CREATE TABLE evidence.second (x int);")
    migrate(cluster, database="m_newer", rooms=[ROOM])
    (room / "0002_post_second.sql").unlink()
    with pytest.raises(Refusal, match=r"newer than this program: evidence/0002_post_second\.sql"):
        migrate(cluster, database="m_newer", rooms=[ROOM])


def test_a_changed_file_is_refused(cluster: str, room: Path) -> None:
    migrate(cluster, database="m_changed", rooms=[ROOM])
    (room / "0001_pre_first.sql").write_text("CREATE TABLE evidence.other (x int);")
    with pytest.raises(Refusal, match="differs from the file that was applied"):
        migrate(cluster, database="m_changed", rooms=[ROOM])


def test_a_migration_that_fails_leaves_nothing_of_itself(cluster: str, room: Path) -> None:
    (room / "0002_pre_bad.sql").write_text("CREATE TABLE evidence.half (x int); SELECT nonsense;")
    with pytest.raises(Refusal, match="nothing of it was kept"):
        migrate(cluster, database="m_bad", rooms=[ROOM])
    with psycopg.connect(with_database(cluster, "m_bad")) as connection:
        assert connection.execute("SELECT to_regclass('evidence.half'), to_regclass('evidence.first')").fetchone() == (
            None,
            "evidence.first",
        )
        assert check(connection, [ROOM]) == ["evidence/0002_pre_bad.sql"]


def test_post_waits_until_it_is_asked_for(cluster: str, room: Path) -> None:
    (room / "0002_post_second.sql").write_text("CREATE TABLE evidence.second (x int);")
    assert (
        "evidence/0002_post_second.sql"
        not in migrate(cluster, database="m_phases", rooms=[ROOM], phases=("pre",)).applied
    )
    assert migrate(cluster, database="m_phases", rooms=[ROOM]).applied == ["evidence/0002_post_second.sql"]


def test_names_out_of_order_are_refused(room: Path) -> None:
    (room / "0003_pre_third.sql").write_text("")
    with pytest.raises(ValueError, match="without gap or double"):
        migrations_of(ROOM)


def test_what_a_service_owns_it_may_drop_and_nothing_else(cluster: str, room: Path) -> None:
    made = migrate(cluster, database="m_owned", rooms=[ROOM])
    with psycopg.connect(made.urls["evidence"], autocommit=True) as connection:
        connection.execute("INSERT INTO evidence.first VALUES (1)")
    with (
        psycopg.connect(made.urls["governance"], autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("SELECT * FROM evidence.first")


def test_a_demonstration_stays_one_and_alone_is_dropped(cluster: str) -> None:
    migrate(cluster, database="m_real")
    migrate(cluster, database="m_demo", demonstration=True)
    with pytest.raises(Refusal, match="demonstration needs a database of its own"):
        migrate(cluster, database="m_real", demonstration=True)
    with pytest.raises(Refusal, match="stays one"):
        migrate(cluster, database="m_demo")
    with pytest.raises(Refusal, match="no demonstration"):
        drop_demonstration(cluster, "m_real")
    drop_demonstration(cluster, "m_demo")
    drop_demonstration(cluster, "m_demo")


def test_the_demonstration_and_the_real_one_share_no_login(cluster: str) -> None:
    real = migrate(cluster, database="m_one")
    other = migrate(cluster, database="m_one_demo", demonstration=True)
    assert not set(real.logins.values()) & set(other.logins.values())
    with pytest.raises(psycopg.OperationalError, match="CONNECT"):
        psycopg.connect(other.urls["evidence"].replace("/m_one_demo?", "/m_one?"))


def schema(cluster: str, database: str) -> list[tuple[object, ...]]:
    """Every table's columns, indexes, functions and grants."""
    with psycopg.connect(with_database(cluster, database)) as connection:
        return connection.execute(
            "SELECT table_schema, table_name, column_name, data_type, is_nullable FROM information_schema.columns "
            "WHERE table_schema NOT LIKE 'pg\\_%' AND table_schema <> 'information_schema' "
            "UNION ALL SELECT schemaname, tablename, indexname, indexdef, '' FROM pg_indexes "
            "WHERE schemaname NOT LIKE 'pg\\_%' "
            "UNION ALL SELECT n.nspname, p.proname, p.prosrc, coalesce(p.proacl::text, ''), '' FROM pg_proc p "
            "JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'log' "
            "UNION ALL SELECT n.nspname, c.relname, '', coalesce(c.relacl::text, ''), c.relowner::regrole::text "
            "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname NOT LIKE 'pg\\_%' "
            "ORDER BY 1, 2, 3, 4"
        ).fetchall()
