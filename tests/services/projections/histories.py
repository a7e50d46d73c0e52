"""Random legal histories for `hypothesis`, small enough that levels rise, lapse and come back.

Legal by construction: the generator keeps its own books, so that the reader is tested as well.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.story import Story, framework, policy

LEVELS = ("aspiring", "emerging", "developing", "transformational")
COACHES = ("c-otter", "c-wren", "c-lynx")
PRINCIPALS = ("p-heron", "p-egret")
FRAMEWORKS = {"mini": (6,), "pair": (6, 40), "odd": (41, 6, 2)}


class Teller:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.story = Story()
        self.today = date(2016, 1, 1)
        self.known = [1, 2, 6, 7]
        self.frameworks = ["mlds-2016"]
        self.items: dict[str, dict[str, Any]] = {}
        self.opened: list[str] = []
        self.policies: list[dict[str, Any]] = []

    def tell(self, length: int) -> Story:
        for _ in range(length):
            if self.random.random() < 0.5:
                self.today += timedelta(days=self.random.choice((1, 1, 7, 40, 120)))
            self.story.principal = self.random.choice(self.opened) if self.opened else "nobody"
            self._one()
        return self.story

    def _one(self) -> None:
        unopened = [p for p in PRINCIPALS if p not in self.opened]
        if not self.opened or (unopened and self.random.random() < 0.1):
            self.story.dossier(unopened[0], on=self._day)
            self.opened.append(unopened[0])
            return
        act = self.random.choices(
            (
                self._observe,
                self._cycle,
                self._go_on,
                self._artifact,
                self._review,
                self._mentor,
                self._correct,
                self._adopt,
                self._publish,
                self._reassess,
                self._other,
            ),
            (8, 4, 8, 4, 7, 1, 6, 3, 1, 2, 1),
        )[0]
        act()

    @property
    def _day(self) -> str:
        return self.today.isoformat()

    def _when(self) -> str:
        return (self.today - timedelta(days=self.random.choice((0, 0, 1, 30, 90)))).isoformat()

    def _new(self, kind: str, by: str) -> str:
        evidence_id = f"e{len(self.items) + 1}"
        self.items[evidence_id] = {"kind": kind, "of": self.story.principal, "by": by, "said": set()}
        return evidence_id

    def _judgments(self) -> dict[int, str]:
        numbers = self.random.sample(self.known, self.random.choice((1, 1, 2, 3)))
        if self.random.random() < 0.7 and 6 not in numbers:
            numbers[0] = 6
        return {number: self.random.choice(LEVELS + LEVELS[2:]) for number in numbers}

    def _pick(self, *kinds: str) -> str | None:
        mine = [
            evidence_id
            for evidence_id, item in self.items.items()
            if item["of"] == self.story.principal and item["kind"] in kinds and "gone" not in item
        ]
        return self.random.choice(mine) if mine else None

    def _supersedes(self) -> dict[str, str]:
        gone = [i for i, item in self.items.items() if item["of"] == self.story.principal and "gone" in item]
        return {"supersedes": self.random.choice(gone)} if gone and self.random.random() < 0.5 else {}

    def _observe(self) -> None:
        by, more = self.random.choice(COACHES), self._supersedes()
        evidence_id = self._new("observation", by)
        self.story.record(
            f"dossier:{self.story.principal}",
            "ObservationRecorded",
            {
                "evidence_id": evidence_id,
                "occurred_on": self._when(),
                "setting": "Learning Labs",
                "judgments": [{"competency": n, "level": level} for n, level in self._judgments().items()],
                "narrative": self.random.choice(("x", {"erased": True})),
                **more,
            },
            by=by,
            on=self._day,
        )

    def _step(self, act: str, evidence_id: str, what: Any, by: str, **more: Any) -> None:
        line = getattr(self.story, act)(evidence_id, *([] if what is None else [what]), by=by, on=self._day, **more)
        line.data["occurred_on"] = self._when()

    def _cycle(self) -> None:
        by = self.random.choice(COACHES)
        seen = self._pick("observation")
        more = {"observation_id": seen} if seen and self.random.random() < 0.5 else {}
        self._step("cycle_opened", self._new("feedback_cycle", by), [6], by, **more)

    def _go_on(self) -> None:
        evidence_id = self._pick("feedback_cycle")
        if evidence_id is None or "closed" in self.items[evidence_id]["said"]:
            return
        said = self.items[evidence_id]["said"]
        if said >= {"feedback", "response"}:
            said.add("closed")
            self._step("cycle_closed", evidence_id, self._judgments(), self.random.choice(COACHES))
        elif "feedback" in said or self.random.random() < 0.5:
            said.add("response")
            self._step("response", evidence_id, None, self.story.principal)
        else:
            said.add("feedback")
            self._step("feedback", evidence_id, None, self.random.choice(COACHES))

    def _artifact(self) -> None:
        by = self.random.choice((self.story.principal, *COACHES))
        self._step("submitted", self._new("artifact", by), [2], by)

    def _review(self) -> None:
        evidence_id = self._pick("artifact")
        if evidence_id is not None:
            others = [coach for coach in COACHES if coach != self.items[evidence_id]["by"]]
            self._step("reviewed", evidence_id, self._judgments(), self.random.choice(others))

    def _mentor(self) -> None:
        self.story.mentored(self._new("mentoring", self.story.principal), [6], mentee="p-someone", on=self._day)

    def _correct(self) -> None:
        evidence_id = self._pick("observation", "feedback_cycle", "artifact", "mentoring")
        if evidence_id is None:
            return
        item = self.items[evidence_id]
        if item.pop("disputed", None):
            outcome = self.random.choice(("upheld", "rejected"))
            if outcome == "upheld":
                item["gone"] = True
            self.story.resolved(evidence_id, outcome, on=self._day)
        elif self.random.random() < 0.5:
            item["disputed"] = True
            self.story.disputed(evidence_id, on=self._day)
        else:
            item["gone"] = True
            self.story.retracted(evidence_id, by=self.random.choice(("c-otter", "service:operator")), on=self._day)

    def a_policy(self) -> dict[str, Any]:
        random = self.random
        levels = {}
        for level in LEVELS:
            clauses: dict[str, Any] = {"items": random.choice((1, 1, 2, 3))}
            if random.random() < 0.3:
                clauses["kinds"] = {
                    random.choice(("observation", "artifact", "feedback_cycle")): random.choice((0, 1, 2))
                }
            if random.random() < 0.3:
                clauses["assessors"] = random.choice((0, 1, 2))
            if random.random() < 0.3:
                clauses["span_days"] = random.choice((0, 1, 30))
            levels[level] = clauses
        day = (self.today + timedelta(days=random.choice((-30, 0, 0, 1, 30)))).isoformat()
        version = str(len(self.policies) + 1)
        made = policy("trial", version, framework=random.choice(self.frameworks), effective_from=day, **levels)
        self.policies.append(made)
        return made

    def _adopt(self) -> None:
        again = self.policies and self.random.random() < 0.2
        self.story.adopted(self.random.choice(self.policies) if again else self.a_policy(), on=self._day)

    def _publish(self) -> None:
        name = self.random.choice(list(FRAMEWORKS))
        self.story.published(framework(name, *FRAMEWORKS[name]), on=self._day)
        if name not in self.frameworks:
            self.frameworks.append(name)
            self.known = sorted({*self.known, *FRAMEWORKS[name]})

    def _reassess(self) -> None:
        self.story.reassessed(on=self._day)

    def _other(self) -> None:
        if self.random.random() < 0.5:
            name = f"x-{len(self.story.lines)}"
            self.story.record(f"person:{name}", "PersonRegistered", {"open": 1}, by="registrar-1", on=self._day)
        else:
            # Replay takes no notice of what is recorded as attained, however wrong.
            self.story.record(
                f"attainment:{self.story.principal}", "LevelReached", {"nonsense": []}, by="service:projections"
            )


@st.composite
def histories(draw: st.DrawFn, max_length: int = 60) -> Story:
    length = draw(st.integers(1, max_length))
    return Teller(draw(st.randoms(use_true_random=False))).tell(length)


def history_of(seed: int, length: int) -> Story:
    """The same for loops that need no shrinking."""
    return Teller(Random(seed)).tell(length)
