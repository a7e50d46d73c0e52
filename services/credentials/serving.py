"""How public documents are answered: the kind asked for, and how long a copy may be kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final

from fastapi import Request, Response

CREDENTIAL_TYPES: Final = ("application/vc", "application/vc+ld+json", "application/ld+json", "application/json")
DOCUMENT_TYPES: Final = ("application/json", "application/ld+json")
OPEN: Final = {"Access-Control-Allow-Origin": "*"}


def best_type(accept: str | None, offered: Sequence[str]) -> str:
    """Of the media types offered the one that `Accept` likes best; the first where it likes none or all alike."""
    weights: dict[str, float] = {}
    for part in (accept or "").split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = next((value for key, _, value in (p.partition("=") for p in parameters) if key == "q"), "1")
        try:
            weights[name] = max(weights.get(name, 0.0), float(weight))
        except ValueError:
            continue
    return max(offered, key=lambda one: (weights.get(one, 0.0), -offered.index(one)))


def document(
    request: Request, body: bytes | dict[str, Any], media_type: str, *, max_age_s: int, vary: bool = False
) -> Response:
    """A public document with its entity tag; 304 where the caller has it already."""
    content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False, indent=1).encode()
    tag = '"' + hashlib.sha256(media_type.encode() + b"\0" + content).hexdigest()[:32] + '"'
    headers = {
        **OPEN,
        "ETag": tag,
        "Cache-Control": f"public, max-age={max_age_s}" if max_age_s else "no-cache",
        **({"Vary": "Accept"} if vary else {}),
    }
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)
