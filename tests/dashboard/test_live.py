"""The page of the run under way: it changes by itself, many share one look, and a stream ends in every way well."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from nights import Ministry, ministry
from own_mongod import OwnMongod
from playwright.async_api import Browser, expect

from browser import NARROW, opened
from subcmc_crawler.dashboard import live as live_module
from subcmc_crawler.dashboard.application import application, serving
from subcmc_crawler.dashboard.guarding import Guard
from subcmc_crawler.dashboard.live import LIVE, Live
from subcmc_crawler.dashboard.progress import Progress, progress
from subcmc_crawler.dashboard.visit import Site
from subcmc_crawler.model import RunRecord, RunStatus
from subcmc_crawler.simulator.answers import Answer
from subcmc_crawler.store import Database, open_store
from subcmc_crawler.store.runs import begin_run, list_runs

DEADLINE = 60.0
EVENTS = "/live/events?lang=en"


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


async def event(answer: aiohttp.ClientResponse, holding: str = "") -> str:
    """The next event of a stream that holds a text; EOFError at the end of the stream."""
    lines: list[str] = []
    async with asyncio.timeout(DEADLINE):
        while True:
            raw = await answer.content.readline()
            if not raw:
                raise EOFError
            line = raw.decode().rstrip("\n")
            if line.startswith("data: "):
                lines.append(line)
            elif lines:
                if holding in "\n".join(lines):
                    return "\n".join(lines)
                lines = []


@asynccontextmanager
async def watching(site: Site) -> AsyncIterator[tuple[aiohttp.ClientSession, Live]]:
    """A server as `serving` has it (no handler is cancelled when its client goes), and what it knows of watchers."""
    app = application(site, Guard())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as client:
            yield client, app[LIVE]
    finally:
        site.closing.set()
        await runner.cleanup()


def held_back(house: Ministry, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """From now on a province answers nothing before the event is set."""
    gate, deliver = asyncio.Event(), house.simulator._deliver

    async def held(request: web.Request, answer: Answer) -> web.StreamResponse:
        async with asyncio.timeout(DEADLINE):
            await gate.wait()
        return await deliver(request, answer)

    monkeypatch.setattr(house.simulator, "_deliver", held)
    return gate


@pytest.fixture
async def house(db: Database) -> AsyncIterator[Ministry]:
    """One night is over."""
    patient = "page_size = 50\nrequests_per_second = 0\nrequest_timeout_seconds = 60\n"
    async with ministry(db, provinces=("110000", "120000"), defaults=patient) as house:
        await house.night(1)
        yield house


async def test_the_page_follows_a_crawl_without_being_loaded_again(
    chromium: Browser, house: Ministry, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(db=db, live_seconds=0.05)
    async with serving(site, Guard(), host="127.0.0.1", port=0) as port:
        url = f"http://127.0.0.1:{port}/live?lang=en"
        async with opened(chromium, url, width=NARROW) as found:
            page = found.page
            title = page.locator("h1")
            await expect(title).to_have_text("run 1 finished")
            await page.evaluate("window.stayed = true")
            await page.evaluate("const w = document.querySelector('.wide'); w.focus(); w.scrollLeft = 77")
            gate = held_back(house, monkeypatch)
            crawl = asyncio.create_task(house.night(2))
            await expect(title).to_have_text("run 2 running", timeout=DEADLINE * 1000)
            await expect(page.locator(".walking li").first).to_be_visible(timeout=DEADLINE * 1000)
            gate.set()
            await crawl
            await expect(title).to_have_text("run 2 finished", timeout=DEADLINE * 1000)
            assert await page.evaluate("window.stayed") is True
            assert await page.evaluate("document.querySelector('.wide').scrollLeft") == 77
            assert await page.evaluate("document.activeElement.className") == "wide"
            assert await page.locator("#lost").is_hidden()
            assert found.said == []


async def test_the_page_says_that_it_stands_still(chromium: Browser, house: Ministry, db: Database) -> None:
    site = Site(db=db, live_seconds=0.05)
    async with serving(site, Guard(), host="127.0.0.1", port=0) as port:
        context = await chromium.new_context()
        page = await context.new_page()
        await page.goto(f"http://127.0.0.1:{port}/live?lang=en")
        await expect(page.locator("#lost")).to_be_hidden()
        await context.set_offline(True)
        site.closing.set()  # ends the stream
        await expect(page.locator("#lost")).to_be_visible(timeout=DEADLINE * 1000)
        await context.close()


async def test_a_stream_tells_the_end_of_a_run_and_the_next_one(
    house: Ministry, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        watching(Site(db=db, live_seconds=0.02)) as (client, _),
        client.get(EVENTS) as answer,
    ):
        assert answer.content_type == "text/event-stream"
        assert "run 1 finished" in await event(answer)
        for number in (2, 3):
            with monkeypatch.context() as patched:
                gate = held_back(house, patched)
                crawl = asyncio.create_task(house.night(number))
                assert f"run {number} running" in await event(answer, "<progress")
                gate.set()
                await crawl
            assert "<progress" not in await event(answer, f"run {number} finished")


async def test_a_watcher_that_goes_is_forgotten_and_is_no_defect(
    house: Ministry, db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with watching(Site(db=db, live_seconds=0.02)) as (client, live):
        async with client.get(EVENTS) as answer:
            await event(answer)
            assert live.watchers == 1
            assert answer.connection is not None
            assert answer.connection.transport is not None
            answer.connection.transport.abort()
        await until(lambda: live.watchers == 0)
        async with client.get("/live") as answer:
            assert answer.status == 200
    assert [each.getMessage() for each in caplog.records if each.name.startswith("subcmc")] == []


async def test_all_watchers_share_one_look(
    house: Ministry, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    async def counted(db: Database, now: datetime, page: int | None) -> Progress | None:
        nonlocal looks
        looks += 1
        return await progress(db, now, page)

    monkeypatch.setattr(live_module, "progress", counted)
    async with watching(Site(db=db, live_seconds=DEADLINE)) as (client, live), AsyncExitStack() as stack:
        answers = [await stack.enter_async_context(client.get(EVENTS)) for _ in range(20)]
        assert len({await event(answer) for answer in answers}) == 1
        assert live.watchers == 20
        assert looks == 1


async def test_too_many_watchers_are_told_to_come_later(
    house: Ministry, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "MOST_WATCHERS", 1)
    async with watching(Site(db=db, live_seconds=0.02)) as (client, live):
        async with client.get(EVENTS) as first:
            await event(first)
            async with client.get(EVENTS) as second:
                assert second.status == 503
                assert second.headers["Retry-After"] == "10"
        await until(lambda: live.watchers == 0)
        async with client.get(EVENTS) as third:
            assert third.status == 200


async def test_only_the_head_is_asked_for(house: Ministry, db: Database) -> None:
    async with (
        watching(Site(db=db, live_seconds=DEADLINE)) as (client, live),
        asyncio.timeout(DEADLINE / 2),
        client.head(EVENTS) as answer,
    ):
        assert answer.content_type == "text/event-stream"
        assert live.watchers == 0


async def test_open_streams_end_with_the_server(house: Ministry, db: Database) -> None:
    site = Site(db=db, live_seconds=DEADLINE)
    async with aiohttp.ClientSession() as session:
        async with serving(site, Guard(), host="127.0.0.1", port=0) as port:
            answers = [await session.get(f"http://127.0.0.1:{port}{EVENTS}") for _ in range(3)]
            for answer in answers:
                await event(answer)
        for answer in answers:
            with pytest.raises(EOFError):
                await event(answer)


async def test_a_stream_ends_when_the_store_is_away_and_the_next_one_goes_on_when_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mongod = OwnMongod(tmp_path)
    mongod.start()
    try:
        async with open_store(mongod.impatient_uri, database="live") as db:
            async with ministry(db) as house:
                await house.night(1)
            async with watching(Site(db=db, live_seconds=0.02)) as (client, live):
                async with client.get(EVENTS) as answer:
                    await event(answer)
                    mongod.kill()
                    with pytest.raises(EOFError):
                        await event(answer, "never")
                await until(lambda: live.watchers == 0)
                mongod.start()
                async with client.get(EVENTS) as answer:
                    assert "run 1 finished" in await event(answer)
    finally:
        mongod.kill()
    told = [
        each for each in caplog.records if each.name.startswith("subcmc") and each.levelno >= logging.WARNING
    ]
    assert ["stands still" in each.getMessage() for each in told] == [True]


async def test_a_run_whose_crawl_is_gone_is_not_called_running(house: Ministry, db: Database) -> None:
    last = (await list_runs(db, 1))[0]
    await begin_run(db, RunRecord(number=0, status=RunStatus.RUNNING, started_at=last.started_at))
    async with watching(Site(db=db, lang="en")) as (client, _), client.get("/live?lang=en") as answer:
        text = await answer.text()
    assert "run 2 crashed" in text
    assert "the next crawl rolls back" in text


async def test_before_the_first_run_the_page_waits_for_it(db: Database) -> None:
    async with (
        watching(Site(db=db, live_seconds=0.02)) as (client, _),
        client.get("/live?lang=en") as page,
        client.get(EVENTS) as answer,
    ):
        assert '<noscript><meta http-equiv="refresh"' in await page.text()
        async with ministry(db) as house:
            await house.night(1)
        assert "run 1 finished" in await event(answer, "run 1 finished")
