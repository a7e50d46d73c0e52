"""Names are made harmless, types told by bytes; whatever is sent, the answer is a type or a refusal."""

from __future__ import annotations

import io
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contracts.refusals import Refusal
from foundation.artifacts import harmless_name, told_by_bytes
from foundation.artifacts.names import ENDINGS, LONGEST


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../x.pdf", "x.pdf"),
        ("C:\\Users\\me\\a.pdf", "a.pdf"),
        ("a\\b.pdf", "b.pdf"),
        ("con.pdf", "_con.pdf"),
        ("COM1.x.pdf", "_COM1.x.pdf"),
        ("\u202efdp.exe", "fdp.exe.pdf"),
        ("x.pdf\r\nSet-Cookie: a=b", "x.pdf Set-Cookie_ a=b.pdf"),
        ("", "artifact.pdf"),
        (None, "artifact.pdf"),
        ("...", "artifact.pdf"),
        (".pdf", "pdf.pdf"),
        ("plan v2.1", "plan v2.1.pdf"),
        ("PLAN.PDF", "PLAN.PDF"),
        ("a\0b.pdf", "ab.pdf"),
        ("x" * 300 + ".pdf", "x" * (LONGEST - 4) + ".pdf"),
        ("Señora Núñez’s café.pdf", "Señora Núñez’s café.pdf"),
    ],
)
def test_a_name_is_made_harmless(sent: str | None, kept: str) -> None:
    assert harmless_name(sent, "application/pdf") == kept


@given(st.text(max_size=400), st.sampled_from(sorted(ENDINGS)))
def test_any_name_becomes_a_harmless_one_that_stays_as_it_is(sent: str, media_type: str) -> None:
    kept = harmless_name(sent, media_type)
    assert 0 < len(kept) <= LONGEST
    assert not set(kept) & set('/\\<>:"|?*')
    assert all(unicodedata.category(character)[0] != "C" for character in kept)
    assert kept.lower().endswith(ENDINGS[media_type])
    assert harmless_name(kept, media_type) == kept


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
STARTS = st.sampled_from([b"", b"%PDF-1.7\n", PNG, b"\xff\xd8\xff\xe0", b"PK\x03\x04", b"\xef\xbb\xbf"])


@given(STARTS, st.binary(max_size=500), st.one_of(st.none(), st.text(max_size=20)))
@example(b"%PDF-1.7\n", b"1 0 obj<</Type/Pages/Kids[1 0 R]/Count 1>>endobj trailer<</Root 1 0 R>>", "a.pdf")
@example(b"%PDF-1.4\n", b"1 0 obj<</Pages 1 0 R/Kids[1 0 R 1 0 R]>>endobj\ntrailer<</Root 1 0 R/Prev 0>>", None)
def test_any_bytes_are_told_or_refused(start: bytes, rest: bytes, name: str | None) -> None:
    try:
        assert told_by_bytes(io.BytesIO(start + rest), name) in ENDINGS
    except Refusal as refusal:
        assert refusal.detail.endswith(".")  # noqa: PT017  # either is right
