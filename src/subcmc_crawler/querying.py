"""The ministry's own query interface, walked like a province (4.1): how it is spoken, then its rows.

What the specification leaves open is asked once a run, of the first dataset that has rows, and remembered.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from subcmc_crawler.comparing import Comparing
from subcmc_crawler.errors import Answered, Fault, Refused, Unreachable
from subcmc_crawler.halting import Halt, Sleep, Stop
from subcmc_crawler.model import Ending, PageRecord
from subcmc_crawler.passing import WalkPass
from subcmc_crawler.province.asking import Asker, Halted
from subcmc_crawler.province.client import ProvinceClient
from subcmc_crawler.province.credentials import Credentials
from subcmc_crawler.province.dialect import Dialect, query_dialect
from subcmc_crawler.province.pacing import RequestPace, Rest
from subcmc_crawler.province.page import Page, read
from subcmc_crawler.province.registry import Ministry
from subcmc_crawler.province.retrying import BUSY
from subcmc_crawler.province.tally import Sorted
from subcmc_crawler.province.walking import PassFacts, another_pass, next_page_size, next_realign
from subcmc_crawler.spec.datasets import Dataset
from subcmc_crawler.spec.query import SUFFIXES, first_page

_PROBE_ROWS: Final = 10
"""Rows of the pages that tell how the platform counts: so many that two pages are not alike by chance."""

_PROBE_ATTEMPTS: Final = 2
_DENIED: Final = frozenset({401, 403})
_BROKEN_OFF: Final = frozenset({Ending.FAILED, Ending.STOPPED})
_NOT_THERE: Final = frozenset({404, 405})
_FOREIGN: Final = "cmcId:other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What a walk found. `comparing` holds the pushed records; None when it was broken off."""

    comparing: Comparing | None = None
    endings: tuple[str, ...] = ()
    fault: Fault | None = None
    declared: int | None = None
    unusable: int = 0
    foreign: int = 0
    pages: int = 0
    attempts: int = 0


class _Intake:
    """Takes the rows of one pass; of a key that comes again, the last one."""

    def __init__(self, dataset: Dataset) -> None:
        self.comparing = Comparing(dataset.code)
        self.foreign = 0

    async def keep(self, page: Page, rows: Sorted, record: PageRecord, received: int) -> None:
        """The rows of a page; one that carries another cmcId belongs to another province."""
        del record, received
        for position in rows.store:
            key = page.keys[position]
            if _FOREIGN in page.checked.flags.get(position, ()):
                self.foreign += 1
            elif key is not None:
                self.comparing.push(key, page.records[position])


