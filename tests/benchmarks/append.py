"""How many pieces of evidence are recorded in a second: read, decide, append, durable, in commit order.

`python -m tests.benchmarks.append [--seconds N] [--events N] [--rounds N]` prints, for 1, 4 and 8 writer processes, the
baseline (a bare INSERT of one row with an index and the transaction's id, one a transaction, on the same
server) and ours, with the ratio. A log of `--events` lies there before.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import psycopg

from foundation.eventlog import PostgresEventLog, decide, item, query
from foundation.postgres.connections import Pool
from foundation.postgres.data_keys import DataKeys
from foundation.postgres.embedded import EmbeddedServer
from foundation.postgres.provision import migrate
from tests.foundation.eventlog.examples import observation

MASTER_KEY = bytes(32)
PRINCIPALS = 200
Work = Callable[[Mapping[str, str], int], tuple[Callable[[int], None], Callable[[], None]]]


def measure(
    seconds: float = 3.0, writers: tuple[int, ...] = (1, 4, 8), events: int = 20_000, rounds: int = 3
) -> list[dict[str, Any]]:
    """One row for each number of writers: events per second of baseline and ours, ratio, percentiles in ms."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="mlds-bench-") as folder, EmbeddedServer(Path(folder) / "home") as server:
        made = migrate(server.url(), database="mlds")
        with psycopg.connect(server.url("mlds"), autocommit=True) as owner:
            owner.execute(
                "CREATE TABLE public.floor (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
                "stream text NOT NULL, data bytea NOT NULL, xid xid8 NOT NULL DEFAULT pg_current_xact_id())"
            )
            owner.execute(f"GRANT INSERT ON public.floor TO {made.logins['evidence']}")
        _fill(made.urls, events)
        for count in writers:
            rows.append(beside_bare_insert(count, seconds, rounds, _decide, made.urls))
    return rows


def beside_bare_insert(
    writers: int, seconds: float, rounds: int, work: Work, urls: Mapping[str, str]
) -> dict[str, Any]:
    """Medians over rounds in which baseline and ours take turns; the ratio is that of each round."""
    floors, ours, times = [], [], []
    for _ in range(rounds):
        floors.append(_run(writers, seconds, _bare_insert, urls)[0])
        rate, took = _run(writers, seconds, work, urls)
        ours.append(rate)
        times += took
    ratios = [mine / floor for mine, floor in zip(ours, floors, strict=True)]
    cuts = statistics.quantiles(times, n=100)
    return {
        "writers": writers,
        "bare_insert_per_s": round(statistics.median(floors)),
        "ours_per_s": round(statistics.median(ours)),
        "ratio": round(statistics.median(ratios), 2),
        "ratios": f"{min(ratios):.2f}..{max(ratios):.2f}",
        "p50_ms": round(cuts[49] * 1000, 2),
        "p99_ms": round(cuts[98] * 1000, 2),
    }


def open_log(urls: Mapping[str, str]) -> tuple[PostgresEventLog, list[Pool]]:
    pools = [Pool(urls["evidence"], size=2), Pool(urls["keys"], size=2)]
    return PostgresEventLog(pools[0], keys=DataKeys(pools[1], MASTER_KEY)), pools


def _fill(urls: Mapping[str, str], events: int) -> None:
    log, pools = open_log(urls)
    for start in range(0, events, 50_000):
        log.append_bulk(observation(principal=f"p-{n % PRINCIPALS}") for n in range(start, min(start + 50_000, events)))
    log.close()
    for pool in pools:
        pool.close()


def _decide(urls: Mapping[str, str], worker: int) -> tuple[Callable[[int], None], Callable[[], None]]:
    """Dossiers of a writer's own, as coaches have them: read one, decide, append."""
    log, pools = open_log(urls)

    def step(number: int) -> None:
        principal = f"b-{os.getpid()}-{number // 30}"
        asked = query(
            item(types=("DossierOpened", "ObservationRecorded", "EvidenceRetracted"), tags=(f"dossier:{principal}",))
        )
        decide(log, asked, lambda known: [observation(principal=principal)])

    def close() -> None:
        log.close()
        for pool in pools:
            pool.close()

    return step, close


def _bare_insert(urls: Mapping[str, str], worker: int) -> tuple[Callable[[int], None], Callable[[], None]]:
    connection = psycopg.connect(urls["evidence"], autocommit=True)
    data = os.urandom(250)

    def step(number: int) -> None:
        connection.execute("INSERT INTO public.floor (stream, data) VALUES (%s, %s)", (f"dossier:{worker}", data))

    return step, connection.close


def _run(writers: int, seconds: float, work: Work, urls: Mapping[str, str]) -> tuple[float, list[float]]:
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(writers), context.SimpleQueue()
    processes = [
        context.Process(target=_writer, args=(work, urls, number, seconds, barrier, results))
        for number in range(writers)
    ]
    for process in processes:
        process.start()
    counted = [results.get() for _ in processes]
    for process in processes:
        process.join()
    times = [one for part in counted for one in part]
    return len(times) / seconds, times


def _writer(work: Work, urls: Mapping[str, str], number: int, seconds: float, barrier: Barrier, results: Any) -> None:
    step, close = work(urls, number)
    for warm in range(20):
        step(warm)
    barrier.wait()
    times: list[float] = []
    end = time.perf_counter() + seconds
    count = 20
    while (begun := time.perf_counter()) < end:
        step(count)
        times.append(time.perf_counter() - begun)
        count += 1
    close()
    results.put(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    print(f"append: fsync on, {os.cpu_count()} cores, {chosen.events} events before, {chosen.seconds} s a run")
    for row in measure(chosen.seconds, events=chosen.events, rounds=chosen.rounds):
        print("  " + "  ".join(f"{name}={value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
