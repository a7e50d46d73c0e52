"""Verdicts: each fault that others let through, as its whole kind."""

from __future__ import annotations

import copy
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.times import parse_timestamp
from services.credentials.baking import bake
from services.credentials.contexts import PINNED, Contexts, pinned
from services.credentials.did import did_document
from services.credentials.multikey import did_key, multikey
from services.credentials.status_list import MIN_ENTRIES, Bits, set_bit
from services.credentials.trust_file import NOBODY, Trust, TrustedIssuer
from services.credentials.verdicts import LogFinding, Source, Verdict
from services.credentials.verification import fetched_source, verify_sources
from tests.services.credentials.badges import (
    CREATED,
    LIST,
    NOW,
    Issuer,
    Ourselves,
    Pages,
    agrees,
    change,
    strings,
    verify,
)
from tests.services.credentials.pictures import picture

issuer = Issuer()
web = Issuer(id="did:web:b.example")
TRUST = issuer.trust()


def result(verdict: Verdict, name: Any) -> str:
    return verdict.check(name).result


def with_status(*, signer: Issuer = issuer, **entry: Any) -> dict[str, Any]:
    unsigned = signer.unsigned(status=True)
    return signer.sign({**unsigned, "credentialStatus": {**unsigned["credentialStatus"], **entry}})


# The eight of a badge's life


def test_valid() -> None:
    verdict = verify(issuer.badge(), trust=TRUST)
    assert verdict.verdict == "valid"
    assert verdict.yes
    answer = verdict.as_json()
    assert answer["source"] == "badge.json"
    assert answer["issuer"] == {
        "id": issuer.id,
        "name": "Known here",
        "claimed_name": "Example Agency",
        "trusted": True,
    }
    assert answer["achievement"] == {"id": "https://b.example/a/il", "name": "Leadership"}
    assert answer["subject"].startswith("urn:uuid:")
    assert answer["recipient"] is None
    assert (answer["valid_from"], answer["valid_until"]) == ("2026-09-01T12:00:00Z", None)


def test_altered_and_forged_differ_in_the_check_that_fails() -> None:
    altered = verify(change(issuer.badge(), "name", to="Leadership, level 4"), trust=TRUST)
    assert (altered.verdict, result(altered, "proof"), result(altered, "issuer")) == ("invalid", "failed", "passed")
    thief = Issuer()
    forged = verify(thief.sign(issuer.unsigned()), trust=TRUST)
    assert (forged.verdict, result(forged, "proof"), result(forged, "issuer")) == ("invalid", "passed", "failed")
    assert not forged.as_json()["issuer"]["trusted"]


def test_expired_revoked_suspended_unreachable_untrusted() -> None:
    assert verify(issuer.badge(validUntil="2026-11-01T00:00:00Z"), trust=TRUST).verdict == "expired"
    badge = with_status(statusListIndex="7")
    revoked = verify(badge, trust=TRUST, fetch=Pages({LIST: issuer.list(7)}))
    assert (revoked.verdict, revoked.check("status").detail.split(":")[0]) == ("revoked", "revoked")
    suspended = verify(
        with_status(statusListIndex="7", statusPurpose="suspension"),
        trust=TRUST,
        fetch=Pages({LIST: issuer.list(7, purpose="suspension")}),
    )
    assert (suspended.verdict, suspended.check("status").detail.split(":")[0]) == ("suspended", "suspended")
    unreachable = verify(badge, trust=TRUST, fetch=Pages())
    assert (unreachable.verdict, result(unreachable, "status")) == ("unchecked", "not_checked")
    assert LIST in unreachable.check("status").detail
    assert "no route" in unreachable.check("status").detail
    untrusted = verify(issuer.badge())
    assert untrusted.verdict == "untrusted"
    assert untrusted.check("issuer").detail.startswith("not trusted here")


def test_the_worst_that_is_known_wins() -> None:
    late = {"validUntil": "2026-10-01T00:00:00Z"}
    unsigned = {**issuer.unsigned(status=True), **late}
    unsigned["credentialStatus"]["statusListIndex"] = "7"
    badge = issuer.sign(unsigned)
    assert verify(badge, fetch=Pages({LIST: issuer.list(7)})).verdict == "revoked"
    assert verify(badge, fetch=Pages()).verdict == "expired"
    assert verify(change(badge, "name", to="x"), fetch=Pages({LIST: issuer.list(7)})).verdict == "invalid"
    assert verify(issuer.badge(**late)).verdict == "expired"


# No answer is not a good answer


BAD_LISTS: dict[str, bytes] = {
    "empty": b"",
    "html": b"<!doctype html><title>Sign in</title>",
    "cut": b'{"@context": ["https://www.w3.org/ns/cred',
    "object": b"{}",
    "array": b"[]",
    "number": b"7",
    "twice": b'{"id": 1, "id": 2}',
    "utf16": "{}".encode("utf-16"),
}


