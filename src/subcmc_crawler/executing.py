"""Where the pulls of a run are executed: in this process, unless another executor is handed in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from subcmc_crawler.halting import Stop
from subcmc_crawler.model import Manifest
from subcmc_crawler.province.registry import Registry
from subcmc_crawler.pull import Night
from subcmc_crawler.pulling import Due
from subcmc_crawler.store.lease import Lease


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """The pull of a run: called for a province where it is to happen here, else read by who orders it elsewhere."""

    here: Callable[[Due, Night], Awaitable[list[Manifest]]]
    night: Night
    lease: Lease
    stop: Stop
    registry: Registry

    async def __call__(self, due: Due) -> list[Manifest]:
        """The manifests of one province."""
        return await self.here(due, self.night)


class Executor(Protocol):
    """Executes the pulls of a run, wherever it pleases."""

    def map_unordered(self, pull: Pull, provinces: Sequence[Due]) -> AsyncGenerator[list[Manifest], None]:
        """What `pull` gives for each of the provinces, as they end; the first exception ends all of them.

        They are begun in the order given. Whoever leaves the loop closes the generator, which ends what is left.
        """


class Local:
    """The default: every pull is a task of this event loop."""

    async def map_unordered(
        self, pull: Pull, provinces: Sequence[Due]
    ) -> AsyncGenerator[list[Manifest], None]:
        """As `Executor` says."""
        tasks = [asyncio.ensure_future(pull(due)) for due in provinces]
        try:
            for ended in asyncio.as_completed(tasks):
                yield await ended
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
