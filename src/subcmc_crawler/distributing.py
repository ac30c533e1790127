"""The pulls of a run as tasks of Dask distributed: a task a centre, on whatever workers a scheduler has.

The scheduler is given names and numbers (`working.Order`), and gives back verdicts and counts; everything else is in
MongoDB. A task whose worker is gone is begun again elsewhere and goes on where the ledger ends. `distributed` is an
extra of this package, and imported only here and only when it is asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NoReturn

from subcmc_crawler.errors import BadConfig, SubcmcError, TryLater, WorkersLost
from subcmc_crawler.executing import Pull
from subcmc_crawler.lines import next_lines
from subcmc_crawler.model import Manifest
from subcmc_crawler.pull import broken_off
from subcmc_crawler.pulling import Due
from subcmc_crawler.store.lease import Standing, post
from subcmc_crawler.store.runs import abandon, manifests_of
from subcmc_crawler.working import LOOK_SECONDS, Order, Summary, Thread, work

_LOG = logging.getLogger(__name__)

_CONNECT_SECONDS: Final = 10.0
_CLOSE_SECONDS: Final = 2.0
_ANSWER_SECONDS: Final = 15.0
_TICK_SECONDS: Final = 2.5 * LOOK_SECONDS
"""How often lines are divided anew: every worker has heard of the last division by then."""


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[Dask]:
    """The workers of the scheduler at `address`; BadConfig without the extra, TryLater when it does not answer."""
    try:
        import distributed  # noqa: PLC0415 - an extra
    except ImportError:
        raise BadConfig(
            "--dask needs Dask distributed: pip install 'subcmc-crawler[distributed]', here and on every worker"
        ) from None
    try:
        client: Any = await distributed.Client(  # type: ignore[no-untyped-call] # it has a py.typed and no types
            address,
            asynchronous=True,
            timeout=_CONNECT_SECONDS,
            set_as_default=False,
            direct_to_workers=False,
        )
    except (OSError, TimeoutError, ValueError, asyncio.CancelledError) as error:
        raise TryLater(
            f"no Dask scheduler answers at {address} ({type(error).__name__}): start one, or look at its address"
        ) from None
    try:
        yield Dask(client, address)
    finally:
        with contextlib.suppress(Exception):  # the scheduler may be gone
            async with asyncio.timeout(_CLOSE_SECONDS):
                await client.close(timeout=_CLOSE_SECONDS)


class Dask:
    """An executor: pulls become tasks, in the order of the schedule. `client` is a `distributed.Client`."""

    def __init__(self, client: Any, address: str) -> None:
        self._client = client
        self._address = address

    async def map_unordered(
        self, pull: Pull, provinces: Sequence[Due]
    ) -> AsyncGenerator[list[Manifest], None]:
        """As `Executor` says; WorkersLost when the scheduler is gone."""
        order = Order(
            run=pull.night.run,
            holder=pull.lease.holder,
            since=pull.lease.fence,
            lease_seconds=pull.lease.seconds,
            registry=pull.registry.digest,
            datasets=tuple(pull.night.datasets),
        )
        tasks = [
            self._watch(pull),
            *(self._one(order, due, rank, pull) for rank, due in enumerate(provinces)),
        ]
        watching, *left = map(asyncio.ensure_future, tasks)
        try:
            while left:
                done, _ = await asyncio.wait([watching, *left], return_when=asyncio.FIRST_COMPLETED)
                if watching in done:
                    watching.result()  # it ends only by an exception
                left = [task for task in left if task not in done]
                for task in done:
                    yield task.result()
        finally:
            for task in (watching, *left):
                task.cancel()
            await asyncio.gather(watching, *left, return_exceptions=True)

    async def _one(self, order: Order, due: Due, rank: int, pull: Pull) -> list[Manifest]:
        """One centre: ordered at its planned start, and read back from the store when it is through."""
        import distributed  # noqa: PLC0415 - an extra

        province, planned, night = due.province, due.planned, pull.night
        if planned is not None:
            await pull.stop.sleep_until(planned.start, night.now)
        future = self._client.submit(
            pull_centre,
            order.plain(),
            province.cmc_id,
            planned.closing.isoformat() if planned else None,
            key=f"pull-{order.run}-{order.since}-{province.cmc_id}",
            priority=-rank,
            pure=False,
        )
        try:
            await future
        except SubcmcError:
            raise
        except distributed.client.FutureCancelledError:
            raise self._gone() from None
        except Exception as error:  # a defect of ours, or it has killed one worker after the other
            _LOG.error("%s: %s on the workers; the others go on", province.name, type(error).__name__)
            await abandon(night.db, broken_off(province, night, f"internal error: {type(error).__name__}"))
        manifests = await manifests_of(night.db, night.run, province.cmc_id)
        for manifest in manifests:
            night.observer.cell(manifest)
        return manifests

    async def _watch(self, pull: Pull) -> NoReturn:
        """Lets workers know what the run wants of them, for ever; WorkersLost when the scheduler is gone."""
        limit = pull.registry.run.max_run_bytes_per_second
        known = Standing()
        while True:
            busy = await self._busy()
            lines = next_lines(known.lines, busy, limit) if limit else {}
            standing = Standing(stop=pull.stop.times, lines=lines)
            if standing != known:
                await post(pull.night.db, pull.lease, standing)
                known = standing
            naps = (pull.stop.sleep, pull.stop.grace, asyncio.sleep)  # until it is asked for once more
            await naps[pull.stop.times](_TICK_SECONDS)

    async def _busy(self) -> Collection[str]:
        """The addresses of the workers that have something to do."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                processing: Mapping[str, Collection[str]] = await self._client.processing()
        except OSError:  # a timeout, too
            raise self._gone() from None
        return [worker for worker, keys in processing.items() if keys]

    def _gone(self) -> WorkersLost:
        return WorkersLost(
            f"the Dask scheduler at {self._address} is gone: start it again, then the crawl with --resume"
        )


def pull_centre(order: Mapping[str, Any], cmc_id: str, closing: str | None) -> Summary:
    """The task, on a worker."""
    from distributed import get_worker, rejoin, secede  # noqa: PLC0415 - an extra

    return work(order, cmc_id, closing, Thread(leave=secede, come_back=rejoin, worker=get_worker().address))
