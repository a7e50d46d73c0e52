"""How fast the continuum is derived anew: from the log into finished read models, ready to be swapped in.

`python -m tests.benchmarks.derive [--events N] [--principals N]` fills a log, rebuilds, and prints beside it, of the
same run: the baseline (the library's way, every event read through our recorder in order, and nothing done with
it), `mlds replay` of the exported history, and the level of one principal with 1,000 events from their log alone.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil
import psycopg

from apps.cli.replay import run
from contracts.history import to_line
from foundation.eventlog import PostgresEventLog
from foundation.postgres.connections import Pool
from foundation.postgres.data_keys import DataKeys
from foundation.postgres.embedded import EmbeddedServer
from foundation.postgres.migrations import Room
from foundation.postgres.provision import migrate
from services.projections.application import Projections
from services.projections.folding import fold
from services.projections.followers import Attain, read_recorded, read_steps, take_decisions
from services.projections.rebuild import rebuild
from services.projections.timeline import Timeline
from tests.benchmarks.filling import fill

MASTER_KEY = bytes(32)


def measure(events: int = 1_000_000, principals: int = 3_500) -> dict[str, Any]:
    """Events per second of rebuild, baseline and replay, the memory of each, milliseconds for one principal."""
    with tempfile.TemporaryDirectory(prefix="mlds-bench-") as folder, EmbeddedServer(Path(folder) / "home") as server:
        made = migrate(server.url(), database="mlds", rooms=[Room("projections", "services.projections")])
        _apart(_fill, (server.url("mlds"), events, principals))
        with psycopg.connect(made.urls["projections"], autocommit=True) as connection:
            connection.execute(
                "INSERT INTO projections.followers (name, position) VALUES (%s, %s)", (Attain.name, events)
            )
        history = Path(folder) / "history.jsonl"
        figures: dict[str, Any] = {"events": events, "principals": principals}
        for name, work, argument in (
            ("read_only", _read_only, made.urls),
            ("rebuild", _rebuild, made.urls),
            ("one_principal", _one_principal, made.urls),
            ("export", _export, (made.urls, history)),
            ("replay", _replay, history),
        ):
            seconds, megabytes = _apart(work, argument)
            if name == "one_principal":
                figures["one_principal_ms"] = round(seconds * 1000, 1)
            else:
                figures[f"{name}_per_s"] = round(events / seconds)
                figures[f"{name}_mb"] = round(megabytes)
        figures["ratio"] = round(figures["rebuild_per_s"] / figures["read_only_per_s"], 2)
    return figures


def _apart(work: Any, argument: Any) -> tuple[float, float]:
    """Runs in a process of its own: seconds, and the most memory that it and its children held, in MB."""
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_reporting, args=(sender, work, argument))
    process.start()
    peak = 0
    while not receiver.poll(0.1):
        with suppress(psutil.NoSuchProcess):
            ours = psutil.Process(process.pid)
            peak = max(peak, sum(one.memory_info().rss for one in (ours, *ours.children(recursive=True))))
    seconds = receiver.recv()
    process.join()
    return seconds, peak / 2**20


def _reporting(sender: Any, work: Any, argument: Any) -> None:
    sender.send(work(argument))


def _fill(given: tuple[str, int, int]) -> float:
    url, events, principals = given
    begun = time.perf_counter()
    with psycopg.connect(url, autocommit=True) as owner:
        fill(owner, events, principals=principals)
        owner.execute("CHECKPOINT")
    return time.perf_counter() - begun


def _log(urls: Any) -> PostgresEventLog:
    return PostgresEventLog(Pool(urls["projections"]), keys=DataKeys(Pool(urls["keys"]), MASTER_KEY))


def _read_only(urls: Any) -> float:
    log = _log(urls)
    begun = time.perf_counter()
    for _ in log.scan():
        pass
    return time.perf_counter() - begun


def _rebuild(urls: Any) -> float:
    done = rebuild(_log(urls))
    assert not done.otherwise
    return done.seconds


def _one_principal(urls: Any) -> float:
    """Of the principal with most events, as of a position: the dossier read and folded, tables left aside."""
    log = _log(urls)
    with log.pool.connection() as connection:
        row = connection.execute(
            "SELECT tag FROM log.tags WHERE tag LIKE 'dossier:%' GROUP BY tag ORDER BY count(*) DESC LIMIT 1"
        ).fetchone()
    assert row is not None
    principal = row[0].partition(":")[2]
    timeline = Timeline()
    take_decisions(timeline, log)
    times = []
    for _ in range(10):
        begun = time.perf_counter()
        until = log.head()
        fold(read_steps(log, principal, until=until), read_recorded(log, principal), timeline, until=until)
        times.append(time.perf_counter() - begun)
    return sorted(times)[len(times) // 2]


def _export(given: tuple[Any, Path]) -> float:
    urls, path = given
    begun = time.perf_counter()
    with path.open("w") as file:
        for line in Projections(_log(urls), lambda: datetime.now(UTC)).history():
            file.write(to_line(line) + "\n")
    return time.perf_counter() - begun


def _replay(path: Path) -> float:
    begun = time.perf_counter()
    with path.open("rb") as file:
        replayed = run(file, check=True)
        assert not list(replayed.differences())
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--principals", type=int, default=3_500)
    given = parser.parse_args()
    for name, value in measure(given.events, given.principals).items():
        print(f"{name:20} {value:>12,}")


if __name__ == "__main__":
    main()
