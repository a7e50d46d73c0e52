"""The one place where JSON from outside becomes values.

Refuses what two readers could read differently (RFC 8259 section 4, I-JSON RFC 7493): members that stand
twice, NaN and infinities, lone surrogates; and what is too large or too deep to be honest.
"""

from __future__ import annotations

import json
import re
from typing import Any

JSON = Any  # str | int | float | bool | None | list | dict; recursive aliases buy nothing here

_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


class JsonFault(ValueError):
    """What is wrong with a JSON text. `pointer` is an RFC 6901 pointer where it is known, else empty."""

    def __init__(self, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer


def escape(name: str) -> str:
    """One reference token of a JSON pointer (RFC 6901 section 3)."""
    return name.replace("~", "~0").replace("/", "~1")


def parse(data: bytes | bytearray | str, *, max_bytes: int = 1 << 20, max_depth: int = 64) -> JSON:
    """The value of a JSON text in UTF-8 without byte order mark. Raises JsonFault.

    Integers stay exact up to 4,300 digits (Python's own limit); floats that overflow are refused.
    """
    if len(data) > max_bytes:
        raise JsonFault(f"larger than {max_bytes} bytes")
    if isinstance(data, str):
        text = data
    else:
        try:
            text = bytes(data).decode("utf-8")
        except UnicodeDecodeError as fault:
            raise JsonFault(f"not UTF-8: byte {fault.start} cannot be read") from None
    if text.startswith("\ufeff"):
        raise JsonFault("begins with a byte order mark")
    _check_depth(text, max_depth)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as fault:
        raise JsonFault(f"not JSON: {fault.msg} at line {fault.lineno}, column {fault.colno}") from None
    except RecursionError:
        raise JsonFault("nested too deeply") from None
    except JsonFault:
        raise
    except ValueError:  # an integer of more digits than Python reads
        raise JsonFault("a number has more than 4,300 digits") from None
    if _SURROGATE_ESCAPE.search(text) or not isinstance(data, (bytes, bytearray)):
        _check_surrogates(value, "")
    return value


def _check_depth(text: str, limit: int) -> None:
    if text.count("[") + text.count("{") <= limit:
        return
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        mark = token.group()
        if mark in "[{":
            depth += 1
            if depth > limit:
                raise JsonFault(f"nested deeper than {limit}")
        elif mark in "]}":
            depth -= 1


def _members(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise JsonFault(f"member {json.dumps(name)} stands twice in one object")
            seen.add(name)
    return members


def _constant(text: str) -> JSON:
    raise JsonFault(f"{text} is not JSON")


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise JsonFault(f"the number {text[:40]} is too large")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_constant, parse_float=_float)


def _check_surrogates(value: JSON, pointer: str) -> None:
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise JsonFault("holds half of a surrogate pair, which is no character", pointer) from None
    elif isinstance(value, dict):
        for name, member in value.items():
            _check_surrogates(name, pointer)
            _check_surrogates(member, f"{pointer}/{escape(name)}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            _check_surrogates(member, f"{pointer}/{index}")
