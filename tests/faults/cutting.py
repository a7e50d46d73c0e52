"""A proxy on a Unix socket that cuts a connection between the server's work and its answer."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from pathlib import Path


class CuttingProxy:
    """Passes on what client and server say. Armed, it lets the next question through and loses the answer."""

    def __init__(self, folder: Path, server: Path) -> None:
        self.folder = folder
        self._server = str(server / ".s.PGSQL.5432")
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / ".s.PGSQL.5432"))
        self._listening.listen(50)
        self._mode: str | None = None
        self.cuts = 0
        self._closed = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def cut_next_answer(self) -> None:
        """The client sees the connection end instead of an answer."""
        self._mode = "cut"

    def swallow_next_answer(self) -> None:
        """The client sees nothing at all."""
        self._mode = "swallow"

    def close(self) -> None:
        self._closed.set()
        for thread in self._threads:
            thread.join()
        self._listening.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            if select.select([self._listening], [], [], 0.05)[0]:
                client, _ = self._listening.accept()
                thread = threading.Thread(target=self._pass_on, args=(client,))
                self._threads.append(thread)
                thread.start()

    def _pass_on(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._server)
        doing: str | None = None
        with client, server, contextlib.suppress(OSError):
            while not self._closed.is_set():
                for ready in select.select([client, server], [], [], 0.05)[0]:
                    said = ready.recv(65536)
                    if not said:
                        return
                    if ready is client:
                        if self._mode:
                            doing, self._mode = self._mode, None
                        server.sendall(said)
                    elif doing == "cut":
                        self.cuts += 1
                        return
                    elif doing == "swallow":
                        self.cuts += 1
                    else:
                        client.sendall(said)
