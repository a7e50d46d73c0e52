"""A story told into a real log, and what the projections made of it."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

from contracts.events import EVENT_TYPES
from contracts.history import HistoryReader, Line, lines_of, to_line
from contracts.times import parse_timestamp
from foundation.eventlog import FollowerTransaction, PostgresEventLog, new_event
from foundation.eventlog.followers import query_of
from services.projections.application import Projections
from services.projections.followers import Attain
from services.projections.replay import Replay
from tests.databases import Database
from tests.story import Story


def record(database: Database, lines: Iterable[Line]) -> None:
    """Appends each line on the login of the service that owns its type, at its time. For demonstration databases."""
    logs = {name: database.log(name) for name in ("governance", "evidence", "projections")}
    for line in lines:
        kind = EVENT_TYPES[line.type]
        tags = [f"principal:{line.subject}"] if kind.stream in ("dossier", "attainment") else []
        if "evidence_id" in line.data:
            tags.append(f"evidence:{line.data['evidence_id']}")
        event = new_event(
            kind.model.model_validate(line.data),
            recorded_by=line.recorded_by,
            stream=line.stream,
            tags=tags,
            subject=line.subject if kind.personal else None,
        )
        logs[kind.owner].append([event], recorded_at=parse_timestamp(line.recorded_at))


def sound(story: Story) -> list[Line]:
    """The lines that a log takes: no erased member, nothing recorded as attained."""
    kept = [line for line in story.lines if line.stream.partition(":")[0] in ("dossier", "commission", "framework")]
    return [
        line._replace(data={**line.data, "narrative": "x"}) if line.data.get("narrative") == {"erased": True} else line
        for line in kept
    ]


def follow(follower: Attain, database: Database, *, batch: int) -> None:
    """What the runner does, in batches of this size, until nothing is left."""
    log: PostgresEventLog = database.log("projections")
    connection = database.connect("projections")
    connection.execute("INSERT INTO projections.followers (name) VALUES (%s) ON CONFLICT DO NOTHING", (follower.name,))
    while True:
        row = connection.execute("SELECT position FROM projections.followers").fetchone()
        assert row is not None
        events = log.read(query_of(follower), after=row[0], limit=batch)
        if not events:
            return
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute("UPDATE projections.followers SET position = %s", (events[-1].position,))
            follower.apply(events, FollowerTransaction(cursor, log, events[-1].recorded_at))


def model(database: Database) -> bytes:
    """The whole read model, byte for byte."""
    with (
        database.connect("projections").cursor() as cursor,
        cursor.copy("COPY (SELECT * FROM projections.continuum ORDER BY principal_id, competency) TO STDOUT") as copy,
    ):
        return b"".join(bytes(block) for block in copy)


def attainments(database: Database) -> list[tuple[str, str, Any, str, int]]:
    """(type, principal, competency, level, because) of each, in the log's order."""
    return [
        (event.type, data["principal_id"], data["competency"], data["level"], data["because"])
        for event in database.log("projections").scan()
        for data in [event.data]
        if event.type in ("LevelReached", "LevelLapsed")
    ]


def exported(projections: Projections, principal: str | None = None) -> bytes:
    return b"".join(to_line(line).encode() + b"\n" for line in projections.history(principal))


def replayed_check(history: bytes) -> Replay:
    reader = HistoryReader()
    result = Replay(reader.known, check=True)
    for line in reader.read_all(lines_of(io.BytesIO(history))):
        result.take(line)
    return result
