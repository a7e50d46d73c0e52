"""Contexts, statements and the canonical form: everything that a document says, and nothing else, is signed."""

from __future__ import annotations

import contextlib
import hashlib
import random
import time
from typing import Any

import pyoxigraph
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyld import jsonld

from services.credentials.canonical import MAX_WORK, Poison, Work, canonical, canonical_lines
from services.credentials.contexts import (
    CREDENTIALS_V2,
    EXTENSIONS,
    OPEN_BADGES,
    PINNED,
    ActiveContext,
    ContextFault,
    NotPinned,
    pinned,
)
from services.credentials.statements import NotRead, Quad, Undefined, Unsaid, statements
from tests.services.credentials.badges import change, example

CONTEXTS = pinned()


def plain(document: dict[str, Any]) -> str:
    """The oracle: pyld's JSON-LD to RDF, pyoxigraph's RDFC-1.0."""

    def load(url: str, options: Any) -> dict[str, Any]:
        return {"contextUrl": None, "documentUrl": url, "document": dict(CONTEXTS.document(url))}

    quads = jsonld.to_rdf(document, {"format": "application/n-quads", "base": "", "documentLoader": load})
    dataset = pyoxigraph.Dataset(pyoxigraph.parse(quads.encode(), pyoxigraph.RdfFormat.N_QUADS))
    dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0)
    return "".join(sorted(f"{quad} .\n" for quad in dataset))


def test_worked_example_has_its_known_canonical_form() -> None:
    form = canonical(example(), CONTEXTS)
    assert form.count("\n") == 44
    assert (
        hashlib.sha256(form.encode()).hexdigest() == "12a0554c178b3703e1d6270b8490bc7274c2516032b0719f7916b39abf588a5e"
    )
    assert form == plain(example())


def test_order_of_members_and_of_sets_changes_nothing() -> None:
    document = dict(reversed(example().items()))
    document["credentialSubject"]["achievement"]["resultDescription"][0]["rubricCriterionLevel"].reverse()
    assert canonical(document, CONTEXTS) == canonical(example(), CONTEXTS)


def test_contexts_that_contradict_each_other_are_refused() -> None:
    """Context 3.0.1 defines `name` anew, which the credentials context protects."""
    with pytest.raises(Undefined) as refused:
        canonical(
            change(example(), "@context", 1, to="https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json"), CONTEXTS
        )
    assert refused.value.pointer == "/@context"
    with pytest.raises(Undefined) as refused:
        canonical(change(example(), "issuer", "type", to=["Profile", "cnf"]), CONTEXTS)
    assert refused.value.pointer == "/issuer"


def test_contexts_are_pinned_by_digest() -> None:
    assert all(CONTEXTS.knows(url) for url in PINNED)
    assert not CONTEXTS.knows(CREDENTIALS_V2 + "/")
    with pytest.raises(NotPinned):
        CONTEXTS.active([CREDENTIALS_V2, "https://evil.example/context"])


