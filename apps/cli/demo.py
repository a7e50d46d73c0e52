"""`mlds demo`: the main job on generated people, in a demonstration database beside the real one."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from apps.cli import serve as serving
from apps.cli.output import Exit, Format, FormatOption, Output
from apps.composition import PARTS, System
from apps.demo import showcase
from apps.demo.counts import Counts
from apps.demo.driver import Driver
from apps.demo.plan import Plan
from apps.demo.stage import staged
from foundation.settings import from_environment
from foundation.telemetry import configure


def register(app: typer.Typer) -> None:
    @app.command()
    def demo(
        serve: Annotated[bool, typer.Option("--serve/--no-serve", help="serve the pages at the end")] = True,
        principals: Annotated[int, typer.Option(min=1, max=999, help="how many principals")] = 60,
        seed: Annotated[int, typer.Option(min=0, help="another seed, other people")] = 1,
        port: Annotated[int, typer.Option(min=1, max=65535, help="port to serve on")] = 8000,
        format: FormatOption = Format.TABLE,
    ) -> int:
        """Two program years of invented people, through every layer, up to badges that verify.

        Run again, it goes on where it stopped, or finds itself finished. Example: mlds demo --no-serve
        """
        output = Output(format)
        configure()
        token = secrets.token_urlsafe(32)
        given = from_environment().for_demonstration()
        settings = replace(given, tokens=(*given.tokens, token))
        today = datetime.now(UTC).date()
        with staged(settings, seed, principals, today, output.note) as stage:
            checked = _run(stage.system, stage.plan, token, output)
            ended = Exit.YES if all(one.valid for one in checked) else Exit.NO
            stage.release()
            if serve and ended is Exit.YES:
                _serve(stage.system, token, port, checked[:1], output)
        return ended


def _run(system: System, plan: Plan, token: str, output: Output) -> list[showcase.Checked]:
    """Sends the plan and shows what followed; the badges that were looked at."""
    application = system.web_app()
    origin = system.settings.public_url
    driver = Driver(application, origin, token, system.log("governance"), system.clock, system.catch_up)
    total = len(plan.steps) + len(plan.shares)
    with output.progress("Two program years", total) as advance:
        driver.run(plan, advance)
    system.catch_up()
    counts = Counts.of(system.log("governance"))
    with output.progress("Verifying shared badges", len(counts.shared)) as advance:
        badges = [(who, badge) for who, badge, _ in counts.shared]
        checked = showcase.check(application, origin, token, badges, advance)
    _show(system, plan, counts, checked, output)
    if output.json:
        output.emit(counts.to_data(sum(one.valid for one in checked)))
        sys.stdout.flush()
    return checked


def _say(output: Output, text: str) -> None:
    """As `output.say`, with no line broken: commands and paths are there to be copied."""
    if not output.json:
        output.console.print(text, markup=False, soft_wrap=True)


def _show(system: System, plan: Plan, counts: Counts, checked: Sequence[showcase.Checked], output: Output) -> None:
    regions = len({principal.region for principal in plan.cast.principals})
    _say(
        output,
        f"\n{counts.events['DossierOpened']} principals in {regions} regions, {plan.first} to {plan.last}; everybody "
        "is invented.\n",
    )
    if not output.json:
        output.table(["level", "reached", "of them overall", "lapsed"], counts.rows())
    issued, revoked = counts.events["CredentialIssued"], counts.events["CredentialRevoked"]
    _say(
        output,
        f"\n{issued} badges signed, {revoked} revoked because the level lapsed, {len(counts.shared)} shared by their "
        "holders.",
    )
    if not checked:
        return
    valid = sum(one.valid for one in checked)
    _say(output, f"{valid} of the {len(checked)} shared badges verified by ours and by {showcase.INDEPENDENT}.")
    for one in checked:
        if not one.valid:
            output.note(f"{one.credential_id} of {one.principal}: ours {one.ours}; openbadgeslib: {one.theirs}")
    first = checked[0]
    picture, _ = showcase.keep(system.place.place / "badges", first)
    _say(output, f"\nOne of them: {first.title}, of {first.principal}")
    _say(output, f"  mlds verify          {first.ours}")
    _say(output, f"  {showcase.INDEPENDENT:<20} {first.theirs}")
    _say(output, f"  picture              {picture}")
    _say(output, "\nTry next:")
    for line in next_steps(first, picture):
        _say(output, f"  {line}")


def next_steps(shown: showcase.Checked, picture: Path) -> list[str]:
    """Commands that work as they stand."""
    home = f"MLDS_HOME={shlex.quote(os.environ['MLDS_HOME'])} " if "MLDS_HOME" in os.environ else ""
    mlds = home + program()
    return [
        f"{mlds} continuum {shown.principal} --demo",
        f"{mlds} verify {shlex.quote(str(picture))} --demo",
        f"{mlds} export --principal {shown.principal} --demo",
    ]


def program() -> str:
    """How to call `mlds` from where the reader stands."""
    here = Path(sys.argv[0])
    return str(here) if here.is_file() and not shutil.which("mlds") else "mlds"


def _serve(system: System, token: str, port: int, shown: Sequence[showcase.Checked], output: Output) -> None:
    base = f"http://127.0.0.1:{port}"
    tell = output.note if output.json else partial(_say, output)
    tell(f"\nPages: {base}/")
    for one in shown:
        tell(f"A shared badge: {base}/credentials/{one.credential_id}")
    tell(f"curl -H 'Authorization: Bearer {token}' {base}/api/v1/principals/p-001/continuum")
    tell(f"The operator's token of this run: {token}")
    sys.stdout.flush()
    serving.run(system, PARTS, "127.0.0.1", port, output)
