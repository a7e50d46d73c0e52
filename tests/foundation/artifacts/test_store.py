"""The encrypted store: what goes in comes out, nobody can read or change it unnoticed, nothing stays behind."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from contracts.refusals import Kind, Refusal
from foundation.artifacts import ArtifactStore
from foundation.artifacts.store import CHUNK, BlobDamaged
from foundation.eventlog import InMemorySubjectKeys


@pytest.fixture
def keys() -> InMemorySubjectKeys:
    return InMemorySubjectKeys()


@pytest.fixture
def store(tmp_path: Path, keys: InMemorySubjectKeys) -> ArtifactStore:
    return ArtifactStore(tmp_path / "artifacts", keys)


def files_of(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "artifacts").rglob("*") if path.is_file()]


@pytest.mark.parametrize("size", [1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_goes_in_comes_out(store: ArtifactStore, tmp_path: Path, size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    stored = store.put(io.BytesIO(data))
    assert (stored.size, stored.sha256) == (size, hashlib.sha256(data).hexdigest())
    [path] = files_of(tmp_path)
    assert path.parent.name + path.name == stored.blob == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    pieces = list(store.read(stored.blob))
    assert b"".join(pieces) == data
    assert max(map(len, pieces)) <= CHUNK


def test_the_same_file_twice_is_two_blobs(store: ArtifactStore) -> None:
    assert store.put(io.BytesIO(b"same")).blob != store.put(io.BytesIO(b"same")).blob


@pytest.mark.parametrize("harm", ["flip", "cut", "cut a chunk", "swap", "grow", "head"])
def test_an_altered_blob_is_noticed(store: ArtifactStore, tmp_path: Path, harm: str) -> None:
    stored = store.put(io.BytesIO(b"a" * (2 * CHUNK + 5)))
    [path] = files_of(tmp_path)
    data = bytearray(path.read_bytes())
    sealed = CHUNK + 16
    match harm:
        case "flip":
            data[-1] ^= 1
        case "cut":
            del data[-1]
        case "cut a chunk":
            del data[24 + 2 * sealed :]
        case "swap":
            data[24 : 24 + 2 * sealed] = data[24 + sealed : 24 + 2 * sealed] + data[24 : 24 + sealed]
        case "grow":
            data += b"\0" * 20
        case "head":
            data[0] ^= 1
    path.write_bytes(data)
    with pytest.raises(BlobDamaged):
        list(store.read(stored.blob))


def test_without_its_key_an_artifact_is_erased(store: ArtifactStore, keys: InMemorySubjectKeys, tmp_path: Path) -> None:
    stored = store.put(io.BytesIO(b"secret"))
    other = ArtifactStore(tmp_path / "artifacts", InMemorySubjectKeys())
    with pytest.raises(Refusal) as refused:
        list(other.read(stored.blob))
    assert refused.value.kind is Kind.ERASED
    store.remove(stored.blob)
    assert files_of(tmp_path) == []
    with pytest.raises(Refusal) as refused:
        list(store.read(stored.blob))
    assert refused.value.kind is Kind.NOT_FOUND
    store.remove(stored.blob)


class _Breaks(io.RawIOBase):
    """Gives some bytes, then the line goes dead."""

    def __init__(self) -> None:
        self.left = 3

    def read(self, size: int = -1) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise OSError("gone")
        return b"x" * min(size, 1000)


def test_a_broken_upload_leaves_nothing(store: ArtifactStore, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="gone"):
        store.put(_Breaks())  # type: ignore[arg-type]  # the part of a file that is used
    assert files_of(tmp_path) == []


class _Endless(io.RawIOBase):
    def read(self, size: int = -1) -> bytes:
        return b"x" * size


def test_a_file_beyond_the_limit_is_refused_while_it_comes(store: ArtifactStore, tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        store.put(_Endless())  # type: ignore[arg-type]  # the part of a file that is used
    assert refused.value.kind is Kind.TOO_LARGE
    assert files_of(tmp_path) == []
