"""The drawn badge: a PNG that is worth sharing, made from the achievement alone.

Drawn at three times its size and scaled down, so that edges are smooth at any size that pages show. The same
`Face` gives the same bytes: nothing here reads a clock, and the letters come from a packaged font file.
Level is told by word, by the number of filled steps and by the ring, never by colour alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from io import BytesIO
from math import cos, pi, sin
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from contracts.continuum import LEVELS, Level

SIZE: Final = 640
"""Width and height in pixels."""
SCALE: Final = 3

Colour = tuple[int, int, int]
Point = tuple[float, float]

_NAVY: Final[Colour] = (17, 46, 81)
_PAPER: Final[Colour] = (255, 255, 255)
_INK: Final[Colour] = (27, 27, 27)
_QUIET: Final[Colour] = (86, 92, 101)
_GOLD: Final[Colour] = (217, 164, 41)
# One hue for each level, dark enough for white letters (contrast 4.5 and more against white).
_BY_LEVEL: Final[dict[Level, Colour]] = {
    Level.ASPIRING: (46, 108, 164),
    Level.EMERGING: (0, 104, 112),
    Level.DEVELOPING: (26, 68, 128),
    Level.TRANSFORMATIONAL: (84, 39, 143),
}


@dataclass(frozen=True, slots=True)
class Face:
    """All that the picture shows."""

    mark: str
    """The competency's number, or a short word for the overall level."""
    title: str
    level: Level
    programme: str
    """Set along the top."""
    year: int | None = None
    demonstration: bool = False


@lru_cache(maxsize=512)
def draw(face: Face) -> bytes:
    """The PNG, `SIZE` × `SIZE` pixels, transparent outside the badge."""
    side = SIZE * SCALE
    image = Image.new("RGBA", (side, side), (*_PAPER, 0))
    pen = ImageDraw.Draw(image)
    colour = _BY_LEVEL[face.level]
    middle = side / 2
    _rings(pen, middle, colour, face.level)
    _top(pen, face, middle, colour)
    _title(pen, face, middle)
    _ribbon(pen, face, middle, colour)
    _foot(pen, face, middle)
    # 256 colours hold every shade of the few inks used here, in a quarter of the bytes.
    small = image.resize((SIZE, SIZE), Image.Resampling.LANCZOS).quantize(
        256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
    )
    out = BytesIO()
    small.save(out, "PNG", optimize=True)
    return out.getvalue()


def _px(length: float) -> float:
    """Lengths below are in pixels of the finished picture."""
    return length * SCALE


def _hexagon(middle: float, radius: float, bend: float) -> list[Point]:
    """A hexagon standing on a point, with rounded corners; `radius` to the unrounded corner."""
    corners = [(middle + radius * sin(k * pi / 3), middle - radius * cos(k * pi / 3)) for k in range(6)]
    outline: list[Point] = []
    for k, corner in enumerate(corners):
        before, after = corners[k - 1], corners[(k + 1) % 6]
        start, end = _towards(corner, before, bend), _towards(corner, after, bend)
        for step in range(17):
            t = step / 16
            outline.append(
                (
                    (1 - t) ** 2 * start[0] + 2 * t * (1 - t) * corner[0] + t**2 * end[0],
                    (1 - t) ** 2 * start[1] + 2 * t * (1 - t) * corner[1] + t**2 * end[1],
                )
            )
    return outline


def _towards(point: Point, other: Point, distance: float) -> Point:
    length = ((other[0] - point[0]) ** 2 + (other[1] - point[1]) ** 2) ** 0.5
    return (
        point[0] + (other[0] - point[0]) * distance / length,
        point[1] + (other[1] - point[1]) * distance / length,
    )


def _rings(pen: ImageDraw.ImageDraw, middle: float, colour: Colour, level: Level) -> None:
    inner = _GOLD if level is Level.TRANSFORMATIONAL else colour
    for radius, fill in ((316, _NAVY), (286, _PAPER), (280, inner), (274, _PAPER)):
        pen.polygon(_hexagon(middle, _px(radius), _px(34)), fill=fill)


