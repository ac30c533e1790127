"""The report of a night in a real browser, which all tests of this module share: each has a profile of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from hostile import TEXTS, night_of
from html_cases import few_provinces, whole
from playwright.async_api import Browser

from browser import NARROW, WIDE, Scheme, opened, started
from subcmc_crawler.report.detail import Night
from subcmc_crawler.report.html import to_html

WORST = "620000"
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with started() as browser:
        yield browser


def written(folder: Path, night: Night, lang: str = "zh") -> str:
    file = folder / "night.html"
    file.write_bytes(to_html(night, lang=lang))
    return file.as_uri()


@pytest.mark.parametrize("width", [WIDE, NARROW])
async def test_the_night_of_35_provinces_fits_and_is_silent(
    chromium: Browser, tmp_path: Path, width: int
) -> None:
    async with opened(chromium, written(tmp_path, whole()), width=width) as found:
        assert not await found.overflows()
        await found.page.check("#all")
        assert not await found.overflows()
        assert found.said == []
        assert found.asked == []


@pytest.mark.parametrize(("width", "scheme", "lang"), [(WIDE, "light", "zh"), (NARROW, "dark", "en")])
async def test_nobody_is_shut_out(
    chromium: Browser, tmp_path: Path, width: int, scheme: Scheme, lang: str
) -> None:
    night = few_provinces(whole(), WORST, "540000", "370000")
    async with opened(chromium, written(tmp_path, night, lang), width=width, scheme=scheme) as found:
        assert await found.violations() == []
        await found.page.check("#all")
        await found.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert await found.violations() == []


async def test_a_cell_of_the_matrix_opens_its_detail_without_script_and_by_keyboard(
    chromium: Browser, tmp_path: Path
) -> None:
    url = written(tmp_path, few_provinces(whole(), WORST, "110000"))
    async with opened(chromium, url, script=False) as found:
        page = found.page
        clean = page.locator("#c-110000-ua_org")
        assert not await clean.is_visible()
        await page.locator('.matrix a[href="#c-110000-ua_org"]').focus()
        await page.keyboard.press("Enter")
        assert await clean.is_visible()
        assert await page.locator("#c-620000-hardware").is_visible()


async def test_only_what_is_not_clean_needs_no_script(chromium: Browser, tmp_path: Path) -> None:
    url = written(tmp_path, few_provinces(whole(), WORST, "110000"))
    async with opened(chromium, url, script=False) as found:
        page = found.page
        assert await page.locator("#p-110000").is_visible()
        await page.locator("#only").focus()
        await page.keyboard.press("Space")
        assert not await page.locator("#p-110000").is_visible()
        assert await page.locator("#p-620000").is_visible()
        assert await page.locator("#p-620000 .nine tbody tr:visible").count() == 1


@pytest.mark.parametrize("attack", ["markup", "unicode", "long"])
async def test_what_a_province_writes_neither_runs_nor_breaks_the_page(
    chromium: Browser, tmp_path: Path, attack: str
) -> None:
    async with opened(chromium, written(tmp_path, night_of(*TEXTS[attack])), width=NARROW) as found:
        assert (
            await found.page.evaluate("document.querySelectorAll('script, img, [onload], [onerror]').length")
            == 0
        )
        assert not await found.overflows()
        assert found.said == []
        assert found.asked == []
