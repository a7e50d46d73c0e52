"""The generated lists in docs/ and the front's map are those of the code; what documents point at is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from apps.docs import ROOT, documents

DOCUMENTS = sorted(path for path in ROOT.glob("*.md")) + sorted(Path(ROOT, "docs").rglob("*.md"))


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    return documents()


@pytest.mark.parametrize(
    "name",
    [
        "docs/settings.md",
        "docs/problems.md",
        "docs/events.md",
        "docs/routes.md",
        "docs/openapi.json",
        "deploy/front/routes.map",
    ],
)
def test_a_generated_file_is_current(written: dict[str, str], name: str) -> None:
    assert (ROOT / name).read_text("utf-8") == written[name], f"{name} is out of date: make docs"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_in_a_document_leads_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if not re.match(r"[a-z]+:", target):
            assert (path.parent / target).exists(), f"{path.name} points at {target}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_a_document_names_is_there(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    for named in re.findall(r"`((?:apps|services|foundation|contracts|deploy|docs|tests)/[\w./-]*[\w/])`", text):
        assert (ROOT / named).exists(), f"{path.name} names {named}"
