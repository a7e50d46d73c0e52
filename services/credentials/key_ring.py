"""The issuer's private keys on this machine, and which of them the log says may sign.

A key's file is made before the log hears of it: a file that no event names is harmless, an event without a
file would leave work that nobody can do.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import threading
from pathlib import Path

from contracts.events.credentials import KeyMade, KeyRetired
from contracts.refusals import Kind, Refusal
from foundation.eventlog import Command, EventLog, NewEvent, Recorded, decide, item, new_event, query
from foundation.signing import KeyFileFault, Signer, SoftwareKey

from .issuer import ISSUER_STREAM, IssuerKey, issuer_keys, signing_key
from .multikey import multikey

_log = logging.getLogger(__name__)
KEY_EVENTS = query(item(types=("KeyMade", "KeyRetired", "KeyCompromised"), tags=(ISSUER_STREAM,)))


def passphrase_of(master_key: bytes) -> bytes:
    """What the key files are encrypted under: derived from the master key, so that there is one secret to keep."""
    return hmac.new(master_key, b"mlds issuer key files", hashlib.sha256).hexdigest().encode()


class KeyRing:
    """Keys in a folder, one file each, `<key>.pem`. Thread-safe."""

    def __init__(self, folder: Path, passphrase: bytes) -> None:
        self._folder = folder
        self._passphrase = passphrase
        self._open: dict[str, SoftwareKey] = {}
        self._lock = threading.Lock()

    def make(self) -> str:
        """A new key, on the disk when this returns; its name is its Multikey, `z6Mk…`."""
        made = SoftwareKey.generate()
        name = multikey(made.public_key)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made.save(self._folder / f"{name}.pem", self._passphrase)
        return name

    def signer(self, key: str) -> Signer:
        """The key of that name. Raises Refusal `unavailable` where its file is not here or does not open."""
        with self._lock:
            if key not in self._open:
                try:
                    self._open[key] = SoftwareKey.load(self._folder / f"{key}.pem", self._passphrase)
                except KeyFileFault as fault:
                    _log.error("%s", fault)  # the path is for the operator, not for who asks over HTTP
                    raise Refusal(
                        Kind.UNAVAILABLE, f"The issuer's key {key} cannot be used on this machine at present."
                    ) from fault
            return self._open[key]

    def names(self) -> list[str]:
        """The keys whose files are here."""
        return sorted(path.stem for path in self._folder.glob("z*.pem"))

    def has(self, key: str) -> bool:
        return os.access(self._folder / f"{key}.pem", os.R_OK)


class IssuerKeys:
    """The issuer's keys as the log tells them. Reads the log each time: there are few."""

    def __init__(self, log: EventLog, ring: KeyRing) -> None:
        self._log = log
        self.ring = ring

    def all(self) -> list[IssuerKey]:
        """Every key there ever was, oldest first."""
        return issuer_keys(self._log.read(KEY_EVENTS))

    def current(self) -> IssuerKey:
        """The key that signs now. Raises Refusal `unavailable` where there is none."""
        found = signing_key(self.all())
        if found is None:
            raise Refusal(Kind.UNAVAILABLE, "The issuer has no key that signs. Make one: `mlds keys new --yes`.")
        return found

    def ensure_first(self) -> str | None:
        """Makes the issuer's first key where the log knows none; its name, or None where there was one."""
        if self.all():
            return None
        made = self.ring.make()

        def decision(known: list[Recorded]) -> list[NewEvent]:
            return [] if known else [_made(made, "service:credentials")]

        decided = decide(self._log, KEY_EVENTS, decision)
        return made if decided.events else None

    def make(self, by: str, command: Command | None = None) -> str:
        """A new key, which signs from now on; those before it stay as they are."""
        made = self.ring.make()
        decide(self._log, KEY_EVENTS, lambda _: [_made(made, by)], command=command)
        return made

    def retire(self, key: str, by: str, command: Command | None = None) -> None:
        """Ends a key's signing. What it signed stays good. Refuses the last one that signs."""

        def decision(known: list[Recorded]) -> list[NewEvent]:
            _check_retirable(key, issuer_keys(known))
            return [new_event(KeyRetired(key=key), stream=ISSUER_STREAM, recorded_by=by)]

        decide(self._log, KEY_EVENTS, decision, command=command)

    def check_retirable(self, key: str) -> None:
        """Raises the Refusal that `retire` would."""
        _check_retirable(key, self.all())


def _check_retirable(key: str, known: list[IssuerKey]) -> None:
    keys = {one.key: one for one in known}
    if key not in keys:
        raise Refusal(Kind.NOT_FOUND, f"The issuer has no key {key[:80]}. `mlds keys list` shows them.")
    if not keys[key].signs:
        raise Refusal(Kind.CREDENTIAL_STATE, f"The key {key} is retired already.")
    if sum(one.signs for one in known) == 1:
        raise Refusal(
            Kind.CREDENTIAL_STATE, "This is the only key that signs. Make another first: `mlds keys new --yes`."
        )


def _made(key: str, by: str) -> NewEvent:
    return new_event(
        KeyMade(key=key, public_key_multibase=key),
        stream=ISSUER_STREAM,
        recorded_by=by,
        server_set=("key", "public_key_multibase"),
    )
