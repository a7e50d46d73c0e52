"""The incremental rule finds what the plain one finds, for any history, any cut, any policy throughout."""

from __future__ import annotations

import json
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.policy import Policy
from tests.services.projections import oracle
from tests.services.projections.histories import Teller, histories, history_of
from tests.story import Story, printed, replayed

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@SLOW
@given(histories())
def test_any_history_gives_the_levels_that_the_plain_rule_gives(story: Story) -> None:
    assert list(story.replayed().levels()) == oracle.levels(story.lines)


@SLOW
@given(histories(max_length=40), st.data())
def test_a_history_cut_anywhere_gives_the_levels_of_that_moment(story: Story, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(story.lines)))
    whole = story.replayed()
    part = b"".join(story.file().splitlines(keepends=True)[:cut])
    then = replayed(part)
    assert list(then.levels()) == oracle.levels(story.lines[:cut])
    # What the whole history says of that time is what was said then.
    last = story.lines[cut - 1].position if cut else 0
    before = {(levels["principal"], str(levels["competency"])): levels for levels in then.levels()}
    for levels in whole.levels():
        known = before.get((levels["principal"], str(levels["competency"])), {"reached": [], "lapsed": []})
        for kind in ("reached", "lapsed"):
            assert [one for one in levels[kind] if one["position"] <= last] == known[kind]


@SLOW
@given(histories(max_length=40), st.randoms(use_true_random=False))
def test_a_policy_throughout_is_the_only_one_in_force(story: Story, random: object) -> None:
    teller = Teller(random)  # type: ignore[arg-type]  # hypothesis' Random
    policy = teller.a_policy()
    result = replayed(story.file(), throughout=Policy.model_validate(policy))
    assert list(result.levels()) == oracle.levels(story.lines, policy)


def test_a_thousand_random_histories_and_what_they_cover() -> None:
    seen: Counter[str] = Counter()
    for seed in range(300):
        story = history_of(seed, 60)
        result = list(story.replayed().levels())
        assert result == oracle.levels(story.lines), seed
        assert printed(story.replayed()) == [json.dumps(levels) for levels in result]
        for levels in result:
            name = "overall" if levels["competency"] == "overall" else "competency"
            seen[f"{name} reached"] += len(levels["reached"])
            seen[f"{name} lapsed"] += len(levels["lapsed"])
            at = {one["position"] for one in levels["lapsed"]}
            seen["lapsed and reached by one event"] += any(one["position"] in at for one in levels["reached"])
    assert min(seen.values()) > 20, seen
    assert len(seen) == 5
