"""Lists page by cursor: `{"items": [...], "next": relative URL or null}`.

A cursor says after which key the next page starts, never how many came before, so that a list loses and
doubles nothing while it grows.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Query, Request

from contracts.refusals import Kind, Refusal
from contracts.strict_json import JsonFault, parse

PAGE_SIZE: Final = 100
PAGE_SIZE_MAX: Final = 500


class Page:
    """FastAPI dependency (`page: Page = Depends()`): where to start, and how many at most."""

    def __init__(
        self,
        request: Request,
        cursor: str | None = Query(None, max_length=1000, description="from `next` of the page before"),
        limit: int = Query(PAGE_SIZE, ge=1, le=PAGE_SIZE_MAX),
    ) -> None:
        self._request = request
        self.limit = limit
        self.after: Any = None if cursor is None else _decode(cursor)

    def after_position(self) -> int:
        """The key as a position of the log; 0 for the first page."""
        if self.after is None:
            return 0
        if not isinstance(self.after, int) or isinstance(self.after, bool) or not 0 <= self.after < 2**63:
            raise _unknown_cursor()
        return self.after

    def answer(self, items: Sequence[Any], key_of: Callable[[Any], Any], shown: Callable[[Any], Any]) -> dict[str, Any]:
        """The answer from `limit + 1` items (one more tells that there is a next page) or fewer."""
        page = items[: self.limit]
        following = None
        if len(items) > self.limit:
            query = [(k, v) for k, v in self._request.query_params.multi_items() if k not in ("cursor", "min_position")]
            following = f"{self._request.url.path}?{urlencode([*query, ('cursor', _encode(key_of(page[-1])))])}"
        return {"items": [shown(item) for item in page], "next": following}


def _encode(key: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def _decode(cursor: str) -> Any:
    try:
        return parse(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, JsonFault):
        raise _unknown_cursor() from None


def _unknown_cursor() -> Refusal:
    return Refusal(Kind.INVALID_PARAMETER, "This cursor is not one of ours. Start again without it.")
