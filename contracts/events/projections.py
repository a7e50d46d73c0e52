"""What follows by rule: attainments, written once by `service:projections`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from contracts.continuum import Level, Overall
from contracts.events.registry import Event, event
from contracts.ids import Id
from contracts.policy import PolicyRef

Position = Annotated[int, Field(ge=1)]
CompetencyOrOverall = Annotated[int, Field(ge=1)] | Overall


class _Attainment(Event):
    principal_id: Id
    competency: CompetencyOrOverall
    level: Annotated[Level, Field(strict=False)]
    policy: PolicyRef
    framework: Id
    evidence_ids: list[Id]
    """All items that then qualified, in the order of their first steps; empty for the overall level."""
    because: Position
    """Position of the event that made it so, or undid it."""


@event(owner="projections", stream="attainment", stream_id="principal_id")
class LevelReached(_Attainment):
    pass


@event(owner="projections", stream="attainment", stream_id="principal_id")
class LevelLapsed(_Attainment):
    pass


class _Eligibility(Event):
    principal_id: Id
    policy: PolicyRef
    because: Position


@event(owner="projections", stream="attainment", stream_id="principal_id")
class DistinguishedEligibilityReached(_Eligibility):
    pass


@event(owner="projections", stream="attainment", stream_id="principal_id")
class DistinguishedEligibilityLost(_Eligibility):
    pass
