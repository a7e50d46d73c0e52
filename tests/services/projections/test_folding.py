"""One principal at a time, from the log: the same bytes whatever the cut, derived or taken as recorded."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.projections.derivation import Derivation
from services.projections.folding import Recorded, _as_recorded, fold
from services.projections.replay import attainment_data
from services.projections.rows import Row, rows
from services.projections.timeline import Step, Timeline
from tests.services.projections.histories import histories
from tests.story import Story

SLOW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def timeline_of(story: Story) -> Timeline:
    timeline = Timeline()
    for line in story.lines:
        if line.stream.partition(":")[0] in ("commission", "framework"):
            timeline.take(line, line.recorded_at)
    return timeline


def steps_of(story: Story, principal: str) -> list[Step]:
    return [
        Step(line.position, line.type, line.recorded_by, line.recorded_at, line.data)
        for line in story.lines
        if line.stream == f"dossier:{principal}"
    ]


def written(principal: str, derivation: Derivation, position: int) -> list[Row]:
    return list(rows(principal, derivation, position, derivation.tracks))


@SLOW
@given(histories(), st.data())
def test_any_cut_folds_to_what_following_had_kept(story: Story, data: st.DataObject) -> None:
    timeline = timeline_of(story)
    cut = data.draw(st.integers(1, len(story.lines)))
    for principal, replayed in story.replayed()._opened.items():
        recorded = [Recorded(one.reached, attainment_data(principal, one)) for one in replayed.made]
        steps = [step for step in steps_of(story, principal) if step.position <= cut]
        if not steps:
            continue
        followed, position = Derivation(), 0
        for step in timeline.with_reassessments(steps, until=cut):
            timeline.look(followed, step)
            position = step.position
        folded = fold(steps, recorded, timeline, until=cut)
        assert folded.as_derived
        assert folded.position == position
        kept = written(principal, followed, position)
        assert written(principal, folded.derivation, folded.position) == kept
        # Taken as recorded it is the same, as long as the rule is the same.
        looked_at = list(timeline.with_reassessments(steps, until=cut))
        times = {step.position: step.at for step in looked_at}
        told = [
            timeline.recorded(one.data, reached=one.reached, at=times[one.data["because"]])
            for one in recorded
            if one.data["because"] in times
        ]
        assert written(principal, _as_recorded(looked_at, told, timeline), position) == kept


@SLOW
@given(histories(max_length=40), st.data())
def test_any_batches_come_to_the_same_bytes(story: Story, data: st.DataObject) -> None:
    timeline = timeline_of(story)
    end = story.lines[-1].position
    cuts = sorted({end, *data.draw(st.lists(st.integers(1, end), max_size=6))})
    for principal in story.replayed()._opened:
        steps = steps_of(story, principal)
        followed, position = Derivation(), 0
        for cut in cuts:
            fresh = [step for step in steps if position < step.position <= cut]
            for step in timeline.with_reassessments(fresh, after=position, until=cut):
                timeline.look(followed, step)
                position = step.position
        at_once, position_at_once = Derivation(), 0
        for step in timeline.with_reassessments(steps, until=end):
            timeline.look(at_once, step)
            position_at_once = step.position
        assert written(principal, followed, position) == written(principal, at_once, position_at_once)
