"""`mlds serve`: the HTTP interfaces, the pages, and the followers, of all services or of those named."""

from __future__ import annotations

import threading
from typing import Annotated

import typer
import uvicorn

from apps.cli.output import CalledWrongly, Output
from apps.composition import PARTS, System
from foundation.settings import from_environment
from foundation.telemetry import configure


def register(app: typer.Typer) -> None:
    @app.command()
    def serve(
        services: Annotated[
            list[str] | None, typer.Argument(metavar="[SERVICE]...", help=f"of {', '.join(PARTS)}; all without one")
        ] = None,
        host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
        port: Annotated[int, typer.Option(min=1, max=65535, help="port to listen on")] = 8000,
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
    stop = threading.Event()
    threads = [
        threading.Thread(target=work, args=(stop,), name=name, daemon=True) for name, work in system.workers(parts)
    ]
    server = uvicorn.Server(
        uvicorn.Config(
            system.web_app(parts),
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=10,
        )
    )
    for thread in threads:
        thread.start()
    output.note(f"Serving {', '.join(parts)} on http://{host}:{port}; Ctrl-C ends it.")
    try:
        server.run()
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=15)
