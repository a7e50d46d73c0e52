"""From an attainment to a signed badge, on a real database."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.continuum import LEVELS
from contracts.events.credentials import CredentialRevoked
from contracts.refusals import Refusal
from foundation.eventlog import new_event
from foundation.fetching import Fetched
from services.credentials.badge import credential_bytes
from services.credentials.data_integrity import sign
from services.credentials.issuance import lapsed
from services.credentials.linting import lint
from services.credentials.trust_file import parse_trust
from services.credentials.verdicts import Source
from services.credentials.verification import verify_sources
from tests.databases import Database
from tests.services.credentials.world import ORIGIN, World, catch_up

LEVEL_NAMES = [level.value for level in LEVELS]


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    made = World(database, tmp_path)
    made.principal()
    return made


def test_an_attainment_gives_one_badge_that_verifies(world: World) -> None:
    items = [world.observed(on="2026-03-02"), world.observed(on="2026-03-20", by="c-wren")]
    cause = world.reached(*items)
    world.settle()
    (document,) = world.documents()
    (verdict,) = world.room.verify([Source("badge", credential_bytes(document))], "heron@example.com")
    assert (verdict.verdict, verdict.recipient) == ("valid", "matched"), verdict.as_json()
    assert "2 evidence items (2 observations), judged by 2 assessors over 18 days" in document["description"]
    assert document["awardedDate"] == items[1].recorded_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    (intent,) = world.events("IssuanceIntended")
    assert intent.data["cause"] == cause.position
    assert intent.tags == (
        f"credential:{intent.data['credential_id']}", "principal:p-heron", f"cause:{cause.position}",
    )  # fmt: skip


def test_a_lapse_revokes_and_reaching_again_gives_a_new_badge_that_names_the_one_before(world: World) -> None:
    item = world.observed()
    world.reached(item)
    world.lapsed(because=item.position)
    world.reached(world.observed())
    world.settle()
    first, second = world.documents()
    verdicts = world.room.verify([Source("", credential_bytes(one)) for one in (first, second)])
    assert [verdict.verdict for verdict in verdicts] == ["revoked", "valid"]
    intents = world.events("IssuanceIntended")
    assert intents[1].data["previous"] == intents[0].data["credential_id"]
    (revoked,) = world.events("CredentialRevoked")
    assert (revoked.data["reason"], revoked.recorded_by) == ("lapsed", "service:credentials")
    assert "previous" not in str(second)  # in the log, not in public


def test_revoked_by_hand_while_a_lapse_is_worked_off_log_and_table_keep_the_first_reason(world: World) -> None:
    """The follower has read the lapse and not yet appended what follows when the revocation by hand is recorded."""
    world.reached(world.observed())
    world.settle()
    (issued,) = world.events("CredentialIssued")
    credential_id = issued.data["credential_id"]
    by_hand = CredentialRevoked(credential_id=credential_id, reason="misconduct")
    by_rule = lapsed(credential_id, principal="p-heron", cause=1, because=issued.position)
    world.room.log.append([new_event(by_hand, recorded_by="person:r-1", tags=issued.tags[1:], subject="p-heron")])
    world.room.log.append([by_rule])
    world.settle()
    assert world.query("SELECT revoked FROM credentials.credentials") == [("misconduct",)]
    assert world.room.application.state(credential_id).revoked == "misconduct"


def test_verifying_for_others_has_a_budget_of_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.reached(world.observed())
    world.settle()
    source = Source("", credential_bytes(world.documents()[0]))
    assert world.room.verify([source])[0].verdict == "valid"
    monkeypatch.setattr("services.credentials.room.VERIFY_SECONDS", 0.0)
    assert world.room.verify([source])[0].verdict == "unchecked"


def test_a_lapse_in_a_later_batch_revokes_too_and_only_that_level(world: World) -> None:
    item = world.observed()
    world.reached(item, level="aspiring")
    world.reached(item, level="emerging")
    world.settle()
    world.lapsed(level="emerging", because=item.position)
    world.settle()
    verdicts = world.room.verify([Source("", credential_bytes(one)) for one in world.documents()])
    assert [verdict.verdict for verdict in verdicts] == ["valid", "revoked"]


def test_a_higher_level_does_not_touch_the_badges_of_lower_ones(world: World) -> None:
    item = world.observed(level="developing")
    for level in ("aspiring", "emerging", "developing"):
        world.reached(item, level=level)
    world.settle()
    assert len(world.documents()) == 3
    assert world.events("CredentialRevoked") == []


def test_following_again_and_again_issues_nothing_more(world: World) -> None:
    world.reached(world.observed())
    world.settle()
    head = world.room.log.head()
    for _ in range(3):
        world.settle()
    assert world.room.log.head() == head


def test_derived_anew_from_an_empty_schema_nothing_is_issued_and_the_tables_are_the_same(world: World) -> None:
    item = world.observed()
    world.reached(item, level="aspiring")
    world.reached(item, level="emerging")
    world.lapsed(level="emerging", because=item.position)
    world.reached(world.observed(), level="emerging")
    world.settle()
    head, before = world.room.log.head(), world.tables()
    world.forget()
    world.settle()
    assert world.room.log.head() == head
    assert world.tables() == before


def test_only_overall_levels_give_badges_where_that_is_set_and_widening_it_later_issues_nothing_old(
    world: World,
) -> None:
    narrow = world.new_room(issue="overall")
    item = world.observed()
    world.reached(item)
    world.reached(competency="overall", level="aspiring", because=item.position)
    world.settle(narrow)
    (document,) = world.documents()
    assert document["name"] == "Overall, Aspiring level"
    assert "Every competency of the framework stands at this level or higher" in document["description"]
    world.settle(world.room)
    assert len(world.documents()) == 1


def test_a_lapse_of_a_level_without_a_badge_revokes_nothing(world: World) -> None:
    item = world.observed()
    world.reached(item)
    world.lapsed(because=item.position)
    world.settle(world.new_room(issue="overall"))
    assert world.events("IssuanceIntended", "CredentialRevoked") == []


def test_every_badge_has_a_place_of_its_own_and_a_subject_of_its_own(world: World) -> None:
    item = world.observed(level="transformational")
    for competency in range(1, 6):
        for level in ("aspiring", "emerging", "developing", "transformational"):
            world.reached(item, competency=competency, level=level, because=item.position)
    world.settle()
    documents = world.documents()
    assert len({one["credentialStatus"]["id"] for one in documents}) == 20
    assert len({one["credentialSubject"]["id"] for one in documents}) == 20
    assert len({one["credentialSubject"]["identifier"][0]["salt"] for one in documents}) == 20


def test_a_list_that_is_half_full_is_left_for_the_next(world: World) -> None:
    item = world.observed()
    world.reached(item, level="aspiring")
    world.settle()
    world.query("UPDATE credentials.status_lists SET used = entries / 2 RETURNING number")
    world.reached(item, level="emerging")
    world.settle()
    assert [e.data["status"]["list"] for e in world.events("IssuanceIntended")] == ["r1", "r2"]


def test_with_suspension_on_a_badge_has_the_same_place_in_two_lists(world: World) -> None:
    room = world.new_room(suspension=True)
    world.reached(world.observed())
    world.settle(room)
    (document,) = world.documents()
    revocation, suspension = document["credentialStatus"]
    assert revocation["statusListCredential"].endswith("/status/r1")
    assert suspension["statusListCredential"].endswith("/status/s1")
    assert revocation["statusListIndex"] == suspension["statusListIndex"]
    assert room.verify([Source("", credential_bytes(document))])[0].verdict == "valid"


def test_a_process_with_another_public_origin_refuses(world: World) -> None:
    world.reached(world.observed())
    world.settle()
    other = world.new_room(origin="https://badges.example.gov", demonstration=False)
    with pytest.raises(Refusal, match="MLDS_PUBLIC_URL") as caught:
        other.check_origin()
    assert ORIGIN in caught.value.detail
    world.reached(world.observed(), level="aspiring")
    with pytest.raises(Refusal, match="MLDS_PUBLIC_URL"):
        world.settle(other)
    assert len(world.events("IssuanceIntended")) == 1


def test_nothing_is_intended_for_a_person_who_has_been_erased(world: World) -> None:
    world.reached(world.observed())
    world.database.keys().destroy("p-heron")
    world.settle()
    assert world.events("IssuanceIntended") == []


def test_an_intent_of_a_person_erased_before_signing_is_left_for_good(world: World) -> None:
    world.reached(world.observed())
    catch_up(world.room)
    world.database.keys().destroy("p-heron")
    world.settle()
    assert world.events("CredentialIssued") == []
    assert world.room.signing().waiting() == 0


@pytest.mark.parametrize("origin", ["https://badges.example.gov", ORIGIN])
def test_a_new_key_signs_from_then_on_and_what_the_old_one_signed_stays_valid(
    database: Database, tmp_path: Path, origin: str
) -> None:
    world = World(database, tmp_path, origin=origin)
    world.principal()
    world.reached(world.observed(), level="aspiring")
    world.settle()
    old = world.room.keys.current().key
    new = world.room.keys.make("service:operator")
    world.room.keys.retire(old, "service:operator")
    world.reached(world.observed(), level="emerging")
    world.settle()
    methods = [one["proof"]["verificationMethod"] for one in world.documents()]
    assert methods == [world.room.issuer.method(key) for key in (old, new)]
    verdicts = world.room.verify([Source("", credential_bytes(one)) for one in world.documents()])
    assert [verdict.verdict for verdict in verdicts] == ["valid", "valid"]


def test_the_only_key_that_signs_is_not_retired(world: World) -> None:
    with pytest.raises(Refusal, match="only key"):
        world.room.keys.retire(world.room.keys.current().key, "service:operator")
    with pytest.raises(Refusal, match="no key"):
        world.room.keys.retire("z6MkOther", "service:operator")


def test_a_badge_of_ours_that_was_never_recorded_is_invalid_however_good_its_signature(world: World) -> None:
    world.reached(world.observed())
    world.settle()
    (document,) = world.documents()
    document.pop("proof")
    key = world.room.keys.current().key
    forged = sign(
        lint({**document, "name": "Competency 6, Transformational level"}),
        world.room.ring.signer(key),
        verification_method=world.room.issuer.method(key),
        created=datetime.now(UTC),
    )
    (verdict,) = world.room.verify([Source("", credential_bytes(forged))])
    assert verdict.verdict == "invalid"
    assert verdict.check("proof").result == "passed"
    assert "another content" in verdict.check("log").detail


def test_nobodys_name_or_address_stands_in_the_services_own_tables(world: World) -> None:
    world.reached(world.observed())
    world.settle()
    dumped = str(world.tables(everything=True))
    assert "heron@example.com" not in dumped
    assert "Name of" not in dumped


def test_an_independent_verifier_accepts_the_baked_badge_and_sees_its_revocation(world: World) -> None:
    from openbadgeslib.verify import verify_badge

    item = world.observed()
    world.reached(item, level="aspiring")
    world.reached(item, level="emerging")
    world.settle()
    world.lapsed(level="emerging", because=item.position)
    world.settle()
    said = []
    for event in world.events("CredentialIssued"):
        level = world.room.application.level_of(event.data["credential_id"])
        baked = world.room.public.baked(event.data["document"], level)
        result = verify_badge(
            baked,
            "3",
            resolve_did=True,
            check_status=True,
            verify_status_list=False,  # it reads lists as JWT only
            download=lambda url: world.room.lists.current(url.rsplit("/", 1)[1]).body,
        )
        said.append((result.valid, str(result.reason)))
    assert said[0][0], said[0]
    assert not said[1][0]
    assert "'revocation' is set" in said[1][1]


def test_our_status_list_verifies_as_a_credential_of_its_own(world: World) -> None:
    world.reached(world.observed())
    world.settle()
    (document,) = world.documents()
    served = world.room.lists.current("r1").body
    trust = {
        "issuers": [
            {"id": document["issuer"]["id"], "name": "Ours", "reason": "as a stranger would trust us"},
        ]
    }

    def fetch(url: str) -> Fetched:
        assert url == document["credentialStatus"]["statusListCredential"]
        return Fetched(url, "application/vc", served)

    (verdict,) = verify_sources(
        [Source("", credential_bytes(document))],
        now=datetime.now(UTC),
        trust=parse_trust(json.dumps(trust).encode()),
        fetch=fetch,
    )
    assert verdict.verdict == "valid", verdict.as_json()


def test_a_badge_names_the_policy_and_framework_that_its_level_was_reached_under(world: World) -> None:
    framework = {"id": "mlds-2027", "competencies": [{"number": 6, "title": "Gives feedback"}, {"number": 40}]}
    levels = {name: {"items": number} for number, name in enumerate(LEVEL_NAMES, 1)}
    policy = {"id": "trial", "version": "2 (draft)/ä", "framework": "mlds-2027", "effective_from": "2026-01-01"}
    policy |= {"levels": levels}
    world.decided(framework, policy)
    item = world.observed(competency=40)
    world.reached(item, competency=40, level="aspiring", framework="mlds-2027", policy=policy)
    world.reached(item, competency=6, level="aspiring")  # under the baseline, as before
    world.settle()
    new, old = world.documents()
    award = new["credentialSubject"]["achievement"]
    assert award["id"].endswith("/achievements/mlds-2027/40/aspiring")
    assert award["version"] == "mlds-2027, trial 2 (draft)/ä"
    assert "Competency 40 (official text not supplied yet)" in award["description"]
    assert "under policy trial 2 (draft)/ä and framework mlds-2027" in new["description"]
    assert old["credentialSubject"]["achievement"]["version"] == "mlds-2016, mlds-baseline 1.0"
    served = world.room.public.achievement("mlds-2027", "40", "aspiring")
    assert {name: value for name, value in served.items() if name != "@context"} == award
    verdicts = world.room.verify([Source("", credential_bytes(one)) for one in (new, old)])
    assert [verdict.verdict for verdict in verdicts] == ["valid", "valid"]
