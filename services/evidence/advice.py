"""What to do about a refusal: a sentence for a coach, for each kind that recording evidence can meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from contracts.refusals import Kind, Refusal

ADVICE: Final[Mapping[Kind, str]] = {
    Kind.UNKNOWN_PRINCIPAL: "Check the id; a registrar opens dossiers.",
    Kind.UNKNOWN_EVIDENCE: "Check the id of the item, and that it belongs to this principal.",
    Kind.PERSON_NEEDED: "Say whose act it is with the header On-Behalf-Of: person:ID.",
    Kind.OWN_RECORD: "Nobody judges their own record: an assigned assessor does, a director resolves disputes.",
    Kind.NOT_THE_PRINCIPAL: "Only the principal can do this; ask them to.",
    Kind.FUTURE_DATE: "Give the day on which it happened, or send it when that day has come.",
    Kind.NOT_ASSIGNED: "Check the day, or ask a registrar to assign you for it.",
    Kind.FORBIDDEN: "Ask one of them to do it.",
    Kind.JUDGED_IT: "Ask another director.",
    Kind.OWN_ARTIFACT: "Ask another assessor to review it.",
    Kind.EVIDENCE_ID_TAKEN: "Leave evidence_id out to have one made, or give one that is new.",
    Kind.WRONG_KIND_OF_EVIDENCE: "Check the id of the item.",
    Kind.EVIDENCE_RETRACTED: "A retracted item stays as it is: record it anew, naming it in `supersedes`.",
    Kind.UNKNOWN_COMPETENCY: "Use the number of a competency of the framework.",
    Kind.CYCLE_CLOSED: "Open a new cycle for what comes after.",
    Kind.CYCLE_INCOMPLETE: "Record what is missing first, then close it.",
    Kind.SUPERSEDES_NOT_RETRACTED: "Retract the earlier item first.",
    Kind.DISPUTE_OPEN: "Wait until a director has resolved it.",
    Kind.NO_OPEN_DISPUTE: "There is nothing to resolve; it may have ended with a retraction.",
    Kind.OWN_MENTEE: "Name the principal who was coached.",
    Kind.NEAR_DOUBLE: "If it is another visit, send it again with ?distinct=true; else nothing is to do.",
}


def with_advice(refusals: Sequence[Refusal]) -> Refusal:
    """One refusal for an HTTP call: the weightiest reason and what to do, and the place of every fault."""
    first = refusals[0]
    # The reason often begins with an id, which a capital would turn into another.
    detail = f"{first.kind.title}: {first.detail.rstrip('.')}. {ADVICE.get(first.kind, '')}".rstrip()
    return Refusal(first.kind, detail, [fault for refusal in refusals for fault in refusal.errors])
