"""`mlds credential …`: what operators look up, suspend, revoke and reissue. A rehearsal unless `--yes`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from apps.cli.context import opened
from apps.cli.output import CalledWrongly, Exit, Format, FormatOption, Output
from contracts.ids import is_id
from foundation.access.permissions import OPERATOR, Caller
from services.credentials.application import Credentials, Receipt

CredentialId = Annotated[str, typer.Argument(metavar="ID", help="the credential's id, a UUID")]
As = Annotated[str | None, typer.Option("--as", metavar="PERSON", help="the person who acts: a registrar or the chair")]
Yes = Annotated[bool, typer.Option("--yes", help="do it; without it, only say what would be done")]
Reason = Annotated[str | None, typer.Option("--reason", help="why")]
Act = Callable[[Credentials, Caller, str], Receipt]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        no_args_is_help=True,
        help="Look up, suspend, revoke and reissue credentials.\n\n"
        "Example: mlds credential revoke 7c80ef9a-46a6-4dd6-b34a-a68eb38d9579 --reason error --as registrar-1",
    )
    for command in (show, reissue, suspend, reinstate, revoke, approve):
        group.command(command.__name__)(command)
    app.add_typer(group, name="credential")


def show(
    credential_id: CredentialId,
    format: FormatOption = Format.TABLE,
) -> int:
    """Show a credential's state and document. Example: mlds credential show ID --format json"""
    output = Output(format)
    with opened(output) as system:
        application = system.credentials.application
        state = application.state(credential_id)
        shown = None if state.issued is None else application.credential(Caller(OPERATOR), credential_id)
        value: dict[str, Any] = {
            "credential_id": credential_id,
            "principal": state.principal,
            "state": state.state,
            **({"reason": state.revoked} if state.revoked else {}),
            "attainment": state.cause,
            **({"previous": state.previous} if state.previous else {}),
            "key": state.key,
            "status": {"list": state.list, "index": state.index},
            "proposed": None
            if state.proposal is None
            else {
                "position": state.proposal.position,
                "by": state.proposal.by,
                "reason": state.proposal.reason,
            },
            "document": dict(shown.document) if shown else None,
        }
    if output.json:
        output.emit(value)
        return Exit.YES
    for name, content in value.items():
        if name != "document" and content is not None:
            output.say(f"{name:14} {content}")
    if shown is not None:
        output.say(f"{'name':14} {shown.document['name']}")
        output.say(f"{'valid from':14} {shown.document['validFrom']}")
        output.say(f"{'awarded':14} {shown.document['awardedDate']}")
    return Exit.YES


def reissue(
    credential_id: CredentialId,
    as_: As = None,
    yes: Yes = False,
    format: FormatOption = Format.TABLE,
) -> int:
    """Issue it anew with today's e-mail address and key. Example: mlds credential reissue ID --as registrar-1 --yes"""

    def act(application: Credentials, caller: Caller, one: str) -> Receipt:
        return application.reissue(caller, one, None)

    return _done(credential_id, as_, yes, format, act)


def suspend(
    credential_id: CredentialId,
    reason: Reason = None,
    as_: As = None,
    yes: Yes = False,
    format: FormatOption = Format.TABLE,
) -> int:
    """Suspend it while an inquiry is pending. Example: mlds credential suspend ID --reason "inquiry 12" --as chair-1"""
    why = _reason(reason)
    return _done(credential_id, as_, yes, format, lambda to, who, one: to.suspend(who, one, why, None))


def reinstate(
    credential_id: CredentialId,
    reason: Reason = None,
    as_: As = None,
    yes: Yes = False,
    format: FormatOption = Format.TABLE,
) -> int:
    """End a suspension. Example: mlds credential reinstate ID --reason "cleared" --as chair-1 --yes"""
    why = _reason(reason)
    return _done(credential_id, as_, yes, format, lambda to, who, one: to.reinstate(who, one, why, None))


def revoke(
    credential_id: CredentialId,
    reason: Annotated[str | None, typer.Option("--reason", help="withdrawn, error or misconduct")] = None,
    note: Annotated[str | None, typer.Option("--note", help="more about why, encrypted for the holder")] = None,
    as_: As = None,
    yes: Yes = False,
    format: FormatOption = Format.TABLE,
) -> int:
    """Propose to revoke it; another person approves. Example: mlds credential revoke ID --reason error --as chair-1"""
    why = _reason(reason)
    return _done(credential_id, as_, yes, format, lambda to, who, one: to.propose_revocation(who, one, why, note, None))


def approve(
    credential_id: CredentialId,
    as_: As = None,
    yes: Yes = False,
    format: FormatOption = Format.TABLE,
) -> int:
    """Approve a proposed revocation, as a second person. Example: mlds credential approve ID --as registrar-1 --yes"""

    def act(application: Credentials, caller: Caller, one: str) -> Receipt:
        return application.approve_revocation(caller, one, None)

    return _done(credential_id, as_, yes, format, act)


def _done(credential_id: str, as_: str | None, yes: bool, shape: Format, act: Act) -> int:
    output = Output(shape)
    caller = _caller(as_)
    with opened(output) as system:
        room = system.credentials
        room.application.state(credential_id)  # an unknown id, before all else
        receipt = act(room.application if yes else room.rehearsal, caller, credential_id)
        if yes:
            system.catch_up()
    for event in receipt.events:
        told = {name: value for name, value in event.data.items() if name != "document"}
        if output.json:
            output.emit({"done": yes, "type": event.type, "data": told} | ({"position": event.position} if yes else {}))
        else:
            output.say(f"{'Recorded' if yes else 'Would record'} {event.type}: {told}")
    if not yes:
        output.note("Nothing was changed. Say --yes to do it.")
    return Exit.YES


def _caller(as_: str | None) -> Caller:
    if as_ is None:
        raise CalledWrongly("This is done in a person's name: say whose with --as PERSON.")
    if not is_id(as_):
        raise CalledWrongly(f"--as: {as_!r} is no person's id.")
    return Caller(f"person:{as_}")


def _reason(reason: str | None) -> str:
    if not reason or not reason.strip():
        raise CalledWrongly("Say why with --reason.")
    return reason