@pytest.mark.parametrize(
    "urls",
    [
        [CREDENTIALS_V2],
        [CREDENTIALS_V2, OPEN_BADGES],
        [CREDENTIALS_V2, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json"],
        [CREDENTIALS_V2, "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json", OPEN_BADGES],
    ],
)
def test_what_verifying_reads_has_one_name_only(urls: list[str]) -> None:
    """Else a member could be renamed to another term of the same meaning: signed still, and read no more."""
    read = {
        "credentialStatus",
        "credentialSubject",
        "validFrom",
        "validUntil",
        "issuer",
        "proof",
        "achievement",
        "refreshService",
        "endorsement",
        "identifier",
        "identityHash",
        "salt",
        "statusListIndex",
        "statusListCredential",
        "statusPurpose",
        "statusSize",
        "encodedList",
        "id",
        "type",
    }
    active = CONTEXTS.active(urls)
    scopes = [active]
    for name in active.terms:
        with contextlib.suppress(ContextFault):  # some names are types nowhere
            scopes.append(CONTEXTS.for_types(active, [name]))
    names: dict[str, set[str]] = {}
    for scope in scopes:
        for name, term in scope.terms.items():
            if term is not None:
                names.setdefault(term.iri, set()).add(name)
    for same in names.values():
        if same & read:
            assert len(same) == 1, same


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
absolute = st.sampled_from(["https://a.example/1", "urn:uuid:1", "did:web:x.example", "https://a.example/2#x"])
numbers = st.one_of(st.integers(-1000, 1000), st.floats(-1e9, 1e9).filter(lambda x: not x.is_integer()))
alignment = st.fixed_dictionaries(
    {"type": st.just(["Alignment"]), "targetName": texts, "targetUrl": absolute},
    optional={"targetCode": texts, "targetType": texts},
)
description = st.fixed_dictionaries(
    {"type": st.just(["ResultDescription"]), "name": texts, "resultType": texts},
    optional={
        "allowedValue": st.lists(texts, min_size=0, max_size=4),
        "id": absolute,
        "valueMax": texts,
        "rubricCriterionLevel": st.lists(
            st.fixed_dictionaries({"type": st.just(["RubricCriterionLevel"]), "name": texts, "level": texts}),
            min_size=1,
            max_size=3,
        ),
    },
)
result = st.fixed_dictionaries(
    {"type": st.just(["Result"])},
    optional={
        "value": texts,
        "status": texts,
        "resultDescription": absolute,
        "alignment": st.lists(alignment, min_size=1),
    },
)
badges = st.fixed_dictionaries(
    {
        "@context": st.just([CREDENTIALS_V2, OPEN_BADGES]),
        "type": st.permutations(["VerifiableCredential", "OpenBadgeCredential"]),
        "issuer": st.one_of(
            absolute,
            st.fixed_dictionaries(
                {"id": absolute, "type": st.just(["Profile"]), "name": texts}, optional={"url": texts, "phone": texts}
            ),
        ),
        "validFrom": st.just("2026-09-01T12:00:00Z"),
        "credentialSubject": st.fixed_dictionaries(
            {"type": st.just(["AchievementSubject"])},
            optional={
                "id": absolute,
                "creditsEarned": numbers,
                "result": st.lists(result, min_size=1, max_size=4),
                "achievement": st.fixed_dictionaries(
                    {"type": st.just(["Achievement"]), "criteria": st.fixed_dictionaries({"narrative": texts})},
                    optional={
                        "id": absolute,
                        "name": texts,
                        "tag": st.lists(texts, min_size=1, max_size=3),
                        "creditsAvailable": numbers,
                        "alignment": st.lists(alignment, min_size=1, max_size=4),
                        "resultDescription": st.lists(description, min_size=1, max_size=2),
                        "image": st.one_of(absolute, st.fixed_dictionaries({"id": absolute, "type": st.just("Image")})),
                    },
                ),
            },
        ),
    },
    optional={
        "id": absolute,
        "name": texts,
        "evidence": st.lists(
            st.fixed_dictionaries({"type": st.just(["Evidence"])}, optional={"id": absolute, "narrative": texts}),
            min_size=1,
            max_size=3,
        ),
    },
)


@settings(max_examples=150, deadline=None)
@given(badges)
def test_canonical_form_is_that_of_pyld_and_pyoxigraph(document: dict[str, Any]) -> None:
    try:
        form = canonical(document, CONTEXTS)
    except Undefined:  # a term out of place for its type: then pyld drops it without a word
        return
    assert form == plain(document)


SETS = [
    [CREDENTIALS_V2, OPEN_BADGES],
    [CREDENTIALS_V2],
    [CREDENTIALS_V2, OPEN_BADGES, EXTENSIONS],
    [CREDENTIALS_V2, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json"],
    [CREDENTIALS_V2, "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json", OPEN_BADGES],
    [CREDENTIALS_V2, "https://w3id.org/security/data-integrity/v2"],
    ["https://w3id.org/security/multikey/v1"],
]


def any_document(chance: random.Random) -> dict[str, Any]:
    """A document of terms and types that its contexts define, put together without sense."""
    urls = chance.choice(SETS)
    base = CONTEXTS.active(urls)
    types = [name for name, term in base.terms.items() if term is not None and term.scoped and term.iri[0] != "@"]

    def node(active: ActiveContext, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        named = chance.sample(types, min(len(types), chance.choice([0, 1, 1, 1, 2])))
        if named:
            found["type"] = named if len(named) > 1 else chance.choice([named, named[0]])
        if chance.random() < 0.5:
            found["id"] = chance.choice(["urn:x:1", "urn:x:2", "https://a.example/1"])
        scope = active.previous or active
        with contextlib.suppress(ContextFault):
            scope = CONTEXTS.for_types(scope, named)
        names = [name for name, term in scope.terms.items() if term is not None and term.iri[0] != "@"]

        def value(kind: str | None) -> Any:
            if depth < 3 and chance.random() < 0.35:
                return node(scope, depth + 1)
            if kind == "@id":
                return chance.choice(["urn:x:1", "https://a.example/1"])
            if kind == "@vocab":
                return chance.choice([*names, "urn:x:9"])
            return chance.choice(["s", 't"\\', True, False, 3, 2.5, -7, "2026-01-01T00:00:00Z", "urn:x:2"])

        for name in chance.sample(names, min(len(names), chance.randrange(5))):
            term = scope.terms[name]
            assert term is not None
            one = chance.random() < 0.6
            found[name] = value(term.type) if one else [value(term.type) for _ in range(chance.randrange(1, 4))]
        return found

    return {**node(base, 0), "@context": urls}


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=False))
def test_whatever_is_read_is_read_as_pyld_reads_it(chance: random.Random) -> None:
    document = any_document(chance)
    try:
        form = canonical(document, CONTEXTS)
    except Unsaid:
        return
    assert form == plain(document)


def test_one_document_does_not_decide_about_the_next() -> None:
    """A term's own context may redefine what is protected, a type's may not; here one is the same context."""
    urls = [CREDENTIALS_V2, "https://w3id.org/security/data-integrity/v2"]
    by_type = {"@context": urls, "type": ["cnf", "BitstringStatusListEntry"], "exp": 1}
    by_term = {"@context": urls, "type": ["BitstringStatusListEntry"], "cnf": {"kid": "urn:x:1"}}
    for _ in range(2):
        with pytest.raises(Undefined):
            canonical(by_type, CONTEXTS)
        assert canonical(by_term, CONTEXTS) == plain(by_term)


def test_endorsements_bring_their_own_contexts_and_proofs() -> None:
    endorsed = change(
        example(),
        "endorsement",
        to=[
            {
                "@context": example()["@context"],
                "id": "urn:uuid:5d4c7a8e-2f5c-4a63-9c0e-1f2a3b4c5d6e",
                "type": ["VerifiableCredential", "EndorsementCredential"],
                "validFrom": "2026-09-01T12:00:00Z",
                "issuer": {"id": "did:web:c.example", "type": ["Profile"], "name": "A university"},
                "credentialSubject": {
                    "id": "https://b.example/a/il",
                    "type": ["EndorsementSubject"],
                    "endorsementComment": "Sound.",
                },
                "proof": {
                    "type": "DataIntegrityProof",
                    "cryptosuite": "eddsa-rdfc-2022",
                    "proofPurpose": "assertionMethod",
                    "created": "2026-09-01T12:00:00Z",
                    "verificationMethod": "did:web:c.example#1",
                    "proofValue": "z1",
                },
            }
        ],
    )
    assert canonical(endorsed, CONTEXTS) == plain(endorsed)


def test_numbers_have_the_form_of_the_standard() -> None:
    """JSON-LD 1.1 API section 8.6: 3.0 is the integer 3; other fractions have an exponent."""
    for number, text in ((3.0, '"3"^^'), (-0.0, '"0"^^'), (2.5, '"2.5E0"^^'), (0.00001, '"1.0E-5"^^'), (7, '"7"^^')):
        form = canonical(change(example(), "credentialSubject", "creditsEarned", to=number), CONTEXTS)
        assert f"{text}<https://www.w3.org/2001/XMLSchema#float>" in form


def test_control_characters_are_escaped_as_the_canonical_form_asks() -> None:
    document = change(example(), "name", to='a\x01\x7f\t\b\f\r\n"\\é\u2028')
    assert '"a\\u0001\\u007F\\t\\b\\f\\r\\n\\"\\\\é\u2028"' in canonical(document, CONTEXTS)


UNSAID = [
    (("principalLevel",), "x", Undefined, "/principalLevel", "undefined"),
    (("credentialSubject", "overallLevel"), "x", Undefined, "/credentialSubject/overallLevel", "undefined"),
    (("issuer", "licensedBy"), "x", Undefined, "/issuer/licensedBy", "undefined"),
    (
        ("credentialSubject", "achievement", "a/b~c"),
        "x",
        Undefined,
        "/credentialSubject/achievement/a~1b~0c",
        "undefined",
    ),
    (
        ("https://www.w3.org/2018/credentials#credentialStatus",),
        {"id": "urn:x:1"},
        Undefined,
        "/https:~1~1www.w3.org~12018~1credentials#credentialStatus",
        "not by its IRI",
    ),
    (("@id",), "urn:x:2", Undefined, "/@id", "keyword"),
    (("@graph",), [], Undefined, "/@graph", "keyword"),
    (("@reverse",), {}, Undefined, "/@reverse", "keyword"),
    (("@type",), "X", Undefined, "/@type", "keyword"),
    (("type",), ["VerifiableCredential", "Nonsense"], Undefined, "/type/1", "undefined"),
    (("type",), ["VerifiableCredential", "id"], Undefined, "/type/1", "undefined"),
    (("id",), "credentials/7", Unsaid, "/id", "absolute"),
    (("id",), "", Unsaid, "/id", "absolute"),
    (("id",), 7, Unsaid, "/id", "absolute"),
    (("id",), "_:b0", Unsaid, "/id", "absolute"),
    (("id",), "https://a.example/<x>", Unsaid, "/id", "absolute"),
    (("issuer",), "example", Unsaid, "/issuer", "absolute"),
    (("name",), None, Unsaid, "/name", "null"),
    (("credentialSubject", "result"), [], Unsaid, "/credentialSubject/result", "empty array"),
    (("credentialSubject", "result"), [[]], Unsaid, "/credentialSubject/result/0", "array in an array"),
    (("type",), [], Unsaid, "/type", "empty"),
    (("type",), 7, Unsaid, "/type", "text"),
    (("name",), 2**53, Unsaid, "/name", "large"),
    (("proof",), "x", Unsaid, "/proof", "object"),
    (("name",), {"@value": "x", "@language": "en"}, NotRead, "/name/@value", "language"),
    (("@context",), [CREDENTIALS_V2, "https://evil.example/c"], NotRead, "/@context/1", "not pinned"),
    (("@context",), [CREDENTIALS_V2, {"x": "urn:x:x"}], NotRead, "/@context/1", "not pinned"),
    (("@context",), [], Undefined, "/@context", "no context"),
    (("@context",), None, Undefined, "/@context", ""),
    (("issuer", "@context"), {"name": "urn:x:x"}, NotRead, "/issuer/@context", "inside"),
]


@pytest.mark.parametrize(("path", "value", "kind", "pointer", "word"), UNSAID)
def test_what_a_signature_would_not_cover_is_refused_with_its_place(
    path: tuple[str, ...], value: Any, kind: type[Unsaid], pointer: str, word: str
) -> None:
    with pytest.raises(kind) as refused:
        canonical(change(example(), *path, to=value), CONTEXTS)
    assert refused.value.pointer == pointer
    assert word in refused.value.detail


def clique(size: int) -> set[Quad]:
    """Blank nodes all tied to each other: the poison of W3C's rdf-canon test074c."""
    return {Quad(f"_:e{a}", "<http://example.com/p>", f"_:e{b}", "") for a in range(size) for b in range(size)}


@pytest.mark.parametrize("size", [8, 10, 40, 140])
def test_poison_ends_soon(size: int) -> None:
    began = time.process_time()
    with pytest.raises(Poison):
        canonical_lines(clique(size))
    assert time.process_time() - began < 1.0


def test_poison_spends_the_budget_of_the_whole_request() -> None:
    work = Work(MAX_WORK)
    with pytest.raises(Poison):
        canonical_lines(clique(10), work)
    assert work.left <= 0


def test_alike_nodes_of_honest_size_have_a_form_whatever_their_names() -> None:
    """W3C rdf-canon: isomorphic datasets have one canonical form. Two triangles, and six nodes in a ring."""
    p = "<http://example.com/p>"
    triangles = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "e"), ("e", "f"), ("f", "d")]
    ring = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f"), ("f", "a")]
    forms = []
    for edges in (triangles, ring):
        plain_form = canonical_lines({Quad(f"_:{x}", p, f"_:{y}", "") for x, y in edges})
        renamed = canonical_lines({Quad(f"_:x{ord(y)}", p, f"_:x{ord(x)}", "") for y, x in reversed(edges)})
        assert plain_form == renamed
        dataset = pyoxigraph.Dataset(
            pyoxigraph.parse("".join(f"_:{x} {p} _:{y} .\n" for x, y in edges).encode(), pyoxigraph.RdfFormat.N_QUADS)
        )
        dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0)
        assert plain_form == sorted(f"{quad} .\n" for quad in dataset)
        forms.append(plain_form)
    assert forms[0] != forms[1]


