"""Places in status lists: given away at random, each once.

Lists come in pairs, `r1` for revocation and `s1` for suspension, and a badge has the same place in both. A
list is left when half of its places are taken: so there is always a random one to be had at once, and
neighbours say nothing about each other (Bitstring Status List section 6).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Final, Literal

import psycopg

from .queries import query
from .status_list import MIN_ENTRIES

ENTRIES: Final = MIN_ENTRIES
Kind = Literal["r", "s"]
PURPOSE: Final[dict[Kind, str]] = {"r": "revocation", "s": "suspension"}


def list_name(kind: Kind, number: int) -> str:
    return f"{kind}{number}"


def parse_list_name(name: str) -> tuple[Kind, int] | None:
    """(kind, number) of `r1` or `s1`; None for anything else."""
    kind, number = name[:1], name[1:]
    if kind not in ("r", "s") or not number.isascii() or not number.isdigit() or number[0] == "0" or len(number) > 9:
        return None
    return ("r" if kind == "r" else "s"), int(number)


def take_places(cursor: psycopg.Cursor[Any], credential_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """A place (list number, index) for each credential, taken in the cursor's transaction."""
    found: dict[str, tuple[int, int]] = {}
    left = list(credential_ids)
    while left:
        number, room = _open_list(cursor)
        asked = left[:room]
        indexes = [secrets.randbelow(ENTRIES) for _ in asked]
        cursor.execute(query("take_places"), (number, indexes, asked))
        taken = cursor.fetchall()
        cursor.execute(query("count_places"), (len(taken), number))
        found |= {credential_id: (number, index) for credential_id, index in taken}
        left = [credential_id for credential_id in left if credential_id not in found]
    return found


def _open_list(cursor: psycopg.Cursor[Any]) -> tuple[int, int]:
    """The number of the list in use, locked, and how many places of it may still be given away."""
    newest = cursor.execute(query("newest_list")).fetchone()
    if newest is not None and newest[2] < newest[1] // 2:
        return newest[0], newest[1] // 2 - newest[2]
    cursor.execute(query("open_list"), ((newest[0] if newest else 0) + 1, ENTRIES))
    return _open_list(cursor)
