"""Mentoring: that this principal coached another. What passes between them is confidential and never recorded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from contracts.dossier import Item
from contracts.refusals import Refusal
from foundation.access.standing import Standing
from services.evidence.observation import require_assigned


def who_may(principal: str, data: Mapping[str, Any], item: Item | None, who: Standing, today: date) -> Refusal | None:
    return None if who.person == principal else require_assigned(principal, data, who)
