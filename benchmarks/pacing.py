"""Measures the pace at the province: requests and bytes in the fullest second, the rate, and what pacing costs.

    .venv/bin/python benchmarks/pacing.py [SECONDS]

The provinces are a process of their own (tests/province/line_meter.py); bytes are counted when the crawler's
kernel has acknowledged them. CPU is that of this process, in hundredths of one core.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "province"))

from line_meter import Seen, metered, together  # noqa: E402 - it lies beside the tests

from subcmc_crawler.province.addresses import Address  # noqa: E402
from subcmc_crawler.province.asking import Asker  # noqa: E402
from subcmc_crawler.province.client import ProvinceClient  # noqa: E402
from subcmc_crawler.province.credentials import Credentials  # noqa: E402
from subcmc_crawler.province.pacing import BytePace, RequestPace, Rest  # noqa: E402
from subcmc_crawler.province.settings import PullSettings  # noqa: E402
from subcmc_crawler.spec.datasets import DATASETS  # noqa: E402

PLAIN = Credentials(ssl.create_default_context(), None)
USERS = DATASETS["ua_user"]


async def pull(
    port: int, settings: PullSettings, page_bytes: int, until: float, shared: Sequence[BytePace] = ()
) -> None:
    """One province, with as many pages in flight as it may have, until the time is up."""
    own = BytePace(settings.max_bytes_per_second, clock=time.monotonic, readers=settings.max_in_flight)
    client = ProvinceClient("620000", PLAIN, byte_paces=[own, *shared], connections=settings.max_in_flight)
    rest = Rest(clock=time.monotonic, away=asyncio.sleep)
    async with client:
        asker = Asker(client, settings, rest=rest, halted=lambda: False, now=lambda: datetime.now(UTC))
        address = Address.parse(f"http://127.0.0.1:{port}/x", "http")

        async def pages() -> None:
            while True:
                await asker.page(
                    USERS, settings, address=address, walk_pass=1, page_num=1, page_size=page_bytes
                )

        workers = [asyncio.create_task(pages()) for _ in range(settings.max_in_flight)]
        await asyncio.wait(workers, timeout=max(0.0, until - time.monotonic()))
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


def measured(
    provinces: int,
    settings: PullSettings,
    page_bytes: int,
    seconds: float,
    *,
    run_limit: int = 0,
    think_seconds: float = 0.0,
) -> tuple[list[Seen], float]:
    """What the provinces saw, and the CPU of this process in hundredths of a core."""

    async def all_of_them(ports: Sequence[int]) -> None:
        until = time.monotonic() + seconds
        shared = [BytePace(run_limit, clock=time.monotonic, readers=provinces * settings.max_in_flight)]
        await asyncio.gather(*(pull(port, settings, page_bytes, until, shared) for port in ports))

    with metered(provinces, think_seconds=think_seconds) as meter:
        spent = time.process_time()
        asyncio.run(all_of_them(meter.ports))
        spent = time.process_time() - spent
    return meter.seen, 100 * spent / seconds


def told(title: str, limit: float, most: Sequence[float], rates: Sequence[float], cpu: float) -> None:
    """A line for each measurement: the fullest second and the slowest rate as parts of the setting."""
    print(  # noqa: T201 - a script prints
        f"{title:<58} fullest second {100 * max(most) / limit:6.1f} %   "
        f"rate {100 * min(rates) / limit:6.1f} %   CPU {cpu:5.1f} %"
    )


def requests(title: str, provinces: int, rate: float, in_flight: int, seconds: float) -> None:
    """Small pages at a rate."""
    settings = PullSettings(requests_per_second=rate, max_in_flight=in_flight)
    seen, cpu = measured(provinces, settings, 200, seconds)
    told(title, rate, [each.most_requests() for each in seen], [each.request_rate() for each in seen], cpu)


def lines(
    title: str, provinces: int, limit: int, in_flight: int, seconds: float, *, think_seconds: float = 0.0
) -> None:
    """Pages of 300 KB under a limit of bytes for each province."""
    settings = PullSettings(requests_per_second=0, max_in_flight=in_flight, max_bytes_per_second=limit)
    seen, cpu = measured(provinces, settings, 300_000, seconds, think_seconds=think_seconds)
    told(title, limit, [each.most_bytes() for each in seen], [each.byte_rate() for each in seen], cpu)


async def turns(
    provinces: int, rate: float, seconds: float, wait: Callable[[RequestPace], Awaitable[None]]
) -> float:
    """CPU of the waiting alone: 16 waiters at each of many paces."""

    async def waiting(pace: RequestPace) -> None:
        while True:
            await wait(pace)

    paces = [RequestPace(rate) for _ in range(provinces)]
    tasks = [asyncio.create_task(waiting(pace)) for pace in paces for _ in range(16)]
    spent = time.process_time()
    await asyncio.sleep(seconds)
    spent = time.process_time() - spent
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return 100 * spent / seconds


def main(seconds: float) -> None:
    """Prints everything, a line each."""
    for rate in (2.0, 5.0, 20.0, 50.0):
        requests(f"1 province, {rate:g} requests/s, 16 in flight", 1, rate, 16, seconds)
    requests("35 provinces, 5 requests/s each, 16 in flight each", 35, 5.0, 16, seconds)
    for limit, in_flight in (
        (100_000, 16),
        (1_000_000, 1),
        (1_000_000, 2),
        (1_000_000, 16),
        (10_000_000, 16),
    ):
        lines(f"1 province, {limit / 1e6:g} MB/s, {in_flight} in flight", 1, limit, in_flight, seconds)
    lines("1 province, 1 MB/s, 16 in flight, 0.3 s to think", 1, 1_000_000, 16, seconds, think_seconds=0.3)
    lines("35 provinces, 500 KB/s each, 16 in flight each", 35, 500_000, 16, seconds)
    settings = PullSettings(requests_per_second=0, max_in_flight=2)
    seen, cpu = measured(35, settings, 300_000, seconds, run_limit=10_000_000)
    line = together(seen)
    told("35 provinces, 10 MB/s for the run", 10_000_000, [line.most_bytes()], [line.byte_rate()], cpu)
    cpu = asyncio.run(turns(35, 5.0, seconds, RequestPace.turn))
    print(f"CPU of the waiting alone, 35 provinces, 5 requests/s, 16 waiters each: {cpu:.2f} %")  # noqa: T201


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 6.0)
