"""`mlds demo` as a process, on an embedded server of its own that the test holds open."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from apps.demo.plan import Plan
from apps.installation import DEMO_DATABASE
from foundation.postgres.embedded import EmbeddedServer
from tests.apps.demo.histories import levels

MLDS = (sys.executable, "-c", "from apps.cli.main import main; main()")
ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Home:
    """An MLDS_HOME and its server."""

    path: Path
    server: EmbeddedServer

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MLDS_")}
        return kept | {"MLDS_HOME": str(self.path), "PYTHONPATH": str(ROOT), "COLUMNS": "200"}

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*MLDS, *arguments], env=env or self.environment, capture_output=True, text=True, timeout=240
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*MLDS, *arguments], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def demo(self, *, seed: int, principals: int) -> dict[str, Any]:
        """Runs it to its end; its object of counts, which is all of standard output."""
        done = self.run(*arguments(seed, principals))
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert len(lines) == 1, done.stdout
        counts: dict[str, Any] = json.loads(lines[0])
        return counts

    def database(self) -> psycopg.Connection[Any]:
        """The owner's connection to the demonstration's database."""
        return psycopg.connect(self.server.url(DEMO_DATABASE), autocommit=True)

    def rows(self, asked: str) -> list[tuple[Any, ...]]:
        with self.database() as connection:
            return connection.execute(asked).fetchall()


def arguments(seed: int, principals: int) -> tuple[str, ...]:
    return ("demo", "--no-serve", "--format", "json", "--seed", str(seed), "--principals", str(principals))


@contextmanager
def home(path: Path) -> Iterator[Home]:
    with EmbeddedServer(path, durable=False) as server:
        yield Home(path, server)


def expected(plan: Plan) -> dict[str, int]:
    """Events by type that a plan leads to, but for what the server itself adds (roles of principals, keys)."""
    made = Counter(step.type for step in plan.steps)
    found = levels(plan)
    made["LevelReached"] = sum(len(line["reached"]) for line in found)
    made["LevelLapsed"] = sum(len(line["lapsed"]) for line in found)
    made["IssuanceIntended"] = made["CredentialIssued"] = made["LevelReached"]
    made["CredentialRevoked"] = made["LevelLapsed"]
    made["ShareGranted"] = len(plan.shares)
    return {name: number for name, number in made.items() if number}
