"""`mlds verify`: check credentials, ours and others', with and without a network."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from apps.cli.context import opened
from apps.cli.output import CalledWrongly, Exit, Format, FormatOption, Output
from apps.composition import System
from contracts.refusals import Kind, Refusal
from contracts.times import parse_instant
from foundation.eventlog import PostgresEventLog, catch_up
from foundation.fetching import Budget, Fetcher, parse_allow
from foundation.settings import Settings, SettingsFault, from_environment
from services.credentials.issuer import Issuer
from services.credentials.own_issuer import DatabaseIssuer
from services.credentials.reading import MAX_BYTES
from services.credentials.trust_file import NOBODY, Trust, TrustFault, parse_trust
from services.credentials.verdicts import Source, Verdict
from services.credentials.verification import fetched_source, verify_sources

_COLOURS = {"valid": "green", "untrusted": "yellow", "unchecked": "yellow", "expired": "yellow"}

_HOLDER = {"matched": "is the one asked for", "not_matched": "is NOT the one asked for"}


def register(app: typer.Typer) -> None:
    app.command("verify")(verify)


def verify(
    sources: Annotated[list[str], typer.Argument(metavar="FILE|URL|-...", help="JSON or PNG; - is standard input")],
    offline: Annotated[bool, typer.Option("--offline", help="fetch nothing")] = False,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="check the dates as of this time")] = None,
    trust: Annotated[Path | None, typer.Option(metavar="FILE", help="issuers that you trust, JSON")] = None,
    recipient: Annotated[str | None, typer.Option(metavar="EMAIL", help="is this the holder?")] = None,
    format: FormatOption = Format.TABLE,
) -> int:
    """Check credentials; exit 0 only if every one is valid. Example: mlds verify badge.png --trust issuers.json"""
    output = Output(format)
    settings = from_environment()
    moment = _moment(at)
    trusted = _trust(trust)
    fetcher = None if offline else Fetcher(allow=_allowed(settings))
    now = datetime.now(UTC)
    given = [_source(name, fetcher) for name in sources]
    with _own_issuer(settings, output) as own:
        if own is not None:
            own.expect(given)
        verdicts = verify_sources(
            given,
            now=now,
            at=moment,
            trust=trusted,
            recipient=recipient,
            fetch=Budget(fetcher) if fetcher else None,
            own=own,
        )
    for verdict in verdicts:
        if output.json:
            output.emit(verdict.as_json())
        else:
            _show(output, verdict)
    return Exit.YES if all(verdict.yes for verdict in verdicts) else Exit.NO


@contextmanager
def _own_issuer(settings: Settings, output: Output) -> Iterator[DatabaseIssuer | None]:
    """This deployment's issuer, where there is a deployment: verifying a stranger's badge makes no database."""
    there = settings.database_url or settings.service_urls or (settings.home / "postgres" / "data").exists()
    with ExitStack() as stack:
        own = None
        try:
            if there:
                system = stack.enter_context(opened(output, caught_up=False, settings=settings))
                _follow(system, output)
                own = _own(system, stack)
        except Refusal as refusal:
            if refusal.kind is not Kind.UNAVAILABLE:
                raise
            output.note(f"Our own issuer is not known in this run: {refusal.detail}")
        yield own


def _own(system: System, stack: ExitStack) -> DatabaseIssuer:
    """Reads with the login of the credentials service and nothing else: no other's login, no private key."""
    settings, pool = system.settings, system.pool("credentials")
    log = PostgresEventLog(pool)
    stack.callback(log.close)
    return DatabaseIssuer(log, pool, Issuer(settings.public_url, settings.demo or settings.loopback))


def _follow(system: System, output: Output) -> None:
    """Brings revocations up to date, where what that takes is there (the key database, the master key)."""
    try:
        for follower, log in system.followers(("credentials",)):
            catch_up(follower, log)
    except (Refusal, TimeoutError, psycopg.OperationalError) as fault:
        said = fault.detail if isinstance(fault, Refusal) else str(fault)
        output.note(f"What was revoked in the last moments may not be known in this run: {said}")


def _source(name: str, fetcher: Fetcher | None) -> Source:
    if name == "-":
        return Source(name, sys.stdin.buffer.read(MAX_BYTES + 1))
    if name.startswith(("http://", "https://")):
        return fetched_source(name, fetcher)
    try:
        with Path(name).open("rb") as file:
            return Source(name, file.read(MAX_BYTES + 1))
    except (OSError, ValueError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
        return Source(name, None, f"the file cannot be read: {reason}")


def _moment(at: str | None) -> datetime | None:
    try:
        return None if at is None else parse_instant(at)
    except ValueError as fault:
        raise CalledWrongly(f"--at: {fault}") from None


def _trust(path: Path | None) -> Trust:
    if path is None:
        return NOBODY
    try:
        return parse_trust(path.read_bytes())
    except OSError as fault:
        raise CalledWrongly(f"--trust: {path}: {fault.strerror or fault}") from None
    except TrustFault as fault:
        raise CalledWrongly(f"--trust: {path}: {fault}") from None


def _allowed(settings: Settings) -> frozenset[str]:
    try:
        return parse_allow(",".join(settings.fetch_allow))
    except ValueError as fault:
        raise SettingsFault(f"MLDS_FETCH_ALLOW: {fault}") from None


def _show(output: Output, verdict: Verdict) -> None:
    claims = verdict.claims
    colour = _COLOURS.get(verdict.verdict, "red")
    output.console.print(verdict.verdict.upper(), style=f"bold {colour}", end="  ")
    output.say(verdict.source or "(standard input)")
    rows: list[tuple[str, str | None]] = [
        ("what", claims.achievement_name),
        ("issuer", _issuer_words(verdict)),
        ("from", claims.valid_from),
        ("until", claims.valid_until),
        ("holder", _HOLDER.get(verdict.recipient or "")),
    ]
    for name, value in rows:
        if value:
            output.say(f"  {name:12} {value}")
    for check in verdict.checks:
        mark = {"passed": "+", "failed": "x"}.get(check.result, "?")
        output.say(f"  {mark} {check.name:12} {check.detail}")


def _issuer_words(verdict: Verdict) -> str | None:
    claims = verdict.claims
    if verdict.trusted and verdict.issuer_name:
        return f"{verdict.issuer_name} ({claims.issuer})"
    if claims.issuer is None:
        return None
    name = f'claims to be "{claims.issuer_name}", ' if claims.issuer_name else ""
    return f"{name}{claims.issuer}"
