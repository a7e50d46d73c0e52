"""Badges in pictures: one text, whole and unpacked, or a reason; pixels are never decoded."""

from __future__ import annotations

import io
import struct
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from services.credentials.baking import BakingFault, NoCredential, OtherKind, bake, extract
from tests.services.credentials.pictures import SIGNATURE, chunk, itxt, picture

TEXT = '{"name": "é 漢"}'.encode()
KEYWORD = b"openbadgecredential"
ONE = chunk(b"iTXt", itxt(KEYWORD, TEXT))


@given(st.binary(min_size=1, max_size=300))
def test_what_was_baked_comes_out(text: bytes) -> None:
    assert extract(bake(picture(), text)) == text


def test_the_baked_picture_is_the_same_picture() -> None:
    with Image.open(io.BytesIO(picture())) as before, Image.open(io.BytesIO(bake(picture(), TEXT))) as after:
        assert before.tobytes() == after.tobytes()
        after.load()
        assert after.text == {"openbadgecredential": TEXT.decode()}  # type: ignore[attr-defined]  # of PNG only


def test_a_picture_is_baked_once() -> None:
    with pytest.raises(BakingFault, match="already"):
        bake(bake(picture(), TEXT), TEXT)
    with pytest.raises(BakingFault):
        bake(b"GIF89a", TEXT)


def test_a_picture_that_claims_to_be_huge_is_read_by_its_text() -> None:
    assert extract(picture([ONE], declared=(60000, 60000))) == TEXT


HOSTILE: dict[str, tuple[bytes, str]] = {
    "crc": (picture([chunk(b"iTXt", itxt(KEYWORD, TEXT), crc=0)]), "checksum"),
    "crc of pixels": (picture([ONE]).replace(chunk(b"IEND", b""), chunk(b"IEND", b"", crc=1)), "checksum"),
    "cut": (picture([ONE])[:-20], "cut|longer"),
    "cut at the end": (picture([ONE])[:-1], "cut|longer"),
    "packed": (picture([chunk(b"iTXt", itxt(KEYWORD, TEXT, packed=True))]), "packed"),
    "bomb": (picture([chunk(b"iTXt", itxt(KEYWORD, b" " * 100_000_000, packed=True))]), "packed"),
    "two": (picture([ONE, chunk(b"iTXt", itxt(KEYWORD, b"{}"))]), "more than one"),
    "twin": (picture([ONE, ONE]), "more than one"),
    "old and new": (picture([chunk(b"tEXt", b"openbadges\0https://b.example/1.json"), ONE]), "more than one"),
    "text": (picture([chunk(b"tEXt", KEYWORD + b"\0" + TEXT)]), "iTXt"),
    "packed text": (picture([chunk(b"zTXt", KEYWORD + b"\0\0" + zlib.compress(TEXT))]), "iTXt"),
    "after the end": (picture() + ONE, "after"),
    "length": (SIGNATURE + struct.pack(">I", 0xFFFFFFF0) + b"iTXtx", "cut|longer"),
    "no header": (SIGNATURE + ONE + picture()[8:], "header"),
    "two headers": (picture([picture()[8:33]]), "header"),
    "no pixels": (SIGNATURE + picture()[8:33] + ONE + chunk(b"IEND", b""), "pixels"),
    "signature": (SIGNATURE, "cut"),
    "odd kind": (picture([chunk(b"1234", b"")]), "damaged"),
    "short text": (picture([chunk(b"iTXt", KEYWORD + b"\0\0")]), "damaged"),
    "flag": (picture([chunk(b"iTXt", KEYWORD + b"\0\7\0\0\0{}")]), "damaged"),
    "no language": (picture([chunk(b"iTXt", KEYWORD + b"\0\0\0xx")]), "damaged"),
    "chunks": (SIGNATURE + picture()[8:33] + chunk(b"abCd", b"") * 100_001, "more than"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_damaged_or_hostile_picture_gives_its_reason(name: str) -> None:
    data, reason = HOSTILE[name]
    began = time.process_time()
    with pytest.raises(BakingFault, match=reason):
        extract(data)
    assert time.process_time() - began < 1


def test_a_picture_without_a_credential_or_with_an_older_one_says_so() -> None:
    with pytest.raises(NoCredential):
        extract(picture([chunk(b"iTXt", itxt(b"Comment", TEXT))]))
    with pytest.raises(OtherKind, match="Open Badges 2"):
        extract(picture([chunk(b"iTXt", itxt(b"openbadges", TEXT))]))
    with pytest.raises(OtherKind, match="CLR"):
        extract(picture([chunk(b"iTXt", itxt(b"clrcredential", TEXT))]))