def _top(pen: ImageDraw.ImageDraw, face: Face, middle: float, colour: Colour) -> None:
    words = face.programme.upper().split()
    half = (len(words) + 1) // 2
    for index, line in enumerate((" ".join(words[:half]), " ".join(words[half:]))):
        _spaced(pen, middle, _px(128 + index * 21), line, _font(15.5, 700), _NAVY, _px(1.3))
    size = 142 if len(face.mark) <= 2 else 104 if len(face.mark) <= 4 else 84
    pen.text((middle, _px(226)), face.mark, font=_font(size, 800), fill=colour, anchor="mm")


def _title(pen: ImageDraw.ImageDraw, face: Face, middle: float) -> None:
    lines, size = _fitted(face.title, _px(410))
    leading = size * 1.22
    top = 337 - leading * (len(lines) - 1) / 2
    for index, line in enumerate(lines):
        pen.text((middle, _px(top + index * leading)), line, font=_font(size, 600), fill=_INK, anchor="mm")


def _ribbon(pen: ImageDraw.ImageDraw, face: Face, middle: float, colour: Colour) -> None:
    """The level's word on a ribbon across the badge, its folds behind, and the steps below it."""
    top, bottom, fold = _px(392), _px(458), _px(16)
    left, right = middle - _px(306), middle + _px(306)
    shade = (colour[0] * 55 // 100, colour[1] * 55 // 100, colour[2] * 55 // 100)
    edge = _px(32)
    pen.polygon([(left, bottom), (left + edge, bottom), (left + edge, bottom + fold)], fill=shade)
    pen.polygon([(right, bottom), (right - edge, bottom), (right - edge, bottom + fold)], fill=shade)
    pen.rectangle((left, top, right, bottom), fill=colour)
    pen.text((middle, (top + bottom) / 2), face.level.label, font=_font(50, 700), fill=_PAPER, anchor="mm")
    width, height, gap = _px(50), _px(18), _px(8)
    start = middle - (4 * width + 3 * gap) / 2
    for level in LEVELS:
        x = start + level.rank * (width + gap)
        box = (x, _px(480), x + width, _px(480) + height)
        if level.rank <= face.level.rank:
            pen.rounded_rectangle(box, radius=_px(4), fill=colour)
        else:
            pen.rounded_rectangle(box, radius=_px(4), fill=_PAPER, outline=_QUIET, width=round(_px(2)))


def _foot(pen: ImageDraw.ImageDraw, face: Face, middle: float) -> None:
    lines = [str(face.year)] if face.year else []
    if face.demonstration:
        lines.insert(0, "Demonstration")
    for index, line in enumerate(lines):
        pen.text((middle, _px(521 + index * 23)), line, font=_font(18, 600), fill=_QUIET, anchor="mm")


def _spaced(
    pen: ImageDraw.ImageDraw,
    middle: float,
    y: float,
    text: str,
    font: ImageFont.FreeTypeFont,
    fill: Colour,
    space: float,
) -> None:
    """Capitals need air between them; Pillow sets none."""
    widths = [font.getlength(letter) for letter in text]
    x = middle - (sum(widths) + space * (len(text) - 1)) / 2
    for letter, width in zip(text, widths, strict=True):
        pen.text((x, y), letter, font=font, fill=fill, anchor="lm")
        x += width + space


def _fitted(text: str, width: float) -> tuple[list[str], float]:
    """The text in at most four lines at the largest of our sizes that holds it; cut at a word if none does."""
    for size, most in ((30, 1), (27, 2), (23, 3), (20, 4)):
        lines = _wrapped(text, _font(size, 600), width)
        if len(lines) <= most:
            return lines, size
    lines = _wrapped(text, _font(20, 600), width)[:4]
    words = lines[3].split()
    while len(words) > 1 and _font(20, 600).getlength(" ".join(words) + " …") > width:
        words.pop()
    return [*lines[:3], " ".join(words) + " …"], 20


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


@cache
def _font(size: float, weight: int) -> ImageFont.FreeTypeFont:
    with (files("fontpkg_public_sans") / "files" / "PublicSans[wght].ttf").open("rb") as file:
        font = ImageFont.truetype(BytesIO(file.read()), round(_px(size)), layout_engine=ImageFont.Layout.BASIC)
    font.set_variation_by_axes([weight])
    return font
