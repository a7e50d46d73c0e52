"""The public documents: achievements and their pictures, what is shared, status lists, keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from contracts.achievements import AchievementKey, parse_achievement
from contracts.continuum import OVERALL
from contracts.framework import Framework
from contracts.policy import Policy, PolicyRef
from contracts.refusals import Kind, Refusal

from .achievements import PROGRAMME, competency_document, framework_document, short_title
from .badge import credential_bytes
from .baking import bake
from .contexts import CREDENTIALS_V2, OPEN_BADGES
from .issuer import Issuer, own_did_document
from .key_ring import IssuerKeys
from .multikey import jwk
from .picture import Face, draw
from .rulebook import Rulebook


class PublicDocuments:
    """What anybody may read at an address that lives for decades. Raises Refusal `not-found`."""

    def __init__(self, rulebook: Rulebook, keys: IssuerKeys, issuer: Issuer, clock: Callable[[], datetime]) -> None:
        self._rulebook = rulebook
        self._keys = keys
        self._issuer = issuer
        self._clock = clock

    def achievement(
        self, framework: str, competency: str, level: str, version: PolicyRef | None = None
    ) -> dict[str, Any]:
        """The Achievement, under the policy in force, or under another that badges may name."""
        key, known = self._known(framework, competency, level)
        policy = self._policy(known, version)
        found = self._rulebook.achievement(self._issuer.origin, known, policy, key)
        return {"@context": [CREDENTIALS_V2, OPEN_BADGES], **found}

    def achievement_picture(self, framework: str, competency: str, level: str) -> bytes:
        key, known = self._known(framework, competency, level)
        return draw(self._face(key, known, None))

    def competency(self, framework: str, number: str) -> dict[str, Any]:
        known = self._framework(framework)
        if not number.isascii() or not number.isdigit() or len(number) > 6 or int(number) not in known.numbers:
            raise _nothing("competency")
        return competency_document(self._issuer.origin, known, int(number))

    def framework(self, id_: str) -> dict[str, Any]:
        return framework_document(self._issuer.origin, self._framework(id_))

    def baked(self, document: Mapping[str, Any], level: tuple[str, str, str]) -> bytes:
        """The badge's picture with the credential in it. `level`: framework, competency, level."""
        key, known = self._known(*level)
        year = int(str(document["awardedDate"])[:4])
        return bake(draw(self._face(key, known, year)), credential_bytes(document))

    def did_document(self) -> dict[str, Any]:
        """The did:web document; none where the issuer is a key (did:key)."""
        keys = self._keys.all()
        if not self._issuer.has_document or not keys:
            raise Refusal(Kind.NOT_FOUND, "This issuer is identified by its key (did:key), which needs no document.")
        return own_did_document(self._issuer, keys)

    def key(self, name: str) -> dict[str, Any]:
        """A key of the issuer as one JSON Web Key, retired ones too."""
        found = next((key for key in self._keys.all() if key.key == name), None)
        if found is None:
            raise _nothing("key")
        return {**jwk(found.public_key), "kid": f"{self._issuer.origin}/keys/{name}", "alg": "EdDSA", "use": "sig"}

    def _known(self, framework: str, competency: str, level: str) -> tuple[AchievementKey, Framework]:
        key = parse_achievement(framework, competency, level)
        if key is None:
            raise _nothing("achievement")
        known = self._framework(framework)
        if key.competency != OVERALL and key.competency not in known.numbers:
            raise _nothing("achievement")
        return key, known

    def _framework(self, id_: str) -> Framework:
        self._rulebook.refresh()
        found = self._rulebook.framework(id_)
        if found is None:
            raise _nothing("framework")
        return found

    def _policy(self, framework: Framework, version: PolicyRef | None) -> Policy:
        found = (
            self._rulebook.policy(version)
            if version is not None
            else self._rulebook.in_force(framework.id, self._clock().astimezone(UTC).date())
        )
        if found is None or (version is not None and found.framework != framework.id):
            raise _nothing("policy")
        return found

    def _face(self, key: AchievementKey, framework: Framework, year: int | None) -> Face:
        count = len(framework.competencies)
        return Face(
            mark=f"All {count}" if key.competency == OVERALL else str(key.competency),
            title="Overall level" if key.competency == OVERALL else short_title(framework, key.competency),
            level=key.level,
            programme=PROGRAMME,
            year=year,
            demonstration=self._issuer.demonstration,
        )


def _nothing(what: str) -> Refusal:
    return Refusal(Kind.NOT_FOUND, f"There is no {what} at this address.")
