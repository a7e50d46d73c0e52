"""Every figure, one benchmark after the other, each with its baseline in the same run: `make bench`.

Each runs in a process of its own, so that its memory is its own. Names select: `python -m tests.benchmarks append`.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

BENCHMARKS = ("append", "derive", "sign", "issue", "verify", "imports")


def main() -> int:
    chosen = sys.argv[1:] or BENCHMARKS
    unknown = [name for name in chosen if name not in BENCHMARKS]
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    print(f"{_processor()}, {os.cpu_count()} cores, {_memory_gib()} GiB, {platform.platform()}", flush=True)
    failed = 0
    for name in chosen:
        print(f"\n## {name}: python -m tests.benchmarks.{name}", flush=True)
        failed |= subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], check=False).returncode
    return failed


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _memory_gib() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


if __name__ == "__main__":
    sys.exit(main())
