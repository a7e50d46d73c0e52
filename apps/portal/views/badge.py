"""The public page of a badge: what the signed credential says, and nothing besides.

Source of the members: Open Badges 3.0 (1.2), OpenBadgeCredential and Achievement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import segno

from contracts.times import parse_instant

from . import words
from .verdicts import Drawing, Verdict, achievement_key, drawing, verdict

Json = Mapping[str, Any]

LINKEDIN: Final = "https://www.linkedin.com/profile/add"
PREVIEW_PIXELS: Final = 640


@dataclass(frozen=True, slots=True)
class BadgePage:
    id: str
    url: str
    holder: str | None
    name: str
    title: str
    """The competency in words, without its level."""
    drawing: Drawing
    picture: str
    verdict: Verdict
    issued: str
    issuer: str
    awarded: str
    what_it_took: tuple[str, ...]
    """Sentences; the first says on what it rests."""
    says_no_certificate: bool
    """Whether the credential itself says that it is no certificate."""
    asked: tuple[str, ...]
    """The criteria, as paragraphs."""
    steps: tuple[tuple[str, str, bool], ...]
    """(level, its descriptor, whether it is the one reached), lowest first."""
    alignments: tuple[tuple[str, tuple[str, ...]], ...]
    """(framework, what of it), in the credential's order."""
    linkedin: str
    qr: str
    description: str


def badge_page(credential_id: str, document: Json, answer: Json, *, holder: str | None, public_url: str) -> BadgePage:
    """`answer` is what verifying the very bytes that are served says now."""
    subject = document["credentialSubject"]
    achievement = subject["achievement"]
    url = f"{public_url}/credentials/{credential_id}"
    name = words.clean(achievement["name"], 200)
    key = achievement_key(achievement["id"])
    issuer = words.clean(document["issuer"].get("name"), 200)
    basis = _basis(document)
    return BadgePage(
        id=credential_id,
        url=url,
        holder=words.clean(holder, 120) or None,
        name=name,
        title=words.clean(achievement.get("description"), 600),
        drawing=drawing(key) if key else Drawing("★", words=name),
        picture=f"/credentials/{credential_id}.png",
        verdict=verdict(answer),
        issued=words.day(document["validFrom"]),
        awarded=words.day(document.get("awardedDate") or document["validFrom"]),
        issuer=issuer,
        what_it_took=basis,
        says_no_certificate=any("certificate" in sentence for sentence in basis),
        asked=_paragraphs(achievement["criteria"].get("narrative")),
        steps=_steps(subject, achievement),
        alignments=_alignments(achievement),
        linkedin=_linkedin(name, issuer, document, url, credential_id),
        qr=qr(url),
        description=basis[0] if basis else words.clean(achievement.get("description"), 200),
    )


def _basis(document: Json) -> tuple[str, ...]:
    """What the credential itself says of what it took: its description, a sentence at a time."""
    text = words.clean(document.get("description"), 3000)
    return tuple(part if part.endswith(".") else f"{part}." for part in text.split(". ") if part)


def _paragraphs(text: object) -> tuple[str, ...]:
    return tuple(part.strip() for part in words.clean(text, 5000).split("\n") if part.strip())


def _steps(subject: Json, achievement: Json) -> tuple[tuple[str, str, bool], ...]:
    reached = {result.get("achievedLevel") for result in subject.get("result", ())}
    steps = [step for one in achievement.get("resultDescription", ()) for step in one.get("rubricCriterionLevel", ())]
    # RDF keeps no order of these: the rank stands in `level`.
    steps.sort(key=lambda step: str(step.get("level", "")))
    return tuple(
        (words.clean(step["name"], 100), words.clean(step.get("description"), 600), step["id"] in reached)
        for step in steps
    )


def _alignments(achievement: Json) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found: dict[str, list[str]] = {}
    for one in achievement.get("alignment", ()):
        framework = words.clean(one.get("targetFramework"), 200) or "Other"
        found.setdefault(framework, []).append(words.clean(one.get("targetName"), 300))
    return tuple((framework, tuple(targets)) for framework, targets in found.items())


def _linkedin(name: str, issuer: str, document: Json, url: str, credential_id: str) -> str:
    awarded = parse_instant(document.get("awardedDate") or document["validFrom"])
    return f"{LINKEDIN}?" + urlencode(
        {
            "startTask": "CERTIFICATION_NAME",
            "name": name,
            "organizationName": issuer,
            "issueYear": awarded.year,
            "issueMonth": awarded.month,
            "certUrl": url,
            "certId": credential_id,
        }
    )


def qr(url: str) -> str:
    """An inline SVG without sizes or styles of its own; the page's sheet gives it both."""
    return str(
        segno.make(url, error="m", micro=False).svg_inline(svgclass="qr", lineclass="qr-line", border=2, omitsize=True)
    )
