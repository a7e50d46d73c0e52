"""`mlds migrate`: create or upgrade the databases, logins and schemas."""

from __future__ import annotations

import typer

from apps.cli.output import Format, FormatOption, Output
from apps.composition import System, started_server
from apps.installation import installation
from apps.installation import migrate as migrate_all
from foundation.settings import from_environment


def register(app: typer.Typer) -> None:
    @app.command()
    def migrate(format: FormatOption = Format.TABLE) -> None:
        """Create or upgrade the databases, logins and schemas. Repeatable.

        Example: MLDS_DATABASE_URL=postgresql://owner@db/mlds mlds migrate
        """
        output = Output(format)
        settings = from_environment()
        with started_server(settings) as server:
            done = migrate_all(settings, server, output.note)
            with System(settings, installation(settings, server)) as system:
                system.make_first_key(output.note)
        if output.json:
            output.emit({"database": done.database, "created": done.created, "applied": list(done.applied)})
        elif done.applied:
            output.table(["applied"], [[name] for name in done.applied])
        else:
            output.say(f"The database {done.database} is up to date.")
