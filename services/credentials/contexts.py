"""JSON-LD contexts: which we know, and what the terms of a document mean under them.

A context is known by its exact URL *and* the SHA-256 of its text; nothing is ever fetched. The texts come
from the installed package `openbadgeslib`, which bundles them; a text with another digest is no context here.

Sources: JSON-LD 1.1 API sections 5.1 (context processing) and 4.1.2 (scoped contexts); VC Data Integrity
section 2.4 (contexts and vocabularies are to be known beforehand). Context processing itself is pyld's.
"""

from __future__ import annotations

import functools
import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

from cachetools import LRUCache
from pyld import jsonld
from pyld.context_resolver import ContextResolver

CREDENTIALS_V2: Final = "https://www.w3.org/ns/credentials/v2"
CREDENTIALS_V1: Final = "https://www.w3.org/2018/credentials/v1"
OPEN_BADGES: Final = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
EXTENSIONS: Final = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"

PINNED: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        # URL: (name in openbadgeslib/ob3/contexts, SHA-256 of the text)
        CREDENTIALS_V2: ("credentials-v2.json", "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734"),
        OPEN_BADGES: ("ob-v3p0-context-3.0.3.json", "3d34f4d4ef1bce691106e63798beb5e7b862ba841423f5ee1e53ab7ddf3bca84"),
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json": (
            "ob-v3p0-context-3.0.2.json",
            "00666ad080ba407687ed1846b7f5e7495f5019042b202a727de47c48a1755c53",
        ),
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json": (
            "ob-v3p0-context-3.0.1.json",
            "5f3d9dd6288ef437ff8286cf95ffbff609c748a66f24a1e9450c45ca64be1571",
        ),
        EXTENSIONS: ("ob-v3p0-extensions.json", "87c06c81bc2317663bf288d740d94fddd2818c4342b186270ff6371dfaa63f93"),
        "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json": (
            "clr_context_2.0.1.json",
            "880f1902d4158f2f33ce06af41b90719977cd1ea337a9de2e41edb3ff5e543d6",
        ),
        "https://w3id.org/security/data-integrity/v2": (
            "security-data-integrity-v2.json",
            "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4",
        ),
        "https://w3id.org/security/multikey/v1": (
            "security-multikey-v1.json",
            "ba2c182de2d92f7e47184bcca8fcf0beaee6d3986c527bf664c195bbc7c58597",
        ),
    }
)

MAX_CONTEXTS: Final = 16
_KEPT: Final = 512  # derived contexts kept; a stranger's combinations of types cannot fill the memory


class ContextFault(ValueError):
    """The contexts of a document cannot be used: they contradict each other."""


class NotPinned(ValueError):
    """A context that is not known here; `url` names it."""

    def __init__(self, url: str) -> None:
        super().__init__(f"the context {url} is not pinned here")
        self.url = url


@dataclass(frozen=True, slots=True)
class Term:
    """One term's definition. `type` is None, `@id`, `@vocab`, `@json`, `@none` or a datatype's IRI."""

    iri: str
    type: str | None
    container: frozenset[str]
    prefix: bool
    scoped: bool
    reverse: bool


@dataclass(slots=True)
class ActiveContext:
    """The meaning of terms at one place of a document. Immutable but for its caches."""

    raw: Any = field(repr=False)  # pyld's own
    terms: Mapping[str, Term | None] = field(repr=False)
    vocab: str | None
    previous: ActiveContext | None = field(repr=False)


