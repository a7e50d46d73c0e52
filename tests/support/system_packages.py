"""Tests that need a system package: left out where it is absent, named at the end, failed where all are asked for.

Mark a test with `@pytest.mark.needs("chromium")`; the words are those of `PACKAGES`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest


@cache
def unpacked(tool: str) -> Path | None:
    """The program `compose` or `nginx` that `unpacked-tools.sh` has fetched, or can fetch now; else None."""
    script = Path(__file__).with_name("unpacked-tools.sh")
    done = subprocess.run(["sh", script, tool], capture_output=True, text=True, check=False)
    return Path(done.stdout.strip()) if done.returncode == 0 else None


PACKAGES = {
    "chromium": ("chromium", lambda: shutil.which("chromium") is not None),
    "postgresql-15": ("postgresql-15", lambda: Path("/usr/lib/postgresql/15/bin/postgres").exists()),
    "compose": ("docker-compose", lambda: unpacked("compose") is not None),
    "nginx": ("nginx", lambda: unpacked("nginx") is not None),
}
"""Word → (Debian package, whether it is there)."""

REQUIRE_ALL = os.environ.get("MLDS_TESTS_REQUIRE_ALL") == "1"
_REASON = "needs the system package"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(word): needs a system package, see tests/support/system_packages.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for mark in item.iter_markers("needs"):
            package, there = PACKAGES[mark.args[0]]
            if there():
                continue
            if REQUIRE_ALL:
                raise pytest.UsageError(f"{item.nodeid} {_REASON} {package}, which is absent")
            item.add_marker(pytest.mark.skip(reason=f"{_REASON} {package}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    absent: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
        if _REASON in reason:
            package = reason.rsplit(" ", 1)[-1]
            absent[package] = absent.get(package, 0) + 1
    if absent:
        terminalreporter.section("left out")
        for package, number in absent.items():
            terminalreporter.write_line(f"{number} tests need the system package {package}, which is absent.")
        terminalreporter.write_line(f"To run them too: sudo apt-get install {' '.join(sorted(absent))}")
        if "docker-compose" in absent:
            terminalreporter.write_line("(docker-compose version 2 or later, which Debian has from release 13 on)")
