"""Folders that are closed to other users, checked rather than assumed; modes of others' folders stay as they are."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from foundation.postgres.faults import Unusable


def make_closed(folder: Path, owner: int, group: int) -> None:
    """Makes the folder with mode 0700 for `owner` if it is not there, and checks it in any case."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise Unusable(f"The folder {folder} cannot be made: {error.strerror}.") from error
    else:
        folder.chmod(0o700)  # mkdir's mode passes through the umask
        if owner != os.geteuid():
            os.chown(folder, owner, group)
    check_closed(folder, owner)


def check_closed(path: Path, owner: int, *, folder: bool = True) -> None:
    """Refuses a path that is a link, belongs to somebody else or is open to others."""
    found = path.lstat()
    if folder != stat.S_ISDIR(found.st_mode) or (not folder and not stat.S_ISREG(found.st_mode)):
        raise Unusable(f"{path} is not a {'folder' if folder else 'file'}: move it away.")
    if found.st_uid not in (owner, os.geteuid()):
        raise Unusable(f"{path} belongs to another user (number {found.st_uid}): use another MLDS_HOME.")
    if found.st_mode & 0o077:
        raise Unusable(
            f"{path} is open to other users (mode {stat.S_IMODE(found.st_mode):04o}). Close it with "
            f"`chmod go-rwx '{path}'`, and ask yourself who may have read or changed what is in it."
        )


def make_home(home: Path) -> None:
    """Makes MLDS_HOME (0700) if it is not there, and refuses one that others could change."""
    if not home.is_absolute():
        raise Unusable(f"MLDS_HOME must be an absolute path, and {home} is not.")
    if not home.exists():
        try:
            home.parent.mkdir(parents=True, exist_ok=True)
            home.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise Unusable(f"The folder {home} cannot be made: {error.strerror}. Set MLDS_HOME.") from error
    found = home.stat()
    if not stat.S_ISDIR(found.st_mode):
        raise Unusable(f"MLDS_HOME is {home}, which is no folder.")
    if found.st_uid not in (os.geteuid(), 0):
        raise Unusable(f"{home} belongs to another user (number {found.st_uid}): set MLDS_HOME to a folder of yours.")
    if found.st_mode & 0o022:
        raise Unusable(f"Other users can write in {home}: close it with `chmod go-w '{home}'`.")
    for above in home.resolve().parents:
        mode = above.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise Unusable(f"Everybody can write in {above}, and so replace {home}: set MLDS_HOME to another place.")


def reachable_by_others(path: Path) -> bool:
    """Whether any user can walk down to this folder and read it."""
    path = path.resolve()
    return all(step.stat().st_mode & stat.S_IXOTH for step in (path, *path.parents)) and bool(
        path.stat().st_mode & stat.S_IROTH
    )
