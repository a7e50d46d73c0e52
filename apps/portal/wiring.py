"""The pages' ports, wired to the services of a system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contracts.framework import MLDS_2016
from contracts.policy import BASELINE
from foundation.access.permissions import OPERATOR, Caller
from services.credentials.badge import credential_bytes
from services.credentials.verdicts import Source as CredentialSource

from .ports import Ports, SharedBadge, Source
from .views.people import PersonRow

if TYPE_CHECKING:
    from apps.composition import System

_READER = Caller(OPERATOR)
"""Pages about people are open in the demonstration only (`Ports.demonstration`), and so read as the operator."""
_ALL = 10_000


def ports_of(system: System) -> Ports:
    def people() -> list[PersonRow]:
        summaries = system.projections.summaries()
        rows = []
        for one in system.people.principals():
            summary = summaries.get(one.id)
            rows.append(
                PersonRow(
                    id=one.id,
                    name=one.name or one.id,
                    region=one.place,
                    overall=summary.overall if summary else None,
                    levels=summary.levels if summary else {},
                    competencies=len(MLDS_2016.competencies),
                )
            )
        return rows

    def evidence(principal: str) -> Sequence[Mapping[str, Any]]:
        return [shown.to_data() for shown in system.evidence.records.evidence(_READER, principal, 0, _ALL)]

    def shared_badge(credential_id: str) -> SharedBadge:
        shown = system.credentials.application.shared(credential_id)
        return SharedBadge(shown.document, credential_bytes(shown.document), shown.holder)

    def verify(sources: Sequence[Source], recipient: str | None) -> Sequence[Mapping[str, Any]]:
        given = [CredentialSource(source.name, source.content) for source in sources]
        return [verdict.as_json() for verdict in system.verify(given, recipient)]

    def credentials(principal: str) -> Sequence[Mapping[str, Any]]:
        return system.credentials.application.credentials_of(_READER, principal, after=0, limit=_ALL)

    return Ports(
        public_url=system.settings.public_url,
        demonstration=system.settings.demo,
        framework=lambda: MLDS_2016,
        policy=lambda: BASELINE,
        people=people,
        name_of=lambda person: system.people.name_of(person),  # asked for late: not every process has that login
        continuum=lambda principal: system.projections.continuum(_READER, principal),
        evidence=evidence,
        credentials=credentials,
        shared_badge=shared_badge,
        verify=verify,
    )
