"""The dashboard as an application of aiohttp: its pages by path, and how long it serves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from subcmc_crawler.dashboard import health, live, reading, searching, windows
from subcmc_crawler.dashboard.guarding import SITE, Guard, answering, guarded, with_headers
from subcmc_crawler.dashboard.visit import Site

PAGES: Final = {
    "/": reading.nights_page,
    "/runs/{run}": reading.night_page,
    "/runs/{run}/{cmc_id}": reading.province_page,
    "/runs/{run}/{cmc_id}/{dataset}": reading.cell_page,
    "/record": searching.record_page,
    "/diff": searching.diff_page,
    "/windows": windows.windows_page,
    "/live": live.live_page,
}
"""Path -> what makes the page. None of them writes."""

OTHERS: Final = {
    "/live/events": live.live_events,
    "/healthz": health.healthz,
    "/metrics": health.metrics,
}
"""Path -> what answers a program or a script."""

_STOP_SECONDS: Final = 5.0


def application(site: Site, guard: Guard) -> web.Application:
    """All pages behind the guard."""
    app = web.Application(middlewares=[guarded(guard)])
    app[SITE] = site
    app[live.LIVE] = live.Live(site)
    app.on_response_prepare.append(with_headers)
    for path, content in PAGES.items():
        app.router.add_get(path, answering(content))
    for path, handler in OTHERS.items():
        app.router.add_get(path, handler)
    return app


@asynccontextmanager
async def serving(site: Site, guard: Guard, *, host: str, port: int) -> AsyncIterator[int]:
    """Serves while the block runs; gives the port. OSError when the address cannot be used.

    What is on its way when the block ends may still end, for five seconds.
    """
    runner = web.AppRunner(
        application(site, guard), handle_signals=False, access_log=None, shutdown_timeout=_STOP_SECONDS
    )
    await runner.setup()
    try:
        listening = web.TCPSite(runner, host, port, reuse_address=True)
        await listening.start()
        yield runner.addresses[0][1]
    finally:
        site.closing.set()
        await runner.cleanup()
