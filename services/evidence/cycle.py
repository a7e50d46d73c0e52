"""Feedback cycles: an assessor opens one, gives feedback and closes it; the principal responds.

Each step is checked by itself: a cycle begun by one coach may be closed by the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from contracts.dossier import Item
from contracts.refusals import Kind, Refusal
from foundation.access.standing import Standing
from services.evidence.observation import require_assigned


def who_may_lead(
    principal: str, data: Mapping[str, Any], item: Item | None, who: Standing, today: date
) -> Refusal | None:
    return require_assigned(principal, data, who)


def who_may_respond(
    principal: str, data: Mapping[str, Any], item: Item | None, who: Standing, today: date
) -> Refusal | None:
    if who.person == principal:
        return None
    return Refusal(Kind.NOT_THE_PRINCIPAL, f"the response is for {principal} to give")
