"""What a file is: told by its bytes, never by its name, and opened as far as needed to know that it can be.

Pixels are never decoded at full size, and nothing in a file makes us work longer than `SECONDS`.
"""

from __future__ import annotations

import codecs
import logging
import mimetypes
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from types import FrameType
from typing import IO, Any, Final

from PIL import Image
from pypdf import PdfReader

from contracts.refusals import Kind, Refusal
from foundation.artifacts.names import ENDINGS

MAX_BYTES: Final = 100_000_000
MAX_PIXELS: Final = 80_000_000
SECONDS: Final = 5.0

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it stumbles over is the sender's business, not the log's

_TAKEN: Final = "PDF, PNG, JPEG and plain text (TXT) are taken."
_CALLED: Final = {"application/pdf": "PDF", "image/png": "PNG", "image/jpeg": "JPEG", "text/plain": "plain text"}

_OTHERS: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"PK\x03\x04", "a ZIP archive or an Office document"),
    (0, b"PK\x05\x06", "an empty ZIP archive"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document"),
    (4, b"ftyphei", "a HEIC photo"),
    (4, b"ftypmif1", "a HEIC photo"),
    (4, b"ftyp", "a video or photo in an MP4 container"),
    (0, b"GIF8", "a GIF"),
    (0, b"II*\x00", "a TIFF"),
    (0, b"MM\x00*", "a TIFF"),
    (8, b"WEBP", "a WebP picture"),
    (0, b"MZ", "a program"),
    (0, b"\x7fELF", "a program"),
    (0, b"{\\rtf", "an RTF document"),
)
"""(offset, bytes, what it is) of files that are not taken, so that the sentence can say what was sent."""


def told_by_bytes(file: IO[bytes], name: str | None = None, content_type: str | None = None) -> str:
    """The media type of a file that can be opened; `file` is read from its start and left there.

    `name` and `content_type` are what the sender claims. Raises Refusal TOO_LARGE, UNSUPPORTED_MEDIA (another
    type, or mislabelled), UNREADABLE_FILE (empty, cut, locked, damaged).
    """
    size = file.seek(0, 2)
    file.seek(0)
    if size == 0:
        raise _unreadable("This file is empty. Choose the file again, it may not have been saved yet.")
    if size > MAX_BYTES:
        raise Refusal(Kind.TOO_LARGE, f"This file has {size:,} bytes; at most {MAX_BYTES:,} are taken.")
    media_type = _by_first_bytes(file.read(1024))
    _check_claims(media_type, name, content_type)
    file.seek(0)
    _OPENS[media_type](file)
    file.seek(0)
    return media_type


def _by_first_bytes(start: bytes) -> str:
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if start.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if b"%PDF-" in start:  # ISO 32000 readers find it within the first 1,024 bytes
        return "application/pdf"
    for offset, mark, what in _OTHERS:
        if start.startswith(mark, offset):
            raise Refusal(Kind.UNSUPPORTED_MEDIA, f"This is {what}, which is not taken. {_TAKEN}")
    return "text/plain"


def _check_claims(media_type: str, name: str | None, content_type: str | None) -> None:
    claimed = (content_type or "").partition(";")[0].strip().lower()
    if claimed in ("", "application/octet-stream"):
        claimed = ""
    ending = PurePosixPath(f"x/{name or ''}").suffix.lower()
    by_name = next((kind for kind, endings in ENDINGS.items() if ending in endings), None)
    by_name = by_name or mimetypes.types_map.get(ending)
    for claim, where in ((by_name, f"its name ends in {ending}"), (claimed, f"it was sent as {claimed}")):
        if claim and claim != media_type:
            raise Refusal(
                Kind.UNSUPPORTED_MEDIA,
                f"This file is not what it says: {where}, and its content is {_CALLED[media_type]}. Save it again "
                f"in the right form, or give it the right name. {_TAKEN}",
            )


def _open_pdf(file: IO[bytes]) -> None:
    failed = _unreadable("This PDF cannot be opened: it is damaged or cut off. Save or export it again.")
    try:
        with _at_most(SECONDS):
            reader = PdfReader(file, strict=False)
            locked = reader.is_encrypted
            pages = 0 if locked else len(reader.pages)
    except Exception as error:  # pypdf raises whatever a damaged file makes it stumble over
        raise failed from error
    if locked:
        raise _unreadable("This PDF is locked with a password, so nobody else could read it. Save it without one.")
    if pages == 0:
        raise _unreadable("This PDF has no pages. Save or export it again.")


def _open_image(file: IO[bytes], form: str) -> None:
    failed = _unreadable("This picture cannot be opened: it is damaged or cut off. Save it again.")
    huge = _unreadable(f"This picture has more than {MAX_PIXELS:,} pixels. Save it smaller.")
    try:
        with _at_most(SECONDS), Image.open(file, formats=[form]) as image:
            fits = image.width * image.height <= MAX_PIXELS
            if form == "PNG":
                image.verify()  # every chunk's checksum, without the pixels
            elif fits:
                image.draft("L", (image.width // 8, image.height // 8))
                image.load()  # at an eighth of its size; a cut file ends too early
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise huge from error
    except Exception as error:  # the decoders raise many types for damaged files
        raise failed from error
    if not fits:
        raise huge
    if form == "PNG":
        file.seek(-12, 2)
        if file.read(12) != b"\0\0\0\0IEND\xaeB`\x82":
            raise failed


def _open_text(file: IO[bytes]) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    blank = True
    try:
        while part := file.read(1 << 16):
            text = decoder.decode(part)
            blank = blank and not text.strip("\ufeff \t\r\n")
            if any(character < " " and character not in "\t\r\n\f" for character in set(text)):
                raise Refusal(Kind.UNSUPPORTED_MEDIA, f"This file is of a kind that is not taken. {_TAKEN}")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise Refusal(
            Kind.UNSUPPORTED_MEDIA,
            f"This file is of a kind that is not taken, or a text that is not in UTF-8. {_TAKEN}",
        ) from None
    if blank:
        raise _unreadable("This text is empty. Choose the file again, it may not have been saved yet.")


def _unreadable(sentence: str) -> Refusal:
    return Refusal(Kind.UNREADABLE_FILE, sentence)


class _TookTooLong(Exception):
    pass


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Ends Python code in this thread that goes on for longer: a hostile file can make a parser walk for ever."""
    end = time.monotonic() + seconds
    before = sys.getprofile()

    def look(frame: FrameType, event: str, argument: Any) -> None:
        if time.monotonic() > end:
            raise _TookTooLong

    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(before)


_OPENS: Final[dict[str, Callable[[IO[bytes]], None]]] = {
    "application/pdf": _open_pdf,
    "image/png": lambda file: _open_image(file, "PNG"),
    "image/jpeg": lambda file: _open_image(file, "JPEG"),
    "text/plain": _open_text,
}
