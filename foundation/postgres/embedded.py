"""The embedded PostgreSQL: made, started, joined and stopped without opening anything to other users.

Layout below MLDS_HOME, all folders 0700: `postgres/data` (the cluster) and `postgres/run` (its socket) belong
to the server's user; `postgres/server.log` and two lock files to us. No network port is opened. The owner's
login comes by `peer`, all others by `scram-sha-256`.

The server's user need not reach these folders by name: both are opened here and handed over as descriptors
(`/proc/self/fd/N`), so that root can keep MLDS_HOME closed, and nobody's modes have to be widened.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from urllib.parse import quote

import psutil
from psycopg import pq

from foundation.postgres.binaries import ServerUser, programs, server_user
from foundation.postgres.faults import Unusable
from foundation.postgres.folders import check_closed, make_closed, make_home

OWNER: Final = "mlds_owner"
"""The login that owns everything; the operating system vouches for it (`peer`)."""
MAJOR: Final = "18"
_SOCKET: Final = ".s.PGSQL.5432"
_LONGEST_SOCKET: Final = 107  # bytes of sockaddr_un.sun_path, less the final zero
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 60.0
_LOG_BYTES: Final = 16 * 1024 * 1024

_HBA = f"""# Written by mlds at each start. No network; the owner by peer, service logins by password.
local all {OWNER} peer map=owner
local all all scram-sha-256
"""


class EmbeddedServer:
    """The server of one MLDS_HOME. Several processes may use it; the last one to stop stops it."""

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        """`durable=False` (tests only) lets the machine's crash lose data; a process's crash still does not."""
        self.home = home
        self._durable = durable
        self._root = home / "postgres"
        self._data = self._root / "data"
        self._run = self._root / "run"
        self._users_lock: int | None = None

    # for those who connect

    def url(self, database: str = "postgres", *, login: str = OWNER, password: str | None = None) -> str:
        """A connection URL by the socket."""
        secret = f":{quote(password, safe='')}" if password else ""
        folder = quote(str(self.socket_folder), safe="")
        return f"postgresql://{login}{secret}@/{quote(database, safe='')}?host={folder}"

    @property
    def socket_folder(self) -> Path:
        """`postgres/run`, or where that is too long for a socket, a closed folder of ours below /tmp."""
        if len(os.fsencode(self._run / _SOCKET)) <= _LONGEST_SOCKET:
            return self._run
        name = hashlib.sha256(os.fsencode(self._run)).hexdigest()[:16]
        return Path("/tmp") / f"mlds-{os.geteuid()}-{name}"  # noqa: S108  # sticky, and checked to be ours

    # life

    def start(self) -> EmbeddedServer:
        """Starts the server, or joins the one that runs. Raises Unusable with a sentence."""
        user = server_user()
        self._check_folders(user)
        with self._starting():
            self._users_lock = os.open(self._root / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._users_lock, fcntl.LOCK_SH)
            try:
                if not self._joined():
                    self._launch(user)
            except BaseException:
                self._leave()
                raise
        return self

    def stop(self) -> None:
        """Leaves the server, and stops it if nobody else uses it."""
        if self._users_lock is None:
            return
        with self._starting():
            try:
                if _alone(self._users_lock):
                    self._halt()
            finally:
                self._leave()

    def __enter__(self) -> EmbeddedServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def pid(self) -> int | None:
        """The process that runs on our data; None if there is none."""
        lines = self._pid_file()
        if not lines:
            return None
        pid = int(lines[0])
        return pid if _runs_on(pid, self._data) else None

    # making and starting

    def _check_folders(self, user: ServerUser) -> None:
        make_home(self.home)
        make_closed(self._root, os.geteuid(), os.getegid())
        make_closed(self._run, user.uid, user.gid)
        if self.socket_folder != self._run:
            make_closed(self.socket_folder, user.uid, user.gid)
        if self._data.exists():
            check_closed(self._data, user.uid)
            version = (self._data / "PG_VERSION").read_text().strip()
            if version != MAJOR:
                raise Unusable(
                    f"{self._data} was made by PostgreSQL {version}, and this program brings {MAJOR}: export with "
                    "the version that made it, and import here."
                )

    @contextlib.contextmanager
    def _starting(self) -> Iterator[None]:
        """Only one process at a time makes, starts or stops."""
        lock = os.open(self._root / "start.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _joined(self) -> bool:
        """Whether a server runs and answers. One that is just dying, or starting, is waited for."""
        deadline = time.monotonic() + _START_SECONDS
        while self.pid() is not None:
            if pq.PGconn.ping(self.url().encode()) == pq.Ping.OK:
                return True
            if time.monotonic() > deadline:
                raise Unusable(f"The embedded PostgreSQL (process {self.pid()}) runs and does not answer.")
            time.sleep(0.02)
        return False

    def _launch(self, user: ServerUser) -> None:
        bin_folder = programs(user)
        if not self._data.exists():
            self._make(user, bin_folder)
        self._write(self._data / "pg_hba.conf", _HBA, user)
        self._write(self._data / "pg_ident.conf", f"owner {_name_of(os.geteuid())} {OWNER}\n", user)
        self._clear_stale()
        settings = {
            "listen_addresses": "",
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
            **({} if self._durable else {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}),
        }
        with _opened(self._data) as data, _opened(self.socket_folder) as run, self._log() as log:
            command = [str(bin_folder / "postgres"), "-D", f"/proc/self/fd/{data}"]
            for name, value in {**settings, "unix_socket_directories": f"/proc/self/fd/{run}"}.items():
                command += ["-c", f"{name}={value}"]
            # By way of a shell that ends at once: the server is nobody's child, and outlives whoever started it.
            launched = subprocess.run(  # noqa: S603  # our own words only
                ["/bin/sh", "-c", '"$@" >&2 & echo $!', "sh", *command],
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                **_as_user(user, data, run),
            )
        self._await_ready(int(launched.stdout))

    def _make(self, user: ServerUser, bin_folder: Path) -> None:
        """A new cluster, made beside its place and moved there when it is whole."""
        work = self._root / "data.new"
        if work.exists():  # an earlier making was killed
            shutil.rmtree(work)
        make_closed(work, user.uid, user.gid)
        with _opened(work) as folder:
            command = [str(bin_folder / "initdb"), "-D", f"/proc/self/fd/{folder}", f"--username={OWNER}"]
            command += ["--auth-local=peer", "--auth-host=reject", "--encoding=UTF8", "--locale=C"]
            command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            command += [] if self._durable else ["--no-sync"]
            done = subprocess.run(  # noqa: S603  # our own words only
                command, check=False, capture_output=True, text=True, **_as_user(user, folder)
            )
        if done.returncode != 0:
            raise Unusable(f"The embedded PostgreSQL could not be made in {self._data}: {done.stderr.strip()}")
        work.rename(self._data)

    def _clear_stale(self) -> None:
        """After a kill: waits for left-over processes, and takes away a file that names somebody else's process."""
        deadline = time.monotonic() + _START_SECONDS
        while left := [process for process in _postgres_processes() if _in_folder(process, self._data)]:
            if time.monotonic() > deadline:
                raise Unusable(f"Processes of a killed server still use {self._data}: {left}. End them first.")
            time.sleep(0.02)
        # The number in these files may by now be another process's, or that of one that nobody reaped; PostgreSQL
        # would take it for a running server. Nothing works on our data, so they are stale.
        for lines, path in (
            (self._pid_file(), self._data / "postmaster.pid"),
            (_lines(self.socket_folder / f"{_SOCKET}.lock"), self.socket_folder / f"{_SOCKET}.lock"),
        ):
            if lines and psutil.pid_exists(int(lines[0])):
                path.unlink()

    def _await_ready(self, pid: int) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            lines = self._pid_file()
            if len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready":
                return
            if not _alive(pid) or time.monotonic() > deadline:
                tail = (self._root / "server.log").read_text(errors="replace").splitlines()[-5:]
                raise Unusable("The embedded PostgreSQL does not start. It says: " + " / ".join(tail))
            time.sleep(0.005)

    def _halt(self) -> None:
        pid = self.pid()
        if pid is None:
            return
        psutil.Process(pid).send_signal(signal.SIGINT)  # fast shutdown: transactions end, data is flushed
        deadline = time.monotonic() + _STOP_SECONDS
        # Not psutil's wait: it waits also for whoever launched the server to reap it.
        while self.pid() is not None:
            if time.monotonic() > deadline:
                raise Unusable(f"The embedded PostgreSQL (process {pid}) does not stop.")
            time.sleep(0.01)
        if self.socket_folder != self._run:
            with contextlib.suppress(OSError):
                self.socket_folder.rmdir()

    def _leave(self) -> None:
        if self._users_lock is not None:
            os.close(self._users_lock)
            self._users_lock = None

    def _pid_file(self) -> list[str]:
        return _lines(self._data / "postmaster.pid")

    @contextlib.contextmanager
    def _log(self) -> Iterator[int]:
        path = self._root / "server.log"
        if path.exists() and path.stat().st_size > _LOG_BYTES:
            path.rename(path.with_suffix(".log.1"))
        log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield log
        finally:
            os.close(log)

    @staticmethod
    def _write(path: Path, text: str, user: ServerUser) -> None:
        if path.exists() and path.read_text() == text:
            return
        new = path.with_suffix(".new")
        new.write_text(text)
        new.chmod(0o600)
        os.chown(new, user.uid, user.gid)
        new.rename(path)


def _as_user(user: ServerUser, *descriptors: int) -> dict[str, Any]:
    """How a program is started: as the server's user, in a session of its own, with our descriptors."""
    identity = {"user": user.uid, "group": user.gid, "extra_groups": []} if os.geteuid() == 0 else {}
    return {
        **identity,
        "pass_fds": descriptors,
        "cwd": "/",
        "start_new_session": True,
        "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        "umask": 0o077,
    }


def _alone(users_lock: int) -> bool:
    """Whether no other process holds the lock; then we hold it alone."""
    try:
        fcntl.flock(users_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _postgres_processes() -> Iterator[psutil.Process]:
    for process in psutil.process_iter(["name"]):
        if process.info["name"] == "postgres":
            yield process


def _in_folder(process: psutil.Process, folder: Path) -> bool:
    """Whether it works in this folder, as every process of a PostgreSQL server does in its data."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE and process.cwd() == os.path.realpath(folder))
    except psutil.Error:  # gone, or another user's
        return False


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except FileNotFoundError:
        return []


def _alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _runs_on(pid: int, folder: Path) -> bool:
    try:
        process = psutil.Process(pid)
        return bool(process.name() == "postgres") and _in_folder(process, folder)
    except psutil.Error:
        return False


def _name_of(uid: int) -> str:
    return pwd.getpwuid(uid).pw_name


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
