"""`mlds import`: evidence in, from CSV or JSON Lines, all or nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from apps.cli.context import opened
from apps.cli.output import CalledWrongly, Exit, Format, FormatOption, Output
from contracts.ids import is_id
from contracts.refusals import Kind, Refusal
from foundation.access.permissions import OPERATOR, Caller
from services.evidence.import_csv import TEMPLATE


def register(app: typer.Typer) -> None:
    app.command("import")(import_)


def import_(
    file: Annotated[Path | None, typer.Argument(help="CSV or JSON Lines; told by its content")] = None,
    template: Annotated[bool, typer.Option("--template", help="print the columns of a CSV")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="check only, store nothing")] = False,
    exclusive: Annotated[bool, typer.Option(help="more than 50,000 items: hold the log meanwhile")] = False,
    as_: Annotated[
        str | None, typer.Option("--as", metavar="PERSON", help="who imports; the operator if left out")
    ] = None,
    shown: FormatOption = Format.TABLE,
) -> int:
    """Import evidence: the file whole, or nothing of it. Example: mlds import visits.csv --dry-run"""
    output = Output(shown)
    if template:
        sys.stdout.write(TEMPLATE)
        return Exit.YES
    if file is None:
        raise CalledWrongly("Name a file, or ask for the columns with --template.")
    caller = _caller(as_)
    try:
        source = file.open("rb")
    except OSError as fault:
        raise CalledWrongly(f"{file}: {fault.strerror or fault}") from None
    with source, opened(output) as system:
        if not source.seekable():
            raise CalledWrongly(f"{file}: a pipe cannot be imported; save it to a file first.")
        try:
            with output.progress("Importing") as advance:

                def progress(what: str, done: int, total: int | None) -> None:
                    if what.startswith("The log"):
                        output.note(what)
                    advance(done, total)

                done = system.evidence.imports.run(
                    caller, source, dry_run=dry_run, exclusive=exclusive, progress=progress
                )
        except Refusal as refusal:
            if refusal.kind is not Kind.IMPORT_FAULTS:
                raise
            _show_faults(output, refusal)
            return Exit.NO
    for note in done.notes:
        output.note(note)
    if output.json:
        output.emit(done.to_data())
        return Exit.YES
    would = "would be added" if dry_run else "added"
    there = f", {done.already_there} there already" if done.already_there else ""
    nothing = " Nothing new." if done.added == 0 else ""
    output.say(f"{done.items} item{'' if done.items == 1 else 's'}: {done.added} {would}{there}.{nothing}")
    return Exit.YES


def _caller(person: str | None) -> Caller:
    if person is None:
        return Caller(OPERATOR)
    name = person.removeprefix("person:")
    if not is_id(name):
        raise CalledWrongly(f"--as takes the id of a person, not {person!r}.")
    return Caller(f"person:{name}")


def _show_faults(output: Output, refusal: Refusal) -> None:
    rows = []
    for fault in refusal.errors:
        _, _, row, *column = fault.pointer.split("/")
        rows.append((row, "/".join(column), fault.detail))
        if output.json:
            output.emit(
                {"row": int(row), "column": "/".join(column) or None, "pointer": fault.pointer, "detail": fault.detail}
            )
    if not output.json:
        output.table(("row", "column", "what is wrong"), rows)
    output.note(refusal.detail)
