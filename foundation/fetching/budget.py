"""How much one request may fetch in all, and each address once."""

from __future__ import annotations

import time
from typing import Final

from .fetcher import Fetched, Fetcher, FetchFault

MAX_FETCHES: Final = 20
MAX_SECONDS: Final = 10.0


class Budget:
    """A `Fetch` for one request: at most so many fetches and seconds; an address's answer is kept."""

    def __init__(self, fetcher: Fetcher, *, fetches: int = MAX_FETCHES, seconds: float = MAX_SECONDS) -> None:
        self._fetcher = fetcher
        self._fetches = fetches
        self._seconds = seconds
        self._kept: dict[str, Fetched | FetchFault] = {}

    def __call__(self, url: str, /) -> Fetched:
        found = self._kept.get(url)
        if found is None:
            found = self._kept[url] = self._fetch(url)
        if isinstance(found, FetchFault):
            raise found
        return found

    def _fetch(self, url: str) -> Fetched | FetchFault:
        if self._fetches <= 0:
            return FetchFault(f"{url[:200]} was not fetched: this request has fetched as much as it may")
        if self._seconds <= 0:
            return FetchFault(f"{url[:200]} was not fetched: this request has waited as long as it may")
        self._fetches -= 1
        began = time.monotonic()
        try:
            return self._fetcher.fetch(url, self._seconds)
        except FetchFault as fault:
            return fault
        finally:
            self._seconds -= time.monotonic() - began