@pytest.mark.parametrize("body", BAD_LISTS.values(), ids=BAD_LISTS)
def test_a_status_list_that_is_none_leaves_the_badge_unchecked(body: bytes) -> None:
    verdict = verify(with_status(), trust=TRUST, fetch=Pages({LIST: body}))
    assert (verdict.verdict, result(verdict, "status")) == ("unchecked", "not_checked")
    assert LIST in verdict.check("status").detail


def _lists() -> dict[str, dict[str, Any]]:
    stranger, good = Issuer(), issuer.list()
    return {
        "expired": issuer.list(validUntil="2026-11-24T11:59:59Z"),
        "not yet": issuer.list(validFrom="2026-11-24T12:02:00Z"),
        "altered": change(
            good, "credentialSubject", "encodedList", to=issuer.list(1)["credentialSubject"]["encodedList"]
        ),
        "a stranger's": stranger.list(),
        "no proof": change(good, "proof", drop=True),
        "a stranger's in our name": stranger.sign(change(issuer.list(), "proof", drop=True)),
        "another address": issuer.list(url=LIST + "x"),
        "another purpose": issuer.list(purpose="suspension"),
        "no badge list": issuer.badge(),
        "malformed date": issuer.list(validUntil="2027-01-01T00:00:00"),
        "too short": issuer.list(
            credentialSubject={
                **good["credentialSubject"],
                "encodedList": Issuer().list()["credentialSubject"]["encodedList"][:40],
            }
        ),
    }


@pytest.mark.parametrize("name", _lists())
def test_a_status_list_that_does_not_count_leaves_the_badge_unchecked(name: str) -> None:
    verdict = verify(with_status(), trust=TRUST, fetch=Pages({LIST: _lists()[name]}))
    assert (verdict.verdict, result(verdict, "status")) == ("unchecked", "not_checked"), verdict.check("status")


def test_a_status_list_counts_to_its_very_end_and_by_a_trusted_issuer() -> None:
    for members in ({"validUntil": "2026-11-24T12:00:00Z"}, {"validFrom": "2026-11-24T12:01:00Z"}):
        pages = Pages({LIST: issuer.list(**members)})
        assert verify(with_status(), trust=TRUST, fetch=pages).verdict == "valid"
    other = Issuer()
    both = Trust({**TRUST.issuers, **other.trust().issuers})
    assert verify(with_status(), trust=both, fetch=Pages({LIST: other.list()})).verdict == "valid"
    named = Trust({issuer.id: TrustedIssuer(issuer.id, "n", "r", (), frozenset({LIST}))})
    assert verify(with_status(), trust=named, fetch=Pages({LIST: other.list()})).verdict == "valid"


ENTRIES = [
    ("past the end", {"statusListIndex": str(MIN_ENTRIES)}, "unchecked"),
    ("negative", {"statusListIndex": "-1"}, "unchecked"),
    ("not a number", {"statusListIndex": "seven"}, "unchecked"),
    ("a number", {"statusListIndex": 8}, "unchecked"),
    ("huge", {"statusListIndex": "9" * 29}, "unchecked"),
    ("empty", {"statusListIndex": ""}, "unchecked"),
    ("other digits", {"statusListIndex": "٨"}, "unchecked"),
    ("plus", {"statusListIndex": "+8"}, "unchecked"),
    ("purpose differs", {"statusPurpose": "suspension"}, "unchecked"),
    ("set bit", {"statusListIndex": "7"}, "revoked"),
    ("clear bit", {"statusListIndex": "8"}, "valid"),
    ("last", {"statusListIndex": str(MIN_ENTRIES - 1)}, "valid"),
]


@pytest.mark.parametrize(("entry", "expected"), [case[1:] for case in ENTRIES], ids=[case[0] for case in ENTRIES])
def test_an_entry_is_read_exactly_or_not_at_all(entry: dict[str, Any], expected: str) -> None:
    verdict = verify(with_status(**entry), trust=TRUST, fetch=Pages({LIST: issuer.list(7)}))
    assert verdict.verdict == expected, verdict.check("status")


def test_an_entry_of_unknown_type_leaves_the_badge_unchecked() -> None:
    for entry in (
        {"type": "1EdTechRevocationList", "id": "urn:uuid:0d4c7a8e-2f5c-4a63-9c0e-1f2a3b4c5d6e"},
        {"type": "BitstringStatusList", "id": "urn:uuid:1d4c7a8e-2f5c-4a63-9c0e-1f2a3b4c5d6e"},
    ):
        badge = issuer.unsigned()
        badge["@context"].append("https://purl.imsglobal.org/spec/ob/v3p0/extensions.json")
        verdict = verify(issuer.sign({**badge, "credentialStatus": entry}), trust=TRUST, fetch=Pages())
        assert verdict.verdict == "unchecked", verdict.as_json()


