"""A night against its plan, and what is said where there is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from aiohttp.test_utils import TestClient, TestServer

from subcmc_crawler.dashboard.application import application
from subcmc_crawler.dashboard.guarding import Guard
from subcmc_crawler.dashboard.visit import Site
from subcmc_crawler.model import Manifest, RunRecord, RunStatus, State, Verdict
from subcmc_crawler.province.registry import parse
from subcmc_crawler.store import Database
from subcmc_crawler.store.runs import begin_run, finish_run, write_manifest

REGISTRY = """
[defaults]
window = "01:00-05:30"
[[province]]
cmcId = "110000"
areaCode = "110000"
name = "北京市"
pullAddressList = ["127.0.0.1:9"]
"""
NOON, ONE = (datetime(2026, 11, 26, hour, tzinfo=UTC) for hour in (4, 17))  # of Beijing
NO_REGISTRY, NO_WINDOW = "No registry can be read", "This run lay outside every window"


@pytest.mark.parametrize(
    ("began", "registered", "said"),
    [
        (ONE, True, None),
        (NOON, True, NO_WINDOW),
        (NOON, False, NO_REGISTRY),
        (ONE, False, NO_REGISTRY),
    ],
)
async def test_a_night_without_a_plan_says_why(
    db: Database, began: datetime, registered: bool, said: str | None
) -> None:
    await begin_run(db, RunRecord(number=0, status=RunStatus.RUNNING, started_at=began))
    await finish_run(db, 1, RunStatus.FINISHED, began + timedelta(minutes=1))
    registry = parse(REGISTRY) if registered else None
    site = Site(db=db, lang="en", registry=lambda: registry)
    async with (
        TestClient(TestServer(application(site, Guard()))) as visitor,
        visitor.get("/windows") as answer,
    ):
        page = await answer.text()
    assert [each for each in (NO_REGISTRY, NO_WINDOW) if each in page] == ([said] if said else [])


@pytest.mark.parametrize(("hours", "late"), [(1, False), (5, True)])
async def test_a_province_that_ended_after_its_window_is_late(db: Database, hours: int, late: bool) -> None:
    await begin_run(db, RunRecord(number=0, status=RunStatus.RUNNING, started_at=ONE))
    ended = ONE + timedelta(hours=hours)
    cell = Manifest(
        run=1,
        cmc_id="110000",
        province="北京市",
        dataset="ua_org",
        state=State.PUBLISHED,
        verdict=Verdict.PROVEN,
        started_at=ONE,
        finished_at=ended,
    )
    await write_manifest(db, cell)
    await finish_run(db, 1, RunStatus.FINISHED, ended)
    site = Site(db=db, lang="en", registry=lambda: parse(REGISTRY))
    async with (
        TestClient(TestServer(application(site, Guard()))) as visitor,
        visitor.get("/windows") as answer,
    ):
        assert answer.status == 200
        page = await answer.text()
    assert ("1 province ended after its window had closed." in page) == late
    assert ("outside the window" in page) == late
