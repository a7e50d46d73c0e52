"""Credentials in PNG pictures: put in, and taken out of files that may be damaged or hostile.

Pixels are never decoded: chunks are walked by their lengths, and every checksum is looked at.
Sources: Open Badges 3.0 section 5.3.1 (one uncompressed iTXt chunk, keyword `openbadgecredential`),
PNG third edition sections 5.3 and 11.3.3, Open Badges 2.0 baking (`openbadges`).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
KEYWORD: Final = b"openbadgecredential"
MAX_CHUNKS: Final = 100_000
_OLD: Final = b"openbadges"
_CLR: Final = b"clrcredential"
_TEXTS: Final = (b"iTXt", b"tEXt", b"zTXt")


class BakingFault(ValueError):
    """Why a picture holds no credential that can be taken: damaged, two, packed, or of another kind."""


class NoCredential(BakingFault):
    """A sound picture without a credential."""


class OtherKind(BakingFault):
    """A picture with a credential of a kind that is not read here yet."""


def is_png(data: bytes) -> bool:
    return data.startswith(SIGNATURE)


def extract(png: bytes) -> bytes:
    """The one credential's text in a PNG. Raises BakingFault."""
    found: list[bytes] = []
    others: set[bytes] = set()
    for kind, body in chunks(png):
        if kind not in _TEXTS:
            continue
        keyword, _, rest = body.partition(b"\0")
        if keyword == KEYWORD:
            if kind != b"iTXt":
                raise BakingFault(f"the credential stands in a {kind.decode()} chunk; Open Badges asks for iTXt")
            found.append(_international_text(rest))
        elif keyword in (_OLD, _CLR):
            others.add(keyword)
    if len(found) + len(others) > 1:
        raise BakingFault("the picture holds more than one credential; which one it shows cannot be told")
    if others:
        kind_name = "an Open Badges 2 assertion" if _OLD in others else "a learner record (CLR)"
        raise OtherKind(f"the picture holds {kind_name}, which is not read here yet")
    if not found:
        raise NoCredential("the picture holds no credential")
    return found[0]


def bake(png: bytes, credential: bytes) -> bytes:
    """The picture with the credential's text, in UTF-8, in it. Raises BakingFault if one is there already."""
    try:
        extract(png)
    except NoCredential:
        pass
    else:
        raise BakingFault("the picture holds a credential already")
    body = KEYWORD + b"\0\0\0\0\0" + credential
    after_header = len(SIGNATURE) + 12 + 13
    return png[:after_header] + _chunk(b"iTXt", body) + png[after_header:]


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk's kind and body. Raises BakingFault as soon as the file is not a whole, sound PNG."""
    if not is_png(png):
        raise BakingFault("this is no PNG picture")
    at, count, pixels = len(SIGNATURE), 0, False
    while True:
        if len(png) - at < 12:
            raise BakingFault("the picture is cut: its end is missing")
        length, kind = struct.unpack_from(">I4s", png, at)
        if not kind.isalpha() or not kind.isascii():
            raise BakingFault(f"the picture is damaged at byte {at}")
        if length > len(png) - at - 12:
            raise BakingFault(f"a chunk at byte {at} says that it is longer than the file")
        body = png[at + 8 : at + 8 + length]
        (crc,) = struct.unpack_from(">I", png, at + 8 + length)
        if crc != zlib.crc32(body, zlib.crc32(kind)):
            raise BakingFault(f"the checksum of the {kind.decode()} chunk at byte {at} is wrong")
        if (count == 0) != (kind == b"IHDR") or (count == 0 and length != 13):
            raise BakingFault("the picture does not begin with its header, or has two")
        at, count, pixels = at + 12 + length, count + 1, pixels or kind == b"IDAT"
        if count > MAX_CHUNKS:
            raise BakingFault(f"the picture has more than {MAX_CHUNKS} chunks")
        if kind == b"IEND":
            if at != len(png):
                raise BakingFault("something stands after the picture's end")
            if not pixels:
                raise BakingFault("the picture has no pixels")
            return
        yield kind, body


def _international_text(rest: bytes) -> bytes:
    if len(rest) < 2 or rest[0] not in (0, 1):
        raise BakingFault("the chunk with the credential is damaged")
    if rest[0] == 1:
        raise BakingFault("the credential is packed; Open Badges forbids that")
    parts = rest[2:].split(b"\0", 2)
    if len(parts) != 3:
        raise BakingFault("the chunk with the credential is damaged")
    return parts[2]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))
