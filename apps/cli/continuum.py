"""`mlds continuum PRINCIPAL`: a picture in the terminal: competencies by level, why, what next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from apps.cli.context import opened
from apps.cli.output import CalledWrongly, Exit, Format, FormatOption, Output
from contracts.continuum import LEVELS, OVERALL
from foundation.access.permissions import OPERATOR, Caller

_MARKS = {True: "●", False: "○"}


def register(app: typer.Typer) -> None:
    app.command("continuum")(continuum)


def continuum(
    principal: Annotated[str, typer.Argument(help="the principal's id")],
    as_of: Annotated[str | None, typer.Option(help="what was true on this day (not supported yet)")] = None,
    known_at: Annotated[str | None, typer.Option(help="what was known at this time (not supported yet)")] = None,
    format: FormatOption = Format.TABLE,  # noqa: A002  # the option's own name
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


def picture(output: Output, principal: str, everything: list[Mapping[str, Any]]) -> None:
    """A row for each competency that anything was recorded on, the overall level last."""
    shown = [one for one in everything if one["competency"] == OVERALL or _begun(one)]
    untouched = len(everything) - len(shown)
    output.table(
        ("", "competency", *(level.label for level in LEVELS), "why", "next"),
        [_row(one) for one in shown],
        title=f"{principal}: {_stands(everything[-1])} overall",
    )
    if untouched:
        output.say(f"{untouched} competencies have nothing recorded yet.")


def _begun(one: Mapping[str, Any]) -> bool:
    return one["level"] is not None or any(clause["have"] for clause in one["levels"][0]["clauses"])


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    reached = [level["reached"] for level in one["levels"]]
    number = "" if one["competency"] == OVERALL else str(one["competency"])
    marks = tuple(f"{_MARKS[level is not None]} {level['at'][:10] if level else ''}".strip() for level in reached)
    return (number, one["title"], *marks, _why(one), one["next"]["sentence"] if one["next"] else "at the top")


def _why(one: Mapping[str, Any]) -> str:
    standing = [level for level in one["levels"] if level["reached"] is not None]
    if not standing:
        return "no level stands yet"
    level = standing[-1]
    if one["competency"] == OVERALL:
        return f"every competency stands at {level['level']}"
    items = level["reached"]["evidence_ids"]
    policy = level["reached"]["policy"]
    return f"{level['level']} by {len(items)} item{'' if len(items) == 1 else 's'} ({policy['id']} {policy['version']})"


def _stands(overall: Mapping[str, Any]) -> str:
    return overall["level"] or "no level"
