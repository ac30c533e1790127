"""A province that says it is busy: asked less often, and the report says so."""

from __future__ import annotations

import json

from nights import FAST, ministry

from subcmc_crawler.model import Verdict
from subcmc_crawler.report.jsonreport import to_json
from subcmc_crawler.report.night import build
from subcmc_crawler.report.text_cell import to_cell_text
from subcmc_crawler.run import Selection
from subcmc_crawler.store import Database

RATE = FAST.replace("requests_per_second = 0", "requests_per_second = 40")


async def test_a_busy_province_is_slowed_down_and_the_report_says_so(store: Database) -> None:
    async with ministry(store, "110000/ua_user:509=1", defaults=RATE) as capital:
        run = await capital.night(1, selection=Selection(datasets=("ua_org", "ua_user")))
        calm, busy = [await capital.cell(run.number, f"110000/{code}") for code in ("ua_org", "ua_user")]
    assert (calm.verdict, calm.slowest_rate) == (Verdict.PROVEN, None)
    assert (busy.verdict, busy.slowest_rate) == (Verdict.PROVEN, 20.0)
    cells = json.loads(to_json(build(run, [calm, busy])))["cells"]
    assert [cell["slowestRate"] for cell in cells] == [None, 20.0]
    assert "slowed down" not in to_cell_text(calm, lang="en")
    assert "to 20 requests a second: the province was busy" in to_cell_text(busy, lang="en")
    assert "最低每秒 20 次请求" in to_cell_text(busy, lang="zh")


async def test_a_limit_for_the_run_is_shared_by_its_provinces(store: Database) -> None:
    """A night under a tight limit is the same night: our own throttle makes no page late."""
    defaults = FAST + "max_run_bytes_per_second = 200_000\nrequest_timeout_seconds = 1\n"
    defaults = defaults.replace("request_timeout_seconds = 60\n", "")
    async with ministry(store, provinces=("110000", "620000"), defaults=defaults) as both:
        run = await both.night(1, selection=Selection(datasets=("ua_user",)))
        assert set((await both.verdicts(run.number)).values()) == {Verdict.PROVEN}
        assert await both.assert_exact(run.number) == 2
