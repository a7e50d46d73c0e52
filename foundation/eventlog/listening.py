"""Waking up when something has been appended: one connection that listens, however many wait.

A notice is a hint and no more: it may be lost with a connection or a failover. Whoever waits reads again
after a timeout in any case.
"""

from __future__ import annotations

import threading
import time
from typing import Final

import psycopg

from foundation.postgres.connections import connect
from foundation.postgres.faults import Unusable

CHANNEL: Final = "mlds_log"
_LONGEST_PAUSE: Final = 5.0


class Listener:
    """Listens in a thread of its own; reconnects by itself, pausing longer each time up to 5 s."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._changed = threading.Condition()
        self._count = 0
        self._events: set[threading.Event] = set()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._connection: psycopg.Connection[object] | None = None

    def start(self) -> None:
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="log-listener", daemon=True)
                self._thread.start()

    def close(self) -> None:
        self._stop.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    @property
    def count(self) -> int:
        """Rises with each notice. Take it before you read, and give it to `wait`."""
        return self._count

    def wait(self, count: int, timeout: float) -> bool:
        """Waits until there has been a notice since `count`, at most `timeout` seconds; tells whether there was."""
        self.start()
        with self._changed:
            return self._changed.wait_for(lambda: self._count != count, timeout)

    def wake(self) -> None:
        """Makes all that wait look again."""
        with self._changed:
            self._count += 1
            self._changed.notify_all()
            for event in self._events:
                event.set()

    def add(self, event: threading.Event) -> None:
        with self._changed:
            self._events.add(event)
        event.set()

    def remove(self, event: threading.Event) -> None:
        with self._changed:
            self._events.discard(event)

    def _run(self) -> None:
        pause = 0.05
        while not self._stop.is_set():
            try:
                with connect(self._url, limits=None) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self.wake()  # something may have come while nobody listened
                    pause = 0.05
                    self._listen(connection)
            except (Unusable, psycopg.Error):
                self._stop.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _listen(self, connection: psycopg.Connection[object]) -> None:
        checked = time.monotonic()
        while not self._stop.is_set():
            for _ in connection.notifies(timeout=0.2, stop_after=1):
                self.wake()
            if time.monotonic() - checked > 10.0:  # a peer that vanished says nothing; ask
                connection.execute("SELECT")
                checked = time.monotonic()
