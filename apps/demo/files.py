"""Small real files for artifacts: a PDF of a page or two, a PNG chart, a text. The same input, the same bytes."""

from __future__ import annotations

import io
from dataclasses import dataclass
from random import Random
from typing import Literal

from PIL import Image, ImageDraw

FileKind = Literal["pdf", "png", "txt"]

_LINES_ON_A_PAGE = 12
_INK, _BAR, _PAPER = (33, 37, 41), (0, 94, 162), (255, 255, 255)


@dataclass(frozen=True, slots=True)
class FileSpec:
    """What a file is to hold; its bytes are made when it is sent."""

    kind: FileKind
    name: str
    title: str
    lines: tuple[str, ...]

    @property
    def pages(self) -> int:
        return -(-len(self.lines) // _LINES_ON_A_PAGE) if self.kind == "pdf" else 1

    def content(self) -> bytes:
        match self.kind:
            case "pdf":
                return _pdf(self.title, self.lines)
            case "png":
                return _png(self.title, self.lines)
            case "txt":
                return "\n".join((self.title, "", *self.lines, "")).encode()


def _pdf(title: str, lines: tuple[str, ...]) -> bytes:
    """PDF 1.4 with the standard font Helvetica: header, objects, cross-reference table, trailer."""
    pages = [lines[start : start + _LINES_ON_A_PAGE] for start in range(0, len(lines), _LINES_ON_A_PAGE)]
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for index, page in enumerate(pages):
        drawn = [f"BT /F1 18 Tf 72 720 Td ({_escape(title)}) Tj ET"] if index == 0 else []
        drawn += [f"BT /F1 11 Tf 72 {680 - 22 * row} Td ({_escape(line)}) Tj ET" for row, line in enumerate(page)]
        stream = "\n".join(drawn).encode("cp1252", "replace")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * index} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n".encode() + stream + b"\nendstream")
    out, offsets = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{offset:010d} 00000 n \n".encode() for offset in offsets)
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n".encode()
    return bytes(out)


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _png(title: str, lines: tuple[str, ...]) -> bytes:
    """A bar chart, 480 × 270 pixels."""
    image = Image.new("RGB", (480, 270), _PAPER)
    draw = ImageDraw.Draw(image)
    draw.text((24, 16), title, fill=_INK)
    draw.line(((24, 240), (456, 240)), fill=_INK)
    heights = Random("\n".join(lines))  # noqa: S311 - a picture, no secret
    for bar in range(9):
        left = 36 + bar * 46
        draw.rectangle(((left, 240 - heights.randint(30, 180)), (left + 30, 239)), fill=_BAR)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=False)
    return out.getvalue()
