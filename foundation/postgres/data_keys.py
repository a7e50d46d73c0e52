"""The key database: data keys of subjects and artifacts, wrapped by the master key (AES-KW, RFC 3394).

There is no transaction over this database and the log's: a key is committed here before the first event
that needs it. An unused key is harmless.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from contracts.refusals import Kind, Refusal
from foundation.postgres.connections import Pool
from foundation.postgres.faults import Unusable
from foundation.postgres.folders import check_closed

KEY_BYTES: Final = 32
_CACHED: Final = 10_000
_CACHE_SECONDS: Final = 60.0
"""How long a key destroyed by another process may still be used here."""


def read_master_key(path: Path) -> bytes:
    """The 32 bytes of a file that only we can read. Raises Unusable."""
    try:
        check_closed(path, os.geteuid(), folder=False)
        key = path.read_bytes()
    except OSError as error:
        raise Unusable(f"The master key {path} cannot be read: {error.strerror}.") from error
    if len(key) != KEY_BYTES:
        raise Unusable(f"The master key {path} has {len(key)} bytes and must have {KEY_BYTES}.")
    return key


def make_master_key(path: Path) -> bytes:
    """A new master key in a new file, mode 0600. Raises FileExistsError: a master key is never overwritten."""
    key = os.urandom(KEY_BYTES)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key


class DataKeys:
    """Data keys of one kind (`subject`, `artifact`). Fits `foundation.eventlog.SubjectKeys`. Thread-safe."""

    def __init__(self, pool: Pool, master_key: bytes, kind: str = "subject") -> None:
        self._pool = pool
        self._master = master_key
        self._kind = kind
        self._cache: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def for_writing(self, subject: str) -> bytes:
        """The key, made and committed if it is not there. Raises Refusal `erased` if it was destroyed."""
        cached = self._cached(subject)
        if cached is not None:
            return cached
        made = aes_key_wrap(self._master, os.urandom(KEY_BYTES))
        with self._pool.transaction() as cursor:
            # The first of several writers wins, and all of them read what it made.
            cursor.execute(
                "INSERT INTO keys.data_keys (kind, id, wrapped) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (self._kind, subject, made),
            )
            cursor.execute("SELECT wrapped FROM keys.data_keys WHERE kind = %s AND id = %s", (self._kind, subject))
            row = cursor.fetchone()
        if row is None or row[0] is None:
            raise Refusal(Kind.ERASED, f"{subject} has been erased; nothing personal is recorded about them.")
        return self._unwrapped(subject, row[0])

    def for_reading(self, subject: str) -> bytes | None:
        """The key, or None when it was destroyed or never made."""
        cached = self._cached(subject)
        if cached is not None:
            return cached
        with self._pool.connection() as connection:
            row = connection.execute(
                "SELECT wrapped FROM keys.data_keys WHERE kind = %s AND id = %s", (self._kind, subject)
            ).fetchone()
        return self._unwrapped(subject, row[0]) if row is not None and row[0] is not None else None

    def warm(self, subjects: Sequence[str], *, make: bool = False) -> None:
        """Brings many keys into the cache in one round trip (and makes missing ones), before a batch."""
        wanted = [subject for subject in dict.fromkeys(subjects) if self._cached(subject) is None]
        if not wanted:
            return
        with self._pool.transaction() as cursor:
            if make:
                made = [aes_key_wrap(self._master, os.urandom(KEY_BYTES)) for _ in wanted]
                cursor.execute(
                    "INSERT INTO keys.data_keys (kind, id, wrapped) "
                    "SELECT %s, * FROM unnest(%s::text[], %s::bytea[]) ON CONFLICT DO NOTHING",
                    (self._kind, wanted, made),
                )
            cursor.execute(
                "SELECT id, wrapped FROM keys.data_keys WHERE kind = %s AND id = ANY (%s) AND wrapped IS NOT NULL",
                (self._kind, wanted),
            )
            for subject, wrapped in cursor.fetchall():
                self._unwrapped(subject, wrapped)

    def destroy(self, subject: str) -> None:
        """Destroys the key for ever; no key is made under this name again."""
        with self._pool.transaction() as cursor:
            cursor.execute(
                "INSERT INTO keys.data_keys (kind, id, wrapped, destroyed_at) VALUES (%s, %s, NULL, now()) "
                "ON CONFLICT (kind, id) DO UPDATE SET wrapped = NULL, destroyed_at = now() "
                "WHERE data_keys.destroyed_at IS NULL",
                (self._kind, subject),
            )
        with self._lock:
            self._cache.pop(subject, None)

    def _cached(self, subject: str) -> bytes | None:
        with self._lock:
            found = self._cache.get(subject)
            if found is None:
                return None
            if found[0] < time.monotonic():
                del self._cache[subject]
                return None
            return found[1]

    def _unwrapped(self, subject: str, wrapped: bytes) -> bytes:
        try:
            key = aes_key_unwrap(self._master, bytes(wrapped))
        except InvalidUnwrap:
            raise Unusable(
                "The master key does not open the data keys of this database: MLDS_MASTER_KEY_FILE names another."
            ) from None
        with self._lock:
            self._cache[subject] = (time.monotonic() + _CACHE_SECONDS, key)
            while len(self._cache) > _CACHED:
                self._cache.popitem(last=False)
        return key
