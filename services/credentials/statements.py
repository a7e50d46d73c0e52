"""What a document says: its JSON turned into RDF statements, losing nothing on the way.

A signature over RDF covers what the JSON *means*; a member that means nothing is not covered, and a member
written under another name means the same. So this reader takes exactly one way of writing each statement:
members are terms that the contexts define, ids are absolute, and nothing stands there that says nothing.
Everything else is refused with its place. It is JSON-LD 1.1 to RDF (JSON-LD 1.1 API sections 5.1, 5.2, 8)
for documents in compacted form with known contexts, as VC Data Model 2.0 section 6.1 asks; tests compare it
with pyld on what both take.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from contracts.strict_json import escape

from .contexts import MAX_CONTEXTS, ActiveContext, ContextFault, Contexts, NotPinned, Term

RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XSD: Final = "http://www.w3.org/2001/XMLSchema#"
RDF_TYPE: Final = f"<{RDF}type>"

MAX_STATEMENTS: Final = 20_000
MAX_NODES: Final = 4_000
MAX_TYPES: Final = 16
MAX_NEW_CONTEXTS: Final = 64  # combinations of types never seen before cost about 1 ms each
SAFE_INTEGER: Final = 2**53 - 1  # beyond it two readers of JSON read two numbers (RFC 8259 section 6)

IRI: Final = re.compile(r'[A-Za-z][A-Za-z0-9+.\-]*:[^\x00-\x20\x7f<>"{}|^`\\\ud800-\udfff]*')
_MUST_ESCAPE = re.compile(r'[\x00-\x1f\x7f"\\]')
_ESCAPES = {"\t": "\\t", "\b": "\\b", "\n": "\\n", "\r": "\\r", "\f": "\\f", '"': '\\"', "\\": "\\\\"}
_NESTED_CONTEXTS_UNDER: Final = frozenset({"endorsement", "verifiableCredential"})


class Unsaid(ValueError):
    """A document that has no canonical form, and why. `pointer` is the place (RFC 6901).

    `check` is the check that tells it: `context`, or `structure`.
    """

    check = "structure"

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(f"{pointer or '(whole document)'}: {detail}")
        self.pointer = pointer
        self.detail = detail


class Undefined(Unsaid):
    """A term that no context of the document defines, or contexts that contradict each other."""

    check = "context"


class NotRead(Unsaid):
    """Legal, but not read here: a context that is not pinned, or a form that we do not know."""

    check = "context"


class Quad(NamedTuple):
    """One statement; each part as it stands in canonical N-Quads, `graph` empty for the default graph."""

    subject: str
    predicate: str
    object: str
    graph: str


def statements(document: Mapping[str, Any], contexts: Contexts, *, at: str = "") -> list[Quad]:
    """All statements of a document, each once, in the order of reading. Blank nodes are `_:b0`, `_:b1`, …

    `at` is the pointer under which places are named. Raises Unsaid.
    """
    reading = _Reading(contexts)
    active = reading.context(document.get("@context"), f"{at}/@context", None)
    reading.node(active, document, at, "", None)
    return list(reading.quads)


class _Reading:
    def __init__(self, contexts: Contexts) -> None:
        self.contexts = contexts
        self.quads: dict[Quad, None] = {}
        self.blank = 0
        self.nodes = 0
        self.new_contexts = contexts.derived + MAX_NEW_CONTEXTS

    def context(self, value: Any, at: str, on: ActiveContext | None) -> ActiveContext:
        urls = [value] if isinstance(value, str) else value
        if not isinstance(urls, list) or not urls:
            raise Undefined(at, "names no context, so every term is undefined")
        if len(urls) > MAX_CONTEXTS:
            raise Undefined(at, f"more than {MAX_CONTEXTS} contexts")
        for index, url in enumerate(urls):
            if not isinstance(url, str):
                raise NotRead(f"{at}/{index}", "a context written into the document is not pinned here")
        try:
            return self.contexts.active(urls, on)
        except NotPinned as unknown:
            index = urls.index(unknown.url)
            raise NotRead(f"{at}/{index}" if isinstance(value, list) else at, str(unknown)) from None
        except ContextFault as fault:
            raise Undefined(at, str(fault)) from None

    def fresh(self) -> str:
        name = f"_:b{self.blank}"
        self.blank += 1
        return name

    def say(self, subject: str, predicate: str, value: str, graph: str) -> None:
        self.quads[Quad(subject, predicate, value, graph)] = None
        if len(self.quads) > MAX_STATEMENTS:
            raise Unsaid("", f"more than {MAX_STATEMENTS} statements")

    def node(self, active: ActiveContext, element: Mapping[str, Any], at: str, graph: str, name: str | None) -> str:
        """Says all of one node object; returns the node. `name` is the member that it stands under."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise Unsaid(at, f"more than {MAX_NODES} objects")
        if name is not None:
            definer, term = active, active.terms.get(name)
            # A type-scoped context ends with its node, but for a bare reference (section 5.1.2 step 7, 8).
            if active.previous is not None and not (len(element) == 1 and "id" in element):
                active = active.previous
            if term is not None and term.scoped:
                active = self.property_scoped(active, definer, name, at)
            if "@context" in element:
                if name not in _NESTED_CONTEXTS_UNDER:
                    raise NotRead(f"{at}/@context", "a context inside the document is not read here")
                active = self.context(element["@context"], f"{at}/@context", active)
        outer = active  # types are named by the terms from outside
        types = self.types(active, element, at)
        if types:
            try:
                active = self.contexts.for_types(active, types)
            except ContextFault as fault:
                raise Undefined(at, str(fault)) from None
            if self.contexts.derived > self.new_contexts:
                raise Unsaid(at, "too many different combinations of types")
        subject = self.identity(active, element, at)
        for key in element:
            if key == "@context":
                continue
            term = active.terms.get(key)
            if term is None:
                predicate = self.undefined_term(active, key, at)
                self.values(
                    active,
                    key,
                    Term(predicate, None, frozenset(), False, False, False),
                    element[key],
                    f"{at}/{escape(key)}",
                    subject,
                    graph,
                )
            elif term.iri == "@id":
                continue
            elif term.iri == "@type":
                for index, type_ in enumerate(types):
                    where = f"{at}/{escape(key)}" + (f"/{index}" if isinstance(element[key], list) else "")
                    self.say(subject, RDF_TYPE, self.vocabulary(outer, type_, where), graph)
            elif term.iri[0] == "@" or term.reverse:
                raise NotRead(f"{at}/{escape(key)}", f"the keyword {term.iri} is not read here")
            else:
                self.values(active, key, term, element[key], f"{at}/{escape(key)}", subject, graph)
        return subject

    def undefined_term(self, active: ActiveContext, key: str, at: str) -> str:
        """The IRI of a member that is no term: only by a vocabulary that the contexts set; else raises."""
        place = f"{at}/{escape(key)}"
        if key in ("@value", "@language", "@direction"):
            raise NotRead(place, "text with a language or direction is not read here")
        if key.startswith("@"):
            raise Undefined(place, f"the keyword {key} stands where the contexts define a term")
        if ":" in key:
            raise Undefined(place, "undefined: a member is named by a term of the contexts, not by its IRI")
        if active.vocab is None or key in active.terms or not IRI.fullmatch(active.vocab + key):
            raise Undefined(place, f"the term {key!r} is undefined in the contexts of this document")
        return active.vocab + key

    def types(self, active: ActiveContext, element: Mapping[str, Any], at: str) -> list[str]:
        found: list[str] = []
        for key in element:
            term = active.terms.get(key)
            if term is None or term.iri != "@type":
                continue
            value = element[key]
            names = value if isinstance(value, list) else [value]
            if found or not names:
                raise Unsaid(f"{at}/{escape(key)}", "types are named once and not by an empty array")
            if len(names) > MAX_TYPES:
                raise Unsaid(f"{at}/{escape(key)}", f"more than {MAX_TYPES} types")
            for type_ in names:
                if not isinstance(type_, str):
                    raise Unsaid(f"{at}/{escape(key)}", "a type is named by text")
            found = names
        return found

    def identity(self, active: ActiveContext, element: Mapping[str, Any], at: str) -> str:
        found = None
        for key in element:
            term = active.terms.get(key)
            if term is None or term.iri != "@id":
                continue
            if found is not None:
                raise Unsaid(f"{at}/{escape(key)}", "a second id")
            found = self.absolute(active, element[key], f"{at}/{escape(key)}")
        return found or self.fresh()

    def absolute(self, active: ActiveContext, value: Any, at: str) -> str:
        """`<IRI>` of an absolute IRI that means itself under these contexts."""
        if not isinstance(value, str) or not IRI.fullmatch(value):
            raise Unsaid(at, "an id is an absolute URL or URI")
        scheme, rest = value.split(":", 1)
        prefix = active.terms.get(scheme)
        if prefix is not None and prefix.prefix and not rest.startswith("//"):
            raise Unsaid(at, f"an id written short, with the prefix {scheme!r}, is not read here")
        return f"<{value}>"

    def vocabulary(self, active: ActiveContext, value: str, at: str) -> str:
        """`<IRI>` of a type or other word of the vocabulary."""
        term = active.terms.get(value)
        if term is not None:
            if term.iri[0] == "@":
                raise Undefined(at, f"the keyword {term.iri} stands where a type belongs: undefined")
            return f"<{term.iri}>"
        if ":" in value:
            return self.absolute(active, value, at)
        if active.vocab is not None and value not in active.terms and IRI.fullmatch(active.vocab + value):
            return f"<{active.vocab}{value}>"
        raise Undefined(at, f"{value!r} is undefined in the contexts of this document")

    def property_scoped(self, active: ActiveContext, definer: ActiveContext, name: str, at: str) -> ActiveContext:
        try:
            return self.contexts.for_property(active, definer, name)
        except ContextFault as fault:
            raise Undefined(at, str(fault)) from None

    def values(
        self, active: ActiveContext, name: str, term: Term, value: Any, at: str, subject: str, graph: str
    ) -> None:
        if not term.container <= {"@set", "@list", "@graph"} or term.type == "@json":
            raise NotRead(at, "this kind of value is not read here")
        predicate = f"<{term.iri}>"
        if "@list" in term.container:
            self.say(subject, predicate, self.list(active, name, term, value, at, graph), graph)
            return
        if isinstance(value, list):
            if not value:
                raise Unsaid(at, "an empty array says nothing and no signature covers it")
            for index, member in enumerate(value):
                place = f"{at}/{index}"
                self.say(subject, predicate, self.value(active, name, term, member, place, graph), graph)
        else:
            self.say(subject, predicate, self.value(active, name, term, value, at, graph), graph)

    def list(self, active: ActiveContext, name: str, term: Term, value: Any, at: str, graph: str) -> str:
        head = f"<{RDF}nil>"
        members = value if isinstance(value, list) else [value]
        items = [self.value(active, name, term, member, f"{at}/{index}", graph) for index, member in enumerate(members)]
        for item in reversed(items):
            cell = self.fresh()
            self.say(cell, f"<{RDF}first>", item, graph)
            self.say(cell, f"<{RDF}rest>", head, graph)
            head = cell
        return head

    def value(self, active: ActiveContext, name: str, term: Term, value: Any, at: str, graph: str) -> str:
        if isinstance(value, dict):
            if "@graph" in term.container:
                inner = self.fresh()
                self.node(active, value, at, inner, name)
                return inner
            return self.node(active, value, at, graph, name)
        if value is None:
            raise Unsaid(at, "null says nothing and no signature covers it")
        if isinstance(value, list):
            raise Unsaid(at, "an array in an array")
        if "@graph" in term.container:
            raise Unsaid(at, "an object belongs here")
        if isinstance(value, str):
            if term.type == "@id":
                return self.absolute(active, value, at)
            if term.type == "@vocab":
                if term.scoped:
                    active = self.property_scoped(active, active, name, at)
                return self.vocabulary(active, value, at)
        return _literal(value, term.type, at)


