"""Nights of more provinces than a page shows: folded, and still the very numbers of the whole."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from subcmc_crawler import surveying
from subcmc_crawler.dashboard.application import application
from subcmc_crawler.dashboard.folding import MANY, fold
from subcmc_crawler.dashboard.guarding import Guard
from subcmc_crawler.dashboard.parameters import Unknown
from subcmc_crawler.dashboard.reading import read_night
from subcmc_crawler.dashboard.visit import Site
from subcmc_crawler.model import Counts, Manifest, RunRecord, RunStatus, State, Verdict
from subcmc_crawler.report.metrics import to_metrics
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import Database
from subcmc_crawler.store.codec import to_document
from subcmc_crawler.store.ids import manifest_id
from subcmc_crawler.store.runs import begin_run, finish_run, get_run

Visitor = TestClient[web.Request, web.Application]

PROVINCES = 130
FIRST = datetime(2026, 11, 1, 17, 0, tzinfo=UTC)
ODD = {
    (3, 1): (State.HELD, Verdict.SHORT, Counts(declared=120, received=100, distinct=100, stored=100)),
    (5, 2): (State.ROLLED_BACK, Verdict.REFUSED, Counts()),
    (7, 2): (State.PUBLISHED, Verdict.PROVEN, Counts(declared=101, received=100, distinct=100, stored=100)),
    (9, 2): (
        State.PUBLISHED,
        Verdict.REPAIRED,
        Counts(received=100, distinct=100, stored=100, quarantined=1),
    ),
    (11, 2): (State.NONE, Verdict.UNREGISTERED, Counts()),
    (13, 2): (State.COLLECTING, None, Counts(received=10)),
    (15, 2): (State.ROLLING_BACK, Verdict.PROVEN, Counts(declared=50, received=50, distinct=50)),
    (17, 1): (State.ROLLED_BACK, Verdict.UNREACHABLE, Counts()),
    (17, 2): (State.ROLLED_BACK, Verdict.UNREACHABLE, Counts()),
}
"""Place of a province and run -> its first dataset, where that is not proven."""


def manifest(run: int, place: int, dataset: str) -> Manifest:
    """A cell of 100 rows, or an odd one."""
    usual = (
        State.PUBLISHED,
        Verdict.PROVEN,
        Counts(
            declared=100, received=100, distinct=100, stored=100, added=run, changed=3, removed=2, flagged=4
        ),
    )
    state, verdict, counts = ODD.get((place, run), usual) if dataset == "ua_org" else usual
    began = FIRST + timedelta(days=run, seconds=place)
    return Manifest(
        run=run, cmc_id=f"{100_000 + place}", province=f"中心{place}", dataset=dataset, state=state,
        verdict=verdict, counts=counts, attempts=3, bytes=1_000, rest_seconds=0.5, seconds=20,
        started_at=began, finished_at=began + timedelta(seconds=20),
    )  # fmt: skip


@pytest.fixture
async def two_nights(db: Database) -> Database:
    """Two whole nights of many provinces."""
    for number in (1, 2):
        at = FIRST + timedelta(days=number)
        await begin_run(db, RunRecord(number=0, status=RunStatus.RUNNING, started_at=at))
        cells = [manifest(number, place, dataset) for place in range(PROVINCES) for dataset in DATASETS]
        await db["snapshots"].insert_many(
            [
                {**to_document(each), "_id": manifest_id(number, each.cmc_id, each.dataset), "fence": 1}
                for each in cells
            ]
        )
        await finish_run(db, number, RunStatus.FINISHED, at + timedelta(hours=1))
    return db


@pytest.fixture
async def visitor(two_nights: Database) -> AsyncIterator[Visitor]:
    """Somebody who looks at the pages in English."""
    async with TestClient(TestServer(application(Site(db=two_nights, lang="en"), Guard()))) as client:
        yield client


async def read(visitor: Visitor, path: str) -> str:
    """The HTML of a page."""
    async with visitor.get(path) as answer:
        assert answer.status == 200, path
        return await answer.text()


def rows_of(page: str, table: str = "matrix") -> list[str]:
    """The cmcIds of the rows of a table."""
    body = re.search(rf'<table class="[^"]*{table}".*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    assert body is not None
    return re.findall(r'<th scope="row"><a href="/runs/2/(\d+)', body[1])


async def test_a_folded_night_has_the_numbers_of_the_whole(two_nights: Database) -> None:
    run = await get_run(two_nights, 2)
    whole = await surveying.night(two_nights, 2)
    for page in (None, 1, 2):
        report, shown, folded = await read_night(two_nights, run, page)
        assert folded is not None
        assert report.headline == whole.headline
        assert report.summary == whole.summary
        assert {cell.name: cell.since for cell in report.cells if not cell.clean} == {
            cell.name: cell.since for cell in whole.cells if not cell.clean
        }
        assert {each.first.name for each in report.problems} == {each.first.name for each in whole.problems}
        assert shown is not None
        assert set(shown) <= {each.cmc_id for each in report.provinces}
    assert whole.headline.recovered == whole.headline.tolerated == whole.headline.pending == 1
    assert whole.headline.undeclared == 2
    assert whole.headline.not_clean == 3


async def test_the_pages_of_a_night_lead_through_all_provinces(visitor: Visitor) -> None:
    urgent = ["100005", "100013", "100015", "100017"]
    first = await read(visitor, "/runs/2")
    assert rows_of(first) == urgent
    assert "126 centres that need no look" in first
    assert 'href="/runs/2?page=1"' in first
    every = rows_of(await read(visitor, "/runs/2?page=1"))
    assert every[:4] == urgent
    assert len(every) == MANY
    every += rows_of(await read(visitor, "/runs/2?page=2"))
    assert len(every) == len(set(every)) == PROVINCES
    assert "130 个中心" in await read(visitor, "/runs/2?lang=zh")


async def test_the_page_of_nights_shows_who_is_faulty(visitor: Visitor) -> None:
    first = await read(visitor, "/?nights=60")
    assert rows_of(first, "standing") == ["100017", "100005", "100015"]
    assert "/?nights=60&amp;page=1" in first
    assert re.findall(r'href="/runs/2/(\d+/\w+)"', first) == [
        "100017/ua_org",
        "100005/ua_org",
        "100015/ua_org",
    ]
    assert len(rows_of(await read(visitor, "/?page=2"), "standing")) == PROVINCES - MANY


@pytest.mark.parametrize("page", ["0", "x", "99999999999", "3"])
async def test_another_page_is_refused(visitor: Visitor, page: str) -> None:
    async with visitor.get("/runs/2", params={"page": page}) as answer:
        assert answer.status in (400, 404)


@pytest.mark.parametrize(
    ("rows", "urgent", "page", "shown", "told"),
    [
        (MANY, 3, None, range(MANY), None),  # row 1
        (MANY + 1, 3, None, range(3), (1, 3)),  # row 2
        (MANY + 1, 0, None, range(0), (0, 0)),  # row 2
        (3 * MANY, 2 * MANY, None, range(MANY), (1, MANY)),  # row 2
        (MANY + 1, 3, 2, range(MANY, MANY + 1), (MANY + 1, MANY + 1)),  # row 3
    ],
)
def test_what_is_folded(
    rows: int, urgent: int, page: int | None, shown: range, told: tuple[int, int] | None
) -> None:
    some, folded = fold([str(number) for number in range(rows)], urgent, page)
    assert list(some) == [str(number) for number in shown]
    assert (folded and (folded.first, folded.last)) == told


def test_there_is_no_page_past_the_last() -> None:
    with pytest.raises(Unknown):
        fold([str(number) for number in range(MANY + 1)], 0, 3)


async def test_the_run_in_progress_shows_who_is_on_the_way(visitor: Visitor) -> None:
    first = await read(visitor, "/live?lang=en")
    assert rows_of(first, "squares") == ["100005", "100013", "100015", "100017"]
    assert '"/live/events?lang=en"' in first
    second = await read(visitor, "/live?page=2&lang=en")
    assert len(rows_of(second, "squares")) == PROVINCES - MANY
    assert '"/live/events?page=2\\u0026lang=en"' in second


async def test_the_pages_of_windows_lead_through_all_provinces(visitor: Visitor) -> None:
    assert "130 centres that need no look" in await read(visitor, "/windows")
    shown = [rows_of(await read(visitor, f"/windows?page={page}"), "chart") for page in (1, 2)]
    assert [len(each) for each in shown] == [MANY, PROVINCES - MANY]
    assert [*shown[0], *shown[1]] == [f"{100_000 + place}" for place in range(PROVINCES)]


async def test_metrics_read_less_than_the_report_and_say_the_same(two_nights: Database) -> None:
    runs = [await get_run(two_nights, number) for number in (2, 1)]
    report = await surveying.night(two_nights, 2)
    whole = to_metrics(report, await surveying.facts(two_nights, runs, None))
    assert await surveying.metrics(two_nights) == whole
    assert b'subcmc_cell_faulty_runs{cmc_id="100017",dataset="ua_org"} 2.0' in whole
    assert b'subcmc_cell_behind_runs{cmc_id="100003",dataset="ua_org"} 0.0' in whole
    assert whole.count(b"subcmc_cell_verdict{") == PROVINCES * len(DATASETS)


async def test_metrics_count_every_run_in_a_row_that_failed(db: Database) -> None:
    """Nights of one cell, the last first: how many of them in a row were not clean, the last one included."""
    good, bad, left = Verdict.PROVEN, Verdict.SHORT, None
    not_pulled = {("hardware", 4)}
    rows: dict[str, tuple[Verdict | None, ...]] = {
        "ua_org": (bad, bad, bad, good, bad),
        "ua_user": (bad, good, bad, bad, bad),
        "mdm_device": (good, bad, bad, bad, bad),
        "hardware": (bad, bad, bad, left, bad),
        "pm_app": (bad, bad, bad, bad, bad),
        "pm_service": (left, bad, bad, bad, bad),
    }
    for number in range(1, 6):
        await begin_run(db, RunRecord(number=0, status=RunStatus.RUNNING, started_at=FIRST))
        for dataset, verdicts in rows.items():
            each = replace(manifest(number, 0, dataset), verdict=verdicts[5 - number])
            if (dataset, number) not in not_pulled:
                await db["snapshots"].insert_one(
                    {**to_document(each), "_id": manifest_id(number, each.cmc_id, dataset), "fence": 1}
                )
        await finish_run(db, number, RunStatus.FINISHED, FIRST)
    text = (await surveying.metrics(db)).decode()
    told = dict(re.findall(r'^subcmc_cell_faulty_runs\{.*dataset="(\w+)"\} (.*)$', text, re.MULTILINE))
    assert told == {
        "ua_org": "3.0", "ua_user": "1.0", "mdm_device": "0.0", "hardware": "2.0", "pm_app": "5.0",
        "pm_service": "0.0",
    }  # fmt: skip
