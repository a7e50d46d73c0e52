"""The history file: JSON Lines, one event a line, in the log's order. Interchange for export, replay, audit.

`HistoryReader` checks every line in order: strict JSON, the envelope, the type and its stream, and for
evidence, policies, reassessments and frameworks every member, form and invariant that the file itself can
show. Roles and assignments are checked when an event is recorded, not here; of other types only the envelope
and that type and stream fit. It holds a small record for each stream and each evidence item, no line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, Final, NamedTuple

from pydantic import ValidationError

from contracts.dossier import Dossiers
from contracts.events import EVENT_TYPES, is_erased
from contracts.framework import MLDS_2016
from contracts.ids import is_recorder
from contracts.packaged import packaged
from contracts.policy import BASELINE
from contracts.statement import faults_of
from contracts.strict_json import JSON, JsonFault, parse
from contracts.times import parse_timestamp

MAX_LINE: Final = 16 << 20
"""Bytes of a line. A whole framework with all its texts is about 1 MiB."""
MAX_DEPTH: Final = 500

ENVELOPE: Final = ("position", "stream", "version", "recorded_at", "recorded_by", "type", "data")
COMMISSION: Final = "commission:policies"
PROJECTIONS: Final = "service:projections"

LATER: Final[Mapping[str, str]] = {"ArtifactTakenDown": "dossier"}
"""Types of the published list that nothing records yet, and their streams."""

_STAND_INS: Final[Mapping[str, str]] = {"sha256": "0" * 64}
"""What takes the place of an erased member while the others are checked."""


class Line(NamedTuple):
    """One event of a history, as written there."""

    position: int
    stream: str
    version: int
    recorded_at: str
    recorded_by: str
    type: str
    data: dict[str, Any]

    @property
    def on(self) -> str:
        """UTC date of recording, `YYYY-MM-DD`."""
        return self.recorded_at[:10]

    @property
    def subject(self) -> str:
        """The X of `dossier:X`."""
        return self.stream.partition(":")[2]


class IllegalLine(ValueError):
    """What is wrong with one line."""


class IllegalHistory(ValueError):
    """The first illegal line of a history, counted from 1, and what is wrong with it."""

    def __init__(self, number: int, detail: str) -> None:
        super().__init__(f"line {number}: {detail}")
        self.number = number
        self.detail = detail


def to_line(line: Line) -> str:
    """The history line of an event, without the line end."""
    return json.dumps(line._asdict(), ensure_ascii=False)


def lines_of(file: IO[bytes]) -> Iterator[bytes]:
    """The lines of a file without their ends (LF or CRLF). A line beyond `MAX_LINE` comes cut."""
    while raw := file.readline(MAX_LINE + 2):
        if raw.endswith(b"\n"):
            raw = raw[:-2] if raw.endswith(b"\r\n") else raw[:-1]
        yield raw


class HistoryReader:
    """Reads a history line by line, in order. `frameworks` and `policies` grow with what it has read."""

    def __init__(self, frameworks: Iterable[Mapping[str, Any]] | None = None) -> None:
        """frameworks: JSON values of legal frameworks, in place of the packaged one."""
        given = [packaged("mlds-framework")] if frameworks is None else list(frameworks)
        self.frameworks: dict[str, Mapping[str, Any]] = {MLDS_2016.id: packaged("mlds-framework")}
        """Each id's one content, the packaged one included."""
        self.known: dict[str, frozenset[int]] = {}
        """Competency numbers of the known frameworks, by id."""
        self.policies: dict[tuple[str, str], Mapping[str, Any]] = {(BASELINE.id, BASELINE.version): BASELINE.to_data()}
        self.competencies: set[int] = set()
        self.dossiers = Dossiers()
        self._versions: dict[str, int] = {}
        self._position = 0
        self._recorded_at = ""
        self._instant = ""
        for framework in given:
            self._know(framework)

    def read_all(self, lines: Iterable[bytes]) -> Iterator[Line]:
        """Every line, checked; raises IllegalHistory at the first illegal one."""
        for number, raw in enumerate(lines, start=1):
            try:
                line = self.read(raw)
            except IllegalLine as fault:
                raise IllegalHistory(number, str(fault)) from None
            yield line

    def read(self, raw: bytes) -> Line:
        """The next line; raises IllegalLine and must not be used further then."""
        line = self._envelope(_parsed(raw))
        kind = EVENT_TYPES.get(line.type)
        if line.type in _CHECKED:
            data = _whole(line)
            try:
                _VALIDATE[line.type](data)
            except ValidationError as error:
                fault = faults_of(error, "/data")[0]
                raise IllegalLine(f"{line.type} {fault.pointer}: {fault.detail}") from None
            _CHECKED[line.type](self, line)
        elif kind is None and line.subject not in self.dossiers.opened:
            raise IllegalLine(f"{line.type}: no dossier of {line.subject} has been opened")
        elif kind is not None and kind.owner == "projections" and line.recorded_by != PROJECTIONS:
            raise IllegalLine(f"{line.type} is recorded by {PROJECTIONS}, not by {line.recorded_by}")
        return line

    def _envelope(self, value: JSON) -> Line:
        if not isinstance(value, dict):
            raise IllegalLine("not a JSON object")
        if value.keys() != _ENVELOPE:
            for name in ENVELOPE:
                if name not in value:
                    raise IllegalLine(f"the member {name} is missing")
            unknown = next(name for name in value if name not in _ENVELOPE)
            raise IllegalLine(f"the member {json.dumps(unknown)} is not known")
        line = Line(**value)
        if type(line.position) is not int or line.position < 1:
            raise IllegalLine("position has to be a whole number from 1")
        if line.position <= self._position:
            raise IllegalLine(f"position {line.position} does not rise: {self._position} stands before it")
        stream_kind = _stream_kind(line)
        expected = self._versions.get(line.stream, 0) + 1
        if type(line.version) is not int or line.version != expected:
            raise IllegalLine(f"version of {line.stream} has to be {expected}, not {json.dumps(line.version)}")
        self._time(line.recorded_at)
        if not is_recorder(line.recorded_by):
            raise IllegalLine("recorded_by has to be person:ID or service:NAME")
        if not isinstance(line.data, dict):
            raise IllegalLine("data has to be an object")
        if stream_kind == "commission" and line.stream != COMMISSION:
            raise IllegalLine(f"{line.type} stands in the stream {COMMISSION}, not {line.stream}")
        self._position = line.position
        self._versions[line.stream] = expected
        return line

    def _time(self, text: JSON) -> None:
        if text == self._recorded_at:
            return
        try:
            parse_timestamp(text)
        except ValueError as fault:
            raise IllegalLine(f"recorded_at: {fault}") from None
        # All are in UTC and of one form, so instants compare as text once the decimals are filled up.
        instant = f"{text[:19]}.{text[20:-1]:0<6}"
        if instant < self._instant:
            raise IllegalLine(f"recorded_at {text} is before {self._recorded_at} of the line before")
        self._recorded_at, self._instant = text, instant

    def _check_evidence(self, line: Line) -> None:
        refusal = self.dossiers.check(
            line.type,
            line.subject,
            line.data,
            recorded_by=line.recorded_by,
            recorded_on=line.on,
            competencies=self.competencies,
        )
        if refusal is not None:
            place = f" /data{refusal.errors[0].pointer}" if refusal.errors else ""
            raise IllegalLine(f"{line.type}{place}: {refusal.detail}")
        self.dossiers.apply(line.type, line.subject, line.data, line.recorded_by)

    def _check_policy(self, line: Line) -> None:
        policy = line.data["policy"]
        if policy["framework"] not in self.known:
            raise IllegalLine(f"{line.type} /data/policy/framework: {policy['framework']} is no known framework")
        ref = (policy["id"], policy["version"])
        if self.policies.setdefault(ref, policy) != policy:
            raise IllegalLine(f"{line.type} /data/policy: {ref[0]} {ref[1]} names a policy of other content")

    def _check_reassessment(self, line: Line) -> None:
        """Nothing beyond its members."""

    def _check_framework(self, line: Line) -> None:
        framework = line.data["framework"]
        if framework["id"] != line.subject:
            raise IllegalLine(
                f"{line.type} /data/framework/id: the framework is {framework['id']}, the stream is {line.stream}"
            )
        if self.frameworks.get(framework["id"], framework) != framework:
            raise IllegalLine(f"{line.type} /data/framework: {framework['id']} names a framework of other content")
        self._know(framework)

    def _know(self, framework: Mapping[str, Any]) -> None:
        numbers = frozenset(competency["number"] for competency in framework["competencies"])
        self.frameworks[framework["id"]] = framework
        self.known[framework["id"]] = numbers
        self.competencies |= numbers


