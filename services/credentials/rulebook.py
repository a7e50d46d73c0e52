"""The frameworks and policies that the Commission has published and adopted, as far as badges name them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import date
from typing import Any

from contracts.achievements import AchievementKey
from contracts.framework import MLDS_2016, Framework
from contracts.policy import BASELINE, Policy, PolicyRef
from foundation.eventlog import EventLog, item, query

from .achievements import achievement

_DECISIONS = query(item(types=("PolicyAdopted", "FrameworkPublished")))


class Rulebook:
    """Reads what is new in the log each time it is asked to `refresh`. Thread-safe."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._after = 0
        self._frameworks: dict[str, Framework] = {MLDS_2016.id: MLDS_2016}
        self._policies: dict[tuple[str, str], Policy] = {(BASELINE.id, BASELINE.version): BASELINE}
        self._adopted: list[Policy] = [BASELINE]
        self._achievements: dict[tuple[str, AchievementKey, str, str], Mapping[str, Any]] = {}

    def refresh(self) -> None:
        with self._lock:
            for event in self._log.read(_DECISIONS, after=self._after):
                if event.type == "PolicyAdopted":
                    policy = Policy.model_validate(event.data["policy"])
                    self._policies[policy.id, policy.version] = policy
                    self._adopted.append(policy)
                else:
                    framework = Framework.model_validate(event.data["framework"])
                    self._frameworks[framework.id] = framework
                self._after = event.position

    def framework(self, id_: str) -> Framework | None:
        return self._frameworks.get(id_)

    def policy(self, ref: PolicyRef) -> Policy | None:
        return self._policies.get((ref.id, ref.version))

    def in_force(self, framework: str, today: date) -> Policy | None:
        """Of the policies that name the framework, the one in force today; None where none ever did.

        The latest `effective_from` wins, and of equals the one adopted last.
        """
        named = [policy for policy in self._adopted if policy.framework == framework]
        begun = [policy for policy in named if policy.effective_from <= today]
        return max(reversed(begun or named), key=lambda policy: policy.effective_from, default=None)

    def achievement(self, origin: str, framework: Framework, policy: Policy, key: AchievementKey) -> Mapping[str, Any]:
        """As `achievements.achievement`, made once. To be read only: it is shared."""
        name = (origin, key, policy.id, policy.version)
        if name not in self._achievements:
            self._achievements[name] = achievement(origin, framework, policy, key)
        return self._achievements[name]
