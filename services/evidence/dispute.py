"""Corrections: a mistake is never edited. Retraction, dispute by the principal, resolution by a director."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from contracts.dossier import Item
from contracts.refusals import Kind, Refusal
from foundation.access.permissions import Permission
from foundation.access.standing import Standing


def who_may_retract(
    principal: str, data: Mapping[str, Any], item: Item | None, who: Standing, today: date
) -> Refusal | None:
    began = item is not None and item.began_by == f"person:{who.person}"
    if began or who.holds(*Permission.RETRACT_ANY.roles, on=today):
        return None
    return Refusal(Kind.FORBIDDEN, "an item is retracted by who began it, a director or a registrar")


def who_may_dispute(
    principal: str, data: Mapping[str, Any], item: Item | None, who: Standing, today: date
) -> Refusal | None:
    if who.person == principal:
        return None
    return Refusal(Kind.NOT_THE_PRINCIPAL, f"an item about {principal} is for {principal} to dispute")


def who_may_resolve(
    principal: str, data: Mapping[str, Any], item: Item | None, who: Standing, today: date
) -> Refusal | None:
    if not who.holds(*Permission.RESOLVE_DISPUTES.roles, on=today):
        return Refusal(Kind.FORBIDDEN, "a dispute is resolved by a director")
    if item is not None and f"person:{who.person}" in item.judged_by:
        return Refusal(Kind.JUDGED_IT, f"{who.person} judged this item and does not resolve the dispute about it")
    return None