_ENVELOPE: Final = frozenset(ENVELOPE)
_CHECKED: Final = {
    **{name: HistoryReader._check_evidence for name, kind in EVENT_TYPES.items() if kind.stream == "dossier"},
    "PolicyAdopted": HistoryReader._check_policy,
    "ReassessmentOrdered": HistoryReader._check_reassessment,
    "FrameworkPublished": HistoryReader._check_framework,
}
"""The types of which everything is checked."""
_VALIDATE: Final = {name: EVENT_TYPES[name].model.model_validate for name in _CHECKED}
_STREAM: Final = re.compile(r"([a-z]+):[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def _parsed(raw: bytes) -> JSON:
    if not raw.strip():
        raise IllegalLine("a blank line")
    try:
        return parse(raw, max_bytes=MAX_LINE, max_depth=MAX_DEPTH)
    except JsonFault as fault:
        raise IllegalLine(fault.detail) from None


def _stream_kind(line: Line) -> str:
    if not isinstance(line.type, str):
        raise IllegalLine("type has to be the name of an event type")
    registered = EVENT_TYPES.get(line.type)
    wanted = registered.stream if registered else LATER.get(line.type)
    if wanted is None:
        raise IllegalLine(f"the type {json.dumps(line.type)} is not known to this version")
    match = _STREAM.fullmatch(line.stream) if isinstance(line.stream, str) else None
    if match is None:
        raise IllegalLine("stream has to be a word, a colon and an id, for example dossier:p-heron")
    if match[1] != wanted:
        raise IllegalLine(f"{line.type} stands in a stream {wanted}:…, not {line.stream}")
    return wanted


def _whole(line: Line) -> Mapping[str, Any]:
    """The data with a stand-in for each erased member, where one may be."""
    data = line.data
    for name in EVENT_TYPES[line.type].personal:
        if isinstance(data.get(name), dict) and is_erased(data[name]):
            data = {**data, name: _STAND_INS.get(name, "x")}
    return data
