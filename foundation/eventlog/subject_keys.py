"""Data keys of subjects, as the log needs them: the interface, and a store in memory for tests."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Protocol

from contracts.refusals import Kind, Refusal


class SubjectKeys(Protocol):
    """A data key (32 bytes) for each person, kept apart from the log: destroying it erases the person."""

    def for_writing(self, subject: str) -> bytes:
        """The key, made and committed if it is not there. Raises Refusal `erased` if it was destroyed."""

    def for_reading(self, subject: str) -> bytes | None:
        """The key, or None when it was destroyed or never made."""

    def warm(self, subjects: Sequence[str], *, make: bool = False) -> None:
        """Has many keys at hand at once, for a batch; makes missing ones if asked to. A hint: no faults."""

    def destroy(self, subject: str) -> None:
        """Destroys the key for ever; no key is made for this subject again."""


def erased(subject: str) -> Refusal:
    return Refusal(Kind.ERASED, f"{subject} has been erased; nothing personal is recorded about them.")


class InMemorySubjectKeys:
    """Keys that live as long as the process."""

    def __init__(self) -> None:
        self._keys: dict[str, bytes | None] = {}
        self._lock = threading.Lock()

    def for_writing(self, subject: str) -> bytes:
        with self._lock:
            key = self._keys.setdefault(subject, os.urandom(32))
        if key is None:
            raise erased(subject)
        return key

    def for_reading(self, subject: str) -> bytes | None:
        return self._keys.get(subject)

    def warm(self, subjects: Sequence[str], *, make: bool = False) -> None:
        pass  # they are at hand

    def destroy(self, subject: str) -> None:
        with self._lock:
            self._keys[subject] = None
