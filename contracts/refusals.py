"""Why a command is refused: a closed set of kinds, each with a stable name.

The core raises `Refusal`; `foundation/web` maps each kind to a status in one table, the command line to
an exit code. The name is the last part of the problem's `type`, and never changes once released.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """(name, title). The title is the same for every refusal of the kind; the detail is not."""

    # the shape of what was sent
    INVALID_JSON = ("invalid-json", "The body is not JSON that can be read for certain")
    INVALID_BODY = ("invalid-body", "The body is not as it should be")
    INVALID_PARAMETER = ("invalid-parameter", "A parameter is not as it should be")
    MISSING_IDEMPOTENCY_KEY = ("missing-idempotency-key", "The Idempotency-Key header is missing")
    TOO_LARGE = ("too-large", "Too large")
    UNSUPPORTED_MEDIA = ("unsupported-media", "This kind of file or body is not taken here")
    NOT_SUPPORTED_YET = ("not-supported-yet", "Not supported yet")
    # who asks
    UNAUTHENTICATED = ("unauthenticated", "No or wrong credentials")
    FORBIDDEN = ("forbidden", "Not permitted to this person")
    PERSON_NEEDED = ("person-needed", "This needs a person")
    WRONG_HOST = ("wrong-host", "This host name is not ours")
    # what is not there
    NOT_FOUND = ("not-found", "Not found")
    UNKNOWN_PERSON = ("unknown-person", "No such person")
    UNKNOWN_PRINCIPAL = ("unknown-principal", "No dossier of this principal")
    UNKNOWN_EVIDENCE = ("unknown-evidence", "No such evidence item")
    UNKNOWN_CREDENTIAL = ("unknown-credential", "No such credential")
    ERASED = ("erased", "Erased")
    # people, roles, assignments
    PERSON_EXISTS = ("person-exists", "This person is registered already")
    DOSSIER_EXISTS = ("dossier-exists", "This dossier is open already")
    ROLE_NOT_HELD = ("role-not-held", "This role is not held")
    ROLE_HELD = ("role-held", "This role is held already")
    ASSIGNMENT_EXISTS = ("assignment-exists", "Assigned already")
    ASSIGNMENT_UNKNOWN = ("assignment-unknown", "Not assigned")
    PERIOD_ENDS_BEFORE_START = ("period-ends-before-start", "The period ends before it starts")
    # evidence
    NOT_ASSIGNED = ("not-assigned", "Not assigned to this principal on that day")
    OWN_RECORD = ("own-record", "Nobody judges their own record")
    NOT_THE_PRINCIPAL = ("not-the-principal", "Only the principal can do this")
    FUTURE_DATE = ("future-date", "This day has not come yet")
    EVIDENCE_ID_TAKEN = ("evidence-id-taken", "This evidence id is taken")
    WRONG_KIND_OF_EVIDENCE = ("wrong-kind-of-evidence", "This item is of another kind")
    EVIDENCE_RETRACTED = ("evidence-retracted", "This item has been retracted")
    UNKNOWN_COMPETENCY = ("unknown-competency", "No such competency")
    CYCLE_CLOSED = ("cycle-closed", "This feedback cycle is closed")
    CYCLE_INCOMPLETE = ("cycle-incomplete", "This feedback cycle is not complete")
    OWN_ARTIFACT = ("own-artifact", "Who submitted an artifact does not review it")
    SUPERSEDES_NOT_RETRACTED = ("supersedes-not-retracted", "What is superseded must be retracted first")
    DISPUTE_OPEN = ("dispute-open", "A dispute on this item is open already")
    NO_OPEN_DISPUTE = ("no-open-dispute", "No dispute on this item is open")
    JUDGED_IT = ("judged-it", "Who judged the item does not resolve the dispute")
    OWN_MENTEE = ("own-mentee", "Nobody mentors themselves")
    NEAR_DOUBLE = ("near-double", "This looks like a visit that is recorded already")
    UNREADABLE_FILE = ("unreadable-file", "This file cannot be opened")
    IMPORT_FAULTS = ("import-faults", "The file has faults; nothing was stored")
    # credentials
    CREDENTIAL_STATE = ("credential-state", "The credential's state does not allow this")
    SUSPENSION_OFF = ("suspension-off", "Suspension is switched off here")
    SECOND_PERSON_NEEDED = ("second-person-needed", "A second person has to approve this")
    SHARE_TOO_LONG = ("share-too-long", "A share of this length is not possible")
    UNKNOWN_SHARE = ("unknown-share", "No such share")
    # the log and the machine
    IDEMPOTENCY_CONFLICT = ("idempotency-conflict", "This key was used for something else")
    CONFLICT = ("conflict", "Others wrote at the same time; try again")
    POSITION_NOT_REACHED = ("position-not-reached", "Not there yet; try again")
    LOG_BUSY = ("log-busy", "The log is held by a large import; try again later")
    CLOCK_OFF = ("clock-off", "The clocks disagree; nothing was stored")
    OUTCOME_UNKNOWN = ("outcome-unknown", "Whether this was stored is not known; send it again with its key")
    UNAVAILABLE = ("unavailable", "Out of reach at present")

    @property
    def slug(self) -> str:
        return str(self.value[0])

    @property
    def title(self) -> str:
        return str(self.value[1])


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a body or a file: an RFC 6901 pointer to the place, and a sentence."""

    pointer: str
    detail: str


class Refusal(Exception):
    """A command that is refused, with its reason. Nothing has been stored."""

    def __init__(self, kind: Kind, detail: str, errors: Sequence[Fault] = ()) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = tuple(errors)
