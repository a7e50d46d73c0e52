"""`mlds continuum PRINCIPAL`: a picture in the terminal: competencies by level, why, what next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from apps.cli.context import opened
from apps.cli.output import CalledWrongly, Exit, Format, FormatOption, Output
from contracts.continuum import LEVELS, OVERALL, Level
from foundation.access.permissions import OPERATOR, Caller

_MARKS = {True: "●", False: "○"}
_LEGEND = ", ".join(f"{level.label[0]} {level.label}" for level in LEVELS)


def register(app: typer.Typer) -> None:
    app.command("continuum")(continuum)


def continuum(
    principal: Annotated[str, typer.Argument(help="the principal's id")],
    as_of: Annotated[str | None, typer.Option(help="what was true on this day (not supported yet)")] = None,
    known_at: Annotated[str | None, typer.Option(help="what was known at this time (not supported yet)")] = None,
    format: FormatOption = Format.TABLE,
) -> int:
    """Show where a principal stands, why, and what is missing next. Example: mlds continuum p-heron"""
    if as_of is not None or known_at is not None:
        raise CalledWrongly("continuum does not take --as-of and --known-at yet: it tells what stands now.")
    output = Output(format)
    with opened(output) as system:
        found = system.projections.continuum(Caller(OPERATOR), principal)
    everything = [*found["competencies"], found["overall"]]
    if output.json:
        for one in everything:
            output.emit(one)
        return Exit.YES
    picture(output, principal, everything)
    return Exit.YES


def picture(output: Output, principal: str, everything: Sequence[Mapping[str, Any]]) -> None:
    """A block for each competency that anything was recorded on: its levels, why, what next; the overall level last."""
    shown = [one for one in everything if one["competency"] == OVERALL or _begun(one)]
    untouched = len(everything) - len(shown)
    output.say(f"{principal}: {_stands(everything[-1])} overall\n")
    blocks = Table.grid(padding=(0, 2), pad_edge=False)
    blocks.add_column(justify="right")
    for _ in LEVELS:
        blocks.add_column(justify="center")
    blocks.add_column(overflow="fold")
    blocks.add_row("", *(Text(level.label[0], "bold") for level in LEVELS), Text(_LEGEND, "dim"))
    for one in shown:
        number = "" if one["competency"] == OVERALL else str(one["competency"])
        marks = (_MARKS[level["reached"] is not None] for level in one["levels"])
        blocks.add_row(number, *marks, _words(one))
    output.console.print(blocks)
    if untouched:
        output.say(f"{untouched} competencies have nothing recorded yet.")


def _words(one: Mapping[str, Any]) -> Text:
    following = one["next"]["sentence"] if one["next"] else "The highest level is reached."
    return Text.assemble((one["title"], "bold"), "\n", _why(one), "\n", (following, "italic"), "\n")


def _begun(one: Mapping[str, Any]) -> bool:
    return one["level"] is not None or any(clause["have"] for clause in one["levels"][0]["clauses"])


def _why(one: Mapping[str, Any]) -> str:
    standing = [level for level in one["levels"] if level["reached"] is not None]
    if not standing:
        return "No level stands yet."
    level = standing[-1]
    if one["competency"] == OVERALL:
        return f"Every competency stands at {Level(level['level']).label}."
    items = level["reached"]["evidence_ids"]
    policy = level["reached"]["policy"]
    return (
        f"{Level(level['level']).label} since {level['reached']['at'][:10]}, by {len(items)} "
        f"item{'' if len(items) == 1 else 's'} under {policy['id']} {policy['version']}."
    )


def _stands(overall: Mapping[str, Any]) -> str:
    return Level(overall["level"]).label if overall["level"] else "no level"
