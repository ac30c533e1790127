"""What was pushed against what was pulled: the ministry's own platform, cell by cell, beside the snapshots (4.1).

`Comparisons` takes the cells of a province when its pull is over and compares one province after the other, while the
pulls go on in slots of their own. Nothing here changes a verdict, and no fault of the platform ends a run: it is
written down in the comparison.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from subcmc_crawler.comparing import Comparing, Differences
from subcmc_crawler.errors import SubcmcError
from subcmc_crawler.halting import Sleep
from subcmc_crawler.model import Comparison, DifferingKey, Manifest
from subcmc_crawler.province.credentials import Credentials
from subcmc_crawler.province.registry import Ministry
from subcmc_crawler.querying import Line, Platform, Pushed
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.spec.personal import mask_key
from subcmc_crawler.store import Database, DriverError
from subcmc_crawler.store import lease as leases
from subcmc_crawler.store.comparisons import (
    find_comparison,
    records_by_key,
    snapshot_to_compare,
    write_comparison,
)

_LOG = logging.getLogger(__name__)


class Comparisons:
    """All comparisons of one run: `run()` works off what `add()` brings, until `end()` and the last of it.

    With `resumed`, what an earlier process of the run has compared stays. `now` tells the time, `sleep` passes it.
    """

    def __init__(
        self,
        ministry: Ministry,
        credentials: Credentials,
        db: Database,
        *,
        fence: int,
        now: Callable[[], datetime],
        sleep: Sleep = asyncio.sleep,
        resumed: bool = False,
    ) -> None:
        self._platform = Platform(ministry, credentials, now=now, sleep=sleep)
        self._db = db
        self._fence = fence
        self._now = now
        self._sleep = sleep
        self._resumed = resumed
        self._waiting: asyncio.Queue[Sequence[Manifest] | None] = asyncio.Queue()
        self._overtime: asyncio.Task[None] | None = None

    def add(self, manifests: Sequence[Manifest]) -> None:
        """Cells of one province whose pull is over."""
        if manifests:
            self._waiting.put_nowait(manifests)

    def end(self, *, overtime_seconds: float | None = None) -> None:
        """No further province comes: what is left may take so long, None for as long as it takes."""
        if self._waiting.qsize():
            _LOG.info("provinces left to compare with what was pushed: %d", self._waiting.qsize())
        self._waiting.put_nowait(None)
        if overtime_seconds is not None:
            self._overtime = asyncio.ensure_future(self._stop_late(overtime_seconds))

    def stop(self) -> None:
        """Nothing further is asked for; what is left is written down as stopped."""
        self._platform.stop()

    async def run(self) -> None:
        """Compares; StoreLost when MongoDB is. A defect of ours costs the province that met it and no other."""
        try:
            while (manifests := await self._waiting.get()) is not None:
                await self._province(manifests)
        finally:
            if self._overtime is not None:
                self._overtime.cancel()

    async def _stop_late(self, seconds: float) -> None:
        await self._sleep(seconds)
        self.stop()

    async def _province(self, manifests: Sequence[Manifest]) -> None:
        try:
            async with self._platform.line(manifests[0].cmc_id) as line:
                for manifest in manifests:
                    await self._cell(line, manifest)
        except (SubcmcError, DriverError):
            raise  # the store is lost
        except Exception:
            _LOG.exception("%s: this program failed to compare; the others go on", manifests[0].province)

    async def _cell(self, line: Line, manifest: Manifest) -> None:
        snapshot = await snapshot_to_compare(self._db, manifest)
        if self._resumed and await self._is_done(manifest, snapshot):
            return
        began = time.monotonic()
        pushed = await line.walk(DATASETS[manifest.dataset])
        comparison = _opened(manifest, snapshot, pushed)
        if pushed.comparing and snapshot:
            comparison = _compared(comparison, await self._differences(pushed.comparing, snapshot))
        comparison = replace(comparison, seconds=round(time.monotonic() - began, 3), at=self._now())
        await write_comparison(self._db, comparison, fence=self._fence)

    async def _is_done(self, manifest: Manifest, snapshot: Manifest | None) -> bool:
        known = await find_comparison(self._db, manifest.run, manifest.cmc_id, manifest.dataset)
        return (
            known is not None and known.compared and known.digest == (snapshot.digest if snapshot else None)
        )

    async def _differences(self, comparing: Comparing, snapshot: Manifest) -> Differences:
        async for key, record in records_by_key(self._db, snapshot):
            comparing.pull(key, record)
        return comparing.differences()


async def compare_cells(
    db: Database,
    cells: Sequence[Manifest],
    *,
    lease_seconds: int,
    make: Callable[[int], Comparisons],
) -> None:
    """Compares cells of runs that have ended, under the lease; `make` is given its fencing number.

    TryLater while a crawl is running, StoreLost when the lease is lost.
    """
    async with leases.held(db, lease_seconds) as lease:
        comparisons = make(lease.fence)
        for _, manifests in groupby(cells, key=attrgetter("cmc_id")):
            comparisons.add(list(manifests))
        comparisons.end()
        try:
            async with asyncio.TaskGroup() as group:
                keeping = group.create_task(leases.keep(db, lease))
                await comparisons.run()
                keeping.cancel()
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None


def _opened(manifest: Manifest, snapshot: Manifest | None, pushed: Pushed) -> Comparison:
    """What the walk found, before it is held against anything."""
    return Comparison(
        run=manifest.run,
        cmc_id=manifest.cmc_id,
        province=manifest.province,
        dataset=manifest.dataset,
        snapshot=snapshot.run if snapshot else None,
        digest=snapshot.digest if snapshot else None,
        declared=pushed.declared,
        pushed=pushed.comparing.pushed if pushed.comparing else None,
        unusable=pushed.unusable,
        foreign=pushed.foreign,
        endings=pushed.endings,
        fault=pushed.fault.kind if pushed.fault else "",
        detail=pushed.fault.detail if pushed.fault else "",
        pages=pushed.pages,
        attempts=pushed.attempts,
    )


def _compared(opened: Comparison, found: Differences) -> Comparison:
    """The comparison with what differs, its keys masked."""
    code = opened.dataset
    return replace(
        opened,
        pulled=found.equal + found.differing + found.only_pulled,
        equal=found.equal,
        differing=found.differing,
        only_pushed=found.only_pushed,
        only_pulled=found.only_pulled,
        fields=found.fields,
        differing_keys=tuple(
            DifferingKey(mask_key(code, key), fields) for key, fields in found.differing_keys
        ),
        only_pushed_keys=tuple(mask_key(code, key) for key in found.only_pushed_keys),
        only_pulled_keys=tuple(mask_key(code, key) for key in found.only_pulled_keys),
    )
