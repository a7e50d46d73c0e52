"""`mlds replay`: levels from a history file alone, with no database."""

from __future__ import annotations

import gc
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from pydantic import ValidationError

from apps.cli.output import CalledWrongly, Exit, Format, FormatOption, Output
from contracts.framework import Framework
from contracts.history import HistoryReader, IllegalHistory, lines_of
from contracts.policy import BASELINE, Policy
from contracts.statement import faults_of
from contracts.strict_json import JSON, JsonFault, parse
from services.projections.replay import Replay

MAX_FILE = 16 << 20


class IllegalFile(ValueError):
    """A policy or framework file that is not as it should be, with its name."""


def register(app: typer.Typer) -> None:
    app.command("replay")(replay)


def replay(
    history: Annotated[str, typer.Argument(help="a history file (JSON Lines), or - for standard input")],
    policy: Annotated[
        Path | None, typer.Option(help="put this one policy in force throughout: the what-if question")
    ] = None,
    framework: Annotated[
        list[Path] | None, typer.Option(help="known frameworks, in place of the packaged one; may stand again")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="compare recorded attainments with what follows")] = False,
    as_of: Annotated[str | None, typer.Option(help="what was true on this day (not supported yet)")] = None,
    known_at: Annotated[str | None, typer.Option(help="what was known at this time (not supported yet)")] = None,
    format: FormatOption = Format.TABLE,
) -> int:
    """Derive levels from a history file alone. Example: mlds replay history.jsonl --check --format json"""
    if as_of is not None or known_at is not None:
        raise CalledWrongly("replay does not take --as-of and --known-at yet: it tells what the whole file gives.")
    output = Output(format)
    gc.disable()  # nothing here makes cycles, and looking for them takes a fifth of a large file's time
    try:
        with _opened(history) as file:
            result = run(file, policy=policy, frameworks=framework or (), check=check)
    except (IllegalHistory, IllegalFile) as fault:
        output.note(str(fault))
        return Exit.NO
    finally:
        gc.enable()
    _print(output, result)
    differences = 0
    for difference in result.differences() if check else ():
        output.note(difference)
        differences += 1
    if check and not differences:
        output.note("The recorded attainments are those that follow.")
    return Exit.NO if differences else Exit.YES


def run(file: IO[bytes], *, policy: Path | None = None, frameworks: Sequence[Path] = (), check: bool = False) -> Replay:
    """Replays a seekable file. Raises IllegalHistory, IllegalFile, CalledWrongly (a file that is not there)."""
    given = _frameworks(frameworks)
    throughout = _policy(policy) if policy else None
    reader = HistoryReader(given)
    if throughout is not None and throughout.framework not in reader.known:
        # It may be published further down; what it asks holds from the start all the same.
        for _ in reader.read_all(lines_of(file)):
            pass
        if throughout.framework not in reader.known:
            raise IllegalFile(f"{policy}: /framework: {throughout.framework} is no known framework")
        known = reader.known
        file.seek(0)
        reader = HistoryReader(given)
    else:
        known = reader.known
    replayed = Replay(known, throughout=throughout, check=check)
    take = replayed.take
    for line in reader.read_all(lines_of(file)):
        take(line)
    return replayed


def _opened(name: str) -> IO[bytes]:
    try:
        if name != "-":
            return Path(name).open("rb")
        copy = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it; standard input cannot be read twice
        while chunk := sys.stdin.buffer.read(1 << 20):
            copy.write(chunk)
        copy.seek(0)
        return copy
    except OSError as fault:
        raise CalledWrongly(f"{name}: {fault.strerror or fault}") from None


def _value(path: Path) -> JSON:
    try:
        raw = path.read_bytes()
    except OSError as fault:
        raise CalledWrongly(f"{path}: {fault.strerror or fault}") from None
    try:
        return parse(raw, max_bytes=MAX_FILE)
    except JsonFault as fault:
        raise IllegalFile(f"{path}: {fault.pointer}{': ' if fault.pointer else ''}{fault.detail}") from None


def _legal(path: Path, validate: Callable[[JSON], Any]) -> Any:
    value = _value(path)
    try:
        return validate(value)
    except ValidationError as error:
        fault = faults_of(error)[0]
        raise IllegalFile(f"{path}: {fault.pointer or '/'}: {fault.detail}") from None


def _policy(path: Path) -> Policy:
    policy: Policy = _legal(path, Policy.model_validate)
    if policy.ref == BASELINE.ref and policy != BASELINE:
        raise IllegalFile(f"{path}: {policy.id} {policy.version} names the packaged policy, of other content")
    return policy


def _frameworks(paths: Iterable[Path]) -> list[dict[str, Any]] | None:
    found: dict[str, dict[str, Any]] = {}
    for path in paths:
        _legal(path, Framework.model_validate)
        value = _value(path)
        if found.setdefault(value["id"], value) != value:
            raise IllegalFile(f"{path}: {value['id']} names another of the given frameworks, of other content")
    return list(found.values()) or None


def _print(output: Output, replayed: Replay) -> None:
    if output.json:
        for levels in replayed.levels():
            output.emit(levels)
        return
    rows = [
        (
            levels["principal"],
            levels["competency"],
            levels["level"] or "–",
            ", ".join(f"{one['level']} at {one['position']} ({one['at'][:10]})" for one in levels["reached"]),
            ", ".join(f"{one['level']} at {one['position']} ({one['at'][:10]})" for one in levels["lapsed"]),
        )
        for levels in replayed.levels()
        if levels["reached"] or levels["competency"] == "overall"
    ]
    output.table(("principal", "competency", "level", "reached", "lapsed"), rows)
