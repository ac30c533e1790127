"""The executor of this process: every pull begun in order, ends as they come, none left behind."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any

import pytest

from subcmc_crawler import distributing
from subcmc_crawler.errors import StoreLost
from subcmc_crawler.executing import Local, Pull
from subcmc_crawler.model import Manifest, State
from subcmc_crawler.province.registry import parse
from subcmc_crawler.pull import Night
from subcmc_crawler.pulling import Due

ENTRY = (
    '[[province]]\ncmcId = "{0}"\nareaCode = "{0}"\nname = "{0}"\npullAddressList = ["http://127.0.0.1:9"]\n'
)
CODES = ("110000", "120000", "130000")
DUE = [Due(province) for province in parse("".join(map(ENTRY.format, CODES))).provinces]


class Pulls:
    """Pulls that end when the test says so."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.cancelled: list[str] = []
        self.ends = {code: asyncio.Event() for code in CODES}
        self.fault: Exception | None = None
        nothing: Any = None  # what only other executors look at
        self.pull = Pull(here=self.here, night=nothing, lease=nothing, stop=nothing, registry=nothing)

    async def here(self, due: Due, _: Night) -> list[Manifest]:
        code = due.province.cmc_id
        self.begun.append(code)
        try:
            await self.ends[code].wait()
        except asyncio.CancelledError:
            self.cancelled.append(code)
            raise
        if self.fault:
            raise self.fault
        return [Manifest(run=1, cmc_id=code, province=code, dataset="ua_org", state=State.NONE)]


async def test_all_begin_in_order_and_come_as_they_end() -> None:
    pulls, seen = Pulls(), []
    pulls.ends["130000"].set()
    async with asyncio.timeout(10), aclosing(Local().map_unordered(pulls.pull, DUE)) as ended:
        async for manifests in ended:
            seen.append(manifests[0].cmc_id)
            assert pulls.begun == list(CODES)
            pulls.ends["110000" if len(seen) == 1 else "120000"].set()
    assert seen == ["130000", "110000", "120000"]
    assert pulls.cancelled == []


async def test_the_first_exception_ends_the_others() -> None:
    pulls = Pulls()
    pulls.fault = StoreLost("gone")
    pulls.ends["120000"].set()
    async with asyncio.timeout(10), aclosing(Local().map_unordered(pulls.pull, DUE)) as ended:
        with pytest.raises(StoreLost):
            await anext(ended)
    assert pulls.cancelled == ["110000", "130000"]


async def test_who_leaves_the_loop_ends_what_is_left() -> None:
    pulls = Pulls()
    pulls.ends["110000"].set()
    async with asyncio.timeout(10), aclosing(Local().map_unordered(pulls.pull, DUE)) as ended:
        async for _ in ended:
            break
    assert pulls.cancelled == ["120000", "130000"]


class Scheduler:
    """A client of Dask that keeps what it is asked to run, and whose tasks end at once."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, str]] = []

    async def processing(self) -> dict[str, tuple[str, ...]]:
        return {}

    def submit(self, _work: Any, _order: Any, cmc_id: str, _closing: Any, **how: Any) -> asyncio.Future[None]:
        self.asked.append((cmc_id, how["priority"], how["key"]))
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        ended.set_result(None)
        return ended


async def test_tasks_have_the_priority_of_the_schedule_and_keys_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A key that an earlier attempt of the run had would be answered by Dask with the result of that one."""
    pytest.importorskip("distributed")

    async def read_back(_db: Any, run: int, cmc_id: str) -> list[Manifest]:
        return [Manifest(run=run, cmc_id=cmc_id, province=cmc_id, dataset="ua_org", state=State.NONE)]

    monkeypatch.setattr(distributing, "manifests_of", read_back)
    scheduler = Scheduler()
    for fence in (7, 8):
        night: Any = SimpleNamespace(
            run=3, datasets=(), db=None, observer=SimpleNamespace(cell=lambda _manifest: None)
        )
        lease: Any = SimpleNamespace(holder="the run", fence=fence, seconds=60)
        stop: Any = SimpleNamespace(times=0, sleep=asyncio.sleep, grace=asyncio.sleep)
        registry: Any = SimpleNamespace(digest="d", run=SimpleNamespace(max_run_bytes_per_second=0))
        pull = Pull(here=Pulls().here, night=night, lease=lease, stop=stop, registry=registry)
        dask = distributing.Dask(scheduler, "tcp://here")
        async with asyncio.timeout(10), aclosing(dask.map_unordered(pull, DUE)) as ended:
            assert {manifests[0].cmc_id async for manifests in ended} == set(CODES)
    assert [(cmc_id, priority) for cmc_id, priority, _ in scheduler.asked] == 2 * [
        ("110000", 0),
        ("120000", -1),
        ("130000", -2),
    ]
    assert len({key for _, _, key in scheduler.asked}) == 6
