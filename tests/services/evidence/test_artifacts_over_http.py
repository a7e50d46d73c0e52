"""Artifacts: what people attach, taken or refused with a sentence for a coach, and nothing left behind."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image
from pypdf import PdfWriter

from tests.services.evidence.conftest import Answer, World, judged

METADATA = {"occurred_on": "2026-02-03", "claims": [{"competency": 6, "pointers": [{"page": 1}]}]}


def pdf(*, password: str | None = None, pages: int = 1) -> bytes:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 200)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def picture(form: str) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((64, 64), 60).save(out, form)
    return out.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def huge_png() -> bytes:
    """A picture that says it has 60,000 × 60,000 pixels."""
    import binascii
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", binascii.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


HEIC = struct.pack(">I", 24) + b"ftypheic" + b"\0\0\0\0" + b"mif1heic" + b"\0" * 64


def submit(
    world: World,
    data: bytes,
    name: str = "plan.pdf",
    type_: str | None = "application/octet-stream",
    by: str = "p-heron",
    key: str = "new",
    **metadata: Any,
) -> Answer:
    files = {"file": (name, data, type_) if type_ else (name, data)}
    sent = {"metadata": json.dumps(METADATA | metadata)}
    return world.post("/principals/p-heron/artifacts", None, by, key, data=sent, files=files)


def stored_files(world: World) -> list[Any]:
    return [path for path in world.blobs.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("data", "name", "type_"),
    [
        (pdf(), "plan.pdf", "application/pdf"),
        (picture("PNG"), "chart.png", "image/png"),
        (picture("JPEG"), "photo.jpg", "image/jpeg"),
        ("Señora Núñez’s café talk".encode(), "notes.txt", "text/plain"),
    ],
)
def test_what_is_taken_is_stored_encrypted_and_comes_back(world: World, data: bytes, name: str, type_: str) -> None:
    submit(world, data, name, type_).made()
    [event] = world.log.read(after=world.log.head() - 1, unseal=True)
    assert (event.data["media_type"], event.data["size"], event.data["filename"]) == (type_, len(data), name)
    [path] = stored_files(world)
    assert path.stat().st_mode & 0o777 == 0o600
    assert data not in path.read_bytes()
    assert b"".join(world.evidence.artifacts.read(event.data["blob"])) == data
    [sealed] = world.log.read(after=world.log.head() - 1)
    assert not {"filename", "sha256"} & sealed.data.keys()


@pytest.mark.parametrize(
    ("data", "name", "type_", "status", "word"),
    [
        (b"", "zero.pdf", "application/pdf", 422, "empty"),
        (pdf(password="x"), "locked.pdf", "application/pdf", 422, "password"),
        (pdf()[:60], "cut.pdf", "application/pdf", 422, "cut off"),
        (pdf(pages=0), "none.pdf", "application/pdf", 422, "pages"),
        (HEIC, "photo.heic", "image/heic", 415, "HEIC"),
        (HEIC, "photo.jpg", "image/jpeg", 415, "HEIC"),
        (zipped({"run.exe": b"MZ"}), "w.docx", "application/octet-stream", 415, "ZIP"),
        (zipped({"word/document.xml": b" " * 1_000_000}), "bomb.docx", None, 415, "ZIP"),
        (zipped({"../../etc/x": b"x"}), "up.docx", None, 415, "ZIP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "page.png", "image/png", 415, "says"),
        (pdf(), "plan.txt", "text/plain", 415, "says"),
        (pdf(), "plan.pdf", "image/png", 415, "says"),
        (pdf(), "run.exe", None, 415, "says"),
        (picture("PNG")[:-20], "cut.png", "image/png", 422, "cut off"),
        (picture("JPEG")[:-300], "cut.jpg", "image/jpeg", 422, "cut off"),
        (huge_png(), "huge.png", "image/png", 422, "pixels"),
        ("Núñez".encode("cp1252"), "old.txt", "text/plain", 415, "UTF-8"),
        (b"a\0b", "binary.txt", "text/plain", 415, "kind"),
        (b" \n", "blank.txt", "text/plain", 422, "empty"),
    ],
)
def test_what_is_not_taken_is_refused_with_a_sentence_and_leaves_nothing(
    world: World, data: bytes, name: str, type_: str | None, status: int, word: str
) -> None:
    """What it is is told by its bytes; neither its name nor the type that was sent counts."""
    answer = submit(world, data, name, type_)
    assert answer.status == status, answer.body
    assert word in answer.body["detail"]
    assert world.stored_by_last_call == 0
    assert stored_files(world) == []


def test_a_refused_submission_leaves_no_file(world: World) -> None:
    for answer in (
        submit(world, pdf(), by="coach-idle"),
        submit(world, pdf(), occurred_on="2026-03-01"),
        submit(world, pdf(), claims=[{"competency": 4711, "pointers": []}]),
        submit(world, pdf(), claims=[]),
        submit(world, pdf(), media_type="application/pdf"),
        submit(world, pdf(), sha256="0" * 64),
    ):
        assert answer.status in (403, 422), answer.body
        assert stored_files(world) == []


@pytest.mark.parametrize("metadata", ["", "{", "[]", '{"claims": 1, "claims": 2}', "{" * 3000, '"\\ud800"'])
def test_bad_metadata_is_refused_with_its_place(world: World, metadata: str) -> None:
    sent = {"data": {"metadata": metadata}, "files": {"file": ("a.txt", b"x")}}
    answer = world.post("/principals/p-heron/artifacts", None, "p-heron", **sent)
    assert answer.status in (400, 422)
    assert "metadata" in str(answer.body)


def test_a_missing_part_is_named(world: World) -> None:
    answer = world.post("/principals/p-heron/artifacts", None, "p-heron", data={"metadata": json.dumps(METADATA)})
    assert answer.status == 422
    assert answer.body["errors"][0]["pointer"] == "/file"


def test_metadata_may_come_as_a_part_of_json(world: World) -> None:
    files = {
        "metadata": ("blob", json.dumps(METADATA), "application/json"),
        "file": ("notes.txt", b"notes", "text/plain"),
    }
    world.post("/principals/p-heron/artifacts", None, "p-heron", files=files).made()


def test_a_submission_sent_again_is_stored_once(world: World) -> None:
    data = picture("PNG")
    key = str(uuid4())
    first = submit(world, data, "a.png", key=key)
    assert submit(world, data, "a.png", key=key).body == first.body
    assert submit(world, data, "b.png", key=key).refused == (409, "idempotency-conflict")
    own = submit(world, data, "a.png", evidence_id="e-1")
    assert submit(world, data, "a.png", evidence_id="e-1").body == own.body
    assert len(stored_files(world)) == 2


def test_an_assessor_who_did_not_submit_it_reviews_it(world: World) -> None:
    theirs = submit(world, pdf(), by="c-otter").made()
    review = {"occurred_on": "2026-02-05", "judgments": judged(6, "emerging")}
    path = f"/artifacts/{theirs}/reviews"
    assert world.post(path, review, "c-otter").refused == (403, "own-artifact")
    assert world.post(path, review, "p-heron").refused == (403, "own-record")
    assert world.post(path, review, "coach-idle").refused == (403, "not-assigned")
    assert world.all_items("/principals/p-heron/evidence")[0]["state"] == "open"
    world.post(path, review, "c-wren").made()
    world.post(path, review, "c-wren").made()  # a later review stands in its place
    assert world.all_items("/principals/p-heron/evidence")[0]["state"] == "complete"
    other = world.observe().made()
    assert world.post(f"/artifacts/{other}/reviews", review, "c-wren").refused == (422, "wrong-kind-of-evidence")


def test_a_crash_between_storing_and_recording_is_swept(world: World) -> None:
    submit(world, pdf()).made()
    orphan = world.evidence.artifacts.put(io.BytesIO(b"nobody names me"))
    assert world.evidence.sweep_artifacts() == []  # it may be on its way
    assert world.evidence.artifacts.sweep({"nothing"}, older_than_s=-1) != []
    assert orphan.blob not in {path.parent.name + path.name for path in stored_files(world)}