class Contexts:
    """Known contexts, and the active contexts derived from them (JSON-LD 1.1 API section 5.1)."""

    def __init__(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        self._documents = dict(documents)
        self._processor = jsonld.JsonLdProcessor()
        self._options = {"base": "", "processingMode": "json-ld-1.1", "documentLoader": self._load}
        self._lock = threading.RLock()  # pyld writes into the contexts it processes
        self._initial = _wrap(self._processor.process_context({}, None, self._options), None)
        self._counts = threading.local()
        # Keys hold the identity of the base and of the local context; both stand in the value,
        # so they live as long as the key.
        self._kept: dict[tuple[str, int, Any], tuple[ActiveContext, ActiveContext, Any]] = {}

    def knows(self, url: str) -> bool:
        return url in self._documents

    def document(self, url: str) -> Mapping[str, Any]:
        """The context's text as JSON. Raises NotPinned."""
        try:
            return self._documents[url]
        except KeyError:
            raise NotPinned(url) from None

    def active(self, urls: Sequence[str], on: ActiveContext | None = None) -> ActiveContext:
        """What terms mean under these contexts, in this order, on top of `on`.

        Raises NotPinned for the first unknown one, ContextFault where they contradict each other.
        """
        for url in urls:
            if url not in self._documents:
                raise NotPinned(url)
        base = self._initial if on is None else on
        return self._derive("urls", tuple(urls), base, list(urls))

    def for_types(self, base: ActiveContext, types: Sequence[str]) -> ActiveContext:
        """Type-scoped contexts of these types, in code point order (section 5.1.2 step 11)."""
        scoped = tuple(sorted({t for t in types if (term := base.terms.get(t)) is not None and term.scoped}))
        if not scoped:
            return base
        active = base
        for name in scoped:
            local = base.raw["mappings"][name]["@context"]
            active = self._derive("type", (name, id(local)), active, local, propagate=False)
        return active

    def for_property(self, base: ActiveContext, definer: ActiveContext, name: str) -> ActiveContext:
        """The property-scoped context of a term of `definer`, on top of `base`."""
        local = definer.raw["mappings"][name]["@context"]
        return self._derive("property", (name, id(local)), base, local, override_protected=True)

    @property
    def derived(self) -> int:
        """How many contexts this thread has derived so far, each at about 1 ms."""
        return int(getattr(self._counts, "derived", 0))

    def _derive(
        self,
        kind: str,
        name: Any,
        base: ActiveContext,
        local: Any,
        *,
        propagate: bool = True,
        override_protected: bool = False,
    ) -> ActiveContext:
        key = (kind, id(base), name)
        found = self._kept.get(key)
        if found is not None:
            return found[1]
        # A resolver for each derivation: pyld's keeps what it processed and forgets whether protected terms
        # might be redefined there, so that one document would decide about the next.
        options = {**self._options, "contextResolver": ContextResolver(LRUCache(maxsize=64), self._load)}
        with self._lock:
            try:
                # pyld's public process_context has no way to say `propagate` or `override_protected`
                raw = self._processor._process_context(
                    base.raw, local, options, override_protected=override_protected, propagate=propagate
                )
            except jsonld.JsonLdError as fault:
                raise ContextFault(f"the contexts contradict each other: {fault.code or fault.type}") from None
            previous = base.previous if propagate else base.previous or base
            active = _wrap(raw, previous if raw.get("previousContext") is not None else None)
            self._counts.derived = self.derived + 1
            if len(self._kept) >= _KEPT:
                self._kept = {}
            self._kept[key] = (base, active, local)
        return active

    def _load(self, url: str, options: Any = None) -> dict[str, Any]:
        del options
        return {
            "contextUrl": None,
            "documentUrl": url,
            "document": dict(self.document(url)),
            "contentType": "application/ld+json",
        }


def _wrap(raw: Any, previous: ActiveContext | None) -> ActiveContext:
    terms = {name: _term(mapping) for name, mapping in raw.get("mappings", {}).items()}
    return ActiveContext(raw, MappingProxyType(terms), raw.get("@vocab"), previous)


def _term(mapping: Mapping[str, Any] | None) -> Term | None:
    if mapping is None or mapping.get("@id") is None:
        return None
    container = mapping.get("@container") or ()
    return Term(
        iri=mapping["@id"],
        type=mapping.get("@type"),
        container=frozenset([container] if isinstance(container, str) else container),
        prefix=bool(mapping.get("_prefix")),
        scoped="@context" in mapping,
        reverse=bool(mapping.get("reverse")),
    )


@functools.cache
def pinned() -> Contexts:
    """The contexts that this system knows. Raises RuntimeError if an installed text is not the pinned one."""
    folder = resources.files("openbadgeslib.ob3.contexts")
    documents: dict[str, Mapping[str, Any]] = {}
    for url, (name, digest) in PINNED.items():
        text = folder.joinpath(name).read_bytes()
        if hashlib.sha256(text).hexdigest() != digest:
            raise RuntimeError(f"the installed text of {url} is not the one pinned here")
        documents[url] = json.loads(text)
    return Contexts(documents)
