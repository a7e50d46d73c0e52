"""`mlds rebuild`: derives read models anew beside those in use, then swaps them."""

from __future__ import annotations

from typing import Annotated

import typer

from apps.cli.context import opened
from apps.cli.output import CalledWrongly, Exit, Format, FormatOption, Output
from services.projections.rebuild import rebuild as rebuild_continuum

MODELS = ("continuum",)


def register(app: typer.Typer) -> None:
    app.command("rebuild")(rebuild)


def rebuild(
    model: Annotated[str | None, typer.Argument(help=f"one of: {', '.join(MODELS)}; all without it")] = None,
    format: FormatOption = Format.TABLE,
) -> int:
    """Derive anew beside the old, then swap; readers see the old until then. Example: mlds rebuild continuum"""
    if model is not None and model not in MODELS:
        raise CalledWrongly(f"There is no model {model!r}; there is: {', '.join(MODELS)}.")
    output = Output(format)
    with opened(output) as system:
        with output.progress("Rebuilding the continuum") as advance:
            done = rebuild_continuum(system.log("projections"), advance=advance)
        for principal in done.otherwise:
            output.note(f"{principal}: stands as recorded, and the rule would derive otherwise; see replay --check")
        if output.json:
            output.emit(
                {
                    "model": "continuum",
                    "events": done.events,
                    "principals": done.principals,
                    "position": done.position,
                    "otherwise": done.otherwise,
                }
            )
        rate = done.events / done.seconds if done.seconds else 0.0
        output.say(
            f"continuum: {done.principals} principals from {done.events} events in {done.seconds:.1f} s "
            f"({rate:,.0f} events/s), as of position {done.position}."
        )
    return Exit.YES