nodes = st.sampled_from(["_:a", "_:b", "_:c", "_:d", "<urn:x:1>"])


@settings(max_examples=200, deadline=None)
@given(
    st.sets(
        st.tuples(nodes, st.sampled_from(["<urn:p:1>", "<urn:p:2>"]), nodes, st.sampled_from(["", "<urn:g:1>"])),
        max_size=8,
    )
)
def test_canonical_form_of_any_small_dataset_is_that_of_pyoxigraph(quads: set[tuple[str, str, str, str]]) -> None:
    """Graphs have names here: with several blank graph names RDFC-1.0 itself gives two forms to one dataset
    (a p a g. c p d a. d p c g.), in pyoxigraph, in pyld and in ours; no credential holds such."""
    text = "".join(f"{s} {p} {o} {g + ' ' if g else ''}.\n" for s, p, o, g in quads)
    dataset = pyoxigraph.Dataset(pyoxigraph.parse(text.encode(), pyoxigraph.RdfFormat.N_QUADS))
    dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0)
    assert canonical_lines({Quad(*quad) for quad in quads}) == sorted(f"{quad} .\n" for quad in dataset)


def test_a_stranger_cannot_make_us_derive_contexts_without_end() -> None:
    active = CONTEXTS.active([CREDENTIALS_V2, OPEN_BADGES])
    types = [name for name, term in active.terms.items() if term is not None and term.scoped]
    combinations = [{"type": [a, b, c]} for a in types[:20] for b in types[:20] for c in types[:20] if a < b < c]
    began = time.process_time()
    with pytest.raises(Unsaid):
        statements(change(example(), "evidence", to=combinations), CONTEXTS)
    assert time.process_time() - began < 2.0
