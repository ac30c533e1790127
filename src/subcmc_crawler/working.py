"""What a worker does for a run on another machine: one centre a task, under the run's lease.

A task brings names and numbers alone. Where the store is, which centres there are and what lets us in, a worker
reads for itself, from its own environment and files (`config.VARIABLES`). One event loop serves all tasks of a
process; it looks every second whether the run still holds its lease and what it lets its workers know.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

from subcmc_crawler.config import load, read_registry
from subcmc_crawler.errors import BadConfig, StoreLost
from subcmc_crawler.halting import Stop
from subcmc_crawler.model import Manifest
from subcmc_crawler.province.registry import Province, Registry
from subcmc_crawler.pull import Night
from subcmc_crawler.pulling import Puller, Slot
from subcmc_crawler.spec.datasets import Dataset
from subcmc_crawler.store import Database, DriverError, open_store
from subcmc_crawler.store import lease as leases
from subcmc_crawler.store.lease import Lease, Standing
from subcmc_crawler.store.runs import add_cpu

_LOG = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
"""How often a worker looks at the lease: by so much later it hears of a stop, and of another limit."""

_OPENING_SECONDS: Final = 60.0

Summary = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What all tasks of a run have in common: it travels as plain values."""

    run: int
    holder: str
    since: int  # the fencing number with which the run took its lease
    lease_seconds: int
    registry: str  # digest
    datasets: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """For the journey; `Order(**plain)` is its end."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """The thread of a worker that a task occupies: it can leave its place to others, and come back."""

    leave: Callable[[], None]
    come_back: Callable[[], None]
    worker: str  # the name by which the run knows this process


def work(order: Mapping[str, Any], cmc_id: str, closing: str | None, thread: Thread) -> Summary:
    """One centre pulled: its datasets with their verdicts and rows. The rest is in MongoDB by then."""
    return _workplace(Order(**order)).pull(cmc_id, closing, thread)


_workplaces: dict[Order, Workplace] = {}
_opening = threading.Lock()


def _workplace(order: Order) -> Workplace:
    with _opening:
        place = _workplaces.get(order)
        if place is None or place.closed:
            _workplaces.clear()  # those of earlier runs close by themselves
            place = _workplaces[order] = Workplace(order)
        return place


class Workplace:
    """The event loop of this process for one run, in a thread of its own, until the run's lease is gone."""

    def __init__(self, order: Order) -> None:
        settings = load(os.environ)
        if settings.uri is None:
            raise BadConfig("a worker needs MONGODB_URI or MONGODB_URI_FILE in its environment")
        registry = read_registry(settings.registry)
        if registry.digest != order.registry:
            raise BadConfig(
                f"{settings.registry}: this worker reads another registry than the run does; give both the same file"
            )
        self.closed = False
        self._order = order
        self._settings = settings
        self._registry = registry
        self._loop = asyncio.new_event_loop()
        self._desk: Future[Desk] = Future()
        threading.Thread(target=self._run, name=f"run {order.run}", daemon=True).start()

    def pull(self, cmc_id: str, closing: str | None, thread: Thread) -> Summary:
        """Waits in the thread of the task, which leaves and comes back as its centre rests."""
        desk = self._desk.result(timeout=_OPENING_SECONDS)
        slot = _ThreadSlot(self._loop, thread)
        until = datetime.fromisoformat(closing).astimezone(self._registry.timezone) if closing else None
        pulling = self._unless_lost(desk.pull(self._registry.province(cmc_id), until, slot, thread.worker))
        ended = asyncio.run_coroutine_threadsafe(pulling, self._loop)
        ended.add_done_callback(lambda _: slot.calls.put(None))
        while (call := slot.calls.get()) is not None:
            call()
        return ended.result()

    async def _unless_lost(self, pull: Coroutine[Any, Any, Summary]) -> Summary:
        try:
            return await pull
        except asyncio.CancelledError:
            raise StoreLost(
                f"run {self._order.run} has lost its lease: nothing further was written"
            ) from None

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._live())
        except Exception as error:
            _LOG.warning("run %s: %s", self._order.run, error)
            if not self._desk.done():
                self._desk.set_exception(error)
        finally:
            self.closed = True
            self._loop.close()

    async def _live(self) -> None:
        chosen = self._settings
        async with open_store(
            chosen.uri or "", database=chosen.database, driver=chosen.driver, prepare=False
        ) as db:
            desk = Desk(db, self._registry, self._order, folder=chosen.registry.resolve().parent)
            if not await desk.look():
                raise StoreLost("the run that ordered this has lost its lease, or lies in another MongoDB")
            self._desk.set_result(desk)
            while await desk.look():  # noqa: ASYNC110 - only MongoDB knows
                await asyncio.sleep(LOOK_SECONDS)
            self.closed = True
            left = asyncio.all_tasks() - {asyncio.current_task()}
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)


