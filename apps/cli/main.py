"""`mlds`: the commands for operators. One module for each group; this one joins them and ends every command."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version

import psycopg
import typer
from typer.exceptions import TyperException

from apps.cli.output import CalledWrongly, Exit, Output
from contracts.refusals import Kind, Refusal
from foundation.postgres.faults import Unusable
from foundation.settings import SettingsFault

_UNKNOWN = {
    Kind.UNKNOWN_PERSON,
    Kind.UNKNOWN_PRINCIPAL,
    Kind.UNKNOWN_EVIDENCE,
    Kind.UNKNOWN_CREDENTIAL,
    Kind.UNKNOWN_SHARE,
    Kind.NOT_FOUND,
    Kind.NOT_SUPPORTED_YET,
    Kind.INVALID_PARAMETER,
}
_INTERRUPTED = 130  # as shells say it: 128 and the number of SIGINT
_OUT_OF_REACH = {Kind.UNAVAILABLE, Kind.OUTCOME_UNKNOWN, Kind.LOG_BUSY, Kind.CLOCK_OFF, Kind.POSITION_NOT_REACHED}

app = typer.Typer(
    name="mlds",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Evidence, levels and badges of the Missouri Leadership Development System.\n\n"
    "--demo anywhere works on the demonstration's database. Example: mlds demo",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mlds {version('mlds')}")
        raise typer.Exit


@app.callback()
def _root(
    show_version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="print the version"),
) -> None:
    pass


def _register() -> None:
    from apps.cli import (
        continuum,
        credential,
        demo,
        export,
        import_,
        keys,
        migrate,
        rebuild,
        replay,
        serve,
        verify,
    )

    for module in (demo, serve, migrate, import_, export, replay, continuum, rebuild, verify, credential, keys):
        module.register(app)


def main(arguments: list[str] | None = None) -> None:
    """Runs one command and exits with its status: 0 yes, 1 no, 2 called wrongly, 3 could not be done."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Runs one command in this process and returns its status."""
    arguments = _without_demo(arguments)
    _register()
    errors = Output()
    try:
        ended = app(arguments, prog_name="mlds", standalone_mode=False)
        return int(ended or Exit.YES)
    except typer.Exit as ended:
        return ended.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except TyperException as fault:
        errors.note(f"{fault.format_message()} `mlds --help` lists the commands, `mlds COMMAND --help` explains one.")
        return Exit.CALLED_WRONGLY
    except (CalledWrongly, SettingsFault) as fault:
        errors.note(str(fault))
        return Exit.CALLED_WRONGLY
    except Refusal as refusal:
        errors.note(refusal.detail)
        for item in refusal.errors:
            errors.note(f"  {item.pointer}: {item.detail}")
        if refusal.kind in _OUT_OF_REACH:
            return Exit.COULD_NOT
        return Exit.CALLED_WRONGLY if refusal.kind in _UNKNOWN else Exit.NO
    except Unusable as fault:
        errors.note(str(fault))
        return Exit.COULD_NOT
    except psycopg.OperationalError as fault:
        errors.note(f"The database is out of reach: {str(fault).strip()}")
        return Exit.COULD_NOT
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.YES


def _without_demo(arguments: list[str]) -> list[str]:
    """`--demo` may stand anywhere before `--`: it means the setting MLDS_DEMO=1."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    kept = [word for word in arguments[:end] if word != "--demo"]
    if len(kept) < end:
        os.environ["MLDS_DEMO"] = "1"
    return kept + arguments[end:]
