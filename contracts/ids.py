"""The forms of ids and of text in events."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import Field

ID_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
UUID_PATTERN: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
TEXT_MAX: Final = 20_000

Id = Annotated[str, Field(pattern=ID_PATTERN)]
Uuid = Annotated[str, Field(pattern=UUID_PATTERN)]
Text = Annotated[str, Field(min_length=1, max_length=TEXT_MAX)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_RECORDER = re.compile(r"(person|service):[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def is_id(text: object) -> bool:
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def is_recorder(text: object) -> bool:
    """`person:ID`, or `service:NAME` for what follows by rule."""
    return isinstance(text, str) and _RECORDER.fullmatch(text) is not None
