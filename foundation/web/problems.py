"""Refusals as RFC 9457 problem details: the one table from kind to status."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import JSONResponse

from contracts.refusals import Kind, Refusal

TYPE_PREFIX: Final = "urn:mlds:problem:"
MEDIA_TYPE: Final = "application/problem+json"

STATUS: Final[dict[Kind, int]] = {
    Kind.INVALID_JSON: 400,
    Kind.INVALID_BODY: 422,
    Kind.INVALID_PARAMETER: 422,
    Kind.MISSING_IDEMPOTENCY_KEY: 400,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED_MEDIA: 415,
    Kind.NOT_SUPPORTED_YET: 422,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.PERSON_NEEDED: 403,
    Kind.WRONG_HOST: 421,
    Kind.NOT_FOUND: 404,
    Kind.UNKNOWN_PERSON: 404,
    Kind.UNKNOWN_PRINCIPAL: 404,
    Kind.UNKNOWN_EVIDENCE: 404,
    Kind.UNKNOWN_CREDENTIAL: 404,
    Kind.UNKNOWN_SHARE: 404,
    Kind.ERASED: 410,
    Kind.NOT_ASSIGNED: 403,
    Kind.OWN_RECORD: 403,
    Kind.NOT_THE_PRINCIPAL: 403,
    Kind.OWN_ARTIFACT: 403,
    Kind.JUDGED_IT: 403,
    Kind.FUTURE_DATE: 422,
    Kind.UNKNOWN_COMPETENCY: 422,
    Kind.WRONG_KIND_OF_EVIDENCE: 422,
    Kind.SUPERSEDES_NOT_RETRACTED: 422,
    Kind.OWN_MENTEE: 422,
    Kind.PERIOD_ENDS_BEFORE_START: 422,
    Kind.UNREADABLE_FILE: 422,
    Kind.IMPORT_FAULTS: 422,
    Kind.SHARE_TOO_LONG: 422,
    Kind.POSITION_NOT_REACHED: 503,
    Kind.LOG_BUSY: 503,
    Kind.CLOCK_OFF: 503,
    Kind.OUTCOME_UNKNOWN: 503,
    Kind.UNAVAILABLE: 503,
}
"""Kinds that do not stand here are conflicts with what is there: 409."""

_RETRY_AFTER_S: Final = {
    Kind.LOG_BUSY: 30,
    Kind.POSITION_NOT_REACHED: 2,
    Kind.UNAVAILABLE: 5,
    Kind.CLOCK_OFF: 60,
}


def problem(refusal: Refusal) -> JSONResponse:
    """The answer to a refusal."""
    kind = refusal.kind
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + kind.slug,
        "title": kind.title,
        "status": STATUS.get(kind, 409),
        "detail": refusal.detail,
    }
    if refusal.errors:
        body["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in refusal.errors]
    headers = {"Cache-Control": "no-store"}
    if kind is Kind.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    if kind in _RETRY_AFTER_S:
        headers["Retry-After"] = str(_RETRY_AFTER_S[kind])
    return JSONResponse(body, body["status"], headers, MEDIA_TYPE)


def bare_problem(status: int, title: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """An answer without a kind: what the web server itself refuses, and the unknown."""
    return JSONResponse({"type": "about:blank", "title": title, "status": status}, status, headers, MEDIA_TYPE)
