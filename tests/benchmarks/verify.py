"""Verifying, credentials per second, beside openbadgeslib in the same run.

    python -m tests.benchmarks.verify [--seconds 3]

In process: parse, ten checks, verdict; the status list is read from memory, as our own lists are. "Foreign"
is a badge of openbadgeslib's make with a key from the trust file and no status. Network plays no part.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import resource
import time
from collections.abc import Callable

from openbadgeslib.ob3.ldp import OB3LdpVerifier

from services.credentials.status_list import MIN_ENTRIES, Bits
from services.credentials.verdicts import Source
from services.credentials.verification import verify_sources
from tests.conformance.test_openbadgeslib import public_pem, theirs
from tests.services.credentials.badges import LIST, NOW, Issuer, Ourselves


def ours() -> Callable[[], object]:
    issuer = Issuer(id="did:web:b.example")
    own = Ourselves(issuer, {LIST: Bits(("revocation",), bytes(MIN_ENTRIES // 8))})
    sources = [Source("x", json.dumps(issuer.sign(issuer.unsigned(status=True))).encode())]

    def once() -> None:
        (verdict,) = verify_sources(sources, now=NOW, own=own)
        assert verdict.verdict == "valid"

    return once


def foreign() -> Callable[[], object]:
    issuer = Issuer()
    trust, sources = issuer.trust(), [Source("x", json.dumps(theirs(issuer)).encode())]

    def once() -> None:
        (verdict,) = verify_sources(sources, now=NOW, trust=trust)
        assert verdict.verdict == "valid"

    return once


def baseline() -> Callable[[], object]:
    issuer = Issuer()
    verifier, text = OB3LdpVerifier(public_pem(issuer)), json.dumps(theirs(issuer))
    return lambda: verifier.verify(text)


WORK = {"ours": ours, "foreign": foreign, "openbadgeslib": baseline}


def rate(name: str, seconds: float) -> tuple[float, float, float]:
    """Per second, and the median and 99th percentile of one in milliseconds."""
    once = WORK[name]()
    for _ in range(5):
        once()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        once()
        times.append(time.perf_counter() - began)
    times.sort()
    return len(times) / sum(times), times[len(times) // 2] * 1e3, times[int(len(times) * 0.99)] * 1e3


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=3.0)
    seconds = options.parse_args().seconds
    print(
        f"verify · {platform.machine()}, {multiprocessing.cpu_count()} cores, Python {platform.python_version()}, "
        f"{seconds:g} s each · python -m tests.benchmarks.verify"
    )
    base = rate("openbadgeslib", seconds)[0]
    for name in WORK:
        per_second, median, late = rate(name, seconds)
        times = f"p50 {median:6.2f} ms   p99 {late:6.2f} ms"
        print(f"  {name:14} {per_second:8.0f}/s   {times}   {per_second / base:5.1f} × base")
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        both = sum(found[0] for found in pool.starmap(rate, [("ours", seconds)] * 2))
    print(f"  ours, 2 procs  {both:8.0f}/s")
    print(f"  memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB at most")


if __name__ == "__main__":
    main()
