"""The store: each artifact encrypted with a data key of its own, kept under the SHA-256 of its ciphertext.

Form of a stored file: `MLDSART1` · the id of its data key (a UUID, 16 bytes) · chunks. Each chunk is up to
1 MiB of the file, sealed by AES-256-GCM with a tag of 16 bytes. The nonce of a chunk is its number (11 bytes,
from 0) and a last byte that is 1 for the last chunk only, so that no chunk can be moved, left out or cut off
unnoticed; a key is used for one file only, so that no nonce comes twice. Destroying the key erases the artifact.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Protocol
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from contracts.refusals import Kind, Refusal
from foundation.artifacts.file_types import MAX_BYTES

MAGIC: Final = b"MLDSART1"
CHUNK: Final = 1 << 20
_HEAD: Final = len(MAGIC) + 16
_TAG: Final = 16


class ArtifactKeys(Protocol):
    """Data keys by key id, in the key database (`foundation.postgres.data_keys.DataKeys`)."""

    def for_writing(self, subject: str) -> bytes: ...

    def for_reading(self, subject: str) -> bytes | None: ...

    def destroy(self, subject: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Stored:
    blob: str
    """SHA-256 of the stored ciphertext: the name in the store."""
    sha256: str
    """SHA-256 of the file as sent."""
    size: int
    """Bytes of the file as sent."""


class BlobDamaged(Exception):
    """A stored artifact is not what was stored."""


class ArtifactStore:
    """Files under `root`, closed to other users. Thread-safe."""

    def __init__(self, root: Path, keys: ArtifactKeys) -> None:
        self._root = root
        self._keys = keys

    def put(self, file: IO[bytes]) -> Stored:
        """Stores what `file` holds from here on, in constant memory; it is durable on return.

        Raises Refusal TOO_LARGE. When this raises, or the process dies, nothing stays behind.
        """
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        key_id = uuid4()
        key = AESGCM(self._keys.for_writing(str(key_id)))
        descriptor, part = _nameless(self._root)
        try:
            with os.fdopen(descriptor, "wb", closefd=True) as out:
                source, sealed = _Source(file), hashlib.sha256()
                for piece in _sealed(source, key, key_id):
                    sealed.update(piece)
                    out.write(piece)
                out.flush()
                os.fsync(out.fileno())
                blob = sealed.hexdigest()
                target = self._path(blob)
                target.parent.mkdir(mode=0o700, exist_ok=True)
                _name(out.fileno(), part, target)
        except BaseException:
            if part is not None:
                part.unlink(missing_ok=True)
            self._keys.destroy(str(key_id))
            raise
        _sync_folder(target.parent)
        _sync_folder(self._root)
        return Stored(blob, source.sha256.hexdigest(), source.size)

    def read(self, blob: str) -> Iterator[bytes]:
        """The file in pieces of at most 1 MiB. Raises Refusal NOT_FOUND or ERASED, and BlobDamaged."""
        try:
            file = self._path(blob).open("rb")
        except FileNotFoundError:
            raise Refusal(Kind.NOT_FOUND, "This artifact is not in the store.") from None
        with file:
            key_id = _key_id(file, blob)
            data_key = self._keys.for_reading(key_id)
            if data_key is None:
                raise Refusal(Kind.ERASED, "This artifact has been erased.")
            key = AESGCM(data_key)
            number, piece = 0, file.read(CHUNK + _TAG)
            while True:
                following = file.read(CHUNK + _TAG)
                try:
                    yield key.decrypt(_nonce(number, last=not following), piece, MAGIC)
                except InvalidTag:
                    raise BlobDamaged(f"chunk {number} of {blob} was altered, moved or cut off") from None
                if not following:
                    return
                number, piece = number + 1, following

    def remove(self, blob: str) -> None:
        """Removes an artifact and destroys its key; nothing happens where it is not there."""
        path = self._path(blob)
        try:
            with path.open("rb") as file:
                self._keys.destroy(_key_id(file, blob))
        except (FileNotFoundError, BlobDamaged):
            pass
        path.unlink(missing_ok=True)

    def sweep(self, named: Container[str], *, older_than_s: float = 3600.0) -> list[str]:
        """Removes what no event names (a crash between storing and recording); returns those blobs."""
        limit = time.time() - older_than_s
        removed = []
        for path in self._root.glob("*/*"):
            blob = path.parent.name + path.name
            if path.stat().st_mtime < limit and blob not in named:
                self.remove(blob)
                removed.append(blob)
        for path in self._root.glob(".part-*"):
            if path.stat().st_mtime < limit:
                path.unlink(missing_ok=True)
        return removed

    def _path(self, blob: str) -> Path:
        return self._root / blob[:2] / blob[2:]


class _Source:
    """The file as it is read: its chunks, its hash, its size."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()
        self.size = 0

    def chunk(self) -> bytes:
        """A whole chunk, or less at the end only: streams may give less at a time."""
        parts, left = [], CHUNK
        while left and (part := self._file.read(left)):
            parts.append(part)
            left -= len(part)
        piece = b"".join(parts)
        self.sha256.update(piece)
        self.size += len(piece)
        if self.size > MAX_BYTES:
            raise Refusal(Kind.TOO_LARGE, f"At most {MAX_BYTES:,} bytes are taken.")
        return piece


def _sealed(source: _Source, key: AESGCM, key_id: UUID) -> Iterator[bytes]:
    yield MAGIC + key_id.bytes
    number, piece = 0, source.chunk()
    while True:
        following = source.chunk()
        yield key.encrypt(_nonce(number, last=not following), piece, MAGIC)
        if not following:
            return
        number, piece = number + 1, following


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _key_id(file: IO[bytes], blob: str) -> str:
    head = file.read(_HEAD)
    if len(head) != _HEAD or not head.startswith(MAGIC):
        raise BlobDamaged(f"{blob} is no stored artifact")
    return str(UUID(bytes=head[len(MAGIC) :]))


def _nameless(folder: Path) -> tuple[int, Path | None]:
    """A new file, 0600, without a name where the file system can do that: then a crash leaves nothing."""
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600), None
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT):
            raise
    part = folder / f".part-{uuid4()}"
    return os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), part


def _name(descriptor: int, part: Path | None, target: Path) -> None:
    if part is not None:
        part.replace(target)
        return
    # Linux gives a nameless file a name through /proc; the ciphertext's hash is new, so nothing is overwritten.
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.link(f"/proc/self/fd/{descriptor}", target.name, dst_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
