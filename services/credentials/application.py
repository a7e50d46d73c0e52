"""The shell of credentials: what people read, share, suspend, revoke and reissue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from psycopg.rows import dict_row

from contracts.continuum import OVERALL
from contracts.events import Event, is_erased
from contracts.events.credentials import CredentialRevoked, ShareEnded
from contracts.refusals import Kind, Refusal
from foundation.access.permissions import Caller, Permission, readable_until
from foundation.access.standing import STANDING_TYPES, Standing, standing
from foundation.eventlog import Command, EventLog, NewEvent, Recorded, decide, item, new_event
from foundation.eventlog import query as log_query
from foundation.postgres.connections import Pool

from . import lifecycle
from .badge import Place, renewed
from .issuance import credential_tags, intent
from .issuer import Issuer
from .key_ring import IssuerKeys
from .lifecycle import CredentialState, fold
from .places import list_name, take_places
from .queries import query
from .rehearsal import RehearsalLog

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was recorded: the id that it is about, and the position of the last event."""

    id: str
    position: int
    events: tuple[Recorded, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A credential as it is shown: the signed document, and what stands beside it."""

    credential_id: str
    document: Mapping[str, Any]
    state: str
    """`issued`, `suspended` or `revoked`."""
    reason: str | None
    holder: str | None = None
    """The holder's name, where the share shows it."""


SHARE_TYPES: Final = ("ShareGranted", "ShareEnded")


class Credentials:
    """One for each process. All times are the clock's, UTC."""

    def __init__(
        self,
        log: EventLog,
        pool: Pool,
        keys: IssuerKeys,
        issuer: Issuer,
        *,
        suspension: bool,
        clock: Clock,
        rehearsal: bool = False,
    ) -> None:
        """A `rehearsal` decides on the real log and changes nothing: what operators see before `--yes`."""
        self._log = RehearsalLog(log) if rehearsal else log
        self._rehearsal = rehearsal
        self._pool = pool
        self._keys = keys
        self._issuer = issuer
        self._suspension = suspension
        self._clock = clock

    # reading

    def credentials_of(self, caller: Caller, principal: str, *, after: int, limit: int) -> list[dict[str, Any]]:
        """The principal's credentials, oldest attainment first; `limit` + 1 of them if there are more."""
        before = self._readable_before(caller, principal)
        if not self._log.read(log_query(item(types=("DossierOpened",), tags=(f"dossier:{principal}",)))):
            raise Refusal(Kind.UNKNOWN_PRINCIPAL, f"No dossier of {principal} has been opened.")
        asked = {
            "principal": principal,
            "today": self._today(),
            "after": after,
            "before": before,
            "limit": limit + 1,
        }
        return [_listed(row) for row in self._rows("credentials_of", asked)]

    def credential(self, caller: Caller, credential_id: str) -> Shown:
        """For who may read the record. Raises Refusal `unknown-credential`, `forbidden`, `erased`."""
        row = self._row(credential_id)
        before = self._readable_before(caller, row["principal_id"])
        if before is not None and row["reached_at"] >= before:
            raise Refusal(Kind.FORBIDDEN, "This credential was reached after your assignment to its holder had ended.")
        return self._shown(row)

    def shared(self, credential_id: str) -> Shown:
        """For anybody, while a share stands. Raises Refusal `not-found`, after erasure `erased`."""
        row = self._find(credential_id)
        if row is not None and row["erased"]:
            raise Refusal(Kind.ERASED, "What this page showed has been erased.")
        shown = None
        if row is not None:
            # Shares are read from the log: what a holder has just shown or ended counts at once.
            shares = self._log.read(log_query(item(types=SHARE_TYPES, tags=(f"credential:{credential_id}",))))
            shown = lifecycle.shown_name(shares, self._today())
        if row is None or shown is None or row["issued"] is None:
            raise Refusal(
                Kind.NOT_FOUND, "There is no shared badge at this address. Its holder decides whether there is one."
            )
        return self._shown(row, name=shown)

    def state(self, credential_id: str) -> CredentialState:
        """As the log tells it now. Raises Refusal `unknown-credential`."""
        known = self._log.read(log_query(_stream(credential_id)), unseal=True)
        return lifecycle.existing(fold(credential_id, known))

    def level_of(self, credential_id: str) -> tuple[str, str, str]:
        """Framework, competency (a number or `overall`) and level. Raises Refusal `unknown-credential`."""
        row = self._row(credential_id)
        return row["framework"], row["competency"], row["level"]

    # writing

    def propose_revocation(
        self, caller: Caller, credential_id: str, reason: str, note: str | None, command: Command | None
    ) -> Receipt:
        return self._change(
            caller,
            credential_id,
            lambda state: lifecycle.propose_revocation(state, reason, note, now=self._clock()),
            command,
        )

    def approve_revocation(self, caller: Caller, credential_id: str, command: Command | None) -> Receipt:
        by = f"person:{caller.require_person()}"
        return self._change(
            caller,
            credential_id,
            lambda state: lifecycle.approve_revocation(state, by=by, now=self._clock()),
            command,
        )

    def suspend(self, caller: Caller, credential_id: str, reason: str, command: Command | None) -> Receipt:
        return self._change(caller, credential_id, lambda state: lifecycle.suspend(state, reason), command)

    def reinstate(self, caller: Caller, credential_id: str, reason: str, command: Command | None) -> Receipt:
        return self._change(caller, credential_id, lambda state: lifecycle.reinstate(state, reason), command)

    def reissue(self, caller: Caller, credential_id: str, command: Command | None) -> Receipt:
        """The same credential anew, with today's e-mail address and key: a later `validFrom`, a new place.

        The document before is revoked as `replaced` in the same transaction; the new one is signed next.
        """
        place: list[tuple[int, int]] = []

        def decision(known: list[Recorded]) -> Sequence[NewEvent]:
            self._require(caller, known)
            state = lifecycle.reissuable(fold(credential_id, known))
            principal, cause = _whose(state)
            if not place:
                place.append(self._place_for(credential_id))
            key = self._keys.current().key
            document = self._renewed(state, known, key, place[0])
            made = intent(
                credential_id=credential_id,
                cause=cause,
                previous=state.previous,
                status=(list_name("r", place[0][0]), place[0][1]),
                key=key,
                document=document,
            )
            replaced = CredentialRevoked(credential_id=credential_id, reason="replaced")
            by, tags = caller.actor, credential_tags(principal, cause)
            made_here = ("status", "key", "created", "document")
            return [
                new_event(made, recorded_by=by, tags=tags, subject=principal, server_set=made_here),
                new_event(replaced, recorded_by=by, tags=tags, subject=principal),
            ]

        holder = [f"person:{state.principal}" for state in [self.state(credential_id)]]
        asked = log_query(
            _stream(credential_id),
            *_standing_of(caller),
            *(item(types=("PersonRegistered",), tags=(tag,)) for tag in holder),
        )
        done = decide(self._log, asked, decision, command=command, unseal=True)
        return Receipt(credential_id, done.events[-1].position, tuple(done.events))

    def share(
        self, caller: Caller, credential_id: str, days: int | None, show_name: bool, command: Command | None
    ) -> Receipt:
        """The holder's own act. The receipt's id is the share's."""
        share_id = str(uuid4())

        def decision(known: list[Recorded]) -> Sequence[NewEvent]:
            state = fold(credential_id, known)
            granted = lifecycle.share(state, by=caller.actor, days=days, show_name=show_name, today=self._today())
            principal, cause = _whose(state)
            return [
                new_event(
                    granted,
                    stream=f"share:{share_id}",
                    tags=(f"credential:{credential_id}", *credential_tags(principal, cause)),
                    recorded_by=caller.actor,
                    subject=principal,
                )
            ]

        caller.require_person()
        done = decide(self._log, log_query(_stream(credential_id)), decision, command=command)
        return Receipt(done.events[0].stream.removeprefix("share:"), done.events[-1].position)

    def end_share(self, caller: Caller, share_id: str, command: Command | None) -> Receipt:
        """Ends a share; a share that has ended stays so."""

        def decision(known: list[Recorded]) -> Sequence[NewEvent]:
            granted = next((event for event in known if event.type == "ShareGranted"), None)
            holder = lifecycle.principal_of(granted) if granted else None
            if granted is None or holder is None:
                raise Refusal(Kind.UNKNOWN_SHARE, f"There is no share {share_id}.")
            if caller.actor != f"person:{holder}":
                raise Refusal(Kind.NOT_THE_PRINCIPAL, "Only its holder ends a share.")
            if any(event.type == "ShareEnded" for event in known):
                raise Refusal(Kind.CREDENTIAL_STATE, "This share has ended already.")
            return [
                new_event(
                    ShareEnded(credential_id=granted.data["credential_id"]),
                    stream=f"share:{share_id}",
                    tags=granted.tags[1:],
                    recorded_by=caller.actor,
                    subject=holder,
                )
            ]

        done = decide(self._log, log_query(item(tags=(f"share:{share_id}",))), decision, command=command)
        return Receipt(share_id, done.events[-1].position)

    # inside

    def _change(
        self,
        caller: Caller,
        credential_id: str,
        change: Callable[[CredentialState], Event],
        command: Command | None,
    ) -> Receipt:
        def decision(known: list[Recorded]) -> Sequence[NewEvent]:
            self._require(caller, known)
            state = fold(credential_id, known)
            event = change(state)
            principal, cause = _whose(state)
            return [
                new_event(
                    event,
                    recorded_by=caller.actor,
                    tags=credential_tags(principal, cause),
                    subject=principal,
                    server_set=("proposal",),
                )
            ]

        asked = log_query(_stream(credential_id), *_standing_of(caller))
        done = decide(self._log, asked, decision, command=command, unseal=True)
        return Receipt(credential_id, done.events[-1].position, tuple(done.events))

    def _renewed(
        self, state: CredentialState, known: Sequence[Recorded], key: str, place: tuple[int, int]
    ) -> dict[str, Any]:
        """The document of the latest intent with what a reissue changes."""
        before = next(event.data["document"] for event in known if event.position == state.intent)
        person = next((event for event in known if event.type == "PersonRegistered"), None)
        email = person.data.get("email") if person else None
        if is_erased(before) or (person is not None and is_erased(person.data.get("name"))):
            raise Refusal(Kind.ERASED, "Its holder has been erased; nothing is issued to them any more.")
        moment = lifecycle.next_valid_from(state, self._clock())
        return renewed(before, self._issuer, key=key, email=email, valid_from=moment, places=self._places(*place))

    def _places(self, number: int, index: int) -> list[Place]:
        places = [Place("revocation", list_name("r", number), index)]
        return [*places, Place("suspension", list_name("s", number), index)] if self._suspension else places

    def _place_for(self, credential_id: str) -> tuple[int, int]:
        # Outside the log's transaction: a place that no event comes to name stays empty, no more.
        if self._rehearsal:
            return 1, 0
        with self._pool.transaction() as cursor:
            return take_places(cursor, [credential_id])[credential_id]

    def _require(self, caller: Caller, known: Sequence[Recorded]) -> None:
        own = standing(caller.person, known) if caller.person else Standing("")
        Permission.KEEP_CREDENTIALS.require(caller, own, self._today())

    def _readable_before(self, caller: Caller, principal: str) -> datetime | None:
        """What was recorded before this moment may be read; None: all."""
        known = self._log.read(log_query(*items)) if (items := _standing_of(caller)) else []
        own = standing(caller.person, known) if caller.person else Standing("")
        last = readable_until(caller, own, principal, self._today())
        if last == date.max:
            return None
        return datetime.combine(last, datetime.min.time(), UTC) + timedelta(days=1)

    def _shown(self, row: Mapping[str, Any], *, name: bool = False) -> Shown:
        if row["erased"]:
            raise Refusal(Kind.ERASED, "The holder of this credential has been erased.")
        if row["issued"] is None:
            raise Refusal(Kind.CREDENTIAL_STATE, "This credential has not been signed yet; try again in a moment.")
        event = self._log.read(after=row["issued"] - 1, until=row["issued"], unseal=True)[0]
        document = event.data["document"]
        if is_erased(document):
            raise Refusal(Kind.ERASED, "The holder of this credential has been erased.")
        return Shown(
            row["credential_id"],
            document,
            _state(row),
            row["revoked"],
            self._name_of(row["principal_id"]) if name else None,
        )

    def _name_of(self, person: str) -> str | None:
        asked = log_query(item(types=("PersonRegistered",), tags=(f"person:{person}",)))
        for event in self._log.read(asked, unseal=True):
            name = event.data.get("name")
            return name if isinstance(name, str) else None
        return None

    def _row(self, credential_id: str) -> dict[str, Any]:
        row = self._find(credential_id)
        if row is None:
            raise Refusal(Kind.UNKNOWN_CREDENTIAL, f"There is no credential {credential_id} here.")
        return row

    def _find(self, credential_id: str) -> dict[str, Any] | None:
        try:
            key = UUID(credential_id)
        except ValueError:
            return None
        return next(iter(self._rows("credential", (key,))), None)

    def _rows(self, name: str, parameters: Mapping[str, Any] | Sequence[Any]) -> list[dict[str, Any]]:
        with self._pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query(name), parameters).fetchall()

    def _today(self) -> date:
        return self._clock().astimezone(UTC).date()


def _stream(credential_id: str) -> Any:
    return item(tags=(f"credential:{credential_id}",))


def _standing_of(caller: Caller) -> list[Any]:
    return [item(types=STANDING_TYPES, tags=(caller.actor,))] if caller.person else []


def _whose(state: CredentialState) -> tuple[str, int]:
    lifecycle.existing(state)
    assert state.principal is not None
    assert state.cause is not None
    return state.principal, state.cause


def _state(row: Mapping[str, Any]) -> str:
    if row["revoked"] is not None:
        return "revoked"
    if row["issued"] is None:
        return "intended"
    return "suspended" if row["suspended"] else "issued"


def _listed(row: Mapping[str, Any]) -> dict[str, Any]:
    """One entry of the list (interfaces: `GET /principals/{id}/credentials`)."""
    competency = row["competency"]
    return {
        "id": row["credential_id"],
        "competency": OVERALL if competency == OVERALL else int(competency),
        "level": row["level"],
        "state": _state(row),
        **({"reason": row["revoked"]} if row["revoked"] is not None else {}),
        "attainment": row["cause"],
        "shared": row["shared"],
    }
