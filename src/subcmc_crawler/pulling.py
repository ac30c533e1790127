"""What pulls centres in this process: slots, the line that they share, credentials, and the wish to stop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

from subcmc_crawler.errors import SubcmcError
from subcmc_crawler.halting import Halt, Stop
from subcmc_crawler.model import Manifest
from subcmc_crawler.province import credentials
from subcmc_crawler.province.asking import Asker
from subcmc_crawler.province.client import ProvinceClient
from subcmc_crawler.province.pacing import BytePace, Rest
from subcmc_crawler.province.registry import Province
from subcmc_crawler.province.settings import RunSettings
from subcmc_crawler.pull import Night, broken_off, pull_province
from subcmc_crawler.schedule import PlannedPull
from subcmc_crawler.store import Database, DriverError
from subcmc_crawler.store.rests import keep_rest, kept_rest
from subcmc_crawler.store.runs import abandon

_LOG = logging.getLogger(__name__)

_REST_WORTH_KEEPING_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Due:
    """A province and when it is to be pulled; without a plan at once."""

    province: Province
    planned: PlannedPull | None = None


class Slot(Protocol):
    """The right to ask a province, which it gives back while it rests."""

    def release(self) -> None:
        """Lets another province have it."""

    async def acquire(self) -> object:
        """Returns when it is there again."""


class Puller:
    """Pulls provinces, each at its planned start or as soon afterwards as a slot is free.

    At most `settings.max_provinces` are asked at once, unless slots come from elsewhere; and
    `settings.max_run_bytes_per_second` holds for all of them together. BadConfig when the credentials of one of
    `provinces` cannot be read.
    """

    def __init__(
        self,
        provinces: Sequence[Province],
        settings: RunSettings,
        *,
        folder: Path,
        stop: Stop,
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._stop = stop
        self._now = now
        self._credentials = credentials.load_all(provinces, folder)
        self._slots = asyncio.Semaphore(settings.max_provinces)
        most = sorted(each.pull.max_in_flight for each in provinces)[-settings.max_provinces :]
        self.line = BytePace(settings.max_run_bytes_per_second, clock=time.monotonic, readers=sum(most) or 1)

    async def pull(self, due: Due, night: Night) -> list[Manifest]:
        """The manifests of one province; none when this program itself failed, which is logged and written down."""
        province, planned = due.province, due.planned
        if planned is not None:
            await self._stop.sleep_until(planned.start, self._now)
        halted = self.halt(planned.closing if planned else None)
        async with self._slots:
            return await self.pull_now(province, night, halted, self._slots)

    def halt(self, closing: datetime | None) -> Halt:
        """When a pull in a window that closes then must end."""
        grace_seconds = self._settings.stop_grace_seconds
        return Halt(self._stop, closing=closing, grace_seconds=grace_seconds, now=self._now)

    async def pull_now(self, province: Province, night: Night, halted: Halt, slot: Slot) -> list[Manifest]:
        """The same at once, by somebody who holds `slot`."""
        rest = Rest(clock=time.monotonic, away=partial(self._away, halted, province, night.db, slot))
        rest.extend(await self._rest_left(province, night.db))
        async with self._client(province) as client:
            asker = Asker(client, province.pull, rest=rest, halted=halted, now=self._now)
            try:
                return await pull_province(province, night, asker, halted=halted)
            except (SubcmcError, DriverError):
                raise  # the store is lost: the run cannot go on
            except Exception as error:  # a defect of ours must not cost the other provinces their night
                _LOG.exception("%s: this program failed; the others go on", province.name)
                reason = f"internal error: {type(error).__name__}"
                await abandon(night.db, broken_off(province, night, reason))
                return []

    def _client(self, province: Province) -> ProvinceClient:
        readers, limit = province.pull.max_in_flight, province.pull.max_bytes_per_second
        return ProvinceClient(
            province.cmc_id,
            self._credentials[province.cmc_id],
            byte_paces=[BytePace(limit, clock=time.monotonic, readers=readers), self.line],
            connections=readers,
            proxy=province.pull.proxy,
        )

    async def _rest_left(self, province: Province, db: Database) -> float:
        """Seconds of a rest that an earlier process began and that is not over yet."""
        until = await kept_rest(db, province.cmc_id)
        return max(0.0, (until - self._now()).total_seconds()) if until else 0.0

    async def _away(self, halted: Halt, province: Province, db: Database, slot: Slot, seconds: float) -> None:
        """Sleeps without a slot, so that another province can use it; not past the halt."""
        if seconds >= _REST_WORTH_KEEPING_SECONDS:
            await keep_rest(db, province.cmc_id, self._now() + timedelta(seconds=seconds))
        slot.release()
        try:
            await halted.sleep(seconds)
        finally:
            await slot.acquire()
