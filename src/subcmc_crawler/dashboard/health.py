"""What programs ask: whether the store answers, and the metrics of the last night."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from subcmc_crawler import surveying
from subcmc_crawler.dashboard.guarding import SITE
from subcmc_crawler.errors import BadConfig, StoreLost
from subcmc_crawler.report.metrics import CONTENT_TYPE
from subcmc_crawler.store import DriverError
from subcmc_crawler.store.runs import list_runs

_PROBE_SECONDS: Final = 3.0


async def healthz(request: web.Request) -> web.Response:
    """200 when the store answers a question about its runs within 3 seconds, else 503."""
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            await list_runs(request.app[SITE].db, 1)
    except (StoreLost, DriverError, TimeoutError):
        return web.Response(text="the store does not answer\n", status=503)
    return web.Response(text="ok\n")


async def metrics(request: web.Request) -> web.Response:
    """Prometheus text; 501 when the extra `metrics` is not installed."""
    try:
        text = await surveying.metrics(request.app[SITE].db)
    except BadConfig as error:
        return web.Response(text=f"{error}\n", status=501)
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE})