class Platform:
    """The ministry's platform during one run: its pace and its rests, how it is spoken, and whether it is lost."""

    def __init__(
        self,
        ministry: Ministry,
        credentials: Credentials,
        *,
        now: Callable[[], datetime],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.address = ministry.address
        self.shapes = ministry.settings.shapes
        self.settings = ministry.settings.pull
        self.dialect: Dialect | None = None  # None until a dataset has told
        self.lost: Fault | None = None  # what ended it for the rest of the run
        self._credentials = credentials
        self._now = now
        self._stop = Stop(sleep)
        self.halted = Halt(self._stop, closing=None, grace_seconds=0, now=now)
        self._pace = RequestPace(self.settings.requests_per_second)
        self._rest = Rest(clock=time.monotonic, away=self.halted.sleep)

    def stop(self) -> None:
        """No further page is asked for."""
        self._stop.ask()

    @asynccontextmanager
    async def line(self, cmc_id: str) -> AsyncIterator[Line]:
        """The platform, asked about one province."""
        client = ProvinceClient(cmc_id, self._credentials, connections=self.settings.max_in_flight)
        async with client:
            asker = Asker(
                client, self.settings, rest=self._rest, halted=self.halted, now=self._now, pace=self._pace
            )
            yield Line(self, cmc_id, client, asker)


class Line:
    """The platform, asked about one province."""

    def __init__(self, platform: Platform, cmc_id: str, client: ProvinceClient, asker: Asker) -> None:
        self._platform = platform
        self._cmc_id = cmc_id
        self._client = client
        self._asker = asker

    async def walk(self, dataset: Dataset) -> Pushed:
        """All that the platform holds of a dataset; of a platform that is lost nothing, and it is not asked."""
        if self._platform.lost is not None:
            return Pushed(fault=self._platform.lost, endings=(Ending.FAILED.value,))
        try:
            self._client.dialect = self._platform.dialect or await self._probed(dataset)
        except Halted:
            return Pushed(endings=(Ending.STOPPED.value,), attempts=len(self._asker.drain()))
        except Fault as fault:
            return self._failed(fault)
        return await self._walked(dataset)

    def _failed(self, fault: Fault) -> Pushed:
        denied = isinstance(fault, Refused) and fault.status in _DENIED
        if denied or isinstance(fault, Unreachable):
            self._platform.lost = fault
        return Pushed(fault=fault, endings=(Ending.FAILED.value,), attempts=len(self._asker.drain()))

    async def _probed(self, dataset: Dataset) -> Dialect:
        """How the platform is spoken, as far as this dataset tells: an empty one says nothing for good.

        Where no path answers, the Fault that tells most: that a path is not there tells least.
        """
        provisional: Dialect | None = None
        fault: Fault | None = None
        for suffix in SUFFIXES:
            pages: list[Sequence[str | None] | None] = []
            for number in (0, 1):
                try:
                    pages.append(await self._keys(dataset, suffix, number))
                except Answered as answered:
                    if isinstance(answered, Refused) and answered.status in _DENIED | BUSY:
                        raise
                    fault = answered if fault is None or _is_elsewhere(fault) else fault
                    pages.append(None)
            if pages == [None, None]:
                continue
            first = first_page(*pages)
            dialect = query_dialect(suffix, first or 0, self._platform.shapes)
            if first is not None:
                self._platform.dialect = dialect
                return dialect
            provisional = provisional or dialect
        if provisional is None:
            assert fault is not None  # noqa: S101 - both pages of every path have failed
            raise fault
        return provisional

    async def _keys(self, dataset: Dataset, suffix: str, number: int) -> Sequence[str | None]:
        """The keys of the page that has this number in the request."""
        self._client.dialect = query_dialect(suffix, 1, self._platform.shapes)
        page = self._asker.page(
            dataset,
            self._platform.settings.model_copy(update={"max_attempts": _PROBE_ATTEMPTS}),
            address=self._platform.address,
            walk_pass=0,
            page_num=number,
            page_size=_PROBE_ROWS,
        )
        asking, cut = asyncio.ensure_future(page), asyncio.ensure_future(self._platform.halted.cut())
        try:
            await asyncio.wait((asking, cut), return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise Halted
            return read(dataset, asking.result().fetched.envelope, self._cmc_id).keys
        finally:
            asking.cancel()
            cut.cancel()
            await asyncio.gather(asking, cut, return_exceptions=True)

    async def _walked(self, dataset: Dataset) -> Pushed:
        settings = self._platform.settings
        passes: list[PassFacts] = []
        while True:
            intake = _Intake(dataset)
            walk_pass = WalkPass(
                self._asker,
                dataset,
                settings,
                cmc_id=self._cmc_id,
                address=self._platform.address,
                number=len(passes) + 1,
                page_size=next_page_size(tuple(passes), settings.page_size),
                realign=next_realign(tuple(passes)),
                max_in_flight=settings.max_in_flight,
                halted=self._platform.halted,
                keep=intake.keep,
            )
            passes.append(await walk_pass.walk())
            if not another_pass(tuple(passes), max_passes=settings.max_passes):
                break
        if isinstance(walk_pass.fault, Unreachable):
            self._platform.lost = walk_pass.fault
        whole = passes[-1].ending not in _BROKEN_OFF
        return Pushed(
            comparing=intake.comparing if whole else None,
            endings=tuple(facts.ending.value for facts in passes),
            fault=walk_pass.fault,
            declared=walk_pass.state.declared,
            unusable=walk_pass.tally.quarantined,
            foreign=intake.foreign,
            pages=walk_pass.ordinal,
            attempts=len(self._asker.drain()),
        )


def _is_elsewhere(fault: Fault) -> bool:
    """Whether a fault says no more than that there is nothing at this path."""
    return isinstance(fault, Refused) and fault.status in _NOT_THERE
