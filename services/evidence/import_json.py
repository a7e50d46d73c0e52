"""JSON Lines of evidence events: the data of one event a line, with `type`, `principal`, `recorded_by`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from contracts.refusals import Fault
from contracts.strict_json import JsonFault, parse
from services.evidence.import_drafts import Draft, Reading, data_faults, envelope_faults
from services.evidence.import_lines import LONGEST_LINE, lines_of


def drafts_of(file: IO[bytes], reading: Reading) -> Iterator[Draft]:
    """The draft of each line that is not blank. Raises UnreadableAt."""
    blank = 0
    for number, text in lines_of(file):
        if not text.strip():
            blank += 1
            continue
        try:
            value = parse(text, max_bytes=LONGEST_LINE)
        except JsonFault as fault:
            reading.faults.append(Fault(f"/rows/{number}{fault.pointer}", fault.detail))
            continue
        draft = _draft(number, value, reading)
        if draft is not None:
            yield draft
    if blank:
        reading.notes.append(f"{blank} blank line{'s' if blank > 1 else ''} skipped")


def _draft(row: int, value: Any, reading: Reading) -> Draft | None:
    if not isinstance(value, dict):
        reading.faults.append(Fault(f"/rows/{row}", "each line is one JSON object"))
        return None
    data = dict(value)
    missing = [name for name in ("type", "principal", "recorded_by") if name not in data]
    faults = [Fault(f"/rows/{row}/{name}", "this member is missing") for name in missing]
    type_, principal, recorded_by = (data.pop(name, None) for name in ("type", "principal", "recorded_by"))
    distinct = data.pop("distinct", False)
    faults += [
        fault
        for fault in envelope_faults(row, type_, principal, recorded_by)
        if fault.pointer.rpartition("/")[2] not in missing
    ]
    if not isinstance(distinct, bool) and distinct != "yes":  # 1 == True: equality would take numbers
        faults.append(Fault(f"/rows/{row}/distinct", "this is true, false, `yes` or left out"))
    reading.faults += faults
    if any(fault.pointer == f"/rows/{row}/type" for fault in faults):
        return None
    draft = Draft(row, str(type_), str(principal), str(recorded_by), data, distinct is True or distinct == "yes")
    form = data_faults(draft)
    reading.faults += form
    # A line whose form is wrong is not looked at further: its members may be of any type.
    return None if faults or form else draft