def _literal(value: str | int | float, type_: str | None, at: str) -> str:
    """A literal as canonical N-Quads write it (JSON-LD 1.1 API section 8.6; RDFC-1.0 appendix A)."""
    datatype = None if type_ in (None, "@id", "@vocab", "@none") else type_
    if isinstance(value, str):
        text = value
        if _MUST_ESCAPE.search(text):
            text = _MUST_ESCAPE.sub(lambda m: _ESCAPES.get(m[0]) or f"\\u{ord(m[0]):04X}", text)
    elif isinstance(value, bool):
        text, datatype = "true" if value else "false", datatype or f"{XSD}boolean"
    else:
        if abs(value) > SAFE_INTEGER:
            raise Unsaid(at, "a number so large that two readers may read it differently")
        if datatype != f"{XSD}double" and float(value).is_integer():
            text, datatype = str(int(value)), datatype or f"{XSD}integer"
        else:
            mantissa, exponent = f"{float(value):.15E}".split("E")
            mantissa = mantissa.rstrip("0")
            text = f"{mantissa}{'0' if mantissa.endswith('.') else ''}E{int(exponent)}"
            datatype = datatype or f"{XSD}double"
    if datatype is None or datatype == f"{XSD}string":
        return f'"{text}"'
    return f'"{text}"^^<{datatype}>'
