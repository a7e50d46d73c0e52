"""What is logged about a fault tells where it was, and nothing of what somebody wrote."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import logging, sys, structlog
from foundation.telemetry import configure
configure(json_lines={json_lines})
def fail():
    narrative = "canary-in-a-local"
    raise ValueError("canary-in-the-words")
try:
    fail()
except ValueError as error:
    structlog.get_logger("ours").error("unforeseen", path="/x", exc_info=error)
    logging.getLogger("theirs").error("failed", exc_info=True)
    logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=error)
"""


@pytest.mark.parametrize("json_lines", [True, False])
def test_a_logged_fault_holds_neither_words_nor_locals(json_lines: bool) -> None:
    program = PROGRAM.format(json_lines=json_lines)
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stderr
    assert "canary" not in said
    assert said.count("ValueError") == 2
    assert "fail" in said
    if json_lines:
        lines = [json.loads(line) for line in said.splitlines()]
        assert [(line["event"], line["level"]) for line in lines] == [("unforeseen", "error"), ("failed", "error")]
        assert all(line["timestamp"] and line["at"] for line in lines)
