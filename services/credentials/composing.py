"""What badges state, read from the log: the holder, the evidence an attainment rests on, framework and policy."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from contracts.achievements import AchievementKey
from contracts.continuum import OVERALL, Level
from contracts.events import is_erased
from contracts.policy import PolicyRef
from foundation.eventlog import EventLog, Recorded, item
from foundation.eventlog import query as log_query
from foundation.eventlog.dcb import QueryItem

from .badge import Attained, Place, Recipient, badge
from .basis import BASIS_TYPES, basis
from .issuer import Issuer
from .rulebook import Rulebook

_READ_AT_ONCE: Final = 400


class Composing:
    """The badges of one batch of attainments; reads the log in few calls."""

    def __init__(self, log: EventLog, issuer: Issuer, rulebook: Rulebook, wanted: Sequence[Recorded]) -> None:
        self._log = log
        self._issuer = issuer
        self._rulebook = rulebook
        self._people: dict[str, Recorded] = {}
        self._evidence: dict[str, list[Recorded]] = {}
        self._times: dict[int, datetime] = {}
        if not wanted:
            return
        rulebook.refresh()
        principals = sorted({event.data["principal_id"] for event in wanted})
        asked = [item(types=("PersonRegistered",), tags=(f"person:{one}",)) for one in principals]
        for person in self._read(asked, unseal=True):
            self._people[person.data["person_id"]] = person
        items = sorted({one for event in wanted for one in event.data["evidence_ids"]})
        for found in self._read([item(types=BASIS_TYPES, tags=(f"evidence:{one}",)) for one in items]):
            self._evidence.setdefault(found.data["evidence_id"], []).append(found)
            self._times[found.position] = found.recorded_at

    def _read(self, items: Sequence[QueryItem], *, unseal: bool = False) -> Iterable[Recorded]:
        for start in range(0, len(items), _READ_AT_ONCE):
            yield from self._log.read(log_query(*items[start : start + _READ_AT_ONCE]), unseal=unseal)

    def erased(self, event: Recorded) -> bool:
        """Whether the principal has been erased: nothing personal can be written about them any more."""
        person = self._people.get(event.data["principal_id"])
        return person is not None and is_erased(person.data.get("name"))

    def document(
        self, event: Recorded, credential_id: str, key: str, now: datetime, places: Sequence[Place]
    ) -> dict[str, Any]:
        """The unsigned badge of a `LevelReached`."""
        person = self._people.get(event.data["principal_id"])
        return badge(
            self._issuer,
            key=key,
            credential_id=credential_id,
            attained=self._attained(event),
            recipient=new_recipient(person.data.get("email") if person else None),
            valid_from=now,
            places=places,
        )

    def _attained(self, event: Recorded) -> Attained:
        data = event.data
        competency = data["competency"]
        ref = PolicyRef.model_validate(data["policy"])
        key = AchievementKey(data["framework"], competency, Level(data["level"]))
        framework, policy = self._rulebook.framework(key.framework), self._rulebook.policy(ref)
        if framework is None or policy is None:
            raise ValueError(f"position {event.position} names a framework or policy that the log does not hold")
        because = data["because"]
        judged = (
            found for one in data["evidence_ids"] for found in self._evidence.get(one, ()) if found.position <= because
        )
        return Attained(
            key=key,
            achievement=self._rulebook.achievement(self._issuer.origin, framework, policy, key),
            policy=ref,
            awarded_at=self._time(because),
            basis=None if competency == OVERALL else basis(competency, data["evidence_ids"], judged),
        )

    def _time(self, position: int) -> datetime:
        if position not in self._times:
            self._times[position] = self._log.read(after=position - 1, until=position)[0].recorded_at
        return self._times[position]


def new_recipient(email: str | None) -> Recipient:
    """A subject id and a salt made for one badge."""
    return Recipient(uuid4(), email if isinstance(email, str) else None, secrets.token_hex(16))
