"""Small real PNG pictures, sound and damaged, made by hand."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, body: bytes, crc: int | None = None) -> bytes:
    crc = zlib.crc32(kind + body) if crc is None else crc
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)


def itxt(keyword: bytes, text: bytes, *, packed: bool = False) -> bytes:
    return keyword + (b"\0\1\0\0\0" + zlib.compress(text) if packed else b"\0\0\0\0\0" + text)


def picture(extra: Sequence[bytes] = (), *, declared: tuple[int, int] = (8, 8)) -> bytes:
    """An 8 × 8 picture; `extra` are chunks before the pixels, `declared` the size that its header claims."""
    rows = b"".join(b"\0" + bytes((200, 30, 30)) * 8 for _ in range(8))
    header = struct.pack(">IIBBBBB", *declared, 8, 2, 0, 0, 0)
    return (
        SIGNATURE + chunk(b"IHDR", header) + b"".join(extra) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )
