"""A status list that cannot be had, over real connections: the badge is unchecked, with address and reason."""

from __future__ import annotations

import json
import time

import pytest

from foundation.fetching import Budget, Fetcher
from tests.foundation.fetching.servers import Answer, drip, send, serving, whole
from tests.services.credentials.badges import Issuer, verify

issuer = Issuer()
ANSWERS: dict[str, Answer] = {
    "404": send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
    "500": send(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"),
    "html": whole(b"<!doctype html><title>Sign in</title>", b"Content-Type: text/html"),
    "slow": drip(b"HTTP/1.1 200 OK\r\n\r\n", b" "),
    "cut": send(b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"@context": ["https://www.w3.org/ns/cred'),
    "empty": whole(b""),
}


def look(answer: Answer, *, max_seconds: float = 5.0) -> tuple[str, str, str]:
    with serving(answer) as at:
        url = f"http://{at}/status/1"
        unsigned = issuer.unsigned(status=True)
        unsigned["credentialStatus"].update(id=f"{url}#94567", statusListCredential=url)
        fetcher = Fetcher(allow=frozenset({at}), max_seconds=max_seconds)
        verdict = verify(issuer.sign(unsigned), trust=issuer.trust(), fetch=Budget(fetcher))
        status = verdict.check("status")
        assert verdict.verdict == "valid" or url in status.detail
        return verdict.verdict, status.result, status.detail


@pytest.mark.parametrize("name", ANSWERS)
def test_no_answer_is_not_a_good_answer(name: str) -> None:
    began = time.monotonic()
    verdict, result, detail = look(ANSWERS[name], max_seconds=0.5)
    assert (verdict, result) == ("unchecked", "not_checked"), detail
    assert time.monotonic() - began < 2.0


@pytest.mark.parametrize(("ones", "expected"), [((), "valid"), ((94567,), "revoked")])
def test_a_list_that_answers_is_an_answer(ones: tuple[int, ...], expected: str) -> None:
    pages: list[bytes] = []
    with serving(lambda connection: whole(pages[0])(connection)) as at:
        url = f"http://{at}/status/1"
        pages.append(json.dumps(issuer.list(*ones, url=url)).encode())
        unsigned = issuer.unsigned(status=True)
        unsigned["credentialStatus"].update(id=f"{url}#94567", statusListCredential=url)
        fetcher = Fetcher(allow=frozenset({at}))
        assert verify(issuer.sign(unsigned), trust=issuer.trust(), fetch=fetcher).verdict == expected
