"""What the Commission has decided: the policy in force at an event, the frameworks known. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from typing import NamedTuple

from contracts.continuum import LEVELS
from contracts.policy import BASELINE, Policy


class Rule(NamedTuple):
    """A policy made ready: for each level its clauses with what they need."""

    id: str
    version: str
    framework: str
    clauses: tuple[tuple[tuple[str, int], ...], ...]

    @staticmethod
    def of(policy: Policy) -> Rule:
        clauses = tuple(tuple(policy.levels[level].clauses()) for level in LEVELS)
        return Rule(policy.id, policy.version, policy.framework, clauses)


class Decisions:
    """What the Commission has decided so far: policies (rule 6) and the known frameworks."""

    def __init__(self, frameworks: Mapping[str, Iterable[int]], *, throughout: Policy | None = None) -> None:
        """frameworks: competency numbers by framework id. throughout: in force always, whatever is adopted."""
        self.frameworks = {id_: frozenset(numbers) for id_, numbers in frameworks.items()}
        self._throughout = Rule.of(throughout) if throughout else None
        self._baseline = Rule.of(BASELINE)
        self._adopted: list[tuple[str, int, Rule]] = []
        self._by_ref = {(self._baseline.id, self._baseline.version): self._baseline}
        self._known: dict[str, Rule] = {}

    def copy(self) -> Decisions:
        """As decided so far; what is decided later is decided in one of the two."""
        other = copy(self)
        other.frameworks = dict(self.frameworks)
        other._adopted = list(self._adopted)
        other._by_ref = dict(self._by_ref)
        other._known = {}
        return other

    def publish(self, framework: str, numbers: Iterable[int]) -> None:
        if framework not in self.frameworks:
            # A policy that names it can give an overall level from now on: as another one it is looked at anew.
            self._baseline = self._baseline._replace()
            self._known.clear()
        self.frameworks[framework] = frozenset(numbers)

    def adopt(self, policy: Policy) -> None:
        """The next `PolicyAdopted`, in the log's order."""
        rule = Rule.of(policy)
        self._by_ref[rule.id, rule.version] = rule
        self._adopted.append((policy.effective_from.isoformat(), len(self._adopted), rule))
        self._adopted.sort()
        self._known.clear()

    def in_force(self, on: str) -> Rule:
        """At an event that is recorded on this UTC date, `YYYY-MM-DD`."""
        if self._throughout is not None:
            return self._throughout
        rule = self._known.get(on)
        if rule is None:
            come = [adopted for adopted in self._adopted if adopted[0] <= on]
            rule = self._known[on] = come[-1][2] if come else self._baseline
        return rule

    def rule(self, id_: str, version: str) -> Rule:
        """An adopted policy or the baseline. Raises KeyError for any other."""
        return self._by_ref[id_, version]
