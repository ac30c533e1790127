"""Drives one pass over a dataset: does what `walking.advance()` says, with real requests, in order."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, Generic, TypeVar

from subcmc_crawler.errors import Fault, Malformed, Refused, TooLarge
from subcmc_crawler.halting import Halt
from subcmc_crawler.model import Ending, PageRecord, RuleBreak
from subcmc_crawler.naming import Naming
from subcmc_crawler.province.addresses import Address
from subcmc_crawler.province.asking import Asked, Asker, Halted
from subcmc_crawler.province.page import HASH_BYTES, Page, probe, read
from subcmc_crawler.province.settings import DatasetSettings
from subcmc_crawler.province.tally import Sorted, Tally
from subcmc_crawler.province.walking import Ask, End, PageProbe, Pass, PassFacts, Probe, Take, advance
from subcmc_crawler.spec.datasets import Dataset
from subcmc_crawler.spec.envelope import Envelope
from subcmc_crawler.spec.records import DRIFT_NAMES, OTHER_NAMES

_SAMPLES = 3

_Comes = TypeVar("_Comes")


Keep = Callable[[Page, Sorted, PageRecord, int], Awaitable[None]]
"""Stores a page; the last argument tells how many rows of the pass have been received with it."""


@dataclass(frozen=True, slots=True)
class _Came:
    """A page that came. Its envelope, which has each value twice, is let go."""

    page: Page
    bytes: int
    milliseconds: float
    tries: int
    at: datetime


@dataclass(frozen=True, slots=True)
class _OnItsWay(Generic[_Comes]):
    page_num: int
    page_size: int
    task: asyncio.Task[_Comes]


class WalkPass:
    """One pass on one address. After `walk()` its attributes tell what it found; `naming` is told of each page."""

    def __init__(
        self,
        asker: Asker,
        dataset: Dataset,
        settings: DatasetSettings,
        *,
        cmc_id: str,
        address: Address,
        number: int,
        page_size: int,
        realign: bool,
        max_in_flight: int,
        halted: Halt,
        keep: Keep,
        naming: Naming | None = None,
    ) -> None:
        self.number = number
        self.address = address
        self.tally = Tally()
        self.fault: Fault | None = None
        self.ordinal = 0
        self.collect_times: tuple[int, int] | None = None
        self.drift: Counter[str] = Counter()
        self.deviations: Counter[str] = Counter()
        self.state = Pass(
            asked_size=page_size,
            max_in_flight=max_in_flight,
            tolerance=settings.tolerance,
            realign=realign,
        )
        self._asker = asker
        self._dataset = dataset
        self._settings = settings
        self._cmc_id = cmc_id
        self._halted = halted
        self._keep = keep
        self._naming = naming
        self._on_their_way: deque[_OnItsWay[Any]] = deque()
        self._timed_out = False
        self._cut: asyncio.Task[None]
        self._content = blake2b(digest_size=HASH_BYTES)
        self._rules: Counter[str] = Counter()
        self._samples: dict[str, tuple[str, ...]] = {}

    async def walk(self) -> PassFacts:
        """Walks to the end of the pass, whichever it is.

        Once halted it asks for nothing more; what is on its way may come within the grace, is stored as far as its
        order allows, and is cancelled then.
        """
        self._cut = asyncio.create_task(self._halted.cut())
        try:
            while True:
                if self._halted():
                    await self._finish()
                    self.state = self.state.halted()
                match advance(self.state):
                    case Ask(page_num, page_size):
                        coming = asyncio.create_task(self._read(page_num, page_size))
                        self._on_their_way.append(_OnItsWay(page_num, page_size, coming))
                        self.state = self.state.asked()
                    case Take():
                        await self._take()
                    case Probe(page_num, page_size):
                        await self._probe(page_num, page_size)
                    case End(ending):
                        return self._facts(ending)
        finally:
            self._cut.cancel()
            await self._drop()
            await asyncio.gather(self._cut, return_exceptions=True)

    def rule_breaks(self) -> tuple[RuleBreak, ...]:
        """Rule breaks by field and rule, most rows first."""
        return tuple(
            RuleBreak(
                field=flag.partition(":")[0],
                rule=flag.partition(":")[2],
                rows=rows,
                samples=self._samples.get(flag, ()),
            )
            for flag, rows in self._rules.most_common()
        )

    def _facts(self, ending: Ending) -> PassFacts:
        if ending is Ending.FAILED and self.fault is None:
            self.fault = Malformed("endless", "more pages or rows than any province has")
        return PassFacts(
            ending=ending,
            totals=self.state.totals,
            received=self.state.received,
            content=self._content.digest(),
            clamped=self.state.clamped,
        )

    async def _asked(self, page_num: int, page_size: int) -> Asked:
        return await self._asker.page(
            self._dataset,
            self._settings,
            address=self.address,
            walk_pass=self.number,
            page_num=page_num,
            page_size=page_size,
        )

    async def _read(self, page_num: int, page_size: int) -> _Came:
        """Asks for a page, and reads it while the ones before it are being stored."""
        asked = await self._asked(page_num, page_size)
        fetched = asked.fetched
        page = read(self._dataset, fetched.envelope, self._cmc_id)
        return _Came(page, fetched.bytes, fetched.milliseconds, asked.tries, asked.at)

    async def _looked(self, page_num: int, page_size: int) -> PageProbe:
        asked = await self._asked(page_num, page_size)
        return probe(self._dataset, asked.fetched.envelope)

    async def _take(self) -> None:
        """Takes the page that was asked for first; the others wait, so that rows keep their order."""
        oldest = self._on_their_way.popleft()
        try:
            came = await self._answer(oldest)
        except Halted:
            await self._come()
            self.state = self.state.halted()
            return
        except TooLarge as fault:
            await self._halve(fault)
            return
        except Fault as fault:
            if fault.kind == "timeout" and self.state.first is not None and not self._timed_out:
                self._timed_out = True  # once: a province that hangs at any size must not eat the night
                await self._halve(fault)
                return
            self.fault = fault.with_traceback(None)
            self.state = self.state.lost(refused=isinstance(fault, Refused | Malformed))
            return
        await self._stored(came, oldest)

    def replay(self, entry: Mapping[str, Any], rows: list[Any]) -> bool:
        """Takes the next page of this pass from the ledger instead of the wire, its rows as they were served.

        False when these are not the rows that the ledger speaks of: the page was being rewritten at the crash.
        """
        served = Envelope(0, "", entry["declared"], rows, tuple(entry["deviations"]))
        page = read(self._dataset, served, self._cmc_id)
        if page.content != entry["content"]:
            return False
        self.state = self.state.rejoined(entry["pageNum"], entry["pageSize"])
        repeats = self.tally.repeats
        self._took(page, self.tally.sort(page, self.ordinal), repeats)
        return True

    async def _stored(self, came: _Came, way: _OnItsWay[_Came]) -> None:
        page = came.page
        facts = page.facts()
        if self.state.is_echo(facts):
            self.state = self.state.took_echo(facts)
            return
        repeats = self.tally.repeats
        rows = self.tally.sort(page, self.ordinal)
        record = PageRecord(
            walk_pass=self.number,
            ordinal=self.ordinal,
            page_num=way.page_num,
            page_size=way.page_size,
            bytes=came.bytes,
            milliseconds=round(came.milliseconds, 1),
            tries=came.tries,
            at=came.at,
            address=str(self.address),
        )
        await self._keep(page, rows, record, self.tally.received)
        self._took(page, rows, repeats)

    def _took(self, page: Page, rows: Sorted, repeats_before: int) -> None:
        self._note(page)
        if self._naming is not None:
            self._naming.add(page, self.tally)
        self._content.update(b"".join(page.hashes))
        self.ordinal += 1
        repeated = self.tally.repeats > repeats_before
        self.state = self.state.took(page.facts(), fresh=rows.fresh, repeats=repeated)

    async def _probe(self, page_num: int, page_size: int) -> None:
        await self._drop()
        looking = asyncio.create_task(self._looked(page_num, page_size))
        try:
            found = await self._answer(_OnItsWay(page_num, page_size, looking))
        except Halted:
            self.state = self.state.halted()
        except Fault as fault:
            self.fault = fault.with_traceback(None)
            self.state = self.state.lost(refused=False)
        else:
            self.state = self.state.probed(found)

    async def _halve(self, fault: Fault) -> None:
        halved = self.state.halved()
        if halved is None:
            self.fault = fault.with_traceback(None)
            self.state = self.state.lost(refused=False)
            return
        self.state = halved
        await self._drop()

    async def _answer(self, way: _OnItsWay[_Comes]) -> _Comes:
        """What came of a request; Halted when it has to be given up."""
        try:
            await asyncio.wait((way.task, self._cut), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not way.task.done():
                self._on_their_way.appendleft(way)  # for _drop()
        if not way.task.done():
            raise Halted
        return way.task.result()

    async def _come(self) -> None:
        """Waits until nothing is on its way, or the grace is over."""
        while not self._cut.done() and (
            left := [way.task for way in self._on_their_way if not way.task.done()]
        ):
            await asyncio.wait((*left, self._cut), return_when=asyncio.FIRST_COMPLETED)

    async def _finish(self) -> None:
        """Takes what comes within the grace, up to the first page that does not."""
        await self._come()
        while self._on_their_way and self._on_their_way[0].task.done():
            if isinstance(advance(self.state), End):
                return
            await self._take()

    async def _drop(self) -> None:
        """Cancels what is on its way and waits until it is gone."""
        tasks = [way.task for way in self._on_their_way]
        self._on_their_way.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _note_drift(self, drift: Mapping[str, int]) -> None:
        """Counts unknown fields; a province that invents new ones on every page must not fill the manifest."""
        others = 0
        for name, rows in drift.items():
            if name in self.drift or len(self.drift) < DRIFT_NAMES:
                self.drift[name] += rows
            else:
                others = max(others, rows)  # a row may hold several of them
        if others:
            self.drift[OTHER_NAMES] += others

    def _note(self, page: Page) -> None:
        checked = page.checked
        self.deviations.update(page.deviations)
        self._note_drift(checked.drift)
        for kind, rows in (
            ("key-spaces:record", checked.stray_keys),
            ("key-twice:record", checked.key_collisions),
        ):
            if rows:
                self.deviations[kind] += 1
        for flags in checked.flags.values():
            self._rules.update(flags)
        for flag, samples in checked.samples.items():
            kept = self._samples.get(flag, ())
            if len(kept) < _SAMPLES:
                self._samples[flag] = tuple(dict.fromkeys((*kept, *samples)))[:_SAMPLES]
        times = [time for time in page.collect_times if type(time) is int and abs(time) < 2**63]
        if times:
            low, high = min(times), max(times)
            known = self.collect_times or (low, high)
            self.collect_times = (min(low, known[0]), max(high, known[1]))
