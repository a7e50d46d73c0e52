"""Staging of an import: a temporary database on disk without a name, so that a file of any length takes constant
memory, and a crash leaves nothing.

What people wrote lies in it encrypted (AES-256-GCM) under a key that only this process's memory holds, since blocks
of a file without a name stay on the disk. Ids, types, days and rows are open, as in the log.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from contracts.refusals import Fault, Kind, Refusal
from services.evidence.import_csv import COLUMNS, Cells
from services.evidence.import_drafts import Draft

_TABLES: Final = """
CREATE TABLE cells (row INTEGER PRIMARY KEY, item INTEGER NOT NULL, cells BLOB NOT NULL);
CREATE TABLE firsts (evidence_id TEXT PRIMARY KEY, row INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE drafts (row INTEGER PRIMARY KEY, type TEXT NOT NULL, principal TEXT NOT NULL, recorded_by TEXT NOT NULL,
    evidence_id TEXT, begins INTEGER NOT NULL, given INTEGER NOT NULL, is_distinct INTEGER NOT NULL,
    sound INTEGER NOT NULL, judgment_rows TEXT NOT NULL, data BLOB NOT NULL, began_by TEXT,
    there INTEGER NOT NULL DEFAULT 0);
CREATE INDEX drafts_by_principal ON drafts (principal, row);
CREATE INDEX drafts_by_evidence ON drafts (evidence_id) WHERE evidence_id IS NOT NULL;
CREATE TABLE faults (row INTEGER NOT NULL, pointer TEXT NOT NULL, detail BLOB NOT NULL);
"""


_NO_ROOM: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})
"""SQLite's primary result codes for a temporary file that cannot be written, as on a full disk."""


class _Sealed:
    """Text under a random key of one import. A key seals less than 2^32 texts, each under the next nonce."""

    def __init__(self) -> None:
        self._key = AESGCM(AESGCM.generate_key(256))
        self._numbers = itertools.count()

    def seal(self, text: str) -> bytes:
        nonce = next(self._numbers).to_bytes(12, "big")
        # A detail may quote what cannot be UTF-8, such as a lone surrogate.
        return nonce + self._key.encrypt(nonce, text.encode("utf-8", "surrogatepass"), None)

    def open(self, sealed: bytes) -> str:
        return self._key.decrypt(sealed[:12], sealed[12:], None).decode("utf-8", "surrogatepass")


class Staging:
    """What a file holds, on its way into the log. Use as a context manager: inside it, a disk without room is a
    Refusal UNAVAILABLE."""

    def __init__(self) -> None:
        self._sealed = _Sealed()
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.executescript(_TABLES + "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;")
        self.fault_count = 0

    def __enter__(self) -> Staging:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()
        if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF in _NO_ROOM:
            raise Refusal(
                Kind.UNAVAILABLE,
                "There is no room for the temporary file of this import (folder TMPDIR). Nothing was stored: make "
                "room, or split the file, and import it again.",
            ) from error

    # the rows of a CSV, grouped by evidence id

    def add_rows(self, rows: Iterable[tuple[int, Cells]]) -> int:
        count = 0
        for row, cells in rows:
            first = row
            if own := cells["evidence_id"]:
                self._db.execute("INSERT OR IGNORE INTO firsts VALUES (?, ?)", (own, row))
                [(first,)] = self._db.execute("SELECT row FROM firsts WHERE evidence_id = ?", (own,))
            values = [cells[name] for name in COLUMNS]
            sealed = self._sealed.seal(json.dumps(values, ensure_ascii=False))
            self._db.execute("INSERT INTO cells VALUES (?, ?, ?)", (row, first, sealed))
            count += 1
        self._db.execute("CREATE INDEX cells_by_item ON cells (item, row)")
        return count

    def items(self) -> Iterator[list[tuple[int, Cells]]]:
        """The rows of each item, in the order of first rows."""
        item, rows = 0, list[tuple[int, Cells]]()
        for row, first, cells in self._db.execute("SELECT row, item, cells FROM cells ORDER BY item, row"):
            if rows and first != item:
                yield rows
                rows = []
            item = first
            rows.append((row, dict(zip(COLUMNS, json.loads(self._sealed.open(cells)), strict=True))))
        if rows:
            yield rows

    # drafts

    def add(self, draft: Draft) -> None:
        self._db.execute(
            "INSERT INTO drafts (row, type, principal, recorded_by, evidence_id, begins, given, is_distinct, sound, "
            "judgment_rows, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                draft.row,
                draft.type,
                draft.principal,
                draft.recorded_by,
                draft.evidence_id,
                draft.begins,
                draft.evidence_id is not None,
                draft.distinct,
                draft.sound,
                json.dumps(draft.judgment_rows),
                self._sealed.seal(json.dumps(draft.data, ensure_ascii=False)),
            ),
        )

    def count(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM drafts").fetchone()[0])

    def principals(self) -> list[str]:
        return [one for (one,) in self._db.execute("SELECT DISTINCT principal FROM drafts ORDER BY principal")]

    def recorders(self) -> list[str]:
        return [one for (one,) in self._db.execute("SELECT DISTINCT recorded_by FROM drafts WHERE sound")]

    def of(self, principal: str) -> Iterator[Draft]:
        """The drafts about one principal, in the order of rows."""
        for draft, _, _ in self._drafts("WHERE principal = ? ORDER BY row", (principal,)):
            yield draft

    def to_record(self) -> Iterator[tuple[Draft, str | None]]:
        """What is not there yet, in the order of rows: the draft, and who began the item that it corrects."""
        for draft, began_by, there in self._drafts("ORDER BY row", ()):
            if not there:
                yield draft, began_by

    def _drafts(self, which: str, values: tuple[Any, ...]) -> Iterator[tuple[Draft, str | None, bool]]:
        columns = (
            "row, type, principal, recorded_by, evidence_id, is_distinct, sound, judgment_rows, data, began_by, there"
        )
        for row, type_, principal, by, own, distinct, sound, rows, data, began_by, there in self._db.execute(
            f"SELECT {columns} FROM drafts {which}",  # noqa: S608  # our own words
            values,
        ):
            members = json.loads(self._sealed.open(data))
            if own is not None:
                members["evidence_id"] = own
            yield (
                Draft(row, type_, principal, by, members, bool(distinct), tuple(json.loads(rows)), bool(sound)),
                began_by,
                bool(there),
            )

    def given_ids(self) -> Iterator[str]:
        """The evidence ids that the file gives to items that it begins."""
        for (own,) in self._db.execute("SELECT evidence_id FROM drafts WHERE begins AND given AND NOT there"):
            yield own

    def rows_of(self, evidence_id: str, *, other_than: str) -> list[int]:
        """The rows that begin this item, about principals other than one."""
        found = self._db.execute(
            "SELECT row FROM drafts WHERE evidence_id = ? AND begins AND principal <> ? ORDER BY row",
            (evidence_id, other_than),
        )
        return [row for (row,) in found]

    def begun_elsewhere(self) -> Iterator[tuple[int, str, int]]:
        """(row, evidence id, earlier row) where one file begins an item twice, about different principals."""
        yield from self._db.execute(
            "SELECT d.row, d.evidence_id, min(f.row) FROM drafts d JOIN drafts f ON f.evidence_id = d.evidence_id "
            "AND f.begins AND f.row < d.row AND f.principal <> d.principal WHERE d.begins GROUP BY d.row, d.evidence_id"
        )

    def settle(self, draft: Draft, *, there: bool, began_by: str | None) -> None:
        """What the check found: the id that was made, whether it is there, who began the corrected item."""
        self._db.execute(
            "UPDATE drafts SET evidence_id = ?, there = ?, began_by = ? WHERE row = ?",
            (draft.evidence_id, there, began_by, draft.row),
        )

    def counts(self) -> tuple[int, int]:
        """How many are to be added, how many are there already."""
        added, there = self._db.execute(
            "SELECT count(*) FILTER (WHERE NOT there), count(*) FILTER (WHERE there) FROM drafts"
        ).fetchone()
        return int(added), int(there)

    # faults

    def add_faults(self, faults: Iterable[Fault]) -> None:
        values = [
            (int(fault.pointer.split("/")[2]), fault.pointer, self._sealed.seal(fault.detail)) for fault in faults
        ]
        self._db.executemany("INSERT INTO faults VALUES (?, ?, ?)", values)
        self.fault_count += len(values)

    def faults(self, limit: int) -> list[Fault]:
        """In the order of rows, at most `limit`."""
        found = self._db.execute("SELECT pointer, detail FROM faults ORDER BY row, rowid LIMIT ?", (limit,))
        return [Fault(pointer, self._sealed.open(detail)) for pointer, detail in found]
