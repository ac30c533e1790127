"""The run that is under way: a page that renews itself, and the stream of events that it listens to.

However many watch, the store is asked once every few seconds. A stream ends with the server, with its watcher, and
when the store does not answer; the page then says that it stands still, and asks again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Final

from aiohttp import web

from subcmc_crawler.dashboard.guarding import visit_of
from subcmc_crawler.dashboard.parameters import Unusable, page_of
from subcmc_crawler.dashboard.progress import Progress, progress
from subcmc_crawler.dashboard.rendering import fragment
from subcmc_crawler.dashboard.visit import Page, Site, Visit
from subcmc_crawler.errors import StoreLost
from subcmc_crawler.store import DriverError

MOST_WATCHERS: Final = 100

_LOG: Final = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 20.0
_WRITE_SECONDS: Final = 20.0
_SIGN_OF_LIFE: Final = timedelta(seconds=30)


class Look:
    """One look at the newest run, or at a page of it, for all who watch that."""

    def __init__(self, site: Site, page: int | None) -> None:
        self.watchers = 0
        self._site = site
        self._page = page
        self._task: asyncio.Task[Progress | None] | None = None
        self._again_at = 0.0
        self._last: Progress | None = None

    async def __call__(self) -> Progress | None:
        """The newest run at most `live_seconds` ago, None when there is none: the same object until it is another.

        StoreLost, a driver's error or TimeoutError when the store does not answer, Unknown where there is no such
        page; the next look asks anew.
        """
        clock = asyncio.get_running_loop().time
        if self._task is None or (self._task.done() and clock() >= self._again_at):
            self._task = asyncio.create_task(self._ask())
        return await asyncio.shield(
            self._task
        )  # a watcher that goes does not take the look of the others along

    async def _ask(self) -> Progress | None:
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                found = await progress(self._site.db, self._site.now(), self._page)
        finally:
            self._again_at = asyncio.get_running_loop().time() + self._site.live_seconds
        if found is None or self._last is None or not _is_same(self._last, found):
            self._last = found
        return self._last


class Live:
    """Everybody who watches, by the page of provinces that they see."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._looks: dict[int | None, Look] = {}

    @property
    def watchers(self) -> int:
        """How many there are."""
        return sum(look.watchers for look in self._looks.values())

    @contextmanager
    def watched(self, page: int | None) -> Iterator[Look | None]:
        """What a watcher looks through while the block runs; None when there are too many watchers."""
        if self.watchers >= MOST_WATCHERS:
            yield None
            return
        look = self._looks.setdefault(page, Look(self.site, page))
        look.watchers += 1
        try:
            yield look
        finally:
            look.watchers -= 1
            if not look.watchers:
                del self._looks[page]


LIVE: Final = web.AppKey("live", Live)


def _is_same(old: Progress, new: Progress) -> bool:
    """Whether there is nothing to tell. A run that goes on is told again now and then: its time is a sign of life."""
    if new.running and new.at - old.at >= _SIGN_OF_LIFE:
        return False
    return replace(new, at=old.at) == old


async def live_page(visit: Visit) -> Page:
    """The newest run as it goes on; renews itself, with and without a script."""
    page = page_of(visit.query)
    found = await progress(visit.db, visit.site.now(), page)
    return Page(template="live.html", here="live", values={"progress": found, "page": page}, live=True)


async def live_events(request: web.Request) -> web.StreamResponse:
    """The changing part of that page as server-sent events, each time that it is another.

    503 when there are too many watchers. A look that fails later than the first ends the stream.
    """
    visit, live = visit_of(request), request.app[LIVE]
    with live.watched(page_of(visit.query)) as look:
        if look is None:
            return web.Response(text="too many watch\n", status=503, headers={"Retry-After": "10"})
        await look()  # what fails now has an answer of its own
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        try:
            await stream.prepare(request)
            if request.method != "HEAD":
                await _tell(stream, look, visit)
        except (StoreLost, DriverError, TimeoutError, Unusable) as error:
            _LOG.warning("a live page stands still: %s", type(error).__name__)
        except ConnectionError:
            _LOG.debug("a watcher has gone")
        return stream


async def _tell(stream: web.StreamResponse, look: Look, visit: Visit) -> None:
    """Writes until the server closes; ConnectionError once nobody listens any more."""
    site, named = visit.site, "lang" in visit.query
    told: Progress | None = None
    while not site.closing.is_set():
        found = await look()
        if found is not None and found is not told:
            event = _event(fragment("progress.html", visit.words.lang, named=named, progress=found))
        else:
            event = b": \n\n"  # finds out whether anybody still listens
        told = found
        async with asyncio.timeout(_WRITE_SECONDS):
            await stream.write(event)
        try:
            await asyncio.wait_for(site.closing.wait(), site.live_seconds)
        except TimeoutError:
            continue


def _event(text: str) -> bytes:
    return "".join(f"data: {line}\n" for line in text.splitlines()).encode() + b"\n"
