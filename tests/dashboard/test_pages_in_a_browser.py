"""The dashboard in a real browser and over real sockets: it fits, is silent, shuts nobody out, and guards itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from uuid import uuid4

import aiohttp
import pytest
from nights import ministry
from playwright.async_api import Browser
from pymongo import MongoClient

from browser import NARROW, WIDE, Scheme, opened
from subcmc_crawler.dashboard.access import Password
from subcmc_crawler.dashboard.application import serving
from subcmc_crawler.dashboard.guarding import Guard
from subcmc_crawler.dashboard.visit import Site
from subcmc_crawler.store import Database, open_store

PAGES = (
    "/",
    "/runs/2",
    "/runs/2/110000",
    "/runs/2/110000/ua_user",
    "/record",
    "/diff?from=1&to=2",
    "/windows",
    "/live",
)


LOOKS: tuple[tuple[int, Scheme, str], ...] = ((WIDE, "light", "zh"), (NARROW, "dark", "en"))


@pytest.fixture(scope="module")
def two_nights(mongod_uri: str) -> Iterator[str]:
    """The name of a database with two nights of two provinces, the second with a held snapshot."""
    name = f"test_{uuid4().hex}"

    async def crawl() -> None:
        async with (
            open_store(mongod_uri, database=name) as db,
            ministry(db, "110000/ua_user:shrunk=90@2", provinces=("110000", "120000"), scale=0.02) as house,
        ):
            await house.night(1)
            await house.night(2)

    asyncio.run(crawl())
    yield name
    with MongoClient[dict[str, object]](mongod_uri) as client:
        client.drop_database(name)


@pytest.fixture
async def db(mongod_uri: str, two_nights: str) -> AsyncIterator[Database]:
    """Those nights, which no page changes."""
    async with open_store(mongod_uri, database=two_nights) as opened:
        yield opened


@asynccontextmanager
async def dashboard(db: Database, guard: Guard | None = None) -> AsyncIterator[str]:
    """The address of a dashboard over the two nights."""
    async with serving(Site(db=db), guard or Guard(), host="127.0.0.1", port=0) as port:
        yield f"http://127.0.0.1:{port}"


async def test_every_page_fits_is_silent_and_shuts_nobody_out(chromium: Browser, db: Database) -> None:
    async with dashboard(db) as base:
        for path in PAGES:
            for width, scheme, lang in LOOKS:
                url = f"{base}{path}{'&' if '?' in path else '?'}lang={lang}"
                async with opened(chromium, url, width=width, scheme=scheme) as found:
                    assert await found.page.locator("h1").count() == 1, path
                    assert not await found.overflows(), (path, width)
                    assert found.said == [], (path, width)
                    assert [url for url in found.asked if not url.startswith(base)] == [], path
                    assert await found.violations() == [], (path, width)


async def test_a_cell_is_reached_by_keyboard_and_without_script(chromium: Browser, db: Database) -> None:
    async with dashboard(db) as base, opened(chromium, f"{base}/runs/2", script=False) as found:
        cell = found.page.locator('a[href*="/runs/2/110000/ua_user"]').first
        await cell.focus()
        await found.page.keyboard.press("Enter")
        await found.page.wait_for_url("**/runs/2/110000/ua_user**")
        assert await found.page.locator("h1").count() == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/runs/2", 200),
        ("POST", "/runs/2", 405),
        ("DELETE", "/", 405),
        ("GET", "/runs/99", 404),
        ("GET", "/runs/2/999999", 404),
        ("GET", "/runs/2/110000/nothing", 400),
        ("GET", "/nowhere", 404),
        ("GET", "/?nights=many", 400),
        ("GET", "/healthz", 200),
        ("GET", "/metrics", 200),
    ],
)
async def test_what_is_answered(db: Database, method: str, path: str, status: int) -> None:
    async with (
        dashboard(db) as base,
        aiohttp.ClientSession() as session,
        session.request(method, base + path) as answer,
    ):
        assert answer.status == status
        assert "Traceback" not in await answer.text()


async def test_another_site_cannot_ask_in_our_name(db: Database) -> None:
    async with (
        dashboard(db) as base,
        aiohttp.ClientSession() as session,
        session.get(base, headers={"Host": "evil.example"}) as answer,
    ):
        assert answer.status == 421


async def test_with_a_password_nobody_looks_without_it(db: Database) -> None:
    guard = Guard(password=Password.of("operator", "s3cret"))
    async with dashboard(db, guard) as base, aiohttp.ClientSession() as session:
        for auth, status in (
            ({}, 401),
            ({"Authorization": aiohttp.encode_basic_auth("operator", "wrong")}, 401),
            ({"Authorization": aiohttp.encode_basic_auth("operator", "s3cret")}, 200),
        ):
            async with session.get(f"{base}/runs/2", headers=auth) as answer:
                assert answer.status == status
                assert "s3cret" not in await answer.text()
