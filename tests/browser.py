"""What tests do with a real browser: open a page at several sizes and say everything that is wrong with it."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, Request, async_playwright, expect

NO_CHROMIUM = "no chromium on PATH: apt install chromium, or name one by SUBCMC_CHROMIUM"
WIDE, NARROW = 1280, 390
PATIENCE_SECONDS = 120  # of a machine that is slow; nothing takes nearly as long
expect.set_options(timeout=PATIENCE_SECONDS * 1000)
Scheme = Literal["light", "dark"]

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_SERIOUS: Final = frozenset({"serious", "critical"})


def chromium_path() -> str | None:
    """The Chromium of this machine: `SUBCMC_CHROMIUM`, else the one on PATH, else None."""
    return os.environ.get("SUBCMC_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)


@asynccontextmanager
async def started() -> AsyncIterator[Browser]:
    """A headless Chromium that ends with the block.

    Without one a test is skipped, or fails where `.ci/run` could get one.
    """
    path = chromium_path()
    if path is None:
        (pytest.fail if os.environ.get("SUBCMC_NEEDS_CHROMIUM") else pytest.skip)(NO_CHROMIUM)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"], timeout=PATIENCE_SECONDS * 1000
        )
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Opened:
    """A page, and what it said and asked for since it was opened."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def overflows(self) -> bool:
        """Whether the page scrolls sideways."""
        wide: bool = await self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        return wide

    async def violations(self) -> list[str]:
        """What axe-core finds of impact serious or critical, with the first element of each."""
        results = await Axe().run(self.page)
        return [
            f"{found['id']}: {found['nodes'][0]['html'][:200]}"
            for found in results.response["violations"]
            if found["impact"] in _SERIOUS
        ]


@asynccontextmanager
async def opened(
    browser: Browser, url: str, *, width: int = WIDE, scheme: Scheme = "light", script: bool = True
) -> AsyncIterator[Opened]:
    """A page of its own at `url`; what it asks for beside `url` itself is noted."""
    context = await browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script
    )
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    try:
        found = Opened(await context.new_page())

        def note(request: Request) -> None:
            if request.url.partition("#")[0] != url.partition("#")[0]:
                found.asked.append(request.url)

        found.page.on("request", note)
        found.page.on("console", lambda message: found.said.append(message.text))
        found.page.on("pageerror", lambda error: found.said.append(str(error)))
        await found.page.goto(url)
        yield found
    finally:
        await context.close()
