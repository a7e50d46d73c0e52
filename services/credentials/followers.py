"""The follower `intend`: an attainment becomes an intent, a lapse a revocation; what was recorded is folded.

Intents and their read model are written in one transaction with the follower's position, and an intent's
event id is made from its cause: whatever stops and starts again, a cause has one credential. Signing is
elsewhere (`signing.py`): nothing here touches a private key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

import psycopg

from contracts.refusals import Kind, Refusal
from foundation.eventlog import FollowerTransaction, NewEvent, PostgresEventLog, Recorded, item, wait_for
from foundation.eventlog import query as log_query

from .badge import Place
from .composing import Composing
from .issuance import Issue, gives_badge, intended, intent, lapsed
from .issuer import Issuer
from .key_ring import IssuerKeys
from .lifecycle import principal_of
from .places import ENTRIES, list_name, parse_list_name, take_places
from .queries import query
from .rulebook import Rulebook

TYPES: Final = frozenset(
    {
        "LevelReached",
        "LevelLapsed",
        "PersonErased",
        "IssuanceIntended",
        "CredentialIssued",
        "CredentialRevoked",
        "CredentialSuspended",
        "CredentialReinstated",
        "ShareGranted",
        "ShareEnded",
    }
)
LevelOf = tuple[str, str, str]
"""Principal, competency (as text), level."""
_READ_AT_ONCE: Final = 400


@dataclass(slots=True)
class _Standing:
    """The latest credential of a level."""

    credential_id: str
    cause: int
    revoked: bool


class Intend:
    """Follows attainments and credential events. One leader at a time, as the runner sees to it."""

    name = "credentials.intend"
    types: frozenset[str] | None = TYPES
    unseal = False

    def __init__(
        self,
        log: PostgresEventLog,
        keys: IssuerKeys,
        issuer: Issuer,
        *,
        issue: Issue = "all",
        suspension: bool = False,
        clock: Callable[[], datetime],
    ) -> None:
        self._log = log
        self._keys = keys
        self._issuer = issuer
        self._issue: Issue = issue
        self._suspension = suspension
        self._clock = clock
        self._rulebook = Rulebook(log)

    def apply(self, batch: Sequence[Recorded], tx: FollowerTransaction) -> None:
        cursor = tx.cursor
        horizon = self._horizon(cursor)
        reached = [event for event in batch if event.type == "LevelReached"]
        known = dict(cursor.execute(query("known_causes"), ([e.position for e in reached],)).fetchall())
        wanted = [
            event
            for event in reached
            if event.position not in known
            and event.position > horizon
            and gives_badge(self._issue, event.data["competency"])
        ]
        composing = Composing(self._log, self._issuer, self._rulebook, wanted)
        new = {event.position: str(uuid4()) for event in wanted if not composing.erased(event)}
        self._add_credentials(cursor, reached, known | new)
        self._fold(cursor, batch)
        now = tx.recorded_at or self._clock()
        tx.append(self._decide(cursor, batch, known, new, composing, now))

    # what was recorded

    def _horizon(self, cursor: psycopg.Cursor[Any]) -> int:
        """Up to which position attainments had their chance before these tables were made: none is intended anew.

        With empty tables (a first start, or a rebuild) every intent of the log is taken in first, so that what
        follows finds its credential and its place.
        """
        found = cursor.execute(query("deployment")).fetchone()
        if found is not None:
            return int(found[1])
        horizon = 0
        intents: list[Recorded] = []
        for event in self._log.scan(log_query(item(types=("IssuanceIntended",)))):
            horizon = max(horizon, event.data["cause"])
            intents.append(event)
            if len(intents) == _READ_AT_ONCE:
                _intents_recorded(cursor, intents)
                intents.clear()
        _intents_recorded(cursor, intents)
        cursor.execute(query("count_all_places"))
        cursor.execute(query("make_deployment"), (horizon,))
        return horizon

    @staticmethod
    def _add_credentials(cursor: psycopg.Cursor[Any], reached: Iterable[Recorded], ids: dict[int, str]) -> None:
        cursor.executemany(
            query("add_credential"),
            [
                (
                    ids[event.position],
                    event.position,
                    event.data["principal_id"],
                    event.data["framework"],
                    str(event.data["competency"]),
                    event.data["level"],
                    event.recorded_at,
                )
                for event in reached
                if event.position in ids
            ],
        )

    @staticmethod
    def _fold(cursor: psycopg.Cursor[Any], batch: Sequence[Recorded]) -> None:
        # Intents first: what is issued or replaced only ever refers to the latest.
        _intents_recorded(cursor, [event for event in batch if event.type == "IssuanceIntended"])
        issued = [{**event.data, "position": event.position} for event in batch if event.type == "CredentialIssued"]
        cursor.executemany(query("issued"), issued)
        cursor.executemany(query("credential_issued"), issued)
        changed: set[int] = set()
        for event in batch:
            data = event.data
            match event.type:
                case "CredentialRevoked":
                    replaced = data["reason"] == "replaced"
                    if not replaced:
                        cursor.execute(query("revoke"), data)
                    cursor.execute(query("replace_places" if replaced else "revoke_places"), data)
                    changed |= {row[0] for row in cursor.fetchall()}
                case "CredentialSuspended" | "CredentialReinstated":
                    given = {**data, "suspended": event.type == "CredentialSuspended"}
                    cursor.execute(query("suspend"), given)
                    cursor.execute(query("suspend_places"), given)
                    changed |= {row[0] for row in cursor.fetchall()}
                case "ShareGranted":
                    share = event.stream.removeprefix("share:")
                    row = (share, data["credential_id"], event.position, data.get("until"), data["show_name"])
                    cursor.execute(query("add_share"), row)
                case "ShareEnded":
                    cursor.execute(query("end_share"), (event.position, event.stream.removeprefix("share:")))
                case "PersonErased":
                    cursor.execute(query("erase"), (event.stream.removeprefix("person:"), event.position))
        if changed:
            cursor.execute(query("list_changed"), (sorted(changed),))

    # what follows

    def _decide(
        self,
        cursor: psycopg.Cursor[Any],
        batch: Sequence[Recorded],
        known: dict[int, str],
        new: dict[int, str],
        composing: Composing,
        now: datetime,
    ) -> list[NewEvent]:
        standing = _standing(cursor, batch, known | new)
        places = take_places(cursor, list(new.values()))
        key = self._keys.current().key if new else ""
        if new:
            self._check_origin(cursor)
        events: list[NewEvent] = []
        for event in batch:
            if event.type == "CredentialRevoked" and event.data["reason"] != "replaced":
                for one in standing.values():
                    one.revoked = one.revoked or one.credential_id == event.data["credential_id"]
            if event.type not in ("LevelReached", "LevelLapsed"):
                continue
            level = _level_of(event)
            before = standing.get(level)
            if event.type == "LevelLapsed":
                if before is not None and not before.revoked:
                    before.revoked = True
                    events.append(
                        lapsed(before.credential_id, principal=level[0], cause=before.cause, because=event.position)
                    )
                continue
            credential_id = known.get(event.position) or new.get(event.position)
            if credential_id is None:
                continue
            if event.position in new:
                number, index = places[credential_id]
                document = composing.document(event, credential_id, key, now, self._places(number, index))
                made = intent(
                    credential_id=credential_id,
                    cause=event.position,
                    previous=before.credential_id if before else None,
                    status=(list_name("r", number), index),
                    key=key,
                    document=document,
                )
                events.append(intended(made, level[0]))
            standing[level] = _Standing(credential_id, event.position, revoked=False)
        return events

    def _places(self, number: int, index: int) -> list[Place]:
        places = [Place("revocation", list_name("r", number), index)]
        if self._suspension:
            places.append(Place("suspension", list_name("s", number), index))
        return places

    def _check_origin(self, cursor: psycopg.Cursor[Any]) -> None:
        cursor.execute(query("set_origin"), (self._issuer.origin,))
        require_origin(cursor, self._issuer.origin)


class Progress:
    """How far `intend` has come; for readers that wait for what they just sent."""

    def __init__(self, follower: Intend, log: PostgresEventLog) -> None:
        self._follower = follower
        self._log = log

    def wait_for(self, position: int, timeout: float) -> bool:
        return wait_for(self._follower, self._log, position, timeout)


def require_origin(cursor: psycopg.Cursor[Any], origin: str) -> None:
    """Raises Refusal where badges of this database carry another public origin."""
    found = cursor.execute(query("deployment")).fetchone()
    if found is not None and found[0] is not None and found[0] != origin:
        raise Refusal(
            Kind.UNAVAILABLE,
            f"The badges of this database carry the address {found[0]}, and MLDS_PUBLIC_URL says {origin}. An "
            f"address in badges lives for decades: set MLDS_PUBLIC_URL={found[0]}.",
        )


def _intents_recorded(cursor: psycopg.Cursor[Any], events: Sequence[Recorded]) -> None:
    if not events:
        return
    rows = []
    for event in events:
        data = event.data
        parsed = parse_list_name(data["status"]["list"])
        if parsed is None:
            raise ValueError(f"{data['status']['list']!r} at position {event.position} is no list of ours")
        rows.append(
            {
                "position": event.position,
                "credential_id": data["credential_id"],
                "cause": data["cause"],
                "principal": principal_of(event),
                "key": data["key"],
                "list": parsed[1],
                "index": data["status"]["index"],
            }
        )
    cursor.executemany(query("list_recorded"), [(number, ENTRIES) for number in {row["list"] for row in rows}])
    for name in ("add_intent", "place_recorded", "intent_recorded"):
        cursor.executemany(query(name), rows)


def _level_of(event: Recorded) -> LevelOf:
    return event.data["principal_id"], str(event.data["competency"]), event.data["level"]


def _standing(
    cursor: psycopg.Cursor[Any], batch: Iterable[Recorded], in_batch: dict[int, str]
) -> dict[LevelOf, _Standing]:
    """The latest credential, before this batch, of each level that the batch is about."""
    levels = {_level_of(event) for event in batch if event.type in ("LevelReached", "LevelLapsed")}
    if not levels:
        return {}
    columns = [list(column) for column in zip(*levels, strict=True)]
    cursor.execute(query("standing_credentials"), (*columns, list(in_batch)))
    return {
        (principal, competency, level): _Standing(credential_id, cause, revoked is not None)
        for principal, competency, level, credential_id, cause, revoked in cursor.fetchall()
    }
