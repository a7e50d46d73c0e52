"""From sources to credentials: JSON, arrays, presentations and pictures taken apart, nothing lost or mixed.

One item for each credential, and one for each source that holds none, in order. A place in a source is
named as a JSON pointer after `#`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from contracts.strict_json import JsonFault, parse

from .baking import BakingFault, OtherKind, extract, is_png
from .verdicts import Result, Source

MAX_BYTES: Final = 16 << 20
MAX_DEPTH: Final = 64
MAX_ITEMS: Final = 10_000
_JWT = re.compile(rb"\s*[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\s*")


@dataclass(frozen=True, slots=True)
class Item:
    """One credential's document; or none, with the result of the check `structure` and its reason."""

    source: str
    document: dict[str, Any] | None = None
    result: Result = "failed"
    detail: str = ""
    twin: bool = False  # two readers would read two documents


def read(source: Source) -> list[Item]:
    """The items of a source; never empty, never raises for what a source can hold."""
    if source.data is None:
        return [Item(source.name, None, "not_checked", source.fault or "the source could not be read")]
    data = source.data
    try:
        if is_png(data):
            return [_only(source.name, _json(extract(data)))]
        return list(_entries(source.name, _json(data)))
    except OtherKind as fault:
        return [Item(source.name, None, "not_checked", str(fault))]
    except BakingFault as fault:
        return [Item(source.name, None, "failed", str(fault))]
    except JsonFault as fault:
        where = f"{fault.pointer}: " if fault.pointer else ""
        return [Item(source.name, None, "failed", where + fault.detail, twin="stands twice" in fault.detail)]
    except _Unread as unread:
        return [Item(source.name, None, "not_checked", str(unread))]


class _Unread(Exception):
    pass


def _json(data: bytes) -> Any:
    if len(data) > MAX_BYTES:
        raise JsonFault(f"larger than {MAX_BYTES} bytes")
    if not data.strip():
        raise JsonFault("empty: it holds no credential")
    start = data[:65536].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        if b"<svg" in start or b":svg" in start:
            raise _Unread("an SVG picture is not read here yet")
        raise JsonFault("this is a page or XML, no credential")
    if _JWT.fullmatch(data):
        raise _Unread(_TOKEN)
    return parse(data, max_bytes=MAX_BYTES, max_depth=MAX_DEPTH)


_TOKEN: Final = "a credential as a token (JWT) is not read here yet"  # noqa: S105  # no password


def _only(name: str, value: Any) -> Item:
    items = list(_entries(name, value))
    if len(items) == 1 and items[0].source == name:
        return items[0]
    return Item(name, None, "failed", "a picture holds one credential, and this one holds several")


def _entries(name: str, value: Any) -> Iterator[Item]:
    if not isinstance(value, list):
        yield from _entry(name, "", value)
        return
    if not value:
        yield Item(name, None, "failed", "an empty array: it holds no credential")
    elif len(value) > MAX_ITEMS:
        yield Item(name, None, "failed", f"more than {MAX_ITEMS} entries in one array")
    else:
        for index, member in enumerate(value):
            yield from _entry(name, f"/{index}", member)


def _entry(name: str, pointer: str, value: Any) -> Iterator[Item]:
    source = f"{name}#{pointer}" if pointer else name
    types = value.get("type") if isinstance(value, dict) else None
    named = types if isinstance(types, list) else [types]
    if isinstance(value, str) and _JWT.fullmatch(value.encode()):
        yield Item(source, None, "not_checked", _TOKEN)
    elif not isinstance(value, dict):
        yield Item(source, None, "failed", "this is no object, so no credential")
    elif "EnvelopedVerifiableCredential" in named or "EnvelopedVerifiablePresentation" in named:
        yield Item(source, None, "not_checked", _TOKEN)
    elif "VerifiablePresentation" in named:
        yield from _presentation(name, f"{pointer}/verifiableCredential", value)
    elif "VerifiableCredential" not in named and not value.keys() & {"credentialSubject", "proof"}:
        yield Item(source, None, "failed", "its type is not VerifiableCredential: it holds no credential")
    else:
        yield Item(source, value)


def _presentation(name: str, pointer: str, presentation: dict[str, Any]) -> Iterator[Item]:
    held = presentation.get("verifiableCredential")
    credentials = held if isinstance(held, list) else [] if held is None else [held]
    if not credentials:
        yield Item(name, None, "failed", "a presentation that holds no credential")
    elif len(credentials) > MAX_ITEMS:
        yield Item(name, None, "failed", f"more than {MAX_ITEMS} credentials in one presentation")
    for index, credential in enumerate(credentials[:MAX_ITEMS]):
        place = f"{pointer}/{index}" if isinstance(held, list) else pointer
        types = credential.get("type") if isinstance(credential, dict) else None
        if types == "VerifiablePresentation" or (isinstance(types, list) and "VerifiablePresentation" in types):
            yield Item(f"{name}#{place}", None, "failed", "a presentation in a presentation")
        else:
            yield from _entry(name, place, credential)
