"""The README's commands do what it says."""

from __future__ import annotations

import os
import re
import select
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
SHELL = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
SERVED = "http://127.0.0.1:8000"
TOKEN_LINE = re.compile(r"The operator's token of this run: (\S+)")
MLDS = (sys.executable, "-c", "from apps.cli.main import main; main()")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[int, str]]:
    """What `make demo` starts, with few people and on a free port: the port, and the token that it prints."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLDS_")}
    environment = kept | {"MLDS_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}
    with (tmp_path / "demo.err").open("wb") as errors:
        process = subprocess.Popen(
            [*MLDS, "demo", "--principals", "3", "--port", str(port)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=tmp_path,
        )
    try:
        yield port, _token(process, (tmp_path / "demo.err"))
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _token(process: subprocess.Popen[bytes], errors: Path) -> str:
    assert process.stdout is not None
    said = b""
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        if select.select([process.stdout], [], [], 1.0)[0]:
            more = os.read(process.stdout.fileno(), 65536)
            assert more, errors.read_text()
            said += more
            if found := TOKEN_LINE.search(said.decode()):
                return found[1]
    raise AssertionError(f"no token within four minutes: {said.decode()}")


def test_make_knows_the_two_commands() -> None:
    assert [text.strip() for text in SHELL[:2]] == ["make demo", "make test"]
    for command in SHELL[:2]:
        done = subprocess.run(
            [*command.split(), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
    assert "mlds demo" in subprocess.run(["make", "-n", "demo"], cwd=ROOT, capture_output=True, text=True).stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README speaks to the server by curl")
def test_the_observation_gives_the_level_that_it_says(demo: tuple[int, str], tmp_path: Path) -> None:
    port, token = demo
    script = SHELL[2].replace("the-token-that-make-demo-prints", token).replace(SERVED, f"http://127.0.0.1:{port}")
    done = None
    deadline = time.monotonic() + 60
    while done is None or (done.returncode == 7 and time.monotonic() < deadline):  # 7: not listening yet
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    promised = re.search(r"```json\n(.*?)```", README, re.DOTALL)
    assert promised is not None
    assert done.stdout.splitlines()[-1].startswith(promised[1].strip())
