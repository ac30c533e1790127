"""One run: which provinces, when, how many at once, and one run at a time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from subcmc_crawler import __version__
from subcmc_crawler.errors import NotFound, StoreLost, TryLater
from subcmc_crawler.executing import Executor, Local, Pull
from subcmc_crawler.halting import Sleep, Stop
from subcmc_crawler.model import Manifest, RunRecord, RunStatus, Shard, Shards, State, Verdict
from subcmc_crawler.province import credentials
from subcmc_crawler.province.registry import Province, Registry
from subcmc_crawler.pull import Night, Observer
from subcmc_crawler.pulling import Due, Puller
from subcmc_crawler.pushed import Comparisons
from subcmc_crawler.reconcile import Why
from subcmc_crawler.schedule import PlannedPull, plan
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import Database, DriverError
from subcmc_crawler.store import lease as leases
from subcmc_crawler.store.lease import Lease, Place
from subcmc_crawler.store.resuming import read_ledger
from subcmc_crawler.store.runs import (
    abandon,
    add_cpu,
    add_notices,
    begin_run,
    finish_run,
    manifests_of,
    past_durations,
    recover,
    reopen_run,
    summary_of,
    unsettled_of,
)
from subcmc_crawler.store.shards import join_run, leave_run, rejoin_run
from subcmc_crawler.store.undoing import take_back_run

_LOG = logging.getLogger(__name__)

_SAME_NIGHT = timedelta(hours=12)
"""So long after the first one a shard may come where windows are ignored, and still belong to its run."""


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

    @classmethod
    def of_words(cls, words: Sequence[str]) -> Selection:
        """The selection of a run, from its record."""
        return cls(
            provinces=tuple(word for word in words if word not in DATASETS),
            datasets=tuple(word for word in words if word in DATASETS),
        )

    @property
    def words(self) -> tuple[str, ...]:
        """What was selected, for the record of the run."""
        return (*self.provinces, *self.datasets)


class Crawl:
    """One run over the provinces of a registry.

    Each province starts at its planned start (`schedule.plan`), or as soon afterwards as a slot is free; with
    `ignore_windows` at once. `now` tells the time in the registry's zone, `sleep` passes it. `stop()` ends the run
    early, and every walk that has not ended by then is incomplete.

    A `shard` joins the run that the other shards of the night have begun, or begins it; it pulls its part of the
    provinces with its part of the run-wide limits, and the last one to end closes the run.
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
        resume: bool = False,
        lease_seconds: int = 60,
        sleep: Sleep = asyncio.sleep,
        executor: Executor | None = None,
        shard: Shard | None = None,
    ) -> None:
        self._registry = registry = _part(registry, shard)
        self._shard = shard
        self._db = db
        self._observer = observer
        self._now = now
        self._selection = selection or Selection()
        self._ignore_windows = ignore_windows
        self._resume = resume
        self._lease_seconds = lease_seconds
        self._provinces = self._selection.of(registry)
        self._platform = credentials.load_ministry(registry.ministry, folder) if registry.ministry else None
        self._comparisons: Comparisons | None = None
        self._stop = Stop(sleep)
        self._puller = Puller(self._provinces, registry.run, folder=folder, stop=self._stop, now=now)
        self._executor = executor or Local()

    def stop(self) -> None:
        """Asks the run to end: no new page is asked for, what is on its way has its grace; the second time none."""
        self._stop.ask()
        if self._comparisons is not None:
            self._comparisons.stop()

    async def run(self) -> RunRecord:
        """The finished run. TryLater when the lease is held or no window is open, StoreLost when MongoDB is."""
        if not self._ignore_windows:
            opening = next_opening(self._provinces, self._now())
            if opening > self._now():
                raise TryLater(
                    f"no window is open; the next one opens at {opening:%Y-%m-%d %H:%M %z}: "
                    "use --wait to wait for it, or --now to ignore windows"
                )
        async with leases.held(self._db, self._lease_seconds, self._place) as lease:
            began = time.process_time()
            record = await self._open(lease)
            crashed = await recover(self._db, record.number)
            if crashed:
                _LOG.warning(
                    "undid what run %s had left behind when it crashed", ", ".join(map(str, crashed))
                )
            try:
                await self._pulls(record, lease)
            except StoreLost:
                # all our tasks have ended: whatever they wrote without the lease can be taken back for good,
                # now, or by the next run when MongoDB is away
                with suppress(DriverError, TimeoutError):
                    async with asyncio.timeout(self._lease_seconds / 3):
                        mine = [each.cmc_id for each in self._provinces]
                        await take_back_run(self._db, record.number, mine)
                raise
            await add_cpu(self._db, record.number, time.process_time() - began)
            return await self._close(record)

    @property
    def _place(self) -> Place | None:
        if self._shard is None:
            return None
        return Place(f"{self._shard.count} {self._registry.digest}", self._shard.index)

    async def _open(self, lease: Lease) -> RunRecord:
        """The run that this crawl is at work on: begun, joined, or gone on with."""
        opening = self._record()
        if self._shard is None:
            return await (self._reopen(opening) if self._resume else begin_run(self._db, opening))
        ranked = await self._plan()
        shards = Shards(
            count=self._shard.count,
            registry=self._registry.digest,
            order=tuple(each.cmc_id for each in ranked),
        )
        opening = replace(opening, shards=shards)
        if self._resume:
            record = await rejoin_run(self._db, lease, opening, self._shard)
        else:
            since = self._now() - _SAME_NIGHT
            if not self._ignore_windows:
                since = night_began(self._provinces, self._now())
            record = await join_run(self._db, lease, opening, self._shard, since)
        mine = record.shards.of(self._shard) if record.shards else ()
        self._provinces = tuple(each for each in self._provinces if each.cmc_id in mine)
        return record

    async def _reopen(self, opening: RunRecord) -> RunRecord:
        """The last run, which goes on as the registry is by now."""
        record = await reopen_run(self._db)
        await add_notices(self._db, record.number, opening.notices)
        begun = await unsettled_of(self._db, record.number)
        ours = {each.cmc_id for each in self._provinces}
        await abandon(self._db, [await self._left_out(each) for each in begun if each.cmc_id not in ours])
        return record

    async def _left_out(self, begun: Manifest) -> Manifest:
        """What becomes of a walk whose province the run will not come to any more."""
        ledger = await read_ledger(self._db, begun.run, begun.cmc_id, begun.dataset)
        return replace(
            begun,
            state=State.ROLLED_BACK,
            verdict=Verdict.INCOMPLETE,
            reason="no longer in the registry when the run was gone on with",
            reason_code=Why.REMOVED,
            attempts=ledger.attempts,
            bytes=ledger.bytes,
            faults=ledger.faults,
            finished_at=self._now(),
        )

    async def _close(self, record: RunRecord) -> RunRecord:
        """The run as it was left: closed, unless other shards are still at work or have yet to come."""
        status = RunStatus.STOPPED if self._stop.asked else RunStatus.FINISHED
        if self._shard is not None:
            left = await leave_run(self._db, record.number, self._shard, status)
            if not left.all_left:
                mine = left.of(self._shard)
                cells = [each for each in await manifests_of(self._db, record.number) if each.cmc_id in mine]
                return replace(record, shards=left, summary=summary_of(cells))
            status = RunStatus.STOPPED if left.stopped else RunStatus.FINISHED
        return await finish_run(self._db, record.number, status, self._now())

    def _record(self) -> RunRecord:
        unverified = [
            f"{each.name}: TLS certificates are not verified"
            for each in self._provinces
            if not each.tls.verify
        ]
        if self._registry.ministry and not self._registry.ministry.tls.verify:
            unverified.append("[ministry]: TLS certificates are not verified")
        return RunRecord(
            number=0,
            status=RunStatus.RUNNING,
            started_at=self._now(),
            selection=self._selection.words,
            registry=self._registry.where,
            version=__version__,
            notices=tuple(unverified),
        )

    async def _pulls(self, record: RunRecord, lease: Lease) -> None:
        night = Night(
            db=self._db,
            run=record.number,
            fence=lease.fence,
            surely=lease.term,
            observer=self._observer,
            now=self._now,
            datasets=self._selection.datasets,
            resumed=self._resume,
        )
        try:
            async with asyncio.TaskGroup() as group:
                renewing = group.create_task(leases.keep(self._db, lease))
                self._comparisons = self._compared(night)
                comparing = group.create_task(self._comparisons.run()) if self._comparisons else None
                pull = Pull(
                    here=self._puller.pull,
                    night=night,
                    lease=lease,
                    stop=self._stop,
                    registry=self._registry,
                )
                async with aclosing(self._executor.map_unordered(pull, await self._planned())) as pulls:
                    async for manifests in pulls:
                        if self._comparisons is not None:
                            self._comparisons.add(manifests)
                if self._comparisons and comparing and self._registry.ministry:
                    overtime_seconds = self._registry.ministry.settings.overtime_minutes * 60
                    self._comparisons.end(overtime_seconds=overtime_seconds)
                    await comparing
                renewing.cancel()
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None

    def _compared(self, night: Night) -> Comparisons | None:
        """What compares the pulls with the ministry's own platform, where one is registered."""
        if self._registry.ministry is None or self._platform is None:
            return None
        comparisons = Comparisons(
            self._registry.ministry,
            self._platform,
            self._db,
            fence=night.fence,
            now=self._now,
            resumed=night.resumed,
        )
        if self._stop.asked:
            comparisons.stop()
        return comparisons

    async def _planned(self) -> Sequence[Due]:
        """The provinces in the order of their starts; without a plan when windows are ignored."""
        if self._ignore_windows:
            return [Due(province) for province in self._provinces]
        by_id = {province.cmc_id: province for province in self._provinces}
        return [Due(by_id[each.cmc_id], each) for each in await self._plan()]

    async def _plan(self) -> Sequence[PlannedPull]:
        return plan_night(self._registry, self._provinces, await past_durations(self._db), self._now())


def _part(registry: Registry, shard: Shard | None) -> Registry:
    """The registry with a shard's part of the limits that hold for all shards together."""
    if shard is None:
        return registry
    limit = registry.run.max_run_bytes_per_second
    part = max(1, limit // shard.count) if limit else 0
    run = registry.run.model_copy(update={"max_run_bytes_per_second": part})
    ministry = registry.ministry
    if ministry is not None:
        pace = ministry.settings.requests_per_second / shard.count
        settings = ministry.settings.model_copy(update={"requests_per_second": pace})
        ministry = replace(ministry, settings=settings)
    return replace(registry, run=run, ministry=ministry)


def plan_night(
    registry: Registry, provinces: Sequence[Province], durations: Mapping[str, float], now: datetime
) -> tuple[PlannedPull, ...]:
    """The planned pulls of these provinces in the night that is open at `now`, or in the next one."""
    return plan(
        {province.cmc_id: province.pull.window for province in provinces},
        durations,
        now,
        max_provinces=registry.run.max_provinces,
        share=registry.run.stagger_share,
    )


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
