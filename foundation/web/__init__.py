"""HTTP: problems, strict reading, who calls, paging. The only place that knows status codes."""

from foundation.web.application import create_app
from foundation.web.negotiation import prefers_html
from foundation.web.paging import Page
from foundation.web.requests import Gate, Waits, command, idempotency_key, min_position_of
from foundation.web.routes import api_router

__all__ = [
    "Gate",
    "Page",
    "Waits",
    "api_router",
    "command",
    "create_app",
    "idempotency_key",
    "min_position_of",
    "prefers_html",
]
