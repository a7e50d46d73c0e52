"""What a verification says, in words. Every verdict differs by word, icon and sentence; colour only adds to it.

The shapes read here are those of `POST /verify`. Nothing of the sent picture is shown: what is drawn comes from
the credential, and only where its proof holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from contracts.achievements import AchievementKey, parse_achievement
from contracts.continuum import OVERALL

from . import words

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    word: str
    icon: str
    tone: str
    sentence: str


LOOKS: Final[dict[str, Look]] = {
    "valid": Look("Valid", "check", "good", "Genuine, unaltered and in force. The issuer is trusted here."),
    "invalid": Look("Not valid", "cross", "bad", "Forged, altered or malformed. Do not rely on anything that it says."),
    "revoked": Look("Revoked", "ban", "bad", "Genuine once, but its issuer has taken it back for good."),
    "suspended": Look("Suspended", "pause", "warn", "Genuine, but its issuer has put it on hold for now."),
    "expired": Look("Not in force", "clock", "warn", "Genuine, but today lies outside the dates for which it holds."),
    "unchecked": Look(
        "Could not be checked",
        "question",
        "open",
        "A check that matters could not be made, so this is neither a yes nor a no. Try again later.",
    ),
    "untrusted": Look(
        "Issuer not trusted here",
        "shield",
        "warn",
        "The badge is sound, but nobody here vouches for who issued it. Ask the issuer before you rely on it.",
    ),
}

_CHECKS: Final[dict[str, tuple[str, str]]] = {
    "structure": ("Form", "Can it be read in one way only?"),
    "context": ("Vocabulary", "Is every word in it a defined one?"),
    "schema": ("Open Badges rules", "Does it have what a badge must have?"),
    "proof": ("Signature", "Is it unaltered since it was signed?"),
    "issuer": ("Issuer", "Is it signed with the issuer's own key, and is the issuer trusted here?"),
    "dates": ("Dates", "Is it in force now?"),
    "status": ("Revocation", "Has the issuer taken it back or put it on hold?"),
    "refresh": ("Newer version", "Has a newer version taken its place?"),
    "endorsements": ("Endorsements", "Are the endorsements in it genuine?"),
    "log": ("Record of issuing", "Does it stand in the issuer's log?"),
}
_RESULTS: Final = {
    "passed": ("Passed", "check"),
    "failed": ("Failed", "cross"),
    "not_checked": ("Not checked", "question"),
}
_PROOF_HOLDS: Final = frozenset({"valid", "revoked", "suspended", "expired", "untrusted"})


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    title: str
    question: str
    result: str
    result_word: str
    icon: str
    detail: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """The drawn badge: the mark in its middle, the level's word and number of steps where we know them."""

    mark: str
    level: str | None = None
    level_label: str = ""
    steps: int = 0
    faded: bool = False
    words: str = "Badge"


@dataclass(frozen=True, slots=True)
class Verdict:
    source: str
    verdict: str
    look: Look
    reason: str
    """The detail of the check that decided, where one did."""
    achievement: str
    achievement_id: str
    drawing: Drawing | None
    issuer_name: str
    """From the trust file, and only where the signature proves that issuer; else empty."""
    issuer_claims: str
    issuer_id: str
    subject: str
    recipient: str
    recipient_matched: bool | None
    valid_from: str
    valid_until: str
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Verdicts:
    all: tuple[Verdict, ...]
    heading: str
    """The answer in a few words, for the title of the page."""
    summary: str


def verdicts(answers: Sequence[Json]) -> Verdicts:
    shown = tuple(verdict(answer) for answer in answers)
    good = sum(one.verdict == "valid" for one in shown)
    if len(shown) == 1:
        heading = shown[0].look.word
        summary = f"{heading}. {shown[0].look.sentence}"
    else:
        heading = f"{good} of {words.counted(len(shown), 'badge')} valid"
        summary = f"{heading}."
    return Verdicts(shown, heading, summary)


def verdict(answer: Json) -> Verdict:
    name = str(answer["verdict"])
    issuer = answer.get("issuer") or {}
    achievement = answer.get("achievement") or {}
    checks = tuple(_check(check) for check in answer.get("checks") or ())
    recipient = answer.get("recipient")
    return Verdict(
        source=words.clean(answer.get("source"), 120),
        verdict=name,
        look=LOOKS[name],
        reason=_reason(name, checks),
        achievement=words.clean(achievement.get("name"), 200),
        achievement_id=words.clean(achievement.get("id"), 300),
        drawing=_drawing(name, achievement, bool(issuer.get("trusted"))),
        issuer_name=words.clean(issuer.get("name"), 200) if _proves_issuer(checks) else "",
        issuer_claims=words.clean(issuer.get("claimed_name") or issuer.get("name"), 200),
        issuer_id=words.clean(issuer.get("id"), 300),
        subject=words.clean(answer.get("subject"), 300),
        recipient={
            "matched": "This badge was issued to that e-mail address.",
            "not_matched": "This badge was not issued to that e-mail address.",
        }.get(str(recipient), ""),
        recipient_matched={"matched": True, "not_matched": False}.get(str(recipient)),
        valid_from=words.day(answer["valid_from"]) if answer.get("valid_from") else "",
        valid_until=words.day(answer["valid_until"]) if answer.get("valid_until") else "",
        checks=checks,
    )


def _check(check: Json) -> Check:
    name, result = str(check["name"]), str(check["result"])
    title, question = _CHECKS.get(name, (name, ""))
    word, icon = _RESULTS[result]
    return Check(name, title, question, result, word, icon, words.clean(check.get("detail"), 1000))


def _reason(verdict_: str, checks: Sequence[Check]) -> str:
    if verdict_ == "valid":
        return ""
    wanted = "not_checked" if verdict_ == "unchecked" else "failed"
    for check in checks:
        # An endorsement that is false leaves the verdict: it is named among the checks and decides nothing.
        if check.result == wanted and check.name != "endorsements":
            return f"{check.title}: {check.detail}" if check.detail else check.title
    return ""


def _proves_issuer(checks: Sequence[Check]) -> bool:
    """A forged badge names whom it likes: the name counts where proof and issuer were both found good."""
    return {check.result for check in checks if check.name in ("proof", "issuer")} == {"passed"}


def _drawing(verdict_: str, achievement: Json, trusted: bool) -> Drawing | None:
    if verdict_ not in _PROOF_HOLDS or not achievement:
        return None
    faded = verdict_ != "valid"
    name = words.clean(achievement.get("name"), 200)
    key = achievement_key(achievement.get("id")) if trusted else None
    if key is None:
        return Drawing("★", faded=faded, words=name or "Badge")
    return drawing(key, faded=faded)


def drawing(key: AchievementKey, *, faded: bool = False) -> Drawing:
    """A badge of ours, drawn from what it is awarded for."""
    overall = key.competency == OVERALL
    said = f"{words.competency_name(key.competency)}, {key.level.label}: step {key.level.rank + 1} of 4"
    return Drawing(
        "All" if overall else str(key.competency), key.level.value, key.level.label, key.level.rank + 1, faded, said
    )


def achievement_key(achievement_id: object) -> AchievementKey | None:
    """The achievement that an id of ours names, whatever its origin."""
    if not isinstance(achievement_id, str):
        return None
    try:
        parts = urlsplit(achievement_id).path.split("/")
    except ValueError:
        return None
    return parse_achievement(*parts[2:]) if len(parts) == 5 and parts[1] == "achievements" else None
