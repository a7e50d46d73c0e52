"""CSV of observations: one row for each judgment, rows with the same evidence id make one item.

UTF-8, comma or (told by the header) semicolon, any line end; dates only `YYYY-MM-DD`. What can't be read for
certain is a fault with its row and column, never a guess.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from typing import IO, Final

from contracts.refusals import Fault
from services.evidence.import_drafts import Draft, Reading, data_faults, envelope_faults
from services.evidence.import_lines import UnreadableAt, lines_of

COLUMNS: Final = (
    "type",
    "principal",
    "evidence_id",
    "occurred_on",
    "setting",
    "competency",
    "level",
    "narrative",
    "recorded_by",
    "distinct",
)
TEMPLATE: Final = ",".join(COLUMNS) + "\n"
OPTIONAL: Final = frozenset({"distinct"})
OF_A_JUDGMENT: Final = ("competency", "level")

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")

Cells = dict[str, str]
"""Column → cell. A column that may be missing is there, empty."""


def rows_of(file: IO[bytes], reading: Reading) -> Iterator[tuple[int, Cells]]:
    """(row, cells) of each row that is not empty; faults and notes go into `reading`. Raises UnreadableAt."""
    texts = (text for _, text in lines_of(file))
    first = next(texts, "")
    separator = _separator(first)
    header: list[str] | None = None
    skipped = 0
    row = 0
    rows = csv.reader(_again(first, texts), delimiter=separator, strict=True)
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            break
        except csv.Error as error:
            raise UnreadableAt(
                row + 1,
                f"row {row + 1} cannot be read ({error}): a quotation mark in it is not closed or stands where none "
                "can be (inside a quoted cell it is written twice), or a cell is far too long",
            ) from None
        row += 1
        if header is None:
            header = _header([cell.strip() for cell in cells], reading)
        elif not any(cell.strip() for cell in cells):
            skipped += 1
        elif (taken := _cells(row, cells, header, reading)) is not None:
            yield row, taken
    if skipped:
        reading.notes.append(f"{skipped} empty row{'s' if skipped > 1 else ''} skipped")


def draft_of(rows: Sequence[tuple[int, Cells]], reading: Reading) -> Draft | None:
    """The item that rows with one evidence id make; None where even its principal can't be told."""
    row, cells = rows[0]
    agreeing = [(row, cells)]
    for other, theirs in rows[1:]:
        differs = [name for name in COLUMNS if name not in OF_A_JUDGMENT and theirs[name] != cells[name]]
        if differs:
            reading.faults.append(
                Fault(
                    f"/rows/{other}/evidence_id",
                    f"row {row} has the same evidence_id and another {' and '.join(differs)}: rows of one item "
                    "agree in all but competency and level",
                )
            )
        else:
            agreeing.append((other, theirs))
    faults = envelope_faults(row, cells["type"], cells["principal"], cells["recorded_by"])
    if cells["type"] != "ObservationRecorded":
        faults = [fault for fault in faults if not fault.pointer.endswith("/type")]
        faults.insert(0, Fault(f"/rows/{row}/type", "a CSV carries observations: the type is ObservationRecorded"))
    if cells["distinct"] not in ("", "yes"):
        faults.append(Fault(f"/rows/{row}/distinct", "this is `yes` or empty"))
    judgments = [
        # A number that can't be read gets one of its own until the fault is mended.
        {"competency": int(c["competency"]) if _NUMBER.fullmatch(c["competency"]) else 10**9 + at, "level": c["level"]}
        for at, (_, c) in enumerate(agreeing)
    ]
    data = {
        "occurred_on": cells["occurred_on"],
        "setting": cells["setting"],
        "judgments": judgments,
        "narrative": cells["narrative"],
    }
    if cells["evidence_id"]:
        data["evidence_id"] = cells["evidence_id"]
    draft = Draft(
        row,
        "ObservationRecorded",
        cells["principal"],
        cells["recorded_by"],
        data,
        cells["distinct"] == "yes",
        tuple(number for number, _ in agreeing),
    )
    form = data_faults(draft)
    form = [_at_the_second(fault, draft, agreeing) for fault in form]
    for at, (number, c) in enumerate(agreeing):
        if judgments[at]["competency"] >= 10**9:  # type: ignore[operator]  # the numbers made above
            form.append(
                Fault(
                    f"/rows/{number}/competency", f"the number of a competency, for example 6, not {c['competency']!r}"
                )
            )
    faults += form
    reading.faults += faults
    if any(fault.pointer == f"/rows/{row}/principal" for fault in faults):
        return None
    if faults:
        draft.sound = False
        _keep_what_is_sound(draft, faults)
    return draft


