"""The whole way: what a coach saw, the level that follows, the badge, who may see it, what a district verifies."""

from __future__ import annotations

from apps.composition import System
from tests.systems import People


def test_two_observations_make_a_level_and_a_badge_that_verifies(system: System, people: People) -> None:
    people.observe("2026-02-03")
    last = people.observe("2026-03-10", by="c-wren")["position"]
    system.catch_up()

    six = people.get(f"/principals/p-heron/continuum/6?min_position={last}")
    assert six["level"] == "emerging"
    assert [level["level"] for level in six["levels"] if level["reached"]] == ["aspiring", "emerging"]
    assert six["next"]["level"] == "developing"
    assert {gap["clause"] for gap in six["next"]["missing"]} >= {"items", "kinds.artifact", "kinds.feedback_cycle"}

    badges = people.get("/principals/p-heron/credentials")["items"]
    assert [(badge["level"], badge["state"]) for badge in badges] == [("aspiring", "issued"), ("emerging", "issued")]
    badge = badges[1]["id"]

    # Nobody sees it until its holder shares it; then anybody does.
    assert people.client.get(f"/credentials/{badge}").status_code == 404
    people.post(f"/credentials/{badge}/shares", {}, by="c-otter", status=403)
    share = people.post(f"/credentials/{badge}/shares", {}, by="p-heron")
    system.catch_up()
    public = people.client.get(f"/credentials/{badge}", headers={"Accept": "application/vc"})
    assert public.status_code == 200
    assert share["position"] > last

    verdicts = people.client.post("/verify", content=public.content).json()
    assert [verdict["verdict"] for verdict in verdicts] == ["valid"], verdicts
    picture = people.client.get(f"/credentials/{badge}.png")
    verdicts = people.client.post("/verify", files={"file": ("badge.png", picture.content, "image/png")}).json()
    assert [verdict["verdict"] for verdict in verdicts] == ["valid"], verdicts

    altered = public.text.replace("Emerging", "Transformational")
    assert people.client.post("/verify", content=altered.encode()).json()[0]["verdict"] == "invalid"


def test_a_retracted_observation_lapses_the_level_and_revokes_its_badge_only(system: System, people: People) -> None:
    people.observe("2026-02-03")
    second = people.observe("2026-03-10", by="c-wren")["evidence_id"]
    system.catch_up()
    people.post(f"/evidence/{second}/retraction", {"reason": "wrong person"}, by="c-wren")
    system.catch_up()
    states = {badge["level"]: badge for badge in people.get("/principals/p-heron/credentials")["items"]}
    assert (states["aspiring"]["state"], states["emerging"]["state"]) == ("issued", "revoked")
    assert states["emerging"]["reason"] == "lapsed"

    # Reached again: a new statement, a new credential; the old one stays revoked.
    people.observe("2026-03-11", by="c-wren")
    system.catch_up()
    badges = people.get("/principals/p-heron/credentials")["items"]
    assert [(b["level"], b["state"]) for b in badges] == [
        ("aspiring", "issued"),
        ("emerging", "revoked"),
        ("emerging", "issued"),
    ]


def test_catching_up_again_and_again_issues_nothing_more(system: System, people: People) -> None:
    people.observe("2026-02-03")
    system.catch_up()
    head = system.log("evidence").head()
    for _ in range(3):
        system.catch_up()
    assert system.log("evidence").head() == head
