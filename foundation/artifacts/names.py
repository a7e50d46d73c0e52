"""File names as people send them, made harmless: no folders, no invisible or reordering characters, not endless."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LONGEST: Final = 120

ENDINGS: Final = {
    "application/pdf": (".pdf",),
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "text/plain": (".txt", ".text"),
}
"""The usual endings of the media types that are taken; the first one is added where there is none of them."""

# Names that Windows keeps for devices, whatever the ending.
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
_FORBIDDEN: Final = re.compile(r'[<>:"|?*]')


def harmless_name(name: str | None, media_type: str) -> str:
    """The last part of the name, safe to store, show and save, with an ending that fits the type.

    >>> harmless_name("../../x.pdf", "application/pdf")
    'x.pdf'
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name or ""))[-1]
    # Cc: control, Cf: invisible and reordering, Cs: half characters, Co/Cn: nobody knows, Zl/Zp: line breaks.
    shown = "".join(
        " " if character in "\t\r\n" or unicodedata.category(character) in ("Zl", "Zp") else character
        for character in last
        if character in "\t\r\n" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    shown = re.sub(r"\s+", " ", _FORBIDDEN.sub("_", shown)).strip(" .")
    endings = ENDINGS[media_type]
    stem, dot, ending = shown.rpartition(".")
    if not dot or f".{ending.lower()}" not in endings:
        stem, ending = shown, endings[0][1:]
    stem = stem[: LONGEST - len(ending) - 1].strip(" .") or "artifact"
    if _DEVICES.fullmatch(stem):
        stem = f"_{stem}"
    return f"{stem}.{ending}"
