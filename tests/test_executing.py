"""The executor of this process: every pull begun in order, ends as they come, none left behind."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

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
