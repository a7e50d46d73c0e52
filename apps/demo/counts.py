"""What the log of a demonstration holds, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from contracts.continuum import LEVELS, OVERALL
from foundation.eventlog import EventLog


@dataclass(slots=True)
class Counts:
    events: Counter[str] = field(default_factory=Counter)
    """By type."""
    reached: Counter[str] = field(default_factory=Counter)
    """`LevelReached` by level, competencies and overall."""
    reached_overall: Counter[str] = field(default_factory=Counter)
    lapsed: Counter[str] = field(default_factory=Counter)
    shared: list[tuple[str, str, bool]] = field(default_factory=list)
    """(principal, credential, with the name), in the order of sharing."""

    @staticmethod
    def of(log: EventLog) -> Counts:
        counts = Counts()
        for event in log.scan():
            counts.events[event.type] += 1
            match event.type:
                case "LevelReached":
                    counts.reached[event.data["level"]] += 1
                    counts.reached_overall[event.data["level"]] += event.data["competency"] == OVERALL
                case "LevelLapsed":
                    counts.lapsed[event.data["level"]] += 1
                case "ShareGranted":
                    holder = event.recorded_by.partition(":")[2]
                    counts.shared.append((holder, event.data["credential_id"], event.data["show_name"]))
        return counts

    def rows(self) -> list[list[object]]:
        """For each level, the highest first: its word, reached, of them overall, lapsed."""
        return [
            [level.label, self.reached[level], self.reached_overall[level], self.lapsed[level]]
            for level in reversed(LEVELS)
        ]

    def to_data(self, verified: int) -> dict[str, Any]:
        """The one object that `mlds demo --format json` ends with."""
        return {
            "principals": self.events["DossierOpened"],
            "events": dict(sorted(self.events.items())),
            "levels_reached": self.events["LevelReached"],
            "credentials_issued": self.events["CredentialIssued"],
            "credentials_verified": verified,
        }
