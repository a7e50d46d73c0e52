"""How many observations are imported in a second, whole files, with memory.

`python -m tests.benchmarks.imports [--items N]` prints ours (CSV in, checked, staged, encrypted, appended), the
same file again (nothing to add), and the baseline: a bare COPY of the same finished rows into an indexed table.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg

from foundation.access.permissions import OPERATOR, Caller
from foundation.postgres.embedded import EmbeddedServer
from foundation.postgres.provision import migrate
from services.evidence.import_csv import COLUMNS
from tests.benchmarks.record import PRINCIPALS, open_evidence, settle

_FLOOR: Final = """
CREATE TABLE public.copied (position bigint PRIMARY KEY, event_id uuid NOT NULL UNIQUE, type text NOT NULL,
    type_version integer NOT NULL, tags text[] NOT NULL, recorded_at timestamptz NOT NULL, recorded_by text NOT NULL,
    subject text, data bytea NOT NULL, sealed bytea, salt bytea NOT NULL)
"""
_ROWS: Final = """
SELECT position, event_id, type, type_version, tags, recorded_at, recorded_by, subject, data, sealed, salt
FROM log.events WHERE type = 'ObservationRecorded' ORDER BY position
"""


def write_file(path: Path, items: int, coaches: int = 4) -> None:
    """That many observations without ids, scattered over the principals of `record.settle`."""
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(COLUMNS) + "\n")
        for number in range(items):
            coach, nth = number % coaches, number // coaches
            day = date(2021, 1, 1) + timedelta(days=nth // PRINCIPALS % 1_700)
            file.write(
                f"ObservationRecorded,p-{coach}-{nth % PRINCIPALS},,{day},Learning Labs,{1 + number % 32},emerging,"
                f"Visit {number}: led the data meeting with the whole team and asked what comes next.,"
                f"person:c-{coach},yes\n"
            )


def measure(items: int) -> dict[str, Any]:
    """Items per second, the baseline, their ratio, and the peak memory of the importing process in MB."""
    with tempfile.TemporaryDirectory(prefix="mlds-bench-") as folder, EmbeddedServer(Path(folder) / "home") as server:
        made = migrate(server.url(), database="mlds")
        settle(made.urls, 4)
        file = Path(folder) / "visits.csv"
        write_file(file, items)
        context = multiprocessing.get_context("spawn")
        results = context.SimpleQueue()
        child = context.Process(target=_import, args=(made.urls, file, items > 50_000, results))
        child.start()
        first, again, memory, added = results.get()
        child.join()
        assert added == items
        copied = _copy(server.url("mlds"))
    return {
        "items": items,
        "ours_per_s": round(items / first),
        "again_per_s": round(items / again),
        "bare_copy_per_s": round(items / copied),
        "ratio": round(copied / first, 3),
        "peak_mb": memory,
    }


def _import(urls: Mapping[str, str], file: Path, exclusive: bool, results: Any) -> None:
    evidence, close = open_evidence(urls)
    taken = []
    added = 0
    for _ in range(2):
        begun = time.perf_counter()
        with file.open("rb") as source:
            added += evidence.imports.run(Caller(OPERATOR), source, exclusive=exclusive).added
        taken.append(time.perf_counter() - begun)
    close()
    results.put((*taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, added))


def _copy(url: str) -> float:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(_FLOOR)
        with cursor.copy(f"COPY ({_ROWS}) TO STDOUT (FORMAT BINARY)") as out:
            parts = [bytes(part) for part in out]
        begun = time.perf_counter()
        with cursor.copy("COPY public.copied FROM STDIN (FORMAT BINARY)") as into:
            for part in parts:
                into.write(part)
        connection.commit()
        return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=20_000)
    row = measure(parser.parse_args().items)
    print(f"import: fsync on, {os.cpu_count()} cores")
    print("  " + "  ".join(f"{name}={value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
