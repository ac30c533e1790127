"""Asks a province for a page: in its pace, with its rests, again when that makes sense; notes every attempt."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime

from subcmc_crawler.errors import Answered, Fault, Refused, Unreachable
from subcmc_crawler.model import Attempt
from subcmc_crawler.province.adapting import Latency, of_fault
from subcmc_crawler.province.addresses import Address
from subcmc_crawler.province.answer import Answer
from subcmc_crawler.province.client import Fetched, ProvinceClient
from subcmc_crawler.province.looking import look
from subcmc_crawler.province.pacing import RequestPace, Rest
from subcmc_crawler.province.retrying import next_delay
from subcmc_crawler.province.settings import DatasetSettings, PullSettings
from subcmc_crawler.spec.datasets import Dataset


class Halted(Exception):
    """No further request may be made: the window closed, or the run was stopped."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A page that came, and how many attempts it took."""

    fetched: Fetched
    tries: int
    at: datetime


class Asker:
    """All requests of one pull go through here; with a `pace` of somebody else's, in step with him."""

    def __init__(
        self,
        client: ProvinceClient,
        settings: PullSettings,
        *,
        rest: Rest,
        halted: Callable[[], bool],
        now: Callable[[], datetime],
        pace: RequestPace | None = None,
    ) -> None:
        self._client = client
        self._settings = settings
        self._pace = pace or RequestPace(settings.requests_per_second)
        client.on_sent = self._pace.sent
        self._open = asyncio.Semaphore(
            client.connections
        )  # so that who has its turn need not wait for a line
        self._latency: defaultdict[str, Latency] = defaultdict(Latency)
        self._rest = rest
        self._halted = halted
        self._now = now
        self._noted: list[Attempt] = []

    @property
    def rested_seconds(self) -> float:
        """Cool-downs so far."""
        return self._rest.seconds

    def drain_slowest(self) -> float | None:
        """The slowest rate since the last call, requests a second; None when the province was never slowed."""
        slowest = self._pace.drain_slowest()
        return None if slowest is None else round(slowest, 3)

    def drain(self) -> list[Attempt]:
        """The attempts since the last call, in the order in which they ended."""
        noted, self._noted = self._noted, []
        return noted

    async def page(
        self,
        dataset: Dataset,
        settings: DatasetSettings,
        *,
        address: Address,
        walk_pass: int,
        page_num: int,
        page_size: int,
    ) -> Asked:
        """The page, or the Fault of the last attempt, or Halted."""

        def note(at: datetime, *, number: int, outcome: Fetched | Fault, rest: float = 0.0) -> None:
            fault = outcome if isinstance(outcome, Fault) else None
            elapsed = (self._now() - at).total_seconds() * 1000
            self._noted.append(
                Attempt(
                    walk_pass=walk_pass,
                    page_num=page_num,
                    page_size=page_size,
                    number=number,
                    address=str(address),
                    status=_status(fault),
                    fault=fault.kind if fault else None,
                    detail=fault.detail if fault else "",
                    bytes=outcome.bytes if isinstance(outcome, Fetched) else 0,
                    milliseconds=round(outcome.milliseconds if isinstance(outcome, Fetched) else elapsed, 1),
                    at=at,
                    rest_seconds=rest,
                )
            )

        number = 0
        while True:
            number += 1
            async with self._open, AsyncExitStack() as seats:
                await self._permission(seats)
                at, asked_at = self._now(), self._pace.now()
                outcome: Fetched | Fault
                try:
                    outcome = await self._client.fetch(
                        address,
                        dataset,
                        page_num,
                        page_size,
                        timeout_seconds=settings.request_timeout_seconds,
                    )
                except Fault as fault:
                    outcome = fault
                except asyncio.CancelledError:
                    note(at, number=number, outcome=Unreachable("cancelled", ""))
                    raise
            self._adapt(dataset.code, outcome, asked_at)
            if isinstance(outcome, Fetched):
                note(at, number=number, outcome=outcome)
                return Asked(outcome, number, at)
            delay = next_delay(number, outcome, self._settings, max_attempts=settings.max_attempts)
            note(at, number=number, outcome=outcome, rest=delay or 0.0)
            if delay is None:
                raise outcome
            self._rest.extend(delay)

    async def look(
        self, address: Address, path: str, params: Mapping[str, str], *, timeout_seconds: float
    ) -> Answer | Fault:
        """How one GET ended, in pace and rested, asked once and never again; not noted for the ledger."""
        outcome: Answer | Fault
        async with self._open, AsyncExitStack() as seats:
            await self._permission(seats)
            asked_at = self._pace.now()
            try:
                outcome = await look(self._client, address, path, params, timeout_seconds=timeout_seconds)
            except Fault as fault:
                outcome = fault
        against = outcome.fault if isinstance(outcome, Answer) else None
        self._adapt(f"{path} {params.get('pageSize')}", against or outcome, asked_at)
        return outcome

    def _adapt(self, name: str, outcome: Fetched | Answer | Fault, asked_at: float) -> None:
        """Lets the pace know how a request ended; answers of one `name` usually take equally long."""
        if isinstance(outcome, Fault):
            self._pace.note(of_fault(outcome), asked_at)
            return
        latency, seconds = self._latency[name], outcome.first_byte_seconds
        self._pace.note(latency.outcome(seconds), asked_at)
        self._latency[name] = latency.after(seconds)

    async def _permission(self, seats: AsyncExitStack) -> None:
        """Returns when a request may go out: rested, seated, in pace, and not halted meanwhile.

        A rest is spent without a seat, so that another province can have it.
        """
        while True:
            await self._rest.over()
            known = self._rest.until
            for seat in self._client.seats:
                await seats.enter_async_context(seat)
            if not self._halted():
                await self._pace.turn()
            if self._halted():
                raise Halted
            if known >= self._rest.until:
                return
            await seats.aclose()  # another request's fault began a rest while we waited


def _status(fault: Fault | None) -> int | None:
    """The HTTP status of an answer; None when none came, or when it was no HTTP."""
    if isinstance(fault, Refused):
        return fault.status
    return 200 if fault is None or (isinstance(fault, Answered) and fault.kind != "protocol") else None
