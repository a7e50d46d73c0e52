"""Which face of an address is asked for: the page for people, or what programs read (RFC 9110 section 12.5.1)."""

from __future__ import annotations

from typing import Final

_PAGE: Final = ("text/html", "application/xhtml+xml")


def prefers_html(accept: str | None) -> bool:
    """Whether an `Accept` header names HTML before anything else. `*/*` alone asks for no page.

    Browsers name `text/html` first, with weight 1; programs name JSON, or nothing in particular.
    """
    best_page, best_other = (0.0, 0), (0.0, 0)
    for place, part in enumerate((accept or "").split(",")):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if not name:
            continue
        rank = (_weight(parameters), -place)  # of equal weights, the one named first
        if name in _PAGE:
            best_page = max(best_page, rank)
        elif "*" not in name:
            best_other = max(best_other, rank)
    return best_page[0] > 0 and best_page > best_other


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
