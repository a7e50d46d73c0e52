"""A log filled in bulk, as years of use would have filled it: evidence, and the attainments that follow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg

from contracts.continuum import LEVELS
from contracts.events import EVENT_TYPES
from contracts.framework import MLDS_2016
from services.projections.decisions import Decisions
from services.projections.derivation import Derivation
from tests.benchmarks.population import Told, evidence


def fill(owner: psycopg.Connection[Any], events: int, *, principals: int, seed: int = 4) -> None:
    """Puts that many events into an empty log, on the owner's connection."""
    with owner.transaction(), owner.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        columns = "position, event_id, type, type_version, tags, recorded_at, recorded_by, subject, data, sealed, salt"
        tags: list[tuple[str, str, int]] = []
        with cursor.copy(f"COPY log.events ({columns}) FROM STDIN") as copy:
            for position, (stream, type_, data, by, at) in enumerate(_with_attainments(events, principals, seed), 1):
                personal = EVENT_TYPES[type_].personal
                plain = {name: value for name, value in data.items() if name not in personal}
                principal = f"principal:{stream.partition(':')[2]}"
                of = [stream, principal] + ([f"evidence:{data['evidence_id']}"] if "evidence_id" in data else [])
                tags += [(tag, type_, position) for tag in of]
                sealed = _sealed(sorted(data.keys() & personal))
                subject = stream.partition(":")[2] if sealed else None
                text = json.dumps(plain, separators=(",", ":")).encode()
                copy.write_row((position, uuid4(), type_, 1, of, at, by, subject, text, sealed, b"s" * 16))
        with cursor.copy("COPY log.tags (tag, type, position) FROM STDIN") as copy:
            for row in tags:
                copy.write_row(row)
    owner.execute("ANALYZE log.events")
    owner.execute("ANALYZE log.tags")


def _sealed(names: list[str]) -> bytes | None:
    """Of the size and form of sealed members whose key has been destroyed: they read as erased."""
    return b"\x01" + ",".join(names).encode() + b"\x00" + b"x" * 130 if names else None


def _with_attainments(
    events: int, principals: int, seed: int
) -> Iterator[tuple[str, str, dict[str, Any], str, datetime]]:
    decisions = Decisions({MLDS_2016.id: MLDS_2016.numbers})
    derivations: dict[str, Derivation] = {}
    position = 0
    told: Told
    for told in evidence(events, principals=principals, seed=seed):
        position += 1
        at = datetime.fromisoformat(told.on).replace(tzinfo=UTC) + timedelta(microseconds=position)
        yield f"dossier:{told.principal}", told.type, told.data, told.by, at
        derivation = derivations.setdefault(told.principal, Derivation())
        cause = position
        for one in derivation.apply(told.type, told.data, position=cause, by=told.by, at=told.on, decisions=decisions):
            if position == events:
                return
            position += 1
            data = {
                "principal_id": told.principal,
                "competency": one.competency,
                "level": LEVELS[one.rank].value,
                "policy": {"id": one.rule.id, "version": one.rule.version},
                "framework": one.rule.framework,
                "evidence_ids": list(one.evidence_ids),
                "because": cause,
            }
            name = "LevelReached" if one.reached else "LevelLapsed"
            yield f"attainment:{told.principal}", name, data, "service:projections", at
        if position >= events:
            return
