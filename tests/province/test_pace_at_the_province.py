"""The pace as the province sees it: requests and bytes over any second, counted in a process of its own.

Asserted are spans, never durations: a machine that is busy makes everything slower, and no span fuller.
`benchmarks/pacing.py` measures how near the rates come to their settings.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from line_meter import metered, together
from raw_server import EMPTY, Exchange, raw_server

from subcmc_crawler.province.addresses import Address
from subcmc_crawler.province.asking import Asker
from subcmc_crawler.province.client import ProvinceClient
from subcmc_crawler.province.credentials import Credentials
from subcmc_crawler.province.pacing import BytePace, Rest
from subcmc_crawler.province.settings import PullSettings
from subcmc_crawler.spec.datasets import DATASETS

PLAIN = Credentials(ssl.create_default_context(), None)


async def pull(
    port: int,
    pages: int,
    page_bytes: int,
    shared: Sequence[BytePace] = (),
    clock: Callable[[], float] = time.monotonic,
    **settings: Any,
) -> None:
    """All pages at once, as many in flight as the settings allow."""
    own = PullSettings(**settings)
    paces = [
        BytePace(own.max_bytes_per_second, clock=clock, readers=own.max_in_flight),
        *shared,
    ]
    client = ProvinceClient("620000", PLAIN, byte_paces=paces, connections=own.max_in_flight)
    async with client:
        asker = Asker(
            client,
            own,
            rest=Rest(clock=clock, away=asyncio.sleep),
            halted=lambda: False,
            now=lambda: datetime.now(UTC),
        )
        ask = [
            asker.page(
                DATASETS["ua_user"],
                own,
                address=Address.parse(f"http://127.0.0.1:{port}/x", "http"),
                walk_pass=1,
                page_num=1,
                page_size=page_bytes,
            )
            for _ in range(pages)
        ]
        await asyncio.gather(*ask)


async def test_no_second_holds_more_requests_than_allowed() -> None:
    """With 5 % for what the machine makes of the times."""
    with metered() as meter:
        await pull(meter.ports[0], 30, 200, requests_per_second=20, max_in_flight=16)
    (seen,) = meter.seen
    assert len(seen.requests) == 30
    assert seen.most_requests(0.95) <= 20


@pytest.mark.parametrize("in_flight", [1, 16])
async def test_no_second_holds_more_bytes_than_allowed(in_flight: int) -> None:
    limit = 1_000_000
    with metered() as meter:
        await pull(
            meter.ports[0],
            16,
            100_000,
            requests_per_second=0,
            max_in_flight=in_flight,
            max_bytes_per_second=limit,
        )
    (seen,) = meter.seen
    assert seen.line[-1].left > 16 * 100_000
    assert seen.most_bytes() <= limit


async def test_all_provinces_together_keep_to_the_limit_of_the_run() -> None:
    limit = 2_000_000
    line = BytePace(limit, clock=time.monotonic, readers=8)
    with metered(4) as meter:
        await asyncio.gather(
            *(pull(port, 6, 150_000, [line], requests_per_second=0, max_in_flight=2) for port in meter.ports)
        )
    assert all(seen.requests for seen in meter.seen)
    assert together(meter.seen).most_bytes() <= limit


class OwnTime:
    """A clock of this process alone: what a busy machine keeps from it has not passed."""

    def __init__(self) -> None:
        self._now, self._seen = 0.0, time.monotonic()

    def __call__(self) -> float:
        seen = time.monotonic()
        self._now += min(seen - self._seen, 0.02)
        self._seen = seen
        return self._now

    async def goes_on(self) -> None:
        while True:  # noqa: ASYNC110 - looked at so often that no step of it is cut
            await asyncio.sleep(0.005)


async def test_a_page_that_our_own_throttle_makes_slow_still_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """3 s of line under a timeout of 1 s, with others on the same line."""

    async def answer(exchange: Exchange) -> None:
        await exchange.reply(EMPTY + b" " * 150_000)

    clock = OwnTime()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", clock)
    going = asyncio.create_task(clock.goes_on())
    async with raw_server(answer) as server:
        await pull(
            server.port,
            3,
            150_000,
            clock=clock,
            requests_per_second=0,
            max_in_flight=3,
            max_bytes_per_second=150_000,
            request_timeout_seconds=1,
            max_attempts=1,
        )
    going.cancel()
    assert len(server.requests) == 3
