"""The status lists as they are published: signed when a bit has changed, or when the last one grows old."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import psycopg

from contracts.refusals import Kind, Refusal
from foundation.postgres.connections import Pool

from .badge import credential_bytes, list_url
from .data_integrity import sign
from .issuer import Issuer
from .key_ring import IssuerKeys
from .linting import LIST_RULES, lint
from .places import PURPOSE, list_name, parse_list_name
from .queries import query
from .status_list import Bits, list_credential, set_bit

TTL: Final = timedelta(minutes=5)
"""How long a copy may be kept; a revocation is seen by all within it."""
VALID: Final = timedelta(hours=24)
_RENEW: Final = timedelta(hours=12)


class PublishedList(NamedTuple):
    body: bytes
    valid_until: datetime


class PublishedLists:
    """`/status/{name}`. Signs in the process that is asked, once for each change."""

    def __init__(self, pool: Pool, keys: IssuerKeys, issuer: Issuer, clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._keys = keys
        self._issuer = issuer
        self._clock = clock

    def current(self, name: str) -> PublishedList:
        """The list as it stands now. Raises Refusal `not-found`."""
        with self._pool.transaction() as cursor:
            number, entries, changed = self._list(cursor, name)
            found = self._fresh(cursor, name, changed)
            if found is not None:
                return found
            cursor.execute(query("lock_list"), (name,))  # one signs, the others wait and find it done
            number, entries, changed = self._list(cursor, name)
            found = self._fresh(cursor, name, changed)
            if found is not None:
                return found
            bits = read_bits(cursor, name, number, entries)
            signed = self._sign(name, bits)
            cursor.execute(query("store_signed_list"), (name, changed, signed.valid_until, signed.body))
            return signed

    def _list(self, cursor: psycopg.Cursor[Any], name: str) -> tuple[int, int, int]:
        parsed = parse_list_name(name)
        found = parsed and cursor.execute(query("status_list"), (parsed[1],)).fetchone()
        if not found:
            raise Refusal(Kind.NOT_FOUND, f"There is no status list {name} here.")
        number, entries, changed = found
        return number, entries, changed

    def _fresh(self, cursor: psycopg.Cursor[Any], name: str, changed: int) -> PublishedList | None:
        found = cursor.execute(query("signed_list"), (name,)).fetchone()
        if found is None or found[1] != changed or found[2] - self._clock() < VALID - _RENEW:
            return None
        return PublishedList(bytes(found[0]), found[2])

    def _sign(self, name: str, bits: bytearray) -> PublishedList:
        kind, _ = parse_list_name(name) or ("r", 0)
        now = self._clock().replace(microsecond=0)
        key = self._keys.current().key
        document = list_credential(
            url=list_url(self._issuer.origin, name),
            issuer=self._issuer.did(key),
            purpose=PURPOSE[kind],
            data=bits,
            valid_from=now,
            valid_until=now + VALID,
            ttl=int(TTL / timedelta(milliseconds=1)),
        )
        signed = sign(
            lint(document, rules=LIST_RULES),
            self._keys.ring.signer(key),
            verification_method=self._issuer.method(key),
            created=now,
        )
        return PublishedList(credential_bytes(signed), now + VALID)


def read_bits(cursor: psycopg.Cursor[Any], name: str, number: int, entries: int) -> bytearray:
    """The bits of a list as the database has them now."""
    bits = bytearray(entries // 8)
    which = "revoked_places" if name == list_name("r", number) else "suspended_places"
    for (index,) in cursor.execute(query(which), (number,)):
        set_bit(bits, index)
    return bits


def own_bits(pool: Pool, origin: str, url: str) -> Bits | None:
    """The bits of the list of that URL, if it is one of ours: what verifying reads instead of fetching."""
    prefix = list_url(origin, "")
    parsed = parse_list_name(url.removeprefix(prefix)) if url.startswith(prefix) else None
    if parsed is None:
        return None
    with pool.transaction() as cursor:
        found = cursor.execute(query("status_list"), (parsed[1],)).fetchone()
        if found is None:
            return None
        bits = read_bits(cursor, list_name(*parsed), parsed[1], found[1])
    return Bits((PURPOSE[parsed[0]],), bytes(bits))
