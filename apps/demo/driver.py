"""Sends a plan through the HTTP application, in process, as the people in it would: one step after the other.

Each step is sent at its own time (the demonstration's clock is set to it) and under its own Idempotency-Key, so
that a run that was killed goes on where it stopped. What follows from the steps is derived beside them, about once
a month.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, Final, Protocol
from uuid import UUID

import httpx2
from starlette.types import ASGIApp

from apps.demo.plan import Plan
from apps.demo.steps import API, ShareStep, Step
from contracts.continuum import OVERALL, RANKS
from contracts.refusals import Kind, Refusal
from foundation.eventlog import EventLog, command_id

_MONTH_S: Final = 28 * 24 * 3600
_PAGES_MOST: Final = 100
_OPERATOR: Final = "service:operator"


class Clock(Protocol):
    def set(self, moment: datetime | None) -> None: ...


class InProcess:
    """The HTTP application as a client sees it, without a network. Use it inside `async with`."""

    def __init__(self, application: ASGIApp, origin: str, token: str) -> None:
        self._client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=application),
            base_url=origin,
            headers={"Authorization": f"Bearer {token}"},
        )

    async def __aenter__(self) -> InProcess:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def get(self, path: str, actor: str = "", accept: str = "*/*") -> httpx2.Response:
        return _expected(await self._client.get(path, headers={"Accept": accept, **_acting(actor)}), f"GET {path}")

    async def post(
        self, path: str, body: Mapping[str, Any] | Sequence[Any] | None, actor: str = "", key: UUID | None = None
    ) -> Any:
        """A call with a JSON body, where there is one."""
        headers = _acting(actor) | ({"Idempotency-Key": str(key)} if key else {})
        content = None if body is None else json.dumps(body).encode()
        if content is not None:
            headers["Content-Type"] = "application/json"
        answer = await self._client.post(path, content=content, headers=headers)
        return _expected(answer, f"POST {path}").json()

    async def send(self, step: Step) -> None:
        if step.file is None:
            await self.post(API + step.path, step.body, step.actor, step.key)
            return
        parts: dict[str, tuple[str | None, bytes] | tuple[str | None, bytes, str]] = {
            "metadata": (None, json.dumps(step.body).encode(), "application/json"),
            "file": (step.file.name, step.file.content()),
        }
        headers = {"Idempotency-Key": str(step.key), **_acting(step.actor)}
        _expected(await self._client.post(API + step.path, files=parts, headers=headers), step.line)


@dataclass(frozen=True, slots=True)
class Driver:
    """What a run needs. `catch_up` derives what follows; `advance` is told how many steps are done."""

    application: ASGIApp
    origin: str
    token: str
    log: EventLog
    clock: Clock
    catch_up: Callable[[], None]

    def run(self, plan: Plan, advance: Callable[[int], None]) -> None:
        """Sends what has not been sent. Raises Refusal where a step is refused, which is a fault of ours.

        After it the clock tells the machine's time again.
        """
        try:
            asyncio.run(self._run(plan, advance))
        finally:
            self.clock.set(None)

    async def _run(self, plan: Plan, advance: Callable[[int], None]) -> None:
        recorded = {event.command_id for event in self.log.scan()}
        steps = [step for step in plan.steps if command_of(step.actor, step.key) not in recorded]
        shares = [share for share in plan.shares if command_of(share.principal, share.key) not in recorded]
        done = count(len(plan.steps) + len(plan.shares) - len(steps) - len(shares))
        advance(next(done))
        if not (steps or shares):
            return
        async with InProcess(self.application, self.origin, self.token) as http:
            with _Beside(self.catch_up) as following:
                month = None
                for step in steps:
                    self.clock.set(step.at)
                    if month != (month := int(step.at.timestamp()) // _MONTH_S):
                        following.start_if_idle()
                    await http.send(step)
                    advance(next(done))
            self.clock.set(plan.end)
            self.catch_up()
            for share in shares:
                await _share(http, share)
                advance(next(done))
            self.catch_up()


class _Beside:
    """Does one thing again and again beside the steps, in one thread, as a running server's followers would.

    Leaving it waits for the end, and raises what was raised there.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._thread = ThreadPoolExecutor(1, "demo-following")
        self._running: Future[None] | None = None

    def __enter__(self) -> _Beside:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._thread.shutdown()
        if kind is None and self._running is not None:
            self._running.result()

    def start_if_idle(self) -> None:
        if self._running is not None:
            if not self._running.done():
                return
            self._running.result()
        self._running = self._thread.submit(self._work)


async def _share(http: InProcess, share: ShareStep) -> None:
    badge = highest(await credentials_of(http, share.principal))
    if badge is None:
        return
    body: dict[str, Any] = {"show_name": share.show_name}
    if share.days is not None:
        body["days"] = share.days
    await http.post(f"{API}/credentials/{badge['id']}/shares", body, share.principal, share.key)


async def credentials_of(http: InProcess, principal: str) -> list[dict[str, Any]]:
    """All that the principal holds, as the list shows them, page by page."""
    found: list[dict[str, Any]] = []
    path: str | None = f"{API}/principals/{principal}/credentials"
    for _ in range(_PAGES_MOST):
        if path is None:
            break
        page = (await http.get(path, principal)).json()
        found += page["items"]
        path = page["next"]
    return found


def highest(credentials: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The issued badge that its holder would show: the highest level, an overall one before others."""
    issued = [one for one in credentials if one["state"] == "issued"]
    return max(
        issued,
        key=lambda one: (
            one["competency"] == OVERALL,
            RANKS[one["level"]],
            0 if one["competency"] == OVERALL else -one["competency"],
        ),
        default=None,
    )


def command_of(actor: str, key: UUID) -> UUID:
    """The id under which the log keeps a step."""
    return command_id(f"person:{actor}" if actor else _OPERATOR, str(key))


def _acting(actor: str) -> dict[str, str]:
    return {"On-Behalf-Of": f"person:{actor}"} if actor else {}


def _expected(answer: httpx2.Response, line: str) -> httpx2.Response:
    if answer.is_success:
        return answer
    try:
        said = answer.json()
        detail = said.get("detail") or said.get("title") or ""
    except ValueError:
        detail = answer.text[:200]
    raise Refusal(Kind.UNAVAILABLE, f"The demonstration stopped: {line} was answered {answer.status_code}. {detail}")
