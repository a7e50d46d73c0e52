"""What a newcomer is shown at the end: the shared badges, verified by us and by an independent verifier."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp

from apps.demo.driver import InProcess
from apps.demo.steps import API

INDEPENDENT: Final = f"openbadgeslib {version('openbadgeslib')}"


@dataclass(frozen=True, slots=True)
class Checked:
    """One badge, and what two verifiers said of it."""

    principal: str
    credential_id: str
    title: str
    """The achievement's name."""
    ours: str
    """The verdict of `POST /verify`."""
    theirs: str
    """`valid`, or why not."""
    picture: bytes
    document: bytes

    @property
    def valid(self) -> bool:
        return self.ours == self.theirs == "valid"


def check(
    application: ASGIApp,
    origin: str,
    token: str,
    shared: Iterable[tuple[str, str]],
    advance: Callable[[int], None] = lambda _: None,
) -> list[Checked]:
    """Verifies shared badges, (principal, credential) each, by both verifiers, without a network."""
    return asyncio.run(_check(application, origin, token, list(shared), advance))


async def _check(
    application: ASGIApp,
    origin: str,
    token: str,
    shared: Sequence[tuple[str, str]],
    advance: Callable[[int], None],
) -> list[Checked]:
    lists: dict[str, bytes] = {}
    found: list[Checked] = []
    async with InProcess(application, origin, token) as http:
        for principal, credential in shared:
            path = f"{API}/credentials/{credential}"  # the public one ends with the share
            document = (await http.get(path, principal, accept="application/vc")).content
            picture = (await http.get(f"{path}.png", principal)).content
            vc = json.loads(document)
            for url in _status_lists(vc):
                if url not in lists:
                    lists[url] = (await http.get(urlsplit(url).path, accept="application/vc")).content
            [answer] = await http.post("/verify", vc)
            found.append(
                Checked(
                    principal=principal,
                    credential_id=credential,
                    title=vc["credentialSubject"]["achievement"]["name"],
                    ours=answer["verdict"],
                    theirs=_independently(picture, lists),
                    picture=picture,
                    document=document,
                )
            )
            advance(len(found))
    return found


def _status_lists(credential: Mapping[str, Any]) -> list[str]:
    entries = credential.get("credentialStatus", [])
    return [entry["statusListCredential"] for entry in (entries if isinstance(entries, list) else [entries])]


def _independently(picture: bytes, lists: Mapping[str, bytes]) -> str:
    """What openbadgeslib says of the baked PNG: signature by the issuer's did:key, dates, status.

    It reads the status list and leaves the list's own proof unchecked: it knows lists as JWT only.
    """
    # Imported late: it brings its own JSON-LD stack, which nothing else here needs.
    from openbadgeslib.verify import verify_badge

    result = verify_badge(
        picture,
        "3",
        resolve_did=True,
        check_status=True,
        verify_status_list=False,
        download=lambda url: lists[url],
    )
    return "valid" if result.valid else str(result.reason or "not valid")


def keep(folder: Path, shown: Checked) -> tuple[Path, Path]:
    """Writes picture and document of a badge into the folder; where they lie."""
    folder.mkdir(mode=0o700, exist_ok=True)
    picture = folder / f"{shown.principal}.png"
    document = folder / f"{shown.principal}.json"
    picture.write_bytes(shown.picture)
    document.write_bytes(shown.document)
    return picture, document
