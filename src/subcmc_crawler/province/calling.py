"""A province on the line for a few requests by an operator's hand: its pace is kept, its window is not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from subcmc_crawler.province.asking import Asker
from subcmc_crawler.province.client import ProvinceClient
from subcmc_crawler.province.credentials import Credentials
from subcmc_crawler.province.pacing import BytePace, RequestPace, Rest
from subcmc_crawler.province.registry import Province


def _never() -> bool:
    return False


@asynccontextmanager
async def called(
    province: Province, credentials: Credentials, *, pace: RequestPace | None = None
) -> AsyncIterator[Asker]:
    """Somebody to ask one request after the other; in step with whoever has the same `pace`."""
    client = ProvinceClient(
        province.cmc_id,
        credentials,
        byte_paces=[BytePace(province.pull.max_bytes_per_second, clock=time.monotonic)],
        connections=1,
        proxy=province.pull.proxy,
    )
    async with client:
        rest = Rest(clock=time.monotonic, away=asyncio.sleep)
        yield Asker(client, province.pull, rest=rest, halted=_never, now=datetime.now, pace=pace)
