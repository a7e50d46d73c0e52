"""The data files that come with the contracts: framework, PSEL 2015, vocabulary."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from contracts.strict_json import JSON, parse


@cache
def packaged(name: str) -> JSON:
    """The value of `contracts/data/<name>.json`. Treat as read-only: it is shared."""
    return parse((files("contracts") / "data" / f"{name}.json").read_bytes())
