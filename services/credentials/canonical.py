"""The canonical form of RDF statements: RDFC-1.0 with SHA-256, with bounded work.

Source: W3C RDF Dataset Canonicalization, RDFC-1.0 (2024); numbers in comments are its steps (sections
4.4.3, 4.6.3, 4.7.3, 4.8.3). Blank nodes that look alike make the algorithm factorial, and a few hundred bytes can
be made to look so ("poison"): section 7.1 asks for a limit, which here counts what Hash N-Degree Quads
looks at and the orders it tries. What honest credentials hold stays far below it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import permutations
from typing import Any, Final

from .contexts import Contexts
from .statements import Quad, Unsaid, statements

MAX_WORK: Final = 20_000  # statements looked at and nodes ordered by Hash N-Degree Quads, about 0.05 s
MAX_BLANK_NODES: Final = 2_000


class Poison(Unsaid):
    """Statements whose canonical form would cost too much."""


class Work:
    """What may still be spent on nodes that look alike; one for a whole request, beside the limit for each."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left


def canonical(document: Mapping[str, Any], contexts: Contexts, *, at: str = "", work: Work | None = None) -> str:
    """The document's statements as canonical N-Quads: one a line, sorted. Raises Unsaid."""
    lines = canonical_lines(statements(document, contexts, at=at), work)
    if not lines:
        raise Unsaid(at, "says nothing at all")
    return "".join(lines)


def canonical_lines(quads: Iterable[Quad], work: Work | None = None) -> list[str]:
    """Canonical N-Quads of distinct statements, sorted by code point, each with its line end."""
    dataset = list(quads)
    mentions: dict[str, list[Quad]] = defaultdict(list)  # 2: blank node to quads
    for quad in dataset:
        for node in {part for part in (quad.subject, quad.object, quad.graph) if part.startswith("_:")}:
            mentions[node].append(quad)
    if not mentions:
        return sorted(_line(*quad) for quad in dataset)
    if len(mentions) > MAX_BLANK_NODES:
        raise Poison("", f"more than {MAX_BLANK_NODES} nodes without an id")
    issued = _Canonicalizer(mentions, work or Work(MAX_WORK)).issued()
    lines = []
    for subject, predicate, value, graph in dataset:
        lines.append(_line(issued.get(subject, subject), predicate, issued.get(value, value), issued.get(graph, graph)))
    lines.sort()
    return lines


def _line(subject: str, predicate: str, value: str, graph: str) -> str:
    if graph:
        return f"{subject} {predicate} {value} {graph} .\n"
    return f"{subject} {predicate} {value} .\n"


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


class _Issuer:
    """Identifier issuer (section 4.2)."""

    __slots__ = ("issued", "prefix")

    def __init__(self, prefix: str, issued: dict[str, str] | None = None) -> None:
        self.prefix = prefix
        self.issued: dict[str, str] = dict(issued or {})

    def issue(self, node: str) -> str:
        found = self.issued.get(node)
        if found is None:
            found = self.issued[node] = f"{self.prefix}{len(self.issued)}"
        return found

    def copy(self) -> _Issuer:
        return _Issuer(self.prefix, self.issued)


