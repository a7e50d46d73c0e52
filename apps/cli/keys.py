"""`mlds keys …`: the issuer's signing keys. A rehearsal unless `--yes`."""

from __future__ import annotations

from typing import Annotated

import typer

from apps.cli.context import opened
from apps.cli.output import CalledWrongly, Exit, Format, FormatOption, Output
from contracts.ids import is_id
from contracts.times import format_timestamp
from foundation.access.permissions import OPERATOR
from services.credentials.issuer import signing_key

Yes = Annotated[bool, typer.Option("--yes", help="do it; without it, only say what would be done")]
As = Annotated[str | None, typer.Option("--as", metavar="PERSON", help="the person who acts; else the operator")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        no_args_is_help=True, help="List, make and retire the issuer's keys.\n\nExample: mlds keys list"
    )
    group.command("list")(list_)
    group.command("new")(new)
    group.command("retire")(retire)
    group.command("compromised")(compromised)
    app.add_typer(group, name="keys")


def list_(format: FormatOption = Format.TABLE) -> int:
    """List every key there ever was, oldest first. Example: mlds keys list --format json"""
    output = Output(format)
    with opened(output) as system:
        room = system.credentials
        now = signing_key(room.keys.all())
        found = [
            {
                "key": key.key,
                "state": "signs" if key == now else "stands by" if key.signs else "retired",
                "made_at": format_timestamp(key.made_at.replace(microsecond=0)),
                "retired_at": format_timestamp(key.retired_at.replace(microsecond=0)) if key.retired_at else None,
                "verification_method": room.issuer.method(key.key),
                "file_here": room.ring.has(key.key),
            }
            for key in room.keys.all()
        ]
    if output.json:
        for one in found:
            output.emit(one)
    else:
        output.table(
            ("key", "state", "made", "retired", "file here"),
            [
                (one["key"], one["state"], one["made_at"], one["retired_at"] or "", "yes" if one["file_here"] else "NO")
                for one in found
            ],
        )
    return Exit.YES


def new(
    as_: As = None,
    yes: Yes = False,
    format: FormatOption = Format.TABLE,
) -> int:
    """Make a key that signs from now on; those before it stay good. Example: mlds keys new --yes"""
    output = Output(format)
    by = _by(as_)
    with opened(output) as system:
        room = system.credentials
        if not yes:
            output.note("Would make a key that signs from now on. Nothing was changed. Say --yes to do it.")
            return Exit.YES
        made = room.keys.make(by)
        method = room.issuer.method(made)
        web = room.issuer.has_document
    if output.json:
        output.emit({"key": made, "verification_method": method})
    else:
        output.say(f"Made {made}. It signs from now on; its file is to be backed up with the others.")
    if not web:
        output.note("On a loopback origin the issuer is its key, so badges from now on name another issuer (did:key).")
    return Exit.YES


def retire(
    key: Annotated[str, typer.Argument(metavar="KEY", help="its name, z6Mk…")],
    as_: As = None,
    yes: Yes = False,
    format: FormatOption = Format.TABLE,
) -> int:
    """End a key's signing; what it signed stays good. Example: mlds keys retire z6Mk… --yes"""
    output = Output(format)
    by = _by(as_)
    with opened(output) as system:
        keys = system.credentials.keys
        if yes:
            keys.retire(key, by)
        else:
            keys.check_retirable(key)
    if output.json:
        output.emit({"key": key, "done": yes})
    else:
        output.say(f"{'Retired' if yes else 'Would retire'} {key}. What it signed stays good.")
    if not yes:
        output.note("Nothing was changed. Say --yes to do it.")
    return Exit.YES


def compromised(key: Annotated[str, typer.Argument(metavar="KEY", help="its name, z6Mk…")]) -> int:
    """Declare a key stolen (not supported yet). Example: mlds keys compromised z6Mk…"""
    raise CalledWrongly(
        f"Declaring a key stolen is not supported yet: it needs the sealed log, which tells what {key[:60]} signed "
        "before. Until then make a new key (`mlds keys new --yes`), retire this one, and reissue its badges."
    )


def _by(as_: str | None) -> str:
    if as_ is None:
        return OPERATOR
    if not is_id(as_):
        raise CalledWrongly(f"--as: {as_!r} is no person's id.")
    return f"person:{as_}"