def test_of_several_entries_the_worst_counts() -> None:
    unsigned = issuer.unsigned(status=True)
    first = {**unsigned["credentialStatus"], "statusListIndex": "8"}
    second = {**first, "id": LIST + "#s", "statusPurpose": "suspension", "statusListCredential": LIST + "s"}
    badge = issuer.sign({**unsigned, "credentialStatus": [first, second]})
    suspending = issuer.list(8, purpose="suspension", url=LIST + "s")
    assert verify(badge, trust=TRUST, fetch=Pages({LIST: issuer.list(), LIST + "s": suspending})).verdict == "suspended"
    assert verify(badge, trust=TRUST, fetch=Pages({LIST: issuer.list(8)})).verdict == "revoked"
    assert verify(badge, trust=TRUST, fetch=Pages({LIST: issuer.list()})).verdict == "unchecked"


def test_a_credential_without_status_is_sound() -> None:
    verdict = verify(issuer.badge(), trust=TRUST, fetch=Pages())
    assert verdict.verdict == "valid"
    assert "names no status list" in verdict.check("status").detail


def test_status_is_as_of_now_whatever_moment_is_asked_for() -> None:
    badge = with_status(statusListIndex="7")
    verdict = verify(badge, trust=TRUST, at=CREATED, fetch=Pages({LIST: issuer.list(7)}))
    assert verdict.verdict == "revoked"


# What is shown is what is signed


