"""Takes docs/night.png and docs/cell.png: the matrix of a night and one cell, as the dashboard shows them.

    apt install chromium fonts-noto-cjk pngquant
    .venv/bin/python docs/make_screenshots.py

It runs twelve nights of 35 simulated provinces over a mongod of its own in a temporary folder, which takes about
two minutes, and opens the last of them in Chromium.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from make_pictures import DOCS, Nobody
from playwright.async_api import Browser, FloatRect, async_playwright

from subcmc_crawler.dashboard.application import serving
from subcmc_crawler.dashboard.guarding import Guard
from subcmc_crawler.dashboard.visit import Site
from subcmc_crawler.province.registry import Registry, parse
from subcmc_crawler.run import Crawl
from subcmc_crawler.simulator.faults import Fault
from subcmc_crawler.simulator.nights import standard_centres
from subcmc_crawler.simulator.server import Simulator
from subcmc_crawler.store import Database, local_mongod, open_store

NIGHTS = 12
SCALE = 0.03
FIRST = datetime(2026, 11, 13, 1, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
CELL = "620000/ua_user"
WIDTH = 1000
MOST_BYTES = 150_000
DEFAULTS = """
page_size = 100
requests_per_second = 0
max_in_flight = 4
max_attempts = 3
cool_down_seconds = 0.5
request_timeout_seconds = 10
"""
FAULTS = (
    "120000/ua_user:drift=1;every=1@12",
    "140000/mdm_device:drift;every=1@3,4,12",
    "210000/ua_user:duplicates=12",
    "310000/mdm_device:badrows=25",
    "370000:500@7",
    "410000/ua_user:truncated=1@12",
    "450000:500@11,12",
    "520000/pm_app:code=1001@12",
    "540000/ua_user:swap=1;every=1@12",
    "610000/mdm_device:total=+7@10,11,12",
    "620000/ua_user:503=1;after=1;retry-after=1@9,12",
    "620000/ua_user:shrunk=60@12",
    "620000/ua_user:total=+3@5",
    "620000/ua_user:badrows=14",
    "630000/ua_org:total=-3@11",
    "640000:dead@8",
)
SWITCHED_OFF = ("430000", "460000", "650000")
"""Provinces whose resources are not pulled."""


def night_clock(night: int) -> Callable[[], datetime]:
    """A clock that shows one o'clock of that night now, and goes on as time does."""
    began = FIRST + timedelta(days=night - 1)
    started = time.monotonic()
    return lambda: began + timedelta(seconds=time.monotonic() - started)


def registered(simulator: Simulator) -> Registry:
    """The centres of a simulator; one has no address yet, some have a dataset less."""
    first, *others = simulator.registry(defaults=DEFAULTS).split("[[province]]\n")
    parts = [first]
    for text in others:
        kept = text
        if '"710000"' in text:
            kept = "\n".join(
                "pullAddressList = []" if line.startswith("pullAddressList") else line
                for line in text.splitlines()
            )
        if any(f'"{cmc_id}"' in text for cmc_id in SWITCHED_OFF):
            kept += "[province.datasets]\nmr_resservice = false\n"
        parts.append(kept + "\n")
    return parse("[[province]]\n".join(parts))


async def crawled(db: Database) -> Registry:
    """All nights, one after the other."""
    centres = standard_centres(scale=SCALE, faults=[*map(Fault.parse, FAULTS)])
    async with Simulator(centres) as simulator:
        registry = registered(simulator)
        for night in range(1, NIGHTS + 1):
            simulator.night = night
            now = night_clock(night)
            await Crawl(registry, db, Nobody(), folder=DOCS, now=now, ignore_windows=True).run()
    return registry


async def pictures(browser: Browser, base: str) -> None:
    """Both pictures, each cut below what it is about."""
    for path, below, sharpness, name in (
        ("/runs/last", "#matrix", 1, "night.png"),
        (f"/runs/last/{CELL}", ".parts", 1.5, "cell.png"),
    ):
        page = await browser.new_page(
            viewport={"width": WIDTH, "height": 900}, device_scale_factor=sharpness, locale="zh-CN"
        )
        await page.goto(f"{base}{path}?lang=zh")
        box = await page.locator(below).bounding_box()
        if box is None:
            raise SystemExit(f"{path} has no {below}")
        clip = FloatRect(x=0, y=0, width=WIDTH, height=box["y"] + box["height"] + 14)
        await page.screenshot(path=DOCS / name, full_page=True, clip=clip)
        small(DOCS / name)


def small(picture: Path) -> None:
    """The picture with a palette of few colours; SystemExit when it is too large all the same."""
    command = ["pngquant", "--force", "--strip", "--output", str(picture), "96", str(picture)]
    subprocess.run(command, check=True)  # noqa: S603 - our own picture
    if picture.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{picture} has {picture.stat().st_size} bytes, more than {MOST_BYTES}")


async def taken(uri: str) -> None:
    """Crawls, serves, and looks."""
    async with open_store(uri, database="pictures") as db:
        registry = await crawled(db)
        site = Site(db=db, registry=lambda: registry, now=night_clock(NIGHTS))
        async with (
            serving(site, Guard(), host="127.0.0.1", port=0) as port,
            async_playwright() as driver,
            await driver.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            ) as browser,
        ):
            await pictures(browser, f"http://127.0.0.1:{port}")


def main() -> None:
    """Takes both pictures."""
    for program in ("chromium", "pngquant"):
        if shutil.which(program) is None:
            raise SystemExit(f"no {program} on PATH: apt install {program}")
    with tempfile.TemporaryDirectory() as folder, local_mongod(Path(folder)) as uri:
        asyncio.run(taken(uri))


if __name__ == "__main__":
    main()
