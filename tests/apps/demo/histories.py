"""A plan as the history that it will become, without any service: for tests of legality and of levels."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterator
from typing import Any

from apps.demo.plan import Plan
from apps.demo.steps import Step
from contracts.history import HistoryReader, Line, lines_of, to_line
from contracts.times import format_timestamp
from foundation.access.standing import Folded
from services.projections.replay import Replay

BY_OPERATOR = "service:operator"


def lines(plan: Plan) -> Iterator[Line]:
    versions: Counter[str] = Counter()
    for position, step in enumerate(plan.steps, start=1):
        stream = stream_of(step)
        versions[stream] += 1
        by = f"person:{step.actor}" if step.actor else BY_OPERATOR
        yield Line(position, stream, versions[stream], format_timestamp(step.at), by, step.type, data_of(step))


def stream_of(step: Step) -> str:
    match step.type:
        case "PersonRegistered" | "AssessorAssigned":
            return f"person:{step.body['person_id']}"
        case "RoleGranted" | "AssessorUnassigned":
            return f"person:{step.path.split('/')[-2]}"
    return f"dossier:{step.principal}"


def data_of(step: Step) -> dict[str, Any]:
    data = step.data
    match step.type:
        case "DossierOpened":
            return {"principal_id": step.principal}
        case "RoleGranted":
            return {"person_id": step.path.split("/")[-2], **data}
        case "AssessorUnassigned":
            return {"principal_id": step.principal, **data}
        case "AssessorAssigned":
            return {"principal_id": step.principal, **{name: data[name] for name in data if name != "person_id"}}
        case "ArtifactSubmitted":
            assert step.file is not None
            content = step.file.content()
            media = {"pdf": "application/pdf", "png": "image/png", "txt": "text/plain"}[step.file.kind]
            made = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            return data | made | {"media_type": media, "filename": step.file.name}
    return data


def folded(line: Line) -> Folded:
    class Event:
        type = line.type
        tags = (line.stream,)
        data = line.data

    return Event()


def levels(plan: Plan) -> list[dict[str, Any]]:
    """What `mlds replay` says of the plan; raises IllegalHistory where a step is not legal."""
    history = "".join(to_line(line) + "\n" for line in lines(plan)).encode()
    reader = HistoryReader()
    replay = Replay(reader.known)
    for line in reader.read_all(lines_of(io.BytesIO(history))):
        replay.take(line)
    return list(replay.levels())