def _at_the_second(fault: Fault, draft: Draft, rows: Sequence[tuple[int, Cells]]) -> Fault:
    """A competency that stands twice is shown at its second row."""
    twice = re.fullmatch(r"competency ([0-9]+) stands twice", fault.detail)
    if twice is None:
        return fault
    theirs = [row for row, cells in rows if cells["competency"] == twice[1]]
    return Fault(f"/rows/{theirs[1]}/competency", f"{fault.detail} in this item: row {theirs[0]} has it too")


def _keep_what_is_sound(draft: Draft, faults: Sequence[Fault]) -> None:
    """Leaves out what is faulty, so that the rest can still be checked against the log."""
    bad = {fault.pointer for fault in faults}
    kept = [
        (row, judgment)
        for row, judgment in zip(draft.judgment_rows, draft.data["judgments"], strict=True)
        if f"/rows/{row}/competency" not in bad
    ]
    draft.data["judgments"] = [judgment for _, judgment in kept]
    draft.judgment_rows = tuple(row for row, _ in kept)
    for name in ("occurred_on", "evidence_id"):
        if f"/rows/{draft.row}/{name}" in bad:
            draft.data.pop(name, None)
    if f"/rows/{draft.row}/recorded_by" in bad:
        draft.recorded_by = ""


def _separator(first: str) -> str:
    def known(separator: str) -> int:
        return len({part.strip().strip('"') for part in first.split(separator)} & set(COLUMNS))

    best = max(",;\t", key=known)
    if best == "\t" and known("\t") > 1:
        raise UnreadableAt(1, "the columns are separated by tabs; save the file with commas or semicolons")
    return ";" if best == ";" else ","


def _header(names: list[str], reading: Reading) -> list[str]:
    for name in COLUMNS:
        if name not in names and name not in OPTIONAL:
            reading.faults.append(Fault(f"/rows/1/{name}", f"the column {name} is missing"))
    for at, name in enumerate(names):
        if not name:
            reading.notes.append(f"column {at + 1} has no name and is skipped")
        elif name not in COLUMNS:
            reading.faults.append(Fault("/rows/1", f"no column {name[:50]!r} is known; there are {', '.join(COLUMNS)}"))
        elif name in names[:at]:
            reading.faults.append(Fault(f"/rows/1/{name}", f"the column {name} stands twice"))
    if reading.faults:
        raise HeaderFaults
    return names


class HeaderFaults(UnreadableAt):
    """The header's faults stand in the reading; no row can be read without it."""

    def __init__(self) -> None:
        Exception.__init__(self)


def _cells(row: int, cells: list[str], header: list[str], reading: Reading) -> Cells | None:
    if len(cells) < len(header):
        detail = f"this row has {len(cells)} cells, the header has {len(header)}"
        reading.faults.append(Fault(f"/rows/{row}", detail))
        return None
    for at, cell in enumerate(cells):
        if cell.strip() and (at >= len(header) or not header[at]):
            detail = f"column {at + 1} has no name in the header, and holds something here"
            reading.faults.append(Fault(f"/rows/{row}", detail))
            return None
    taken = dict.fromkeys(OPTIONAL, "")
    taken.update((name, cell) for name, cell in zip(header, cells, strict=False) if name)
    return taken


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest
