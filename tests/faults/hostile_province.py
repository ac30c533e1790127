"""Provinces that answer what they like: one port a case, and one crawl of two nights over all of them.

In the first night every province is sound; in the second each does what its case says. So each case shows what it
does to its own yesterday and to its neighbours.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET
from struct import pack
from typing import Any
from zoneinfo import ZoneInfo

import trustme

from subcmc_crawler.model import Manifest, State, Verdict
from subcmc_crawler.province.registry import Province, Registry, parse
from subcmc_crawler.run import Crawl, Selection
from subcmc_crawler.spec.datasets import DATASETS, Dataset
from subcmc_crawler.store import Database, open_store
from subcmc_crawler.store.reading import export
from subcmc_crawler.store.runs import manifests_of

DATASET = DATASETS["ua_user"]
PAGE_SIZE = 4
YESTERDAY: list[Any] = [{"userId": f"y{number}", "name": "甲"} for number in range(3)]
DEFAULTS = f"""[defaults]
page_size = {PAGE_SIZE}
requests_per_second = 0
max_in_flight = 2
max_provinces = 24
max_attempts = 2
cool_down_seconds = 0.01
request_timeout_seconds = 30
"""
NIGHT_SECONDS = 900
"""A bound that fails the tests when a night does not end; no night takes nearly as long."""

_QUERY = re.compile(r"pageNum=(\d+)&pageSize=(\d+)")


class Line:
    """One request and the connection on which it came."""

    def __init__(self, writer: asyncio.StreamWriter, head: str, number: int) -> None:
        match = _QUERY.search(head)
        assert match, head
        self.page_num, self.page_size = int(match[1]), int(match[2])
        self.head = head
        self.number = number  # of the requests in this night, from 1
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def reply(self, body: bytes, *headers: str, status: str = "200 OK") -> None:
        lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
        await self.send("\r\n".join(lines).encode("utf-8", "surrogateescape") + body)

    async def pour(self, piece: bytes) -> None:
        """Sends the same without end, until the other side leaves."""
        while not self._writer.transport.is_closing():
            await self.send(piece)
            await asyncio.sleep(0)

    async def drip(self, data: bytes) -> None:
        """Sends a byte now and then."""
        for byte in data:
            await self.send(bytes([byte]))
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        """Sends what is left, and then the end of the connection."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    def reset(self) -> None:
        """Ends the connection with an RST."""
        self._writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, pack("ii", 1, 0))
        self._writer.transport.abort()

    async def gone(self) -> None:
        """Returns when the other side has left."""
        while not self._writer.transport.is_closing():  # noqa: ASYNC110 - a transport has no event for it
            await asyncio.sleep(0.01)


