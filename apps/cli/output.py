"""What commands print, and how they end. Answers go to standard output, messages and progress to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import IntEnum, StrEnum
from typing import Annotated, Any, Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table


class Exit(IntEnum):
    """How a command ends."""

    YES = 0
    """Done, and the answer is yes."""
    NO = 1
    """Done, and the answer is no: a check failed, a file is illegal, a command was refused."""
    CALLED_WRONGLY = 2
    """An argument that cannot be meant: an unknown option or id, a file that is not there."""
    COULD_NOT = 3
    """It could not be done: no database, no network."""


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="table for people; json: JSON Lines for programs")]


class CalledWrongly(Exception):
    """Ends the command with exit 2 and a sentence."""


class Advance(Protocol):
    def __call__(self, done: int, total: int | None = None) -> None: ...


class Output:
    """The two ways out of a command. Make one from the command's `--format`."""

    def __init__(self, format: Format = Format.TABLE) -> None:
        self.json = format is Format.JSON
        self.console = Console(highlight=False, soft_wrap=False, emoji=False)
        self._errors = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)

    def emit(self, value: Mapping[str, Any]) -> None:
        """One JSON object on one line of standard output."""
        sys.stdout.write(json.dumps(value, ensure_ascii=False, separators=(", ", ": ")) + "\n")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]], title: str | None = None) -> None:
        shown = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
        for column in columns:
            shown.add_column(column, overflow="fold")
        for row in rows:
            shown.add_row(*(str(cell) for cell in row))
        self.console.print(shown, markup=False)

    def say(self, text: str) -> None:
        """A line of the answer for people; nothing where programs read."""
        if not self.json:
            self.console.print(text, markup=False)

    def note(self, text: str) -> None:
        """A message beside the answer."""
        self._errors.print(text, markup=False)

    @contextmanager
    def progress(self, what: str, total: int | None = None) -> Iterator[Advance]:
        """A bar on standard error; the body calls `advance(done)` or `advance(done, total)`."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._errors, disable=not self._errors.is_terminal) as bar:
            task = bar.add_task(what, total=total)

            def advance(done: int, total: int | None = None) -> None:
                bar.update(task, completed=done, total=total)

            yield advance
