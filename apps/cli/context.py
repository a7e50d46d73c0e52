"""Opening the system for a command: settings, the database, and the followers brought to the log's end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from apps.cli.output import Output
from apps.composition import System
from foundation.settings import Settings, from_environment


@contextmanager
def opened(output: Output, *, caught_up: bool = True, settings: Settings | None = None) -> Iterator[System]:
    """The system of the settings in the environment, closed at the end.

    With `caught_up` everything that follows from the log is derived first, with progress, unless a running
    server does that.
    """
    with System.open(settings or from_environment(), note=output.note) as system:
        if caught_up:
            catch_up(system, output)
        yield system


def catch_up(system: System, output: Output) -> None:
    """Brings the followers to the log's end, with a bar where there is something to do."""
    behind = system.behind()
    if behind == 0:
        return
    with output.progress("Deriving what follows", behind) as advance:
        system.catch_up(advance)
