"""Linting and signing, badges per second, beside openbadgeslib's signing in the same run.

    python -m tests.benchmarks.sign [--seconds 3]

In process, no database: lint by every rule, canonical form, signature, text. Each badge has its own id.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import platform
import resource
import time
from collections.abc import Callable

from openbadgeslib import ob3
from openbadgeslib.ob3.ldp import OB3LdpSigner

from services.credentials.baking import bake
from services.credentials.data_integrity import sign
from services.credentials.linting import lint
from tests.conformance.test_openbadgeslib import pem
from tests.services.credentials.badges import CREATED, Issuer
from tests.services.credentials.pictures import picture


def ours(*, baked: bool = False) -> Callable[[], object]:
    issuer, numbers, image = Issuer(), itertools.count(), picture()
    unsigned, method = issuer.unsigned(status=True), issuer.method

    def once() -> bytes:
        document = {**unsigned, "id": f"https://b.example/credentials/{next(numbers)}"}
        signed = sign(lint(document), issuer.key, verification_method=method, created=CREATED)
        text = json.dumps(signed, ensure_ascii=False).encode()
        return bake(image, text) if baked else text

    return once


def baseline() -> Callable[[], object]:
    issuer = Issuer()
    signer = OB3LdpSigner(pem(issuer))

    def once() -> str:
        credential = ob3.OpenBadgeCredential(
            issuer=ob3.Issuer(id=issuer.id, name="Another agency"),
            recipient_id="mailto:a@example.com",
            achievement=ob3.Achievement(
                id="https://c.example/a/1",
                name="Welding",
                description="Joins metal.",
                criteria_narrative="Three seams.",
            ),
            issuance_date=CREATED,
        )
        text: str = signer.sign_to_json(credential, created=CREATED)
        return text

    return once


WORK: dict[str, Callable[[], Callable[[], object]]] = {
    "ours": ours,
    "ours, baked": lambda: ours(baked=True),
    "openbadgeslib": baseline,
}


def rate(once: Callable[[], object], seconds: float) -> tuple[float, float, float]:
    """Per second, and the median and 99th percentile of one in milliseconds."""
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
        f"sign · {platform.machine()}, {multiprocessing.cpu_count()} cores, Python {platform.python_version()}, "
        f"{seconds:g} s each · python -m tests.benchmarks.sign"
    )
    base = rate(baseline(), seconds)[0]
    for name, make in WORK.items():
        per_second, median, late = rate(make(), seconds)
        times = f"p50 {median:6.2f} ms   p99 {late:6.2f} ms"
        print(f"  {name:14} {per_second:8.0f}/s   {times}   {per_second / base:5.1f} × base")
    print(f"  memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB at most")


if __name__ == "__main__":
    main()