def test_one_letter_fewer_anywhere_is_seen() -> None:
    ours = Ourselves(web, {LIST: Bits(("revocation",), bytes(MIN_ENTRIES // 8))})
    badge = web.sign(web.unsigned(status=True))
    assert verify(badge, own=ours).verdict == "valid"
    seen = 0
    for path, text in strings(badge):
        if path[0] in ("@context", "proof"):
            continue
        verdict = verify(change(badge, *path, to=text[:-1]), own=ours)
        assert (verdict.verdict, result(verdict, "proof")) == ("invalid", "failed"), path
        seen += 1
    assert seen > 30


PLACES = [
    ("principalLevel",),
    ("credentialSubject", "overallLevel"),
    ("credentialSubject", "achievement", "boardRating"),
    ("issuer", "licensedBy"),
    ("proof", "approvedBy"),
]


@pytest.mark.parametrize("place", PLACES, ids="/".join)
def test_a_member_that_no_context_defines_is_told_apart_from_a_broken_proof(place: tuple[str, ...]) -> None:
    verdict = verify(change(issuer.badge(), *place, to="Transformational"), trust=TRUST)
    assert (verdict.verdict, result(verdict, "context")) == ("invalid", "failed")
    assert "/" + "/".join(place) in verdict.check("context").detail
    assert "undefined" in verdict.check("context").detail
    assert verdict.check("proof").detail == "no canonical form: see context"


def test_members_that_mean_the_same_under_another_name_are_refused() -> None:
    """The signature would hold, and the status would be read by nobody."""
    badge = with_status(statusListIndex="7")
    for name in ("https://www.w3.org/2018/credentials#credentialStatus", "@reverse"):
        moved = change(badge, name, to=badge["credentialStatus"])
        del moved["credentialStatus"]
        assert verify(moved, trust=TRUST, fetch=Pages({LIST: issuer.list(7)})).verdict == "invalid"


def test_members_moved_to_another_object_of_the_same_id_are_refused() -> None:
    """One node to the signature, two objects to a reader."""
    unsigned = issuer.unsigned(status=True)
    unsigned["credentialStatus"]["statusListIndex"] = "7"
    unsigned["evidence"] = [unsigned["id"]]
    badge = issuer.sign(unsigned)
    pages = Pages({LIST: issuer.list(7)})
    assert verify(badge, trust=TRUST, fetch=pages).verdict == "revoked"
    moved = change(badge, "credentialStatus", drop=True)
    moved["evidence"] = [
        {"id": badge["id"], "type": ["VerifiableCredential"], "credentialStatus": badge["credentialStatus"]}
    ]
    verdict = verify(moved, trust=TRUST, fetch=pages)
    assert (verdict.verdict, result(verdict, "proof"), result(verdict, "structure")) == ("invalid", "passed", "failed")


@pytest.mark.parametrize("value", [None, []], ids=["null", "empty array"])
def test_members_without_content_are_refused(value: Any) -> None:
    verdict = verify(change(issuer.badge(), "evidence", to=value), trust=TRUST)
    assert verdict.verdict == "invalid"
    assert "/evidence" in verdict.check("structure").detail


def test_an_array_of_one_is_read_like_its_member() -> None:
    """One and the same to the signature, so one and the same to the reader."""
    badge = with_status(statusListIndex="7")
    for path in (("credentialStatus",), ("credentialSubject",), ("issuer",), ("proof",)):
        boxed = change(badge, *path, to=[badge[path[0]]])
        assert verify(boxed, trust=TRUST, fetch=Pages({LIST: issuer.list(7)})).verdict == "revoked", path
    ended = issuer.badge(validUntil="2026-10-01T00:00:00Z")
    assert verify(change(ended, "validUntil", to=["2026-10-01T00:00:00Z"]), trust=TRUST).verdict == "invalid"


def test_a_context_that_is_not_pinned_leaves_the_badge_unchecked() -> None:
    for context in ("https://evil.example/c", {"name": "https://schema.org/name"}):
        badge = issuer.badge()
        verdict = verify(change(badge, "@context", to=[*badge["@context"], context]), trust=TRUST)
        assert (verdict.verdict, result(verdict, "context")) == ("unchecked", "not_checked")
        assert "/@context/2" in verdict.check("context").detail


@pytest.mark.parametrize(
    "text",
    [
        '{"validFrom": "1999-01-01T00:00:00Z", %s',
        '{"valid\\u0046rom": "1999-01-01T00:00:00Z", %s',
        '{"x": {"a": 1, "a": 2}, %s',
    ],
    ids=["first", "escaped", "inside"],
)
def test_a_member_that_stands_twice_is_named(text: str) -> None:
    twin = (text % json.dumps(issuer.badge())[1:]).encode()
    verdict = verify(twin, trust=TRUST)
    assert (verdict.verdict, result(verdict, "structure")) == ("invalid", "failed")
    assert '"validFrom"' in verdict.check("structure").detail or '"a"' in verdict.check("structure").detail
    assert verdict.check("proof").detail == "no canonical form: see structure"


# Key and issuer tied together


def test_a_key_that_is_not_the_issuers() -> None:
    ours, thief = Ourselves(web), Issuer()
    assert verify(web.badge(), own=ours).verdict == "valid"
    a = verify(thief.sign(web.unsigned()), own=ours)
    assert (a.verdict, result(a, "issuer"), result(a, "proof")) == ("invalid", "failed", "passed")
    b = verify(thief.sign(web.unsigned(), method=web.method), own=ours)
    assert (b.verdict, result(b, "proof")) == ("invalid", "failed")
    key = did_document(web.id, [])["verificationMethod"]
    assert key == []
    second = {
        "id": f"{web.id}#login",
        "type": "Multikey",
        "controller": web.id,
        "publicKeyMultibase": multikey(thief.key.public_key),
    }
    document = web.document()
    ours.document_changes = {
        "verificationMethod": [*document["verificationMethod"], second],
        "authentication": [second["id"]],
    }
    c = verify(thief.sign(web.unsigned(), method=second["id"]), own=ours)
    assert (c.verdict, result(c, "issuer"), result(c, "proof")) == ("invalid", "failed", "passed")
    assert "for assertions" in c.check("issuer").detail
    other = {**second, "controller": did_key(thief.key.public_key)}
    ours.document_changes = {
        "verificationMethod": [*document["verificationMethod"], other],
        "assertionMethod": [*document["assertionMethod"], other["id"]],
    }
    d = verify(thief.sign(web.unsigned(), method=second["id"]), own=ours)
    assert (d.verdict, result(d, "issuer")) == ("invalid", "failed")
    ours.document_changes = {}
    unknown = verify(web.sign(web.unsigned(), method=f"{web.id}#nothing"), own=ours)
    assert (unknown.verdict, result(unknown, "issuer")) == ("invalid", "failed")


def test_a_key_found_by_did_web() -> None:
    pages = Pages({"https://b.example/.well-known/did.json": web.document()})
    assert verify(web.badge(), trust=web.trust(), fetch=pages).verdict == "valid"
    assert verify(web.badge(), trust=web.trust(keys=True)).verdict == "valid"
    assert verify(web.badge(), fetch=pages).verdict == "untrusted"
    assert verify(web.badge(), trust=web.trust()).verdict == "unchecked"
    assert verify(web.badge(), trust=web.trust(), fetch=Pages()).verdict == "unchecked"
    wrong: Any
    for wrong in (web.document(id="did:web:c.example"), [], "x", web.document(verificationMethod=[])):
        bad = Pages({"https://b.example/.well-known/did.json": wrong})
        assert verify(web.badge(), trust=web.trust(), fetch=bad).verdict == "invalid"
    junk = Pages({"https://b.example/.well-known/did.json": b"<html>"})
    assert verify(web.badge(), trust=web.trust(), fetch=junk).verdict == "unchecked"


def test_an_https_issuer_lists_its_keys_in_its_own_document() -> None:
    site = Issuer(id="https://b.example/issuer")
    pages = Pages({site.id: site.document()})
    assert verify(site.badge(), trust=site.trust(), fetch=pages).verdict == "valid"


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"expires": "2026-11-24T11:59:59Z"}, "invalid"),
        ({"expires": "2026-11-24T12:00:00Z"}, "valid"),
        ({"revoked": "2026-11-01T00:00:00Z"}, "invalid"),
        ({"revoked": "2027-11-01T00:00:00Z"}, "valid"),
        ({"expires": "tomorrow"}, "invalid"),
        ({"type": "Unheard"}, "invalid"),
    ],
)
def test_a_key_counts_in_its_time_only(changes: dict[str, Any], verdict: str) -> None:
    document = web.document()
    document["verificationMethod"][0].update(changes)
    pages = Pages({"https://b.example/.well-known/did.json": document})
    assert verify(web.badge(), trust=web.trust(), fetch=pages).verdict == verdict


