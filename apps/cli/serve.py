"""`mlds serve`: the HTTP interfaces, the pages, and the followers, of all services or of those named."""

from __future__ import annotations

import socket
import threading
from typing import Annotated

import typer
import uvicorn

from apps.cli.output import CalledWrongly, Output
from apps.composition import PARTS, System
from foundation.postgres.faults import Unusable
from foundation.settings import from_environment
from foundation.telemetry import configure


def register(app: typer.Typer) -> None:
    @app.command()
    def serve(
        services: Annotated[
            list[str] | None, typer.Argument(metavar="[SERVICE]...", help=f"of {', '.join(PARTS)}; all without one")
        ] = None,
        host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
        port: Annotated[int, typer.Option(min=0, max=65535, help="port to listen on; 0: a free one")] = 8000,
    ) -> None:
        """Serve the HTTP interface and the pages, and follow the log.

        Example: mlds serve --port 8000
        """
        unknown = [name for name in services or () if name not in PARTS]
        if unknown:
            raise CalledWrongly(f"There is no service {unknown[0]!r}; there are {', '.join(PARTS)}.")
        output = Output()
        configure()
        with System.open(from_environment(), note=output.note) as system:
            if not system.settings.tokens:
                output.note("No operator's token is set (MLDS_TOKEN_FILE), so nobody can write over HTTP.")
            run(system, tuple(services or PARTS), host, port, output)


def run(system: System, parts: tuple[str, ...], host: str, port: int, output: Output) -> None:
    """Serves until a signal ends it: first no new requests, then the followers stop between two batches."""
    listening = _listening(host, port)
    stop = threading.Event()
    threads = [
        threading.Thread(target=work, args=(stop,), name=name, daemon=True) for name, work in system.workers(parts)
    ]
    server = uvicorn.Server(
        uvicorn.Config(
            system.web_app(parts),
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=10,
        )
    )
    for thread in threads:
        thread.start()
    host, port = listening.getsockname()[:2]
    output.note(f"Serving {', '.join(parts)} on http://{host}:{port}; Ctrl-C ends it.")
    try:
        server.run(sockets=[listening])
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=15)


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one. Raises Unusable with a sentence."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(2048)
    except OSError as fault:
        reason = fault.strerror or str(fault)
        raise Unusable(f"Nobody can listen on {host} port {port}: {reason}. Choose another with --port.") from None
    return listening
