"""A real browser: Debian's Chromium, driven by Playwright. Any error in its console fails the test."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from tests.apps.portal import samples


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    # Playwright's own browser is not downloaded; as root, Chromium starts only without its sandbox.
    return {"executable_path": shutil.which("chromium"), "args": ["--no-sandbox"]}


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """The pages on made-up data, on a free port of this machine. Gives the origin."""
    # Named as TCP, so that asyncio switches its delays off (TCP_NODELAY).
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        server = uvicorn.Server(uvicorn.Config(samples.app(), log_level="critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="session")
def base_url(site: str) -> str:
    """What relative addresses in a journey stand under. (It also keeps pytest-base-url's own fixture out.)"""
    return site
