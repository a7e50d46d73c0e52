"""Small servers on this machine that answer well, badly, slowly or not at all."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Answer = Callable[[socket.socket], None]


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """Serves every connection with `answer`; gives host:port. Ends with the block."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def one(connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(65536)
                answer(connection)
            except OSError:
                return

    def run() -> None:
        while not over.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def send(*parts: bytes) -> Answer:
    return lambda connection: connection.sendall(b"".join(parts))


def whole(body: bytes, *headers: bytes) -> Answer:
    return send(
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n" % len(body), *(h + b"\r\n" for h in headers), b"\r\n", body
    )


def drip(head: bytes, drop: bytes) -> Answer:
    def answer(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(drop)
            threading.Event().wait(0.02)

    return answer