class _Canonicalizer:
    def __init__(self, mentions: Mapping[str, list[Quad]], work: Work) -> None:
        self.mentions = mentions
        self.canonical = _Issuer("_:c14n")
        self.first = {node: self.first_degree(node) for node in mentions}
        self.shared = work
        self.own = Work(MAX_WORK)

    def issued(self) -> dict[str, str]:
        by_hash: dict[str, list[str]] = defaultdict(list)  # 3
        for node, digest in self.first.items():
            by_hash[digest].append(node)
        alike = []
        for digest in sorted(by_hash):  # 4
            nodes = by_hash[digest]
            if len(nodes) > 1:
                alike.append(nodes)
            else:
                self.canonical.issue(nodes[0])
        for nodes in alike:  # 5
            paths = []
            for node in nodes:
                if node in self.canonical.issued:
                    continue
                issuer = _Issuer("_:b")
                issuer.issue(node)
                paths.append(self.n_degree(node, issuer))
            for _, issuer in sorted(paths, key=lambda path: path[0]):
                for node in issuer.issued:
                    self.canonical.issue(node)
        return self.canonical.issued

    def first_degree(self, node: str) -> str:
        """4.6.3: the hash of a node's own statements."""
        lines = []
        for subject, predicate, value, graph in self.mentions[node]:
            if subject.startswith("_:"):
                subject = "_:a" if subject == node else "_:z"
            if value.startswith("_:"):
                value = "_:a" if value == node else "_:z"
            if graph.startswith("_:"):
                graph = "_:a" if graph == node else "_:z"
            lines.append(_line(subject, predicate, value, graph))
        lines.sort()
        return _digest("".join(lines))

    def related(self, node: str, quad: Quad, issuer: _Issuer, position: str) -> str:
        """4.7.3: the hash of a node beside another."""
        name = self.canonical.issued.get(node) or issuer.issued.get(node) or self.first[node]
        predicate = "" if position == "g" else quad.predicate
        return _digest(f"{position}{predicate}{name}")

    def spend(self, steps: int) -> None:
        self.own.left -= steps
        self.shared.left -= steps
        if self.own.left < 0 or self.shared.left < 0:
            raise Poison("", "nodes without an id look so much alike that their canonical form is out of reach")

    def n_degree(self, node: str, issuer: _Issuer) -> tuple[str, _Issuer]:
        """4.8.3: the hash of a node by all that can be reached from it."""
        self.spend(1 + len(self.mentions[node]))
        beside: dict[str, list[str]] = defaultdict(list)  # 1, 2, 3
        for quad in self.mentions[node]:
            for position, other in (("s", quad.subject), ("o", quad.object), ("g", quad.graph)):
                if other != node and other.startswith("_:"):
                    beside[self.related(other, quad, issuer, position)].append(other)
        data = []
        for digest in sorted(beside):  # 5
            data.append(digest)
            chosen, chosen_issuer = "", issuer
            for order in _orders(beside[digest]):  # 5.4
                self.spend(len(order))
                tried = self.path(order, issuer.copy(), chosen)
                if tried is not None and (not chosen or tried[0] < chosen):
                    chosen, chosen_issuer = tried
            data.append(chosen)  # 5.5
            issuer = chosen_issuer  # 5.6
        return _digest("".join(data)), issuer

    def path(self, order: tuple[str, ...], issuer: _Issuer, chosen: str) -> tuple[str, _Issuer] | None:
        """5.4.1 to 5.4.6 for one order; None as soon as it is worse than the chosen one."""
        path = ""
        again = []
        for other in order:  # 5.4.4
            if other in self.canonical.issued:
                path += self.canonical.issued[other]
            else:
                if other not in issuer.issued:
                    again.append(other)
                path += issuer.issue(other)
            if _worse(path, chosen):
                return None
        for other in again:  # 5.4.5
            digest, result = self.n_degree(other, issuer)
            path += f"{issuer.issue(other)}<{digest}>"
            issuer = result
            if _worse(path, chosen):
                return None
        return path, issuer


def _orders(nodes: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Each different order once. A node that stands in several statements alike is listed several times;
    orders that differ by swapping it with itself give the same path, and 6! of them would cost like poison."""
    times = Counter(nodes)
    if len(times) == len(nodes):
        yield from permutations(nodes)
        return
    order: list[str] = []

    def fill() -> Iterator[tuple[str, ...]]:
        if len(order) == len(nodes):
            yield tuple(order)
            return
        for node in times:
            if times[node]:
                times[node] -= 1
                order.append(node)
                yield from fill()
                order.pop()
                times[node] += 1

    yield from fill()


def _worse(path: str, chosen: str) -> bool:
    return bool(chosen) and len(path) >= len(chosen) and path > chosen