Script = Callable[[Line], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a province does in the second night, and what has to come of it."""

    name: str
    script: Script
    verdict: Verdict | tuple[Verdict, ...]  # several where the timing of the wire decides
    fault: str = ""  # the kind of fault that the manifest names; of "a|b" one
    rows: Sequence[Any] | None = None  # what `export` gives; None: nothing is kept
    reasons: tuple[str, ...] = ()  # of what is in quarantine
    most_requests: int = 4
    settings: str = ""

    def __repr__(self) -> str:
        return self.name

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Those that may come of it."""
        return self.verdict if isinstance(self.verdict, tuple) else (self.verdict,)


@dataclass
class Outcome:
    """What came of a case: both manifests, what they export afterwards, and what was seen and kept."""

    yesterday: Manifest
    tonight: Manifest
    yesterday_rows: list[Any]
    tonight_rows: list[Any] | None
    staged: int  # versions that the second night began
    aside: Counter[str]  # quarantine of the stored pass by reason
    requests: int


@dataclass
class Nights:
    """Both nights of all cases."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)  # lines of the log that speak of a defect


class HostileProvince:
    """One port that serves `YESTERDAY` until the night falls."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.night = False
        self.requests = 0
        self.heads: list[str] = []
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not writer.transport.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.requests += 1
                self.heads.append(head)
                line = Line(writer, head, self.requests)
                await (self.case.script(line) if self.night else line.reply(envelope(YESTERDAY)))
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.transport.abort()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        for result in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result


class _Silent:
    def page(self, province: Province, dataset: Dataset, received: int, declared: int | None) -> None:
        """Nobody looks."""

    def cell(self, manifest: Manifest) -> None:
        """Nobody looks."""


class _Errors(logging.Handler):
    def __init__(self, kept: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        self._kept.append(record.getMessage() + (repr(record.exc_info[1]) if record.exc_info else ""))


def envelope(rows: Sequence[Any], total: Any = None) -> bytes:
    """A sound page."""
    declared = len(rows) if total is None else total
    return json.dumps({"code": 0, "message": "ok", "total": declared, "data": list(rows)}).encode()


@asynccontextmanager
async def served(cases: Sequence[Case]) -> AsyncIterator[list[HostileProvince]]:
    """A port for each case."""
    async with AsyncExitStack() as stack:
        provinces = [HostileProvince(case) for case in cases]
        for province in provinces:
            server = await asyncio.start_server(province.connected, "127.0.0.1", 0)
            province.port = server.sockets[0].getsockname()[1]
            await stack.enter_async_context(server)
            stack.push_async_callback(province.stop)
        yield provinces


def registry_text(
    provinces: Sequence[HostileProvince], defaults: str = DEFAULTS, *, settings: bool = True
) -> str:
    """The registration of each case, with its settings; its name is its cmcId."""
    entries = [
        f'[[province]]\ncmcId = "{each.case.name}"\nareaCode = "{number:06}"\nname = "{each.case.name}"\n'
        f'pullAddressList = ["http://127.0.0.1:{each.port}"]\npushIpList = []\n'
        f'[province.tls]\nca_file = "ca.pem"\n[province.pull]\n{each.case.settings if settings else ""}\n'
        for number, each in enumerate(provinces)
    ]
    return defaults + "\n".join(entries)


def crawled(cases: Sequence[Case], uri: str, database: str, folder: Path) -> Nights:
    """Both nights, from their beginning to their end; `folder` is empty."""
    # a certificate of our own is read at once, those of the system take 20 ms a province
    trustme.CA().cert_pem.write_to_path(folder / "ca.pem")
    return asyncio.run(_crawled(cases, uri, database, folder))


async def _crawled(cases: Sequence[Case], uri: str, database: str, folder: Path) -> Nights:
    nights = Nights()
    watching = _Errors(nights.errors)
    logging.getLogger().addHandler(watching)
    try:
        async with (
            asyncio.timeout(NIGHT_SECONDS),
            served(cases) as provinces,
            open_store(uri, database=database, driver="pymongo") as db,
        ):
            # a timeout that is short for what hangs is too short for what is sound, on a slow machine
            await run_night(db, parse(registry_text(provinces, settings=False)), folder)
            for province in provinces:
                province.night, province.requests = True, 0
            await run_night(db, parse(registry_text(provinces)), folder)
            first, second = [{each.cmc_id: each for each in await manifests_of(db, run)} for run in (1, 2)]
            for province in provinces:
                name = province.case.name
                nights.outcomes[name] = await _outcome(db, first[name], second[name], province.requests)
    finally:
        logging.getLogger().removeHandler(watching)
    return nights


async def run_night(db: Database, registry: Registry, folder: Path) -> None:
    """One run over the provinces of a registry, without windows."""
    zone = ZoneInfo("Asia/Shanghai")
    crawl = Crawl(
        registry,
        db,
        _Silent(),
        folder=folder,
        now=lambda: datetime.now(zone),
        selection=Selection(datasets=(DATASET.code,)),
        ignore_windows=True,
    )
    await crawl.run()


async def _outcome(db: Database, first: Manifest, second: Manifest, requests: int) -> Outcome:
    kept = second.state in (State.PUBLISHED, State.HELD)
    cell = {"run": 2, "cmcId": second.cmc_id, "pass": second.stored_pass}
    return Outcome(
        yesterday=first,
        tonight=second,
        yesterday_rows=[row async for row in export(db, first)],
        tonight_rows=[row async for row in export(db, second)] if kept else None,
        staged=await db[DATASET.code].count_documents({"cmcId": second.cmc_id, "from": 2}),
        aside=Counter([row["reason"] async for row in db["quarantine"].find(cell, {"reason": 1})]),
        requests=requests,
    )
