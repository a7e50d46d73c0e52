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
        """The list as it stands now; while another signs it anew, the last one that was signed, if it is still valid.

        Raises Refusal `not-found`, and `unavailable` where the other does not come to an end.
        """
        with self._pool.transaction() as cursor:
            last, fresh = self._last(cursor, name)
        if last is not None and fresh:
            return last
        # Read before the transaction: whoever waits for a connection while holding one waits for himself.
        key = self._keys.current().key
        try:
            with self._pool.transaction() as cursor:
                locked = cursor.execute(query("try_lock_list"), (name,)).fetchone()
                if not (locked and locked[0]):
                    if last is not None and last.valid_until > self._clock():
                        return last
                    cursor.execute(query("lock_list"), (name,))  # as long as the login's lock timeout
                return self._renewed(cursor, name, key)
        except psycopg.errors.LockNotAvailable:
            raise Refusal(
                Kind.UNAVAILABLE, f"The status list {name} is being signed, and that takes too long; ask again."
            ) from None

    def _renewed(self, cursor: psycopg.Cursor[Any], name: str, key: str) -> PublishedList:
        """Under the list's lock: signed now, or found signed by whoever held the lock before."""
        last, fresh = self._last(cursor, name)
        if last is not None and fresh:
            return last
        number, entries, changed = self._list(cursor, name)
        signed = self._sign(name, read_bits(cursor, name, number, entries), key)
        cursor.execute(query("store_signed_list"), (name, changed, signed.valid_until, signed.body))
        return signed

    def _list(self, cursor: psycopg.Cursor[Any], name: str) -> tuple[int, int, int]:
        parsed = parse_list_name(name)
        found = parsed and cursor.execute(query("status_list"), (parsed[1],)).fetchone()
        if not found:
            raise Refusal(Kind.NOT_FOUND, f"There is no status list {name} here.")
        number, entries, changed = found
        return number, entries, changed

    def _last(self, cursor: psycopg.Cursor[Any], name: str) -> tuple[PublishedList | None, bool]:
        """The list as it was signed last, and whether that still says what is so and is not old."""
        _, _, changed = self._list(cursor, name)
        found = cursor.execute(query("signed_list"), (name,)).fetchone()
        if found is None:
            return None, False
        fresh = found[1] == changed and found[2] - self._clock() >= VALID - _RENEW
        return PublishedList(bytes(found[0]), found[2]), fresh

    def _sign(self, name: str, bits: bytearray, key: str) -> PublishedList:
        kind, _ = parse_list_name(name) or ("r", 0)
        now = self._clock().replace(microsecond=0)
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
