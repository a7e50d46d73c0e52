"""The drawn badge: a sound PNG, the same bytes each time, one for each thing that it shows."""

from __future__ import annotations

import hashlib
from io import BytesIO

import pytest
from PIL import Image

from contracts.continuum import LEVELS, Level
from contracts.framework import MLDS_2016
from services.credentials.baking import bake, extract
from services.credentials.picture import SIZE, Face, draw

PROGRAMME = "Missouri Leadership Development System"


def face(number: int = 4, level: Level = Level.DEVELOPING, **more: object) -> Face:
    return Face(str(number), MLDS_2016.competency(number).label, level, PROGRAMME, **more)  # type: ignore[arg-type]


def test_the_picture_is_a_square_png_of_at_least_600_pixels_with_clear_corners() -> None:
    image = Image.open(BytesIO(draw(face(year=2026))))
    assert image.format == "PNG"
    assert image.size == (SIZE, SIZE)
    assert SIZE >= 600
    assert image.convert("RGBA").getpixel((0, 0))[3] == 0


def test_the_same_face_gives_the_same_bytes() -> None:
    first = draw(face(year=2026))
    draw.cache_clear()
    assert draw(face(year=2026)) == first


def test_each_level_number_year_and_demonstration_looks_different() -> None:
    faces = [face(4, level) for level in LEVELS]
    faces += [face(6), face(year=2026), face(year=2025), face(demonstration=True)]
    assert len({hashlib.sha256(draw(one)).digest() for one in faces}) == len(faces)


@pytest.mark.parametrize("level", LEVELS)
def test_filled_steps_tell_the_level_without_colour(level: Level) -> None:
    """Four boxes in a row below the ribbon: as many filled as the level's rank says, the rest hollow."""
    grey = Image.open(BytesIO(draw(face(18, level)))).convert("RGBA").convert("L")
    row = [grey.getpixel((SIZE // 2 - 112 + 25 + step * 58, 489)) for step in range(4)]
    assert [value < 150 for value in row] == [step <= level.rank for step in range(4)]


def test_a_title_of_any_length_is_drawn() -> None:
    for title in ("x", "word " * 200, "W" * 300, "Über 4 Ziele – “groß”"):
        assert draw(Face("4", title, Level.ASPIRING, PROGRAMME)).startswith(b"\x89PNG")


def test_a_credential_can_be_baked_into_it() -> None:
    baked = bake(draw(face()), '{"name": "é"}'.encode())
    assert extract(baked) == '{"name": "é"}'.encode()
    Image.open(BytesIO(baked)).load()


def test_it_is_small_enough_to_be_mailed() -> None:
    assert len(draw(face(6, Level.TRANSFORMATIONAL, year=2026))) < 60_000
