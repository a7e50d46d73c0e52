"""Bitstring status lists: bits in their order, bounded unpacking."""

from __future__ import annotations

import base64
import gzip
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.credentials.status_list import (
    MAX_BYTES,
    MIN_ENTRIES,
    Bits,
    Entry,
    StatusFault,
    decode,
    encode,
    list_entry,
    parse_entry,
    read_list,
    set_bit,
)
from tests.services.credentials.badges import LIST, Issuer


def packed(data: bytes) -> str:
    return "u" + base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@given(st.sets(st.integers(0, MIN_ENTRIES - 1), max_size=20))
def test_what_is_set_is_read_and_nothing_else(ones: set[int]) -> None:
    data = bytearray(MIN_ENTRIES // 8)
    for one in ones:
        set_bit(data, one)
    bits = Bits(("revocation",), decode(encode(data)))
    assert sum(byte.bit_count() for byte in bits.data) == len(ones)
    assert all(bits.value(Entry("revocation", LIST, one)) for one in ones)
    for one in ones:
        set_bit(data, one, False)
    assert not any(data)


def test_index_0_is_the_left_most_bit_of_the_first_byte() -> None:
    data = bytearray(MIN_ENTRIES // 8)
    set_bit(data, 0)
    assert data[0] == 0x80
    assert Bits(("x",), bytes(data)).value(Entry("x", LIST, 0)) == 1


def test_entries_of_several_bits() -> None:
    data = bytearray(MIN_ENTRIES // 2)
    data[1] = 0b0010_0111
    bits = Bits(("message",), bytes(data))
    assert [bits.value(Entry("message", LIST, index, 4)) for index in (1, 2, 3)] == [0, 2, 7]
    with pytest.raises(StatusFault, match="LENGTH"):
        bits.value(Entry("message", LIST, 0, 8))


def test_the_same_bits_give_the_same_text() -> None:
    assert encode(bytes(16384)) == encode(bytearray(16384))


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        "u",
        "x",
        "uH4sI",
        encode(bytes(16384))[1:],
        "u!" + encode(bytes(16384))[2:],
        encode(bytes(16384))[:-4],
        packed(gzip.compress(bytes(100), mtime=0) + b"x"),
        packed(zlib.compress(bytes(16384))),
        packed(b"\0" * 40),
        encode(bytes(9)) + "=",
        "uA",
        "u" + "A" * 5,
    ],
)
def test_a_list_of_another_form_is_refused(text: object) -> None:
    with pytest.raises(StatusFault):
        decode(text)


def test_a_zip_bomb_is_refused_unopened() -> None:
    bomb = packed(gzip.compress(bytes(300 * 2**20), 9, mtime=0))
    assert len(bomb) < 512 * 1024
    began = time.process_time()
    with pytest.raises(StatusFault, match=str(MAX_BYTES)):
        decode(bomb)
    assert time.process_time() - began < 1


def test_faults_have_the_standards_names() -> None:
    bits = Bits(("revocation",), bytes(MIN_ENTRIES // 8))
    for entry, code in (
        (Entry("revocation", LIST, MIN_ENTRIES), "RANGE_ERROR"),
        (Entry("suspension", LIST, 0), "STATUS_VERIFICATION_ERROR"),
    ):
        with pytest.raises(StatusFault) as refused:
            bits.value(entry)
        assert refused.value.code == code
    with pytest.raises(StatusFault) as refused:
        Bits(("revocation",), bytes(100)).value(Entry("revocation", LIST, 0))
    assert refused.value.code == "STATUS_LIST_LENGTH_ERROR"
    for size in (0, True, 33, "1", 1.0):
        with pytest.raises(StatusFault) as refused:
            parse_entry({**list_entry(url=LIST, purpose="revocation", index=1), "statusSize": size})
        assert refused.value.code == "MALFORMED_VALUE_ERROR"


def test_an_entry_is_read_as_it_was_written() -> None:
    entry = list_entry(url=LIST, purpose="revocation", index=94567)
    assert parse_entry(entry) == Entry("revocation", LIST, 94567)
    assert entry["id"] != LIST


def test_a_list_may_tell_of_several_things() -> None:
    document = Issuer().list(3)
    document["credentialSubject"]["statusPurpose"] = ["revocation", "suspension"]
    assert read_list(document).value(Entry("suspension", LIST, 3)) == 1
    wrong: object
    for wrong in ([], [7], None, {}):
        document["credentialSubject"]["statusPurpose"] = wrong
        with pytest.raises(StatusFault):
            read_list(document)
