"""The only way out: nothing but public addresses over https, bounded in bytes, time and number."""

from __future__ import annotations

import gzip
import socket
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.fetching import Budget, Fetched, Fetcher, FetchFault, is_public, parse_allow
from foundation.fetching.fetcher import parse_url
from tests.foundation.fetching.servers import Answer, drip, send, serving, whole

CLOSED = [
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "192.31.196.1",
    "192.52.193.1",
    "192.175.48.1",
    "::",
    "::1",
    "::127.0.0.1",
    "::10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2002:808:808::",
    "2620:4f:8000::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%1",
    "febf::1",
    "fec0::1",
    "feff::1",
    "ff02::1",
    "ff0e::1",
    "",
    "localhost",
    "1",
    "127.1",
    "0x7f000001",
    "017700000001",
]


def test_addresses_that_are_not_public_are_closed() -> None:
    assert len(CLOSED) >= 60
    assert [address for address in CLOSED if is_public(address)] == []
    for address in (
        "8.8.8.8",
        "1.1.1.1",
        "93.184.216.34",
        "172.32.0.1",
        "100.128.0.1",
        "2606:4700::1111",
        "2a00:1450::1",
    ):
        assert is_public(address), address


class Wall:
    """Stands where connections would be opened, and counts them."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, int]] = []

    def __call__(self, address: str, port: int, seconds: float) -> socket.socket:
        self.opened.append((address, port))
        raise ConnectionRefusedError(111, "refused by the wall")


@pytest.mark.parametrize("address", CLOSED)
def test_a_name_that_leads_inside_opens_no_connection(address: str) -> None:
    wall = Wall()
    for answers in ([address], ["8.8.8.8", address], [address, "8.8.8.8"]):
        with pytest.raises(FetchFault):
            Fetcher(resolve=lambda host, port, answers=answers: answers, connect=wall)("https://b.example/")  # type: ignore[misc]
    assert wall.opened == []


FORMS = [
    "http://b.example/",
    "ftp://b.example/",
    "file:///etc/passwd",
    "gopher://b.example/",
    "//b.example/",
    "b.example",
    "",
    "https://",
    "https:///x",
    "https:b.example",
    "https://user@b.example/",
    "https://user:pw@b.example/",
    "https://b.example\\@127.0.0.1/",
    "https://127.0.0.1\\.b.example/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.1./",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::127.0.0.1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[fec0::1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[::1/",
    "https://[127.0.0.1]/",
    "https://1/",
    "https://b.example:0/",
    "https://b.example:65536/",
    "https://b.example:99999999/",
    "https://b.example:x/",
    "https://b.example :443/",
    "https://b.example/\r\nX: y",
    "https://b.example/ x",
    "https://b.example/\t",
    "https://b.example/\x00",
    "\nhttps://b.example/",
    "https://b。example/",
    "https://ⓑ.example/",
    "https://１２７.0.0.1/",
    "https://b..example/",
    "https://.b.example/",
    "https://b.example./",
    "https://-b.example/",
    "https://%62.example/",
    "https://127%2e0.0.1/",
    "https://b.example?x@127.0.0.1",
    "https://b.example<x>/",
    "javascript:alert(1)",
    "data:,x",
    "https://169.254.169.254/latest/meta-data/",
    "https://10.0.0.1:8443/",
    "https://0/",
    "https://0.0.0.0/",
    "https://localhost/",
    "https://" + "a" * 64 + ".example/",
    "https://b.example/" + "x" * 3000,
    "ldap://b.example/",
]


@pytest.mark.parametrize("url", FORMS)
def test_an_odd_address_opens_no_connection(url: str) -> None:
    """Names are not looked up here but for those that stand for an address or for this machine."""

    def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"] if host in ("localhost", "b.example") else [host]

    wall = Wall()
    with pytest.raises(FetchFault):
        Fetcher(resolve=resolve, connect=wall)(url)
    assert wall.opened == []


def test_there_are_enough_odd_forms() -> None:
    assert len(FORMS) >= 60


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])
    wall = Wall()
    with pytest.raises(FetchFault, match=r"https://b\.example/ could not be reached: refused"):
        Fetcher(resolve=lambda host, port: next(answers), connect=wall)("https://b.example/")
    assert wall.opened == [("8.8.8.8", 443)]


@given(st.text(max_size=60))
def test_any_text_is_a_plain_url_or_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://b.example{text}"):
        try:
            target = parse_url(url)
        except FetchFault:
            continue
        assert target.host.isascii()
        assert not any(character.isspace() for character in target.path)


# A server on this machine, opened by name


def fetch(answer: Answer, **options: float) -> Fetched:
    with serving(answer) as at:
        return Fetcher(allow=frozenset({at}), **options)(f"http://{at}/list?x=1#part")  # type: ignore[arg-type]


def test_an_allowed_address_is_fetched() -> None:
    found = fetch(whole(b'{"a": 1}', b"Content-Type: Application/VC; charset=utf-8"))
    assert (found.body, found.media_type) == (b'{"a": 1}', "application/vc")
    chunked = send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    assert fetch(chunked).body == b"abcde"
    assert fetch(send(b"HTTP/1.0 200 OK\r\n\r\nto the end")).body == b"to the end"


def test_the_request_asks_for_nothing_packed_and_tells_nothing() -> None:
    asked = []

    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    listener = socket.create_server(("127.0.0.1", 0))
    at = f"127.0.0.1:{listener.getsockname()[1]}"

    def run() -> None:
        connection, _ = listener.accept()
        with connection:
            asked.append(connection.recv(65536))
            answer(connection)

    thread = threading.Thread(target=run)
    thread.start()
    Fetcher(allow=frozenset({at}))(f"http://{at}/a/b?c=d#e")
    thread.join(5)
    listener.close()
    head = asked[0].decode()
    assert head.startswith("GET /a/b?c=d HTTP/1.1\r\n")
    assert f"\r\nHost: {at}\r\n" in head
    assert "\r\nAccept-Encoding: identity\r\n" in head
    assert "cookie" not in head.lower()


BAD: dict[str, tuple[Answer, str]] = {
    "404": (send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), "404"),
    "500": (send(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"), "500"),
    "204": (send(b"HTTP/1.1 204 None\r\n\r\n"), "204"),
    "nothing": (send(), "without response"),
    "no HTTP": (send(b"220 mail.example ESMTP\r\n"), "HTTP"),
    "cut": (send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"), "HTTP|broke off"),
    "cut chunks": (send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc"), "HTTP"),
    "bad chunks": (send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc"), "HTTP"),
    "too large": (whole(b"x" * (512 * 1024 + 1)), "more than"),
    "packed": (whole(gzip.compress(b"{}"), b"Content-Encoding: gzip"), "packed"),
    "endless head": (send(b"HTTP/1.1 200 OK\r\n", *(b"X-%d: y\r\n" % n for n in range(1000)), b"\r\n"), "HTTP"),
    "long line": (send(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n"), "HTTP"),
    "nowhere": (send(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"), "nowhere"),
    "inside": (send(b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"), "public"),
    "plain": (send(b"HTTP/1.1 302 Found\r\nLocation: http://b.example/\r\nContent-Length: 0\r\n\r\n"), "https"),
    "file": (send(b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"), "plain"),
    "round": (send(b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"), "more than 3"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_is_none_and_says_why(name: str) -> None:
    answer, reason = BAD[name]
    with pytest.raises(FetchFault, match=reason):
        fetch(answer)


@pytest.mark.parametrize(
    "answer",
    [
        drip(b"HTTP/1.1 200 OK\r\n\r\n", b" "),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n", b" "),
        drip(b"", b"H"),
        drip(b"HTTP/1.1 200 OK\r\nX: ", b"y"),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        lambda connection: threading.Event().wait(3) and None,
    ],
    ids=["to the end", "length", "status", "header", "chunks", "silent"],
)
def test_an_answer_in_drops_ends_with_the_time(answer: Answer) -> None:
    began = time.monotonic()
    with pytest.raises(FetchFault, match="within"):
        fetch(answer, max_seconds=0.4)
    assert time.monotonic() - began < 1.5


def test_a_name_server_that_never_answers_ends_with_the_time() -> None:
    over = threading.Event()
    began = time.monotonic()
    with pytest.raises(FetchFault, match="within"):
        Fetcher(resolve=lambda host, port: [str(over.wait(10))], max_seconds=0.3)("https://b.example/")
    over.set()
    assert time.monotonic() - began < 1.5


def test_a_name_that_is_not_known_says_so() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(FetchFault, match=r"b\.example"):
        Fetcher(resolve=unknown)("https://b.example/")
    with pytest.raises(FetchFault, match="no address"):
        Fetcher(resolve=lambda host, port: [])("https://b.example/")


def test_tls_without_a_known_certificate_is_refused() -> None:
    with serving(send(b"not TLS at all")) as at, pytest.raises(FetchFault, match="could not be reached"):
        Fetcher(allow=frozenset({at}))(f"https://{at}/")


def test_one_request_has_a_budget_and_asks_each_address_once() -> None:
    visits = []

    def answer(connection: socket.socket) -> None:
        visits.append(1)
        whole(b"{}")(connection)

    with serving(answer) as at:
        budget = Budget(Fetcher(allow=frozenset({at})), fetches=3)
        for _ in range(3):
            assert budget(f"http://{at}/1").body == b"{}"
        with pytest.raises(FetchFault):
            budget("https://127.0.0.1/")
        budget(f"http://{at}/2")
        with pytest.raises(FetchFault, match="as much as it may"):
            budget(f"http://{at}/3")
    assert len(visits) == 2
    with pytest.raises(FetchFault, match="as long as it may"):
        Budget(Fetcher(), seconds=0)("https://b.example/")


def test_what_is_allowed_is_named_by_host_and_port() -> None:
    assert parse_allow(" 127.0.0.1:8099, Localhost:80\n[::1]:443 ") == {"127.0.0.1:8099", "localhost:80", "[::1]:443"}
    assert parse_allow("") == frozenset()
    for wrong in ("127.0.0.1", "a:0", "a:99999", "a:b", "http://a:80", "::1:80"):
        with pytest.raises(ValueError, match="host:port"):
            parse_allow(wrong)
