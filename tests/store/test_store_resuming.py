"""A walk that is killed at any of its writes, and goes on in a new process of the same run."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from store_cases import AT, CMC, ORG, collected, everything, row, snapshot
from store_centre import Behaviour, Centre, Row, Watching, as_json, province, remembered
from store_tripwire import Killed, Mode, Tripwire

from subcmc_crawler.halting import Halt
from subcmc_crawler.model import OPEN_END, Manifest, RunRecord, RunStatus, State
from subcmc_crawler.province.asking import Asked
from subcmc_crawler.province.settings import DatasetSettings
from subcmc_crawler.pull import Night, Walk, find_concluded
from subcmc_crawler.spec.datasets import Dataset
from subcmc_crawler.store import Database
from subcmc_crawler.store.ids import attempt_entry, ledger_id, page_entry, row_entry, version_id
from subcmc_crawler.store.reading import export, prove
from subcmc_crawler.store.runs import begin_run, get_manifest, reopen_run

FIRST = [row("k1", "A"), row("k2", "A"), row("gone", "A")]
PLAIN = [
    row("k1", "A"),
    row("k2", "B"),
    row("k3", "A"),
    row("k4", "A"),
    {"orgName": "no key", "collectTime": 1},
]
CONFLICTS = [
    *[row("k1", "A"), row("k2", "B")],  # k1 as last night, k2 changed
    *[row("k1", "B"), {"orgName": "no key", "collectTime": 1}],  # k1 after all changed
    *[row("k3", "A"), row("k2", "B")],
    *[row("k1", "A"), row("k2", "A")],  # both as last night
    *[row("k4", "A"), row("k1", "C")],
]


MODES: list[Mode] = ["before", "after", "half"]


async def walk(wire: Tripwire, centre: Centre, *, run: int, fence: int, resumed: bool) -> Manifest:
    night = Night(
        db=wire.database, run=run, fence=fence, observer=Watching(), now=lambda: AT, resumed=resumed
    )
    halted = Halt(centre.stop, closing=None, grace_seconds=0, now=lambda: AT)
    concluded = await find_concluded(night, province(CMC), ORG) if resumed else None
    if concluded is not None:
        return concluded
    settings = DatasetSettings(page_size=4)
    return await Walk(province(CMC), ORG, settings, night, centre, halted=halted, dead={}).run()


@pytest.mark.parametrize("later", ["another collectTime", "other rows"])
@pytest.mark.parametrize("rows", [PLAIN, CONFLICTS], ids=["plain", "conflicts"])
async def test_a_walk_that_is_killed_at_any_write_goes_on(
    store: Database, rows: list[Row], later: str
) -> None:
    """Before it, after it, or in the middle of it, in turns."""
    moved = [{**each, "collectTime": 2} for each in rows]
    if later == "other rows":
        moved.insert(0, row("new", "A", time=2))
        moved[-1] = row("last", "Z", time=2)
    at = -1 if later == "other rows" else 0  # every other write here, the others there
    while True:
        at += 2
        mode = MODES[at % 3]
        for name in ("ua_org", "snapshots", "ledger", "quarantine", "runs"):
            await store[name].delete_many({})
        await begin_run(store, RunRecord(number=0, status=RunStatus.RUNNING, started_at=AT))
        first = await snapshot(store, 1, [FIRST])
        await begin_run(store, RunRecord(number=0, status=RunStatus.RUNNING, started_at=AT))
        wire = Tripwire(store, at=at, mode=mode)
        before = Centre(deepcopy(rows), Behaviour())
        try:
            await walk(wire, before, run=2, fence=1, resumed=False)
            break
        except Killed:
            pass

        assert (await reopen_run(store)).number == 2
        centre = Centre(deepcopy(moved), Behaviour())
        centre.served = await remembered(store, before.served, 2, (CMC, "ua_org"))
        manifest = await walk(Tripwire(store, at=0, mode="before"), centre, run=2, fence=2, resumed=True)

        where = f"killed {mode} write {at}"
        if later != "other rows":  # which may make every pass another one
            assert manifest.state is State.PUBLISHED, f"{where}: {manifest.verdict} {manifest.reason}"
        assert manifest.digest is not None, f"{where}: {manifest.verdict} {manifest.reason}"
        assert manifest.stored_pass is not None
        expected = (before if wire.published else centre).rows_of(manifest.stored_pass)
        exported = await collected(export(store, manifest))
        assert [as_json(each) for each in exported] == [as_json(each) for each in expected], where
        assert (await prove(store, manifest)).holds(manifest), where
        assert manifest.counts.imbalances() == (), where
        assert await collected(export(store, await get_manifest(store, 1, CMC, "ua_org"))) == FIRST, where
        assert (await prove(store, first)).holds(first), where
        for version in await everything(store, "ua_org"):
            assert version["from"] in (1, 2), where
    assert at > 10


async def test_a_first_page_that_is_half_written_leaves_nothing_beside_other_rows(store: Database) -> None:
    """The ledger does not know of it yet; the province has changed the very same keys since."""
    await begin_run(store, RunRecord(number=0, status=RunStatus.RUNNING, started_at=AT))
    for at in range(1, 20):
        wire = Tripwire(store, at=at, mode="after")
        with pytest.raises(Killed):
            await walk(wire, Centre(PLAIN[:3], Behaviour()), run=1, fence=1, resumed=False)
        if await store["ua_org"].count_documents({}):
            break
    assert await store["ua_org"].count_documents({}) == 3
    assert await store["ledger"].count_documents({}) == 0
    await reopen_run(store)
    others = [row("k1", "Z"), row("k2", "Z")]
    centre = Centre(others, Behaviour())
    manifest = await walk(Tripwire(store, at=0, mode="before"), centre, run=1, fence=2, resumed=True)
    assert manifest.state is State.PUBLISHED
    assert await collected(export(store, manifest)) == others


class Overtaken(Centre):
    """While it serves pages 2 and 3, the attempt before writes what belongs to them, late, as it was by then."""

    def __init__(self, rows: list[Row], store: Database) -> None:
        super().__init__(rows, Behaviour())
        self._store = store
        self.late = 0

    async def page(self, dataset: Dataset, settings: DatasetSettings, **asked: Any) -> Asked:
        came = await super().page(dataset, settings, **asked)
        if self.late < 2:
            self.late += 1
            for entry, kind in ((page_entry(self.late), "page"), (attempt_entry(self.late + 1), "attempt")):
                stale = {"_id": ledger_id(1, CMC, "ua_org", 1, entry), "kind": kind}
                place = {"run": 1, "cmcId": CMC, "dataset": "ua_org", "pass": 1}
                await self._store["ledger"].insert_one({**stale, **place})
            own = next(each["orgId"] for each in came.fetched.envelope.rows if "orgId" in each)
            held = {"cmcId": CMC, "key": own, "from": 1, "to": OPEN_END}
            other = {**held, "hash": b"another", "flags": [], "record": {}}
            await self._store["ua_org"].insert_one({"_id": version_id(CMC, 1, own), **other})
            if self.late == 1:
                aside = {
                    "_id": ledger_id(1, CMC, "ua_org", 1, row_entry(1, 1)),
                    "reason": "another",
                    "raw": {},
                }
                await self._store["quarantine"].insert_one({**aside, **place})
        return came


async def test_what_the_attempt_before_writes_late_gives_way(store: Database) -> None:
    """A worker that is at it still when its run is gone on with."""
    rows = [row(f"k{number:02d}", "A") for number in range(12)]  # three pages
    rows[5] = {"orgName": "no key", "collectTime": 1}
    pages = 0
    for at in range(1, 30):
        for name in ("ua_org", "snapshots", "ledger", "quarantine", "runs"):
            await store[name].delete_many({})
        await begin_run(store, RunRecord(number=0, status=RunStatus.RUNNING, started_at=AT))
        wire = Tripwire(store, at=at, mode="after")
        with pytest.raises(Killed):
            await walk(wire, Centre(rows, Behaviour()), run=1, fence=1, resumed=False)
        pages = await store["ledger"].count_documents({"kind": "page"})
        if pages:
            break
    assert pages == 1
    await reopen_run(store)
    centre = Overtaken(rows, store)
    manifest = await walk(Tripwire(store, at=0, mode="before"), centre, run=1, fence=2, resumed=True)
    assert centre.late == 2
    assert manifest.state is State.PUBLISHED, manifest.reason
    assert await collected(export(store, manifest)) == rows
    assert (await prove(store, manifest)).holds(manifest)
    assert await store["ledger"].count_documents({"kind": "attempt"}) == manifest.attempts
