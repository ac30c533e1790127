"""Measures each page of the dashboard over HTTP, with 90 nights of 35 provinces and nine datasets stored.

    .venv/bin/python benchmarks/dashboard.py [NIGHTS]

The server is `subcmc serve` in a process of its own, the database a local mongod, in memory where there is such a
place.
A line for each page: the median and the 95th percentile of 20 answers after one to warm up, and what it weighs. Then
the queries behind `subcmc report` and `subcmc history`, by themselves.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import dashboard_nights
from dashboard_nights import CELL

from subcmc_crawler import gathering, surveying
from subcmc_crawler.report.text import to_text
from subcmc_crawler.store import Database, local_mongod, open_store

DATABASE, ROUNDS = "subcmc_benchmark", 20


def pages(nights: int) -> Sequence[str]:
    """Every page, with arguments that make it work."""
    cmc_id, dataset = CELL
    return (
        "/",
        "/?nights=90",
        f"/runs/{nights}",
        f"/runs/{nights // 2}",
        f"/runs/{nights}/{cmc_id}",
        f"/runs/{nights}/{cmc_id}/{dataset}",
        "/record",
        f"/record?cell={cmc_id}/{dataset}&key=u000020",
        "/diff",
        f"/diff?from=1&to={nights}",
        f"/diff?from=1&to={nights}&province={cmc_id}&dataset={dataset}",
        "/windows",
        "/live",
        "/healthz",
        "/metrics",
    )


@contextmanager
def served(uri: str) -> Iterator[int]:
    """The port of a dashboard."""
    command = [sys.executable, "-m", "subcmc_crawler", "serve", "--port", "0"]
    environment = {**os.environ, "MONGODB_URI": uri, "SUBCMC_DATABASE": DATABASE}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        line = process.stdout.readline() if process.stdout else ""
        try:
            yield int(line.strip().rstrip("/").rpartition(":")[2])
        finally:
            process.terminate()


def measured(port: int, path: str) -> tuple[list[float], int]:
    """Milliseconds of each round, and the bytes of an answer."""
    took, weight = [], 0
    for number in range(ROUNDS + 1):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        began = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        weight = len(answer.read())
        if number:
            took.append(1000 * (time.perf_counter() - began))
        connection.close()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status}")
    return took, weight


async def timed(work: Callable[[], Awaitable[object]]) -> list[float]:
    """Milliseconds of each round of a query."""
    took = []
    for number in range(ROUNDS + 1):
        began = time.perf_counter()
        await work()
        if number:
            took.append(1000 * (time.perf_counter() - began))
    return took


def told(title: str, took: Sequence[float], weight: int | None = None) -> None:
    """A line."""
    late = sorted(took)[int(0.95 * len(took)) - 1]
    size = "" if weight is None else f"{weight / 1024:8.0f} KB"
    print(f"{title:<62} median {median(took):7.1f} ms   95 % {late:7.1f} ms{size}")  # noqa: T201 - a script prints


async def _queries(uri: str, nights: int) -> None:
    async with open_store(uri, database=DATABASE, prepare=False) as db:

        async def report() -> str:
            return to_text(await gathering.night(db, nights))

        async def history() -> object:
            return await surveying.history(db, CELL[1], CELL[0], "u000020")

        told("the text of `subcmc report`, last run", await timed(report))
        told("the versions of `subcmc history`", await timed(history))


async def _fill(uri: str, nights: int) -> None:
    async with open_store(uri, database=DATABASE) as db:
        opened: Database = db
        await dashboard_nights.fill(opened, nights)


def main(nights: int) -> None:
    """Prints everything."""
    memory = Path("/dev/shm")  # noqa: S108 - a directory of our own inside
    base = memory if os.access(memory, os.W_OK) else None
    with TemporaryDirectory(prefix="subcmc-", dir=base) as folder, local_mongod(Path(folder)) as uri:
        asyncio.run(_fill(uri, nights))
        with served(uri) as port:
            for path in pages(nights):
                told(path, *measured(port, path))
        asyncio.run(_queries(uri, nights))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 90)