def test_a_revoked_key_of_our_own_counts_for_what_was_recorded_before() -> None:
    revoked = datetime(2026, 10, 1, tzinfo=UTC)
    document = web.document()
    for method in document["verificationMethod"]:
        method["revoked"] = "2026-10-01T00:00:00Z"
    ours = Ourselves(web, document_changes={"verificationMethod": document["verificationMethod"]})
    for finding, verdict in (
        (LogFinding("passed", "recorded", revoked - timedelta(seconds=1)), "valid"),
        (LogFinding("passed", "recorded", revoked), "invalid"),
        (LogFinding("passed", "recorded"), "invalid"),
        (LogFinding("failed", "never recorded"), "invalid"),
        (LogFinding("not_checked", "out of reach"), "unchecked"),
    ):
        ours.finding = finding
        assert verify(web.badge(), own=ours).verdict == verdict, finding


def test_what_our_log_does_not_know_was_not_issued_by_us() -> None:
    ours = Ourselves(web, finding=LogFinding("failed", "no such credential was issued here"))
    verdict = verify(web.badge(), own=ours)
    assert (verdict.verdict, result(verdict, "log")) == ("invalid", "failed")
    assert verify(issuer.badge(), own=ours, trust=TRUST).verdict == "valid"  # a stranger's is in no log of ours