class Desk:
    """The pulls of one run in one process."""

    def __init__(
        self,
        db: Database,
        registry: Registry,
        order: Order,
        *,
        folder: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._order = order
        self._lease = Lease(order.holder, order.since, order.lease_seconds)
        self._now = partial(datetime.now, registry.timezone)
        self._stop = Stop()
        self._puller = Puller(registry.provinces, registry.run, folder=folder, stop=self._stop, now=self._now)
        self._standing = Standing()
        self._worker = ""
        self._clock = clock
        self._doubted_at: float | None = None
        self._cpu = time.process_time()

    async def look(self) -> bool:
        """Whether the run still holds its lease, as far as can be told; does what it lets its workers know.

        Once it has run out, or MongoDB does not answer, there is doubt for as long as the lease: a pause of MongoDB
        or of the whole machine costs nothing, as its holder renews a lease that nobody took (`lease.keep`).
        """
        try:
            standing = await leases.look(self._db, self._lease)
        except DriverError:
            return self._in_doubt()
        if standing is None:
            return False
        for _ in range(standing.stop - self._standing.stop):
            self._stop.ask()
        self._standing = standing
        if limit := standing.lines.get(self._worker):
            self._puller.line.limit(limit)
        if not standing.in_force:
            return self._in_doubt()
        self._doubted_at = None
        return True

    def _in_doubt(self) -> bool:
        if self._doubted_at is None:
            self._doubted_at = self._clock()
        return self._clock() < self._doubted_at + self._order.lease_seconds

    async def pull(self, province: Province, closing: datetime | None, slot: Slot, worker: str) -> Summary:
        """One attempt at one centre, under a fencing number of its own."""
        self._worker = worker
        while self._puller.line.limited and not self._standing.lines.get(worker):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS)  # for a part of the run's line
        fence = await leases.issue(self._db, self._lease)
        night = Night(
            db=self._db,
            run=self._order.run,
            fence=fence,
            observer=_Nobody(),
            now=self._now,
            datasets=self._order.datasets,
            resumed=True,  # an attempt before this one may have begun
        )
        manifests = await self._puller.pull_now(province, night, self._puller.halt(closing), slot)
        await self._add_cpu()
        cells = {each.dataset: (str(each.verdict), each.counts.received) for each in manifests}
        return {"cmcId": province.cmc_id, "fence": fence, "cells": cells}

    async def _add_cpu(self) -> None:
        """Adds to the run what this process has spent since it added last."""
        spent, self._cpu = time.process_time() - self._cpu, time.process_time()
        await add_cpu(self._db, self._order.run, spent)


class _ThreadSlot:
    """The thread of a task as a slot: `calls` are for it to make."""

    def __init__(self, loop: asyncio.AbstractEventLoop, thread: Thread) -> None:
        self.calls: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._loop = loop
        self._thread = thread

    def release(self) -> None:
        """Another task may have the thread's place."""
        self.calls.put(self._thread.leave)

    async def acquire(self) -> None:
        """Returns when the thread has a place again."""
        back = asyncio.Event()

        def come_back() -> None:
            self._thread.come_back()
            self._loop.call_soon_threadsafe(back.set)

        self.calls.put(come_back)
        await back.wait()


class _Nobody:
    """Nobody watches here: the run reads what was written down."""

    def page(self, province: Province, dataset: Dataset, received: int, declared: int | None) -> None:
        """Nothing."""

    def cell(self, manifest: Manifest) -> None:
        """Nothing."""
