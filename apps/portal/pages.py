"""Draws pages: templates, the static files, and the headers that every page has.

Everything that a page loads is a file of ours: no inline script or style, so that the Content-Security-Policy
(CSP Level 3) can refuse all else, Trusted Types included.
"""

from __future__ import annotations

import gzip
import hashlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import Response

CSP: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
    "Vary": "Accept, Accept-Encoding",
}
_FOREVER: Final = "public, max-age=31536000, immutable"
_SMALL: Final = 1024


@dataclass(frozen=True, slots=True)
class StaticFile:
    media_type: str
    content: bytes
    packed: bytes

    @property
    def integrity(self) -> str:
        """For Subresource Integrity."""
        return "sha384-" + b64encode(hashlib.sha384(self.content).digest()).decode()


class Static:
    """The files that pages load, kept in memory. Their address holds a digest of them all, so it never lies."""

    def __init__(self) -> None:
        own = files("apps.portal") / "static"
        letters = files("fontpkg_public_sans") / "files" / "PublicSans[wght].ttf"
        self._files = {
            name: _static(media_type, content)
            for name, media_type, content in (
                ("portal.css", "text/css; charset=utf-8", (own / "portal.css").read_bytes()),
                ("portal.js", "text/javascript; charset=utf-8", (own / "portal.js").read_bytes()),
                ("icon.svg", "image/svg+xml", (own / "icon.svg").read_bytes()),
                ("public-sans.ttf", "font/ttf", letters.read_bytes()),
            )
        }

    @cached_property
    def version(self) -> str:
        digest = hashlib.sha256()
        for file in self._files.values():
            digest.update(file.content)
        return digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        assert name in self._files, name
        return f"/static/{self.version}/{name}"

    def integrity(self, name: str) -> str:
        return self._files[name].integrity

    def answer(self, request: Request, name: str) -> Response | None:
        file = self._files.get(name)
        if file is None:
            return None
        headers = {
            "Cache-Control": _FOREVER,
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        if _takes_gzip(request):
            return Response(file.packed, media_type=file.media_type, headers={**headers, "Content-Encoding": "gzip"})
        return Response(file.content, media_type=file.media_type, headers=headers)


class Pages:
    """The templates of one deployment."""

    def __init__(self, *, demonstration: bool, public_url: str) -> None:
        self.static = Static()
        self._headers = dict(HEADERS)
        if public_url.startswith("https://"):
            self._headers["Strict-Transport-Security"] = "max-age=31536000"
        self.templates = Environment(
            loader=PackageLoader("apps.portal"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self.templates.globals.update(
            demonstration=demonstration,
            public_url=public_url,
            static=self.static.url,
            integrity=self.static.integrity,
        )

    def page(self, request: Request, template: str, status: int = 200, /, **shown: Any) -> Response:
        """The page, packed where the browser takes it. No page is ever stored by a browser or a proxy."""
        html = self.templates.get_template(template).render(path=request.url.path, **shown).encode()
        headers = dict(self._headers)
        if len(html) > _SMALL and _takes_gzip(request):
            html = gzip.compress(html, 5, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return Response(html, status, headers, "text/html; charset=utf-8")

    def error(self, request: Request, status: int, title: str, detail: str | None) -> Response:
        """The `error_page` of `foundation.web.create_app`."""
        return self.page(request, "error.html", status, status=status, title=title, detail=detail)


def _static(media_type: str, content: bytes) -> StaticFile:
    return StaticFile(media_type, content, gzip.compress(content, 9, mtime=0))


def _takes_gzip(request: Request) -> bool:
    for part in request.headers.get("accept-encoding", "").lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
