"""`mlds export`: the history file out of the log."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer

from apps.cli.context import opened
from apps.cli.output import CalledWrongly, Exit, Output
from contracts.history import to_line


def register(app: typer.Typer) -> None:
    app.command("export")(export)


def export(
    principal: Annotated[str | None, typer.Option(help="only what belongs to this principal's history")] = None,
    out: Annotated[Path | None, typer.Option(help="write to this file instead of standard output")] = None,
) -> int:
    """Write the history file: one event a line, JSON Lines. Example: mlds export --out history.jsonl"""
    output = Output()
    with opened(output) as system, _target(out) as file:
        if system.settings.demo:
            output.note("These are made-up records of a demonstration; times were set by the program.")
        lines = 0
        for line in system.projections.history(principal):
            file.write(to_line(line).encode() + b"\n")
            lines += 1
    if out is not None:
        output.note(f"{lines} events in {out}.")
    return Exit.YES


@contextmanager
def _target(path: Path | None) -> Iterator[IO[bytes]]:
    """Standard output, or a file that is there whole or, if something stops us, not at all; readable by us alone."""
    if path is None:
        yield sys.stdout.buffer
        return
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        # A new file of a name that nobody foresees: nothing that lies there already is written through.
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as fault:
        raise CalledWrongly(f"{path}: {fault.strerror or fault}") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
