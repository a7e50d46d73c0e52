"""How many badges are issued in a second: attainment in the log, intent, lint, sign, recorded, durable.

`python -m tests.benchmarks.issue [--badges N] [--processes N]` prints, in the same run, the baseline
(`openbadgeslib` signing the very same unsigned documents in memory, nothing recorded), ours from end to end, the
rate of the second and of the last tenth (is it flat?), its parts alone, and memory. A badge rests on three items.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from openbadgeslib.ob3.ldp import add_data_integrity_proof

from contracts.continuum import LEVELS
from contracts.events.evidence import Judgment, ObservationRecorded
from contracts.events.governance import PersonRegistered
from contracts.events.projections import LevelReached
from contracts.policy import BASELINE
from contracts.vocabulary import SETTINGS
from foundation.eventlog import NewEvent, PostgresEventLog, catch_up, new_event
from foundation.eventlog import item as log_item
from foundation.eventlog import query as log_query
from foundation.postgres.connections import Pool
from foundation.postgres.data_keys import DataKeys
from foundation.postgres.embedded import EmbeddedServer
from foundation.postgres.migrations import Room
from foundation.postgres.provision import migrate
from services.credentials.data_integrity import sign
from services.credentials.key_ring import KeyRing
from services.credentials.linting import lint
from services.credentials.room import CredentialsRoom

MASTER_KEY = bytes(32)
SERVICES = ("governance", "evidence", "projections", "credentials")
ITEMS = 3
CHUNK = 10_000


def measure(badges: int = 2_000, processes: int = 1) -> dict[str, Any]:
    """Rates per second; memory in MiB of the largest of our processes."""
    with tempfile.TemporaryDirectory(prefix="mlds-bench-") as folder, EmbeddedServer(Path(folder) / "home") as server:
        rooms = [Room(name, f"services.{name}") for name in SERVICES]
        urls = migrate(server.url(), database="mlds", rooms=rooms).urls
        room, close = opened(urls, Path(folder))
        room.keys.ensure_first()
        _fill(urls, badges)
        took = _end_to_end(room, urls, Path(folder), badges, processes)
        documents = _unsigned(room)
        found = {
            "badges": badges,
            "signing_processes": processes,
            "openbadgeslib_signing_only_per_s": _per_second(_theirs(room), documents),
            "ours_end_to_end_per_s": round(badges / took),
            "second_tenth_per_s": _tenth(room, badges, 1),
            "last_tenth_per_s": _tenth(room, badges, 9),
            "ours_lint_and_sign_only_per_s": _per_second(_ours(room), documents),
            "ours_intend_only_per_s": _intend_only(room, badges),
            "largest_process_MiB": max(
                resource.getrusage(who).ru_maxrss // 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
            ),
        }
        close()
    found["ratio"] = round(found["ours_end_to_end_per_s"] / found["openbadgeslib_signing_only_per_s"], 2)
    return found


def opened(urls: Mapping[str, str], folder: Path) -> tuple[CredentialsRoom, Callable[[], None]]:
    pools = [Pool(urls["credentials"], size=8), Pool(urls["keys"], size=4)]
    log = PostgresEventLog(pools[0], keys=DataKeys(pools[1], MASTER_KEY))
    ring = KeyRing(folder / "issuer", b"of the benchmark")
    room = CredentialsRoom(log, pools[0], ring, "http://127.0.0.1:8000", True, lambda: datetime.now(UTC))

    def close() -> None:
        log.close()
        for pool in pools:
            pool.close()

    return room, close


def _fill(urls: Mapping[str, str], badges: int) -> None:
    """People, three observations for each (principal, competency), and the attainments that rest on them."""
    keys = Pool(urls["keys"], size=4)
    pools = {name: Pool(urls[name], size=2) for name in SERVICES}
    logs = {name: PostgresEventLog(pools[name], keys=DataKeys(keys, MASTER_KEY)) for name in SERVICES}
    pairs = [(f"p-{n // 32:05d}", n % 32 + 1) for n in range(-(-badges // len(LEVELS)))]
    people = dict.fromkeys(principal for principal, _ in pairs)
    _append(logs["governance"], (_person(principal) for principal in people))
    items = {pair: [str(uuid4()) for _ in range(ITEMS)] for pair in pairs}
    _append(logs["evidence"], (_observation(pair, one) for pair in pairs for one in items[pair]))
    because = logs["evidence"].head()
    wanted = ((pair, level) for pair in pairs for level in LEVELS)
    _append(
        logs["projections"],
        (_reached(pair, level, items[pair], because) for _, (pair, level) in zip(range(badges), wanted, strict=False)),
    )
    for log in logs.values():
        log.close()
    for pool in (*pools.values(), keys):
        pool.close()


def _append(log: PostgresEventLog, events: Iterator[NewEvent]) -> None:
    part: list[NewEvent] = []
    for event in events:
        part.append(event)
        if len(part) == CHUNK:
            log.append_bulk(part)
            part.clear()
    log.append_bulk(part)


def _person(principal: str) -> NewEvent:
    said = {"person_id": principal, "name": principal, "email": f"{principal}@example.com"}
    return new_event(PersonRegistered.model_validate(said), recorded_by="service:operator", subject=principal)


def _observation(pair: tuple[str, int], item: str) -> NewEvent:
    principal, competency = pair
    seen = ObservationRecorded.model_validate(
        {
            "evidence_id": item,
            "occurred_on": "2026-03-02",
            "setting": SETTINGS[0],
            "judgments": [Judgment(competency=competency, level=LEVELS[3])],
            "narrative": "Seen.",
        }
    )
    tags = (f"principal:{principal}", f"evidence:{item}")
    stream = f"dossier:{principal}"
    return new_event(seen, stream=stream, tags=tags, recorded_by="person:c-otter", subject=principal)


def _reached(pair: tuple[str, int], level: str, items: Sequence[str], because: int) -> NewEvent:
    principal, competency = pair
    event = LevelReached.model_validate(
        {
            "principal_id": principal,
            "competency": competency,
            "level": level,
            "policy": BASELINE.ref.to_data(),
            "framework": "mlds-2016",
            "evidence_ids": list(items),
            "because": because,
        }
    )
    return new_event(event, recorded_by="service:projections", tags=(f"principal:{principal}",))


def _end_to_end(room: CredentialsRoom, urls: Mapping[str, str], folder: Path, badges: int, processes: int) -> float:
    """Seconds from the first attainment to the last recorded badge; one process intends, the others sign."""
    context = multiprocessing.get_context("spawn")
    ready, stop = context.Barrier(processes + 1), context.Event()
    workers = [context.Process(target=_sign, args=(dict(urls), folder, ready, stop)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    ready.wait()
    begun = time.perf_counter()
    asked = log_query(log_item(types=("CredentialIssued",)))
    catch_up(room.intend(), room.log)
    while room.signing().waiting():
        time.sleep(0.02)
    took = time.perf_counter() - begun
    stop.set()
    for worker in workers:
        worker.join()
    assert sum(1 for _ in room.log.scan(asked)) == badges
    return took


def _sign(urls: dict[str, str], folder: Path, ready: Any, stop: Any) -> None:
    room, close = opened(urls, folder)
    signing = room.signing()
    signing.sign_some()
    ready.wait()
    while not stop.is_set():
        if not signing.sign_some():
            time.sleep(0.005)
    close()


def _tenth(room: CredentialsRoom, badges: int, which: int) -> int:
    """Badges per second within a tenth of the run, by the log's own times."""
    asked = log_query(log_item(types=("CredentialIssued",)))
    times = [event.recorded_at for event in room.log.scan(asked)]
    part = times[badges * which // 10 : badges * (which + 1) // 10]
    # Badges are recorded in batches of one time each: those of the first time belong to the interval before.
    later = sum(moment > part[0] for moment in part)
    return round(later / max((part[-1] - part[0]).total_seconds(), 1e-6))


def _unsigned(room: CredentialsRoom) -> list[dict[str, Any]]:
    asked = log_query(log_item(types=("IssuanceIntended",)))
    return [event.data["document"] for event in room.log.read(asked, limit=200, unseal=True)]


def _per_second(once: Callable[[dict[str, Any]], object], documents: Sequence[dict[str, Any]]) -> int:
    for document in documents[:5]:
        once(document)
    begun = time.perf_counter()
    for document in documents:
        once(document)
    return round(len(documents) / (time.perf_counter() - begun))


def _ours(room: CredentialsRoom) -> Callable[[dict[str, Any]], object]:
    key = room.keys.current().key
    signer, method, created = room.ring.signer(key), room.issuer.method(key), datetime.now(UTC)
    return lambda document: sign(lint(document), signer, verification_method=method, created=created)


def _theirs(room: CredentialsRoom) -> Callable[[dict[str, Any]], object]:
    method = room.issuer.method(room.keys.current().key)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return lambda document: add_data_integrity_proof(document, pem, method)


def _intend_only(room: CredentialsRoom, badges: int) -> int:
    """By the log's own times: from the first intent to the last."""
    asked = log_query(log_item(types=("IssuanceIntended",)))
    times = [event.recorded_at for event in room.log.scan(asked)]
    return round(badges / max((times[-1] - times[0]).total_seconds(), 1e-6))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--badges", type=int, default=2_000)
    parser.add_argument("--processes", type=int, default=1)
    chosen = parser.parse_args()
    print(f"issue: fsync on, {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}")
    for name, value in measure(chosen.badges, chosen.processes).items():
        print(f"  {name:36} {value}")


if __name__ == "__main__":
    main()
