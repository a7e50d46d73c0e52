"""Words with a closed list: engagement platforms (settings), regions, roles, kinds of evidence."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from contracts.packaged import packaged

SETTINGS: Final[tuple[str, ...]] = tuple(packaged("mlds-vocabulary")["engagement_platforms"])
REGIONS: Final[tuple[str, ...]] = tuple(region["name"] for region in packaged("mlds-vocabulary")["regions"])


def _known_setting(text: str) -> str:
    if text not in SETTINGS:
        raise ValueError(f"not an engagement platform; one of: {', '.join(SETTINGS)}")
    return text


Setting = Annotated[str, AfterValidator(_known_setting), Field(json_schema_extra={"enum": list(SETTINGS)})]


class Role(StrEnum):
    PRINCIPAL = "principal"
    COACH = "coach"
    MENTOR = "mentor"
    FACILITATOR = "facilitator"
    DIRECTOR = "director"
    LEAD_DIRECTOR = "lead_director"
    COMMISSIONER = "commissioner"
    CHAIR = "chair"
    REGISTRAR = "registrar"
    AUDITOR = "auditor"
    DISTRICT = "district"


class EvidenceKind(StrEnum):
    """What the policy's `kinds` clauses count."""

    OBSERVATION = "observation"
    FEEDBACK_CYCLE = "feedback_cycle"
    ARTIFACT = "artifact"


AssessorAs = Literal["coach", "mentor", "facilitator", "director"]
MEDIA_TYPES: Final = ("application/pdf", "image/png", "image/jpeg", "text/plain")
