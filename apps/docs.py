"""`make docs`: writes the lists that documents and the front are made of, from the code they describe.

They are kept as files, so that a change of an interface shows in review; `tests/test_docs.py` tells when one
is out of date. Run as a module, from anywhere: `python -m apps.docs`.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from apps.composition import PARTS, System
from apps.installation import Installation
from contracts.events import EVENT_TYPES
from contracts.refusals import Kind
from foundation.postgres.data_keys import make_master_key
from foundation.settings import ALL, Settings
from foundation.web.problems import STATUS, TYPE_PREFIX

ROOT: Final = Path(__file__).resolve().parents[1]
FRONT_DEFAULT: Final = "credentials"
"""The service to which the front sends what no list names (deploy/front/nginx.conf)."""
_WRITTEN: Final = "Written by `make docs`; do not edit."
_HEALTH: Final = ("/livez", "/readyz", "/metrics")
_METHODS: Final = ("get", "post", "put", "patch", "delete")

Interface = Mapping[str, Any]
"""An OpenAPI document."""


def documents() -> dict[str, str]:
    """Every generated file: path from the top of the repository → its text."""
    whole, parts = _interfaces()
    return {
        "docs/settings.md": _settings(),
        "docs/problems.md": _problems(),
        "docs/events.md": _events(),
        "docs/routes.md": _routes(parts),
        "docs/openapi.json": json.dumps(whole, indent=1, ensure_ascii=False, sort_keys=True) + "\n",
        "deploy/front/routes.map": _front(parts),
    }


def _settings() -> str:
    rows = []
    for setting in ALL:
        name = f"`{setting.name}`" + (f", `{setting.name}_FILE`" if setting.secret else "")
        rows.append((name, setting.default, setting.meaning))
    about = (
        "Settings are environment variables, read once at the start. Where a `…_FILE` is named too, it gives the "
        "file whose text is the setting, so that no secret has to stand in an environment."
    )
    return _page("Settings", about, ("setting", "default", "meaning"), rows)


def _problems() -> str:
    rows = [(f"`{TYPE_PREFIX}{kind.slug}`", str(STATUS.get(kind, 409)), kind.title) for kind in Kind]
    about = (
        "Errors over HTTP are `application/problem+json` (RFC 9457). `type` never changes once released; `detail` "
        "says what is wrong in this case and what to do; `errors` names places in the body. Nothing was stored, "
        "but for `outcome-unknown`: send the same again with the same key."
    )
    return _page("Problems", about, ("type", "status", "title"), rows)


def _events() -> str:
    rows = []
    for kind in EVENT_TYPES.values():
        members = [
            f"{field.alias or name}{'' if field.is_required() else '?'}{'*' if name in kind.personal else ''}"
            for name, field in kind.model.model_fields.items()
        ]
        rows.append((f"`{kind.name}`", str(kind.version), f"`{kind.stream}:`", kind.owner, ", ".join(members)))
    about = (
        "Every event type, from its model in `contracts/events/`. The service is the one whose login may append "
        "it. `*`: encrypted for the event's subject; `?`: may be left out."
    )
    return _page("Events", about, ("type", "version", "stream", "service", "members"), rows)


def _routes(parts: Mapping[str, Interface]) -> str:
    rows = []
    for part, interface in parts.items():
        for path, method, operation in _operations(interface):
            said = operation.get("description") or operation.get("summary", "")
            rows.append((f"`{method.upper()} {path}`", part, said.strip().split("\n\n")[0].replace("\n", " ")))
    rows.extend((f"`GET {path}`", "each", "for operators") for path in _HEALTH)
    about = (
        "Every call over HTTP and the service that answers it; shapes stand in `openapi.json` beside this page. "
        "Pages for people stand at `/`, `/credentials/{id}`, `/verify` and, in the demonstration, `/principals/{id}`."
    )
    return _page("Routes", about, ("call", "service", "does"), rows)


def _front(parts: Mapping[str, Interface]) -> str:
    lines = [f"# Which service answers which address; what is not here goes to {FRONT_DEFAULT}. {_WRITTEN}"]
    owner: dict[str, str] = {}
    for part, interface in parts.items():
        for path in sorted({path for path, _, _ in _operations(interface)}):
            other = owner.setdefault(path, part)
            if other != part:
                raise ValueError(f"{path} is answered by {other} and by {part}: the front cannot tell them apart")
            if part != FRONT_DEFAULT:
                pattern = "[^/]+".join(re.escape(fixed) for fixed in re.split(r"\{[^}]+\}", path))
                lines.append(f'"~^{pattern}$" {part};')
    return "\n".join(lines) + "\n"


def _operations(interface: Interface) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, item in interface.get("paths", {}).items():
        for method in _METHODS:
            if method in item and path not in _HEALTH:
                yield path, method, item[method]


def _interfaces() -> tuple[Interface, dict[str, Interface]]:
    """What the whole says of itself, and what each service does. Connects to nothing."""
    with tempfile.TemporaryDirectory() as folder:
        key = Path(folder, "master.key")
        make_master_key(key)
        urls = dict.fromkeys((*PARTS, "keys"), "postgresql://127.0.0.1:1/none")
        with System(Settings(home=Path(folder)), Installation(Path(folder), urls, key)) as system:
            services = [part for part in PARTS if part != "portal"]
            return _interface(system, services), {part: _interface(system, (part,)) for part in services}


def _interface(system: System, parts: Sequence[str]) -> Interface:
    with warnings.catch_warnings():
        # A route for GET and HEAD is one operation under one id; HEAD goes without saying.
        warnings.filterwarnings("ignore", message="Duplicate Operation ID .*")
        found = system.interface(parts).openapi()
    paths = {
        path: {method: said for method, said in item.items() if method != "head"}
        for path, item in found["paths"].items()
    }
    return {**found, "paths": paths}


def _page(title: str, about: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    table = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)
    return f"# {title}\n\n<!-- {_WRITTEN} -->\n{about}\n\n| {' | '.join(head)} |\n|{' --- |' * len(head)}\n{table}\n"


def main() -> None:
    for name, text in documents().items():
        path = ROOT / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            sys.stderr.write(f"wrote {name}\n")


if __name__ == "__main__":
    main()