def test_our_own_needs_no_network_and_no_naming() -> None:
    bits = bytearray(MIN_ENTRIES // 8)
    ours = Ourselves(web, {LIST: Bits(("revocation",), bytes(bits))})
    verdict = verify(web.sign(web.unsigned(status=True)), own=ours)
    assert verdict.verdict == "valid"
    assert verdict.as_json()["issuer"]["name"] == "Our own agency"
    set_bit(bits, 94567)
    ours.lists[LIST] = Bits(("revocation",), bytes(bits))
    assert verify(web.sign(web.unsigned(status=True)), own=ours).verdict == "revoked"


# Several proofs


def test_of_several_proofs_one_is_the_issuers_and_none_is_false() -> None:
    other = Issuer()
    unsigned = issuer.unsigned()
    mine, theirs = issuer.sign(unsigned)["proof"], other.sign(unsigned)["proof"]
    false = {**theirs, "proofValue": mine["proofValue"]}
    unknown = {**theirs, "cryptosuite": "ecdsa-sd-2023"}
    assert verify({**unsigned, "proof": [mine, theirs]}, trust=TRUST).verdict == "valid"
    assert verify({**unsigned, "proof": [theirs, mine]}, trust=TRUST).verdict == "valid"
    assert verify({**unsigned, "proof": [theirs]}, trust=TRUST).verdict == "invalid"
    assert verify({**unsigned, "proof": [mine, false]}, trust=TRUST).verdict == "invalid"
    aside = verify({**unsigned, "proof": [unknown, mine]}, trust=TRUST)
    assert aside.verdict == "valid"
    assert "ecdsa-sd-2023" in aside.check("proof").detail
    assert verify({**unsigned, "proof": [unknown]}, trust=TRUST).verdict == "unchecked"
    assert verify(unsigned, trust=TRUST).verdict == "invalid"
    assert verify({**unsigned, "proof": [mine] * 17}, trust=TRUST).verdict == "invalid"


def test_a_chain_of_proofs_goes_back_to_true_proofs() -> None:
    unsigned = issuer.unsigned()
    first = {**issuer.sign(unsigned, id="urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544")["proof"]}
    second = issuer.sign({**unsigned, "proof": [first]}, previousProof=first["id"])["proof"]
    assert verify({**unsigned, "proof": [first, second]}, trust=TRUST).verdict == "valid"
    assert verify({**unsigned, "proof": [second]}, trust=TRUST).verdict == "invalid"
    altered = {**first, "created": "2026-09-01T12:00:01Z"}
    assert verify({**unsigned, "proof": [altered, second]}, trust=TRUST).verdict == "invalid"
    circle = [{**first, "previousProof": second.get("id", first["id"])}]
    assert verify({**unsigned, "proof": circle}, trust=TRUST).verdict == "invalid"


def test_a_chain_has_so_many_links_and_no_more() -> None:
    """Each link asks for a canonical form of the whole document."""
    unsigned = issuer.unsigned()
    for links, expected in ((8, "valid"), (9, "invalid")):
        first = issuer.sign(unsigned, id="urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544")["proof"]
        link = issuer.sign({**unsigned, "proof": [first]}, previousProof=first["id"])["proof"]
        assert verify({**unsigned, "proof": [first, *[link] * links]}, trust=TRUST).verdict == expected


class Asked:
    """Time is over after so many questions."""

    def __init__(self, enough: int) -> None:
        self.left = enough

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_what_time_does_not_suffice_for_is_unchecked_and_said() -> None:
    badge = json.dumps(issuer.badge()).encode()
    sources = [Source("a", b"[" + b",".join([badge] * 3) + b"]"), Source("b", badge)]
    seen = []
    for enough in range(40):
        verdicts = verify_sources(sources, now=NOW, trust=TRUST, out_of_time=Asked(enough))
        said = [agrees(verdict).verdict for verdict in verdicts]
        assert said == sorted(said, key=("valid", "unchecked").index)  # in order, and never anything else
        assert all("time" in v.check("proof").detail for v in verdicts if v.verdict == "unchecked")
        seen.append(said.count("valid"))
    assert seen == sorted(seen)
    assert set(seen) == {0, 1, 2, 3, 4}


def test_a_chain_that_time_does_not_suffice_for_is_no_false_one() -> None:
    unsigned = issuer.unsigned()
    first = issuer.sign(unsigned, id="urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544")["proof"]
    second = issuer.sign({**unsigned, "proof": [first]}, previousProof=first["id"])["proof"]
    for proofs in ([first, second], [second, first]):
        said = []
        for enough in range(8):
            said.append(verify({**unsigned, "proof": proofs}, trust=TRUST, out_of_time=Asked(enough)).verdict)
        assert said == sorted(said, key=("unchecked", "valid").index)
        assert set(said) == {"unchecked", "valid"}


@pytest.mark.parametrize(
    "options",
    [
        {"proofPurpose": "authentication"},
        {"created": "2026-11-24T12:02:00Z"},
        {"expires": "2026-11-24T11:59:00Z"},
        {"created": "yesterday"},
        {"created": "2026-09-01T12:00:00"},
    ],
)
def test_a_proof_for_another_purpose_or_time_is_false(options: dict[str, Any]) -> None:
    assert verify(issuer.sign(issuer.unsigned(), **options), trust=TRUST).verdict == "invalid"


@pytest.mark.parametrize(
    "value", [None, "", "z", "z1", 7, [], {}, "u" + "A" * 86, "z" + "1" * 500, "zO0Il", "é", "z" + "2" * 88]
)
def test_a_proof_value_of_another_form_is_false(value: Any) -> None:
    verdict = verify(change(issuer.badge(), "proof", "proofValue", to=value), trust=TRUST)
    assert (verdict.verdict, result(verdict, "proof")) == ("invalid", "failed")


# Many at once


def test_many_at_once_keep_their_order_and_their_sources() -> None:
    good = issuer.badge()
    altered = change(good, "id", to="urn:uuid:00000000-0000-4000-8000-000000000000")
    array = [good, altered, {}, "not a credential", None, 7, [good], good]
    verdicts = verify_sources([Source("", json.dumps(array).encode())], now=NOW, trust=TRUST)
    assert [v.verdict for v in verdicts] == ["valid", *["invalid"] * 6, "valid"]
    assert [v.source for v in verdicts] == [f"#/{n}" for n in range(8)]
    presentation = {
        "@context": good["@context"][:1],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": [good, altered],
    }
    files = [
        Source("1.json", json.dumps(good).encode()),
        Source("2.json", json.dumps(altered).encode()),
        Source("3.json", b""),
        Source("4.json", b"\xff\xfe{\x00}\x00"),
        Source("vp.json", json.dumps(presentation).encode()),
        Source("missing.json", fault="missing.json: no such file"),
        Source("-", json.dumps(good).encode()),
    ]
    verdicts = verify_sources(files, now=NOW, trust=TRUST)
    assert [(v.source, v.verdict) for v in verdicts] == [
        ("1.json", "valid"),
        ("2.json", "invalid"),
        ("3.json", "invalid"),
        ("4.json", "invalid"),
        ("vp.json#/verifiableCredential/0", "valid"),
        ("vp.json#/verifiableCredential/1", "invalid"),
        ("missing.json", "unchecked"),
        ("-", "valid"),
    ]
    for verdict in verdicts:
        agrees(verdict)


# Times


@pytest.mark.parametrize(
    ("members", "verdict"),
    [
        ({"validFrom": "2999-01-01T00:00:00Z"}, "expired"),
        ({"validFrom": "2026-11-24T12:01:00Z"}, "valid"),
        ({"validFrom": "2026-11-24T12:01:01Z"}, "expired"),
        ({"validUntil": "2026-11-24T11:59:59Z"}, "expired"),
        ({"validUntil": "2026-11-24T12:00:00Z"}, "valid"),
        ({"validFrom": "2026-06-01T00:00:00Z", "validUntil": "2026-05-01T00:00:00Z"}, "invalid"),
    ],
)
def test_dates_count_as_instants_and_the_end_is_included(members: dict[str, str], verdict: str) -> None:
    answer = verify(issuer.badge(**members), trust=TRUST)
    assert answer.verdict == verdict
    told = answer.as_json()
    assert told["valid_until"] == members.get("validUntil")


def test_another_moment_moves_the_dates() -> None:
    badge = issuer.badge(validUntil="2026-10-01T00:00:00Z")
    assert verify(badge, trust=TRUST, at=datetime(2026, 9, 15, tzinfo=UTC)).verdict == "valid"
    assert verify(badge, trust=TRUST, at=datetime(2026, 3, 2, 15, 4, 5, tzinfo=UTC)).verdict == "expired"


TIMES = [
    ("2026-03-02T15:04:05Z", True),
    ("2026-03-02T15:04:05.123456Z", True),
    ("2026-03-02T09:04:05-06:00", True),
    ("2026-03-02T15:04:05+00:00", True),
    ("2016-12-31T23:59:60Z", False),
    ("2026-03-02T15:04:60Z", False),
    ("2026-03-02T24:00:00Z", False),
    ("2026-03-02T15:04:05", False),
    ("2026-03-02 15:04:05Z", False),
    ("2026-03-02", False),
    ("2026-02-30T00:00:00Z", False),
    ("+002026-03-02T15:04:05Z", False),
    ("٢٠٢٦-03-02T15:04:05Z", False),
    ("", False),
    ("0000-01-01T00:00:00Z", False),
    (7, False),
    (None, False),
]


@pytest.mark.parametrize(("text", "legal"), TIMES)
@pytest.mark.parametrize("name", ["validFrom", "validUntil", "awardedDate"])
def test_forms_of_time_in_a_credential(name: str, text: Any, legal: bool) -> None:
    if text is None:  # cannot be signed at all
        verdict = verify({**issuer.badge(), name: None}, trust=TRUST)
    else:
        verdict = verify(
            issuer.badge(**{"validFrom": "2026-01-01T00:00:00Z", name: text}),
            trust=TRUST,
            at=datetime(2026, 3, 2, 15, 4, 5, tzinfo=UTC),
        )
    if legal:
        assert verdict.verdict == "valid"
    else:
        assert (verdict.verdict, result(verdict, "structure"), result(verdict, "proof")) == (
            "invalid",
            "failed",
            "failed",
        )
        assert f"/{name}" in verdict.check("structure").detail
        assert verdict.check("proof").detail == "no canonical form: see structure"


def test_a_moment_asked_for_has_one_form() -> None:
    assert parse_timestamp("2026-03-02T15:04:05Z") == datetime(2026, 3, 2, 15, 4, 5, tzinfo=UTC)


# The holder


@pytest.mark.parametrize(
    ("email", "matched"),
    [
        ("a@example.com", True),
        ("A@Example.com", True),
        ("  a@example.com\n", True),
        ("b@example.com", False),
        ("a+x@example.com", False),
        ("", False),
        ("   ", False),
        ("\ud800", False),
    ],
)
def test_the_holder_is_compared_apart_from_the_verdict(email: str, matched: bool) -> None:
    unsigned = issuer.unsigned()
    unsigned["credentialSubject"]["identifier"][0]["salt"] = "Kosher"
    verdict = verify(issuer.sign(unsigned), trust=TRUST, recipient=email)
    assert verdict.verdict == "valid"
    assert verdict.yes == matched
    assert verdict.as_json()["recipient"] == ("matched" if matched else "not_matched")


def test_a_holder_that_is_not_named_is_not_matched() -> None:
    unsigned = issuer.unsigned()
    del unsigned["credentialSubject"]["identifier"]
    assert verify(issuer.sign(unsigned), trust=TRUST, recipient="a@example.com").recipient == "not_matched"


# Who is called


def test_a_stranger_never_makes_us_call() -> None:
    stranger, pages = Issuer(), Pages({LIST: b"{}"})
    verify(stranger.sign(stranger.unsigned(status=True)), trust=TRUST, fetch=pages, policy="trusted")
    verify(stranger.sign(issuer.unsigned(status=True)), trust=TRUST, fetch=pages, policy="trusted")
    verify(change(with_status(), "name", to="altered"), trust=TRUST, fetch=pages)
    verify(Issuer(id="did:web:evil.example").badge(), trust=TRUST, fetch=pages, policy="trusted")
    verify(Issuer(id="did:web:127.0.0.1").badge(), trust=TRUST, fetch=pages)
    assert pages.visits == []
    verify(with_status(), trust=TRUST, fetch=pages, policy="trusted")
    assert pages.visits == [LIST]


# Endorsements, refreshing, schemas, older models


def endorsement(by: Issuer, **members: Any) -> dict[str, Any]:
    return by.sign(
        {
            "@context": issuer.unsigned()["@context"],
            "id": "urn:uuid:5d4c7a8e-2f5c-4a63-9c0e-1f2a3b4c5d6e",
            "type": ["VerifiableCredential", "EndorsementCredential"],
            "name": "Endorsed",
            "issuer": {"id": by.id, "type": ["Profile"], "name": "A university"},
            "validFrom": "2026-09-01T12:00:00Z",
            "credentialSubject": {
                "id": "https://b.example/a/il",
                "type": ["EndorsementSubject"],
                "endorsementComment": "Sound.",
            },
            **members,
        }
    )


def test_a_false_endorsement_leaves_the_verdict_and_is_named() -> None:
    other = Issuer()
    true = endorsement(other)
    verdict = verify(issuer.badge(endorsement=[true]), trust=TRUST)
    assert verdict.verdict == "valid"
    assert "holds" in verdict.check("endorsements").detail
    false = change(true, "credentialSubject", "endorsementComment", to="Splendid.")
    false["id"] = "urn:uuid:6d4c7a8e-2f5c-4a63-9c0e-1f2a3b4c5d6e"
    verdict = verify(issuer.badge(endorsement=[true, false]), trust=TRUST)
    assert verdict.verdict == "valid"
    assert "/endorsement/1 is false" in verdict.check("endorsements").detail


def test_an_endorsement_cannot_hide_the_status_of_what_it_endorses() -> None:
    unsigned = issuer.unsigned(status=True)
    unsigned["credentialStatus"]["statusListIndex"] = "7"
    subject = {"id": unsigned["id"], "type": ["EndorsementSubject"], "endorsementComment": "Sound."}
    badge = issuer.sign({**unsigned, "endorsement": [endorsement(Issuer(), credentialSubject=subject)]})
    pages = Pages({LIST: issuer.list(7)})
    assert verify(badge, trust=TRUST, fetch=pages).verdict == "revoked"
    moved = copy.deepcopy(badge)
    moved["endorsement"][0]["credentialSubject"] = {
        **subject,
        "type": ["EndorsementSubject", "VerifiableCredential"],
        "credentialStatus": moved.pop("credentialStatus"),
    }
    assert verify(moved, trust=TRUST, fetch=pages).verdict == "invalid"


def test_what_is_not_read_yet_is_unchecked_and_never_valid() -> None:
    old = {
        **issuer.unsigned(),
        "@context": ["https://www.w3.org/2018/credentials/v1"],
        "issuanceDate": "2020-01-01T00:00:00Z",
        "expirationDate": "2021-01-01T00:00:00Z",
    }
    verdict = verify(old, trust=TRUST)
    assert verdict.verdict == "unchecked"
    assert "1.1" in verdict.check("structure").detail
    assert verdict.as_json()["valid_until"] == "2021-01-01T00:00:00Z"
    for text in (b"eyJhbGciOiJub25lIn0.e30.", b"<svg xmlns='http://www.w3.org/2000/svg'/>"):
        assert verify(text, trust=TRUST).verdict == "unchecked"
    enveloped = {
        "@context": "https://www.w3.org/ns/credentials/v2",
        "type": "EnvelopedVerifiableCredential",
        "id": "data:application/vc+jwt,eyJ",
    }
    assert verify(enveloped, trust=TRUST).verdict == "unchecked"


def test_a_badge_that_lacks_what_open_badges_asks_for_is_invalid() -> None:
    for path in (
        ("credentialSubject", "achievement", "criteria"),
        ("credentialSubject", "achievement", "name"),
        ("credentialSubject", "achievement"),
        ("id",),
        ("validFrom",),
    ):
        assert verify(issuer.sign(change(issuer.unsigned(), *path, drop=True)), trust=TRUST).verdict == "invalid"
    listed = verify(issuer.list(), trust=TRUST)
    assert (listed.verdict, result(listed, "schema")) == ("unchecked", "not_checked")


# Pictures


def test_a_picture_is_read_by_its_credential() -> None:
    text = json.dumps(issuer.badge()).encode()
    verdict = verify(bake(picture(), text), name="badge.png", trust=TRUST)
    assert (verdict.source, verdict.verdict) == ("badge.png", "valid")
    assert verify(picture(), trust=TRUST).verdict == "invalid"
    assert verify(bake(picture(), b"[" + text + b"]"), trust=TRUST).verdict == "invalid"
    assert verify(bake(picture(), text)[:-20], trust=TRUST).verdict == "invalid"


def test_a_source_named_by_its_address() -> None:
    url = "https://b.example/credentials/7"
    for fetch, verdict in ((Pages({url: issuer.badge()}), "valid"), (Pages(), "unchecked"), (None, "unchecked")):
        (answer,) = verify_sources([fetched_source(url, fetch)], now=NOW, trust=TRUST)
        assert (answer.source, answer.verdict) == (url, verdict)


def test_many_threads_give_the_same_answers() -> None:
    """Contexts are derived at first use, by whoever comes first, and shared."""
    badge = json.dumps(issuer.badge()).encode()
    contexts = Contexts({url: pinned().document(url) for url in PINNED})

    def look(_: int) -> str:
        (answer,) = verify_sources([Source("x", badge)], now=NOW, trust=TRUST, contexts=contexts)
        return answer.verdict

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(look, range(64))) == {"valid"}


def test_nobody_is_trusted_by_default() -> None:
    assert NOBODY.issuers == {}
