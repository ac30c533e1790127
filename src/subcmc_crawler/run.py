"""One run: which provinces, when, how many at once, and one run at a time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from subcmc_crawler import __version__
from subcmc_crawler.errors import NotFound, SubcmcError, TryLater
from subcmc_crawler.model import RunRecord, RunStatus
from subcmc_crawler.province import credentials
from subcmc_crawler.province.asking import Asker
from subcmc_crawler.province.client import ProvinceClient
from subcmc_crawler.province.pacing import BytePace, Rest
from subcmc_crawler.province.registry import Province, Registry
from subcmc_crawler.pull import Night, Observer, broken_off, pull_province
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import Database, DriverError
from subcmc_crawler.store import lease as leases
from subcmc_crawler.store.lease import Lease
from subcmc_crawler.store.runs import abandon, begin_run, finish_run, recover

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which part of the registry a run pulls; empty means all."""

    provinces: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()

    def of(self, registry: Registry) -> tuple[Province, ...]:
        """The provinces that are meant; NotFound when one of them, or a dataset, is unknown."""
        for code in self.datasets:
            if code not in DATASETS:
                raise NotFound(f"no dataset {code!r}; known: {', '.join(DATASETS)}")
        if not self.provinces:
            return registry.provinces
        named = {registry.province(name).cmc_id for name in self.provinces}
        return tuple(province for province in registry.provinces if province.cmc_id in named)

    @property
    def words(self) -> tuple[str, ...]:
        """What was selected, for the record of the run."""
        return (*self.provinces, *self.datasets)


class Crawl:
    """One run over the provinces of a registry.

    `now` tells the time in the registry's zone; `stop()` ends the run early, and every walk that has not ended
    by then is incomplete.
    """

    def __init__(
        self,
        registry: Registry,
        db: Database,
        observer: Observer,
        *,
        folder: Path,
        now: Callable[[], datetime],
        selection: Selection | None = None,
        ignore_windows: bool = False,
        lease_seconds: int = 60,
    ) -> None:
        self._registry = registry
        self._db = db
        self._observer = observer
        self._now = now
        self._selection = selection or Selection()
        self._ignore_windows = ignore_windows
        self._lease_seconds = lease_seconds
        self._provinces = self._selection.of(registry)
        self._credentials = {each.cmc_id: credentials.load(each, folder) for each in self._provinces}
        self._stopping = asyncio.Event()
        self._slots = asyncio.Semaphore(registry.run.max_provinces)

    def stop(self) -> None:
        """Asks the run to end: no new page is asked for."""
        self._stopping.set()

    async def run(self) -> RunRecord:
        """The finished run. TryLater when the lease is held or no window is open, StoreLost when MongoDB is."""
        if not self._ignore_windows:
            opening = next_opening(self._provinces, self._now())
            if opening > self._now():
                raise TryLater(
                    f"no window is open; the next one opens at {opening:%Y-%m-%d %H:%M %z}: "
                    "use --wait to wait for it, or --now to ignore windows"
                )
        async with self._leased() as lease:
            record = await begin_run(self._db, self._record())
            crashed = await recover(self._db, record.number)
            if crashed:
                _LOG.warning(
                    "undid what run %s had left behind when it crashed", ", ".join(map(str, crashed))
                )
            await self._pulls(record, lease)
            status = RunStatus.STOPPED if self._stopping.is_set() else RunStatus.FINISHED
            return await finish_run(self._db, record.number, status, self._now())

    def _record(self) -> RunRecord:
        unverified = [
            f"{each.name}: TLS certificates are not verified"
            for each in self._provinces
            if not each.tls.verify
        ]
        return RunRecord(
            number=0,
            status=RunStatus.RUNNING,
            started_at=self._now(),
            selection=self._selection.words,
            registry=self._registry.where,
            version=__version__,
            notices=tuple(unverified),
        )

    @asynccontextmanager
    async def _leased(self) -> AsyncIterator[Lease]:
        lease = await leases.acquire(self._db, leases.new_holder(), self._lease_seconds)
        try:
            yield lease
        finally:
            await leases.release(self._db, lease)

    async def _pulls(self, record: RunRecord, lease: Lease) -> None:
        night = Night(
            db=self._db,
            run=record.number,
            fence=lease.fence,
            observer=self._observer,
            now=self._now,
            datasets=self._selection.datasets,
        )
        try:
            async with asyncio.TaskGroup() as group:
                renewing = group.create_task(self._renewed(lease))
                pulls = [group.create_task(self._pull(province, night)) for province in self._provinces]
                await asyncio.wait(pulls)
                renewing.cancel()
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _renewed(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(lease.seconds / 3)
            await leases.renew(self._db, lease)

    async def _pull(self, province: Province, night: Night) -> None:
        closing = await self._opened(province)
        async with self._slots:
            rest = Rest(clock=time.monotonic, away=self._away)
            halted = self._halting(closing)
            paces = [BytePace(province.pull.max_bytes_per_second, clock=time.monotonic)]
            client = ProvinceClient(
                province.cmc_id,
                self._credentials[province.cmc_id],
                byte_paces=paces,
                connections=province.pull.max_in_flight,
            )
            async with client:
                asker = Asker(client, province.pull, rest=rest, halted=halted, now=self._now)
                try:
                    await pull_province(province, night, asker, halted=halted)
                except (SubcmcError, DriverError):
                    raise  # the store is lost: the run cannot go on
                except Exception as error:  # a defect of ours must not cost the other provinces their night
                    _LOG.exception("%s: this program failed; the others go on", province.name)
                    reason = f"internal error: {type(error).__name__}"
                    await abandon(self._db, broken_off(province, night, reason))

    async def _opened(self, province: Province) -> datetime | None:
        """When the province's window closes, once it is open; None when windows are ignored."""
        if self._ignore_windows:
            return None
        window = province.pull.window
        now = self._now()
        opening = window.opens_at(now)
        await self._sleep((opening - now).total_seconds())
        return window.closes_at(max(opening, self._now()))

    def _halting(self, closing: datetime | None) -> Callable[[], bool]:
        def halted() -> bool:
            return self._stopping.is_set() or (closing is not None and self._now() >= closing)

        return halted

    async def _away(self, seconds: float) -> None:
        """Sleeps without a slot, so that another province can use it."""
        self._slots.release()
        try:
            await self._sleep(seconds)
        finally:
            await self._slots.acquire()

    async def _sleep(self, seconds: float) -> None:
        """Sleeps, but not past the moment at which the run is stopped."""
        if seconds <= 0:
            return
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return


def next_opening(provinces: Sequence[Province], now: datetime, *, strictly: bool = False) -> datetime:
    """The earliest moment, from now on, at which a province may be asked; `strictly`: at which one opens."""
    return min(
        (
            window.opens_at(window.closes_at(now) if strictly and window.is_open(now) else now)
            for window in (province.pull.window for province in provinces)
        ),
        default=now,
    )


def night_began(provinces: Sequence[Province], now: datetime) -> datetime:
    """When the first of the windows that are open now has opened; `now` when none is."""
    return min(
        (province.pull.window.opened_at(now) for province in provinces if province.pull.window.is_open(now)),
        default=now,
    )
