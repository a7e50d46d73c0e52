"""The bytes of an import file: which form it has, and its lines as text. Nothing is guessed about encodings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, Final, Literal

from contracts.refusals import Fault

LONGEST_LINE: Final = 1 << 20
_READ: Final = 1 << 16
_END: Final = re.compile(rb"\r\n|\n|\r")
_MARKS: Final = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_BOM: Final = b"\xef\xbb\xbf"


class UnreadableAt(Exception):
    """The file can't be read from here on: one fault, which names the place."""

    def __init__(self, row: int, detail: str, column: str | None = None) -> None:
        super().__init__(detail)
        self.fault = Fault(f"/rows/{row}" + (f"/{column}" if column else ""), detail)


def form_of(file: IO[bytes]) -> Literal["csv", "json"]:
    """JSON Lines begin with a brace, a header of columns never does. Raises UnreadableAt for other encodings."""
    file.seek(0)
    start = file.read(4096)
    file.seek(0)
    for mark, name in _MARKS:
        if start.startswith(mark):
            raise UnreadableAt(1, f"this file is in {name}; save it as UTF-8 (in a spreadsheet: CSV UTF-8)")
    if b"\x00" in start[:4]:
        raise UnreadableAt(1, "this file is in UTF-16, or no text at all; save it as UTF-8 (CSV UTF-8)")
    if not start:
        raise UnreadableAt(1, "this file is empty")
    return "json" if start.removeprefix(_BOM).lstrip().startswith(b"{") else "csv"


def lines_of(file: IO[bytes]) -> Iterator[tuple[int, str]]:
    """(number from 1, text with its end) of each line; ends are LF, CRLF or CR. Raises UnreadableAt.

    A byte order mark at the start is left out. Constant memory.
    """
    offset = 0
    for number, raw in enumerate(_raw_lines(file), start=1):
        line = raw
        if number == 1 and line.startswith(_BOM):
            line = line[len(_BOM) :]
            offset += len(_BOM)
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as fault:
            raise UnreadableAt(
                number,
                f"line {number}, byte offset {offset + fault.start} of the file: this is not UTF-8. Save "
                "the file as UTF-8 (in a spreadsheet: CSV UTF-8)",
            ) from None
        if "\x00" in text:
            raise UnreadableAt(number, f"line {number} holds a NUL character, which no text has")
        offset += len(line)
        yield number, text


def _raw_lines(file: IO[bytes]) -> Iterator[bytes]:
    rest, number, at_end = b"", 1, False
    while not at_end:
        part = file.read(_READ)
        at_end = not part
        rest += part
        start = 0
        for end in _END.finditer(rest):
            if end.end() == len(rest) and end.group() == b"\r" and not at_end:
                break  # the LF that belongs to it may stand in the next part
            yield rest[start : end.end()]
            start = end.end()
            number += 1
        rest = rest[start:]
        if len(rest) > LONGEST_LINE:
            raise UnreadableAt(number, f"line {number} is longer than {LONGEST_LINE} bytes")
    if rest:
        yield rest
