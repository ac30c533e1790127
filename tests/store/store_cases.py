"""Rows, pages and whole snapshots for the tests of the store, written as a walk writes them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from subcmc_crawler.model import Attempt, Counts, Ending, Manifest, PageRecord, State, Verdict
from subcmc_crawler.province.page import Page, read
from subcmc_crawler.province.tally import Tally
from subcmc_crawler.province.walking import PassFacts
from subcmc_crawler.spec.datasets import DATASETS, Dataset
from subcmc_crawler.spec.envelope import parse
from subcmc_crawler.store import Database
from subcmc_crawler.store.runs import get_manifest
from subcmc_crawler.store.writing import SnapshotWriter

CMC = "620000"
ORG = DATASETS["ua_org"]
FEW = 6  # keys: short nights go past it, and shorter ones do not
AT = datetime(2026, 3, 1, 17, 30, 0, 123_000, tzinfo=UTC)

BOTH_DRIVERS = pytest.mark.parametrize("driver", ["motor", "pymongo"], indirect=True)

Row = Any
Pages = Sequence[Sequence[Row]]


def row(key: object, content: object = "", time: object = 1) -> dict[str, Any]:
    """A row of ua_org: `content` is what may change, `time` its collectTime."""
    return {"orgId": key, "collectTime": time, "orgName": content}


def page_of(rows: Iterable[Row], total: int | None = None, *, dataset: Dataset = ORG, cmc: str = CMC) -> Page:
    """The rows as a page, by way of JSON text and the parser that the walk uses."""
    data = list(rows)
    body = {"code": 0, "message": "", "total": len(data) if total is None else total, "data": data}
    return read(dataset, parse(json.dumps(body).encode("ascii")), cmc)


def page_record(ordinal: int, *, walk_pass: int = 1) -> PageRecord:
    return PageRecord(
        walk_pass=walk_pass,
        ordinal=ordinal,
        page_num=ordinal + 1,
        page_size=100,
        bytes=10,
        milliseconds=1.5,
        tries=1,
        at=AT,
        address="http://192.168.1.23:8080/gansu1",
    )


def attempt(page_num: int = 1, *, walk_pass: int = 1, fault: str | None = None) -> Attempt:
    return Attempt(
        walk_pass=walk_pass,
        page_num=page_num,
        page_size=100,
        number=1,
        address="http://192.168.1.23:8080/gansu1",
        status=200 if fault is None else None,
        fault=fault,
        detail="",
        bytes=10,
        milliseconds=1.5,
        at=AT,
    )


def opened(run: int, *, dataset: Dataset = ORG, cmc: str = CMC) -> Manifest:
    return Manifest(
        run=run,
        cmc_id=cmc,
        province="甘肃省",
        dataset=dataset.code,
        state=State.COLLECTING,
        started_at=AT,
    )


def pass_facts(ending: Ending = Ending.CLEAN) -> PassFacts:
    return PassFacts(ending=ending, totals=(1,), received=1, content=b"0123456789abcdef", clamped=False)


class Night:
    """One walk of one cell, step by step, as `pull.Walk` drives the writer."""

    def __init__(
        self, db: Database, run: int, *, dataset: Dataset = ORG, cmc: str = CMC, fence: int = 1
    ) -> None:
        self.dataset = dataset
        self.cmc = cmc
        self.writer = SnapshotWriter(db, dataset, opened(run, dataset=dataset, cmc=cmc), fence=fence)
        self.tally = Tally(few=FEW)
        self.walk_pass = 1
        self.ordinal = 0
        self._db = db
        self._run = run
        self._opened = opened(run, dataset=dataset, cmc=cmc)

    async def begin(self) -> None:
        self._opened = await self.writer.begin()

    async def restart(self) -> None:
        await self.writer.restart()
        self.tally, self.ordinal, self.walk_pass = Tally(few=FEW), 0, self.walk_pass + 1

    async def take(self, *pages: Sequence[Row]) -> None:
        for rows in pages:
            page = page_of(rows, dataset=self.dataset, cmc=self.cmc)
            sorted_rows = self.tally.sort(page, self.ordinal)
            record = page_record(self.ordinal, walk_pass=self.walk_pass)
            asked = attempt(self.ordinal + 1, walk_pass=self.walk_pass)
            await self.writer.apply(page, sorted_rows, record, [asked])
            self.ordinal += 1

    async def finish(self, state: State = State.PUBLISHED, *, sound: bool = True) -> Manifest:
        stored = await self.writer.finish(self.tally)
        tally, changes = self.tally, self.writer.changes
        counts = Counts(
            declared=tally.received,
            declared_first=tally.received,
            received=tally.received,
            distinct=tally.distinct,
            repeated=tally.repeated,
            conflicting=tally.conflicting,
            quarantined=tally.quarantined,
            flagged=tally.flagged,
            stored=stored.rows,
            added=changes.added,
            changed=changes.changed,
            removed=changes.removed,
            unchanged=changes.unchanged,
        )
        if sound:
            assert counts.imbalances() == ()
            assert stored.digest == stored.served_digest
        manifest = replace(
            self._opened,
            state=state,
            verdict=Verdict.PROVEN if state is State.PUBLISHED else Verdict.SHRUNK,
            counts=counts,
            stored_pass=self.walk_pass,
            pages=self.ordinal,
            digest=stored.digest,
            finished_at=AT,
        )
        await self.writer.settle(manifest)
        return await get_manifest(self._db, self._run, self.cmc, self.dataset.code)


async def snapshot(
    db: Database,
    run: int,
    pages: Pages,
    *,
    state: State = State.PUBLISHED,
    dataset: Dataset = ORG,
    cmc: str = CMC,
) -> Manifest:
    """A whole walk that ends in `state`; gives its manifest as it is in MongoDB."""
    night = Night(db, run, dataset=dataset, cmc=cmc)
    await night.begin()
    await night.take(*pages)
    return await night.finish(state)


async def collected(rows: AsyncIterator[Row]) -> list[Row]:
    return [each async for each in rows]


async def everything(db: Database, collection: str) -> list[dict[str, Any]]:
    """All documents of a collection, by `_id`."""
    return [found async for found in db[collection].find({}, sort=[("_id", 1)])]


def exact(value: Any) -> str:
    """A text that differs when anything differs: types, the order of keys, 1 and 1.0, 0.0 and -0.0.

    Integers of 64 bits come back as a subclass of int, which is an int all the same.
    """
    return json.dumps(value, ensure_ascii=True)
