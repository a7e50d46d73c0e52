"""Fetching a stranger's document without doing a stranger's bidding.

A name is resolved once, every address it gives is checked, and the connection goes to an address that was
checked: a second answer of the name server changes nothing. Redirects are few and each is checked anew.
The time covers everything, so that a body in drops ends like one that never comes.
"""

from __future__ import annotations

import functools
import http.client
import io
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Any, Final, Protocol
from urllib.parse import urljoin

from .addresses import is_public

MAX_BYTES: Final = 512 * 1024
MAX_SECONDS: Final = 5.0
MAX_REDIRECTS: Final = 3
MAX_URL: Final = 2_000

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_URL = re.compile(
    rf"(https?)://({_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])(?::([0-9]{{1,5}}))?"
    r"(/[!-~]*)?(\?[!-~]*)?",
    re.ASCII | re.IGNORECASE,
)
_FORBIDDEN = re.compile(r'[\\<>"^`{|}]')
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)

Resolve = Callable[[str, int], Iterable[str]]
Connect = Callable[[str, int, float], socket.socket]


class FetchFault(Exception):
    """Why nothing was fetched; the sentence names the address and the reason."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was found: the address after redirects, the media type without parameters, the body."""

    url: str
    media_type: str
    body: bytes


class Fetch(Protocol):
    """Fetches one address. Raises FetchFault."""

    def __call__(self, url: str, /) -> Fetched: ...


@dataclass(frozen=True, slots=True)
class Target:
    """One URL, taken apart. `host` is a lower-case name or an address without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_allow(text: str) -> frozenset[str]:
    """`MLDS_FETCH_ALLOW`: host:port, separated by commas or blanks. Raises ValueError naming the bad one."""
    found = set()
    for item in re.split(r"[,\s]+", text.strip()):
        if not item:
            continue
        match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})", item)
        if match is None or not 0 < int(match[2]) < 65536:
            raise ValueError(f"{item!r} is not host:port")
        found.add(f"{match[1].lower()}:{int(match[2])}")
    return frozenset(found)


def parse_url(url: str) -> Target:
    """A URL of the one form that is fetched. Raises FetchFault.

    No user information, no back slash, no address in an unusual form (one number, octal, hexadecimal,
    fewer than four parts), no letters beyond ASCII: each of them is read differently by somebody.
    """
    bare = url.partition("#")[0]
    match = _URL.fullmatch(bare) if len(bare) <= MAX_URL and not _FORBIDDEN.search(bare) else None
    if match is None:
        raise FetchFault(f"{url[:200]!r} is no plain http or https URL")
    scheme, host, port, path, query = match.groups()
    scheme, host = scheme.lower(), host.lower()
    try:
        if host.startswith("["):
            host = IPv6Address(host[1:-1]).compressed
        elif _NUMERIC.fullmatch(host.rsplit(".", 1)[-1]):
            host = str(IPv4Address(host))
    except AddressValueError:
        raise FetchFault(f"{url[:200]!r} names an address in an unusual form") from None
    number = int(port) if port else 443 if scheme == "https" else 80
    if not 0 < number < 65536:
        raise FetchFault(f"{url[:200]!r} names a port that does not exist")
    return Target(scheme, host, number, (path or "/") + (query or ""))


class Fetcher:
    """Fetches documents, https only and from public addresses only, but for what is allowed by name."""

    def __init__(
        self,
        *,
        allow: frozenset[str] = frozenset(),
        max_bytes: int = MAX_BYTES,
        max_seconds: float = MAX_SECONDS,
        resolve: Resolve | None = None,
        connect: Connect | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._allow = allow
        self._max_bytes = max_bytes
        self._max_seconds = max_seconds
        self._resolve = resolve or _resolve
        self._connect = connect or _connect
        self._trust = trust

    def __call__(self, url: str, /) -> Fetched:
        return self.fetch(url, self._max_seconds)

    def fetch(self, url: str, seconds: float) -> Fetched:
        """As a call, within `seconds` at most. Raises FetchFault."""
        deadline = time.monotonic() + min(seconds, self._max_seconds)
        at = url
        for _ in range(MAX_REDIRECTS + 1):
            target = parse_url(at)
            try:
                found = self._once(at, target, deadline)
            except TimeoutError:
                raise FetchFault(f"{at[:200]} did not answer within {self._max_seconds:g} s") from None
            except ssl.SSLError as fault:
                reason = getattr(fault, "verify_message", "") or fault.reason or "TLS failed"
                raise FetchFault(f"{at[:200]} could not be reached safely: {reason}") from None
            except OSError as fault:
                raise FetchFault(f"{at[:200]} could not be reached: {fault.strerror or fault}") from None
            except http.client.HTTPException as fault:
                raise FetchFault(f"{at[:200]} did not answer as HTTP: {type(fault).__name__}") from None
            if isinstance(found, Fetched):
                return found
            at = found
        raise FetchFault(f"{url[:200]} leads from one address to another more than {MAX_REDIRECTS} times")

    def _once(self, url: str, target: Target, deadline: float) -> Fetched | str:
        allowed = target.authority in self._allow
        if target.scheme != "https" and not allowed:
            raise FetchFault(f"{url[:200]} is not https")
        address = self._address(url, target, allowed, deadline)
        connection = self._connect(address, target.port, _left(deadline))
        try:
            if target.scheme == "https":
                connection.settimeout(_left(deadline))
                trust = self._trust or _system_trust()
                connection = trust.wrap_socket(connection, server_hostname=target.host)
            return self._exchange(url, target, connection, deadline)
        finally:
            connection.close()

    def _address(self, url: str, target: Target, allowed: bool, deadline: float) -> str:
        addresses = list(_bounded(lambda: list(self._resolve(target.host, target.port)), deadline))
        if not addresses:
            raise FetchFault(f"{url[:200]}: the name has no address")
        if not allowed and not all(is_public(address) for address in addresses):
            raise FetchFault(f"{url[:200]} leads to an address that is not of the public internet")
        return addresses[0]

    def _exchange(self, url: str, target: Target, connection: socket.socket, deadline: float) -> Fetched | str:
        default = (target.scheme, target.port) in (("https", 443), ("http", 80))
        host = target.authority.rsplit(":", 1)[0] if default else target.authority
        connection.settimeout(_left(deadline))
        connection.sendall(
            (
                f"GET {target.path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: mlds\r\nConnection: close\r\n"
                "Accept: application/vc, application/did+json, application/ld+json, application/json;q=0.9\r\n"
                "Accept-Encoding: identity\r\n\r\n"
            ).encode("ascii")
        )
        answer = http.client.HTTPResponse(_Deadlined(connection, deadline), method="GET")  # type: ignore[arg-type]  # only makefile() is used of the socket
        answer.begin()
        if answer.status in (301, 302, 303, 307, 308):
            place = answer.getheader("Location")
            if not place or len(place) > MAX_URL:
                raise FetchFault(f"{url[:200]} leads nowhere")
            return urljoin(url, place)
        if answer.status != 200:
            raise FetchFault(f"{url[:200]} answered {answer.status}")
        if answer.getheader("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
            raise FetchFault(f"{url[:200]} answered packed, which was not asked for")
        body = answer.read(self._max_bytes + 1)
        if len(body) > self._max_bytes:
            raise FetchFault(f"{url[:200]} answered more than {self._max_bytes} bytes")
        if answer.length:  # fewer bytes came than the answer promised
            raise FetchFault(f"{url[:200]} broke off in the middle of its answer")
        media_type = answer.getheader("Content-Type", "").partition(";")[0].strip().lower()
        return Fetched(url, media_type, body)


class _Deadlined:
    """A socket for http.client whose reads all end at one moment, however slowly the bytes come."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline

    def makefile(self, mode: str) -> io.BufferedReader:
        del mode
        return io.BufferedReader(_Bytes(self._connection, self._deadline))


class _Bytes(io.RawIOBase):
    def __init__(self, connection: socket.socket, deadline: float) -> None:
        super().__init__()
        self._connection = connection
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self._connection.settimeout(_left(self._deadline))
        return self._connection.recv_into(buffer)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _bounded(work: Callable[[], list[str]], deadline: float) -> list[str]:
    """The result of a call that knows no time limit (the system's resolver): left alone when it is late."""
    results: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def run() -> None:
        try:
            results.put(work())
        except OSError as fault:
            results.put(fault)
        except UnicodeError:
            results.put(OSError("the name cannot be looked up"))

    threading.Thread(target=run, daemon=True, name="resolve").start()
    try:
        found = results.get(timeout=_left(deadline))
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(found, OSError):
        raise found
    return found


def _resolve(host: str, port: int) -> list[str]:
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _connect(address: str, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((address, port), timeout=seconds)


@functools.cache  # reading the system's certificates takes longer than most fetches
def _system_trust() -> ssl.SSLContext:
    return ssl.create_default_context()
