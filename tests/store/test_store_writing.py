"""What a night writes, and what it leaves alone."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pymongo.errors import PyMongoError
from store_cases import (
    BOTH_DRIVERS,
    CMC,
    ORG,
    Night,
    attempt,
    collected,
    everything,
    opened,
    page_of,
    page_record,
    pass_facts,
    row,
    snapshot,
)

from subcmc_crawler.errors import StoreLost
from subcmc_crawler.model import OPEN_END, Counts, Ending, State
from subcmc_crawler.province.tally import Tally
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import Database, DriverName, open_store
from subcmc_crawler.store.order import model_for
from subcmc_crawler.store.reading import export
from subcmc_crawler.store.runs import get_manifest, published_as_of
from subcmc_crawler.store.undoing import reset, roll_back_unsettled
from subcmc_crawler.store.writing import SnapshotWriter

pytestmark = BOTH_DRIVERS

FIRST = [row(f"k{number:02d}", "old") for number in range(20)]
SECOND = [
    *[row(f"k{number:02d}", "old", time=2) for number in range(10)],  # unchanged, another collectTime
    *[row(f"k{number:02d}", "new", time=2) for number in range(10, 16)],  # changed
    *[row(f"n{number:02d}", "new", time=2) for number in range(3)],  # added; k16 to k19 are gone
]


@asynccontextmanager
async def profiled(store: Database) -> AsyncIterator[list[dict[str, Any]]]:
    """The writes to the database while the block runs, as MongoDB's own profiler saw them."""
    writes: list[dict[str, Any]] = []
    await store.command("profile", 2)
    try:
        yield writes
    finally:
        await store.command("profile", 0)
    entries = store["system.profile"].find({"op": {"$in": ["insert", "update", "remove"]}}, sort=[("ts", 1)])
    writes.extend([entry async for entry in entries])


def totals(writes: list[dict[str, Any]], collection: str) -> dict[str, int]:
    """Documents inserted, modified and deleted in a collection."""
    found = Counter[str]()
    for write in writes:
        if write["ns"].partition(".")[2] == collection:
            for name in ("ninserted", "nModified", "ndeleted"):
                found[name] += write.get(name, 0)
    return dict(+found)


async def test_the_first_night_writes_every_row_once(db: Database) -> None:
    async with profiled(db) as writes:
        manifest = await snapshot(db, 1, [FIRST[:12], FIRST[12:]])
    assert totals(writes, "ua_org") == {"ninserted": 20}
    assert manifest.counts == Counts(
        declared=20, declared_first=20, received=20, distinct=20, flagged=20, stored=20, added=20
    )
    assert manifest.base is None


async def test_the_second_night_writes_what_changed_and_nothing_else(db: Database) -> None:
    await snapshot(db, 1, [FIRST])
    before = {each["key"]: each for each in await everything(db, "ua_org")}
    async with profiled(db) as writes:
        manifest = await snapshot(db, 2, [SECOND[:7], SECOND[7:14], SECOND[14:]])
    counts = manifest.counts
    assert (counts.added, counts.changed, counts.removed, counts.unchanged) == (3, 6, 4, 10)
    assert manifest.base == 1
    assert await db["ua_org"].count_documents({"from": 2}) == counts.added + counts.changed
    # 9 versions begin, 6 that changed and 4 that are gone end, and no other document is touched
    assert totals(writes, "ua_org") == {"ninserted": 9, "nModified": 10}
    assert {write["ns"].partition(".")[2] for write in writes} == {"ua_org", "snapshots", "ledger"}
    after = {each["key"]: each for each in await everything(db, "ua_org") if each["from"] == 1}
    for number in range(20):
        key = f"k{number:02d}"
        expected = before[key] if number < 10 else {**before[key], "to": 2}
        assert after[key] == expected


async def test_a_night_without_a_change_writes_no_version(db: Database) -> None:
    await snapshot(db, 1, [FIRST])
    async with profiled(db) as writes:
        manifest = await snapshot(db, 2, [[{**each, "collectTime": 2} for each in FIRST]])
    assert totals(writes, "ua_org") == {}
    assert manifest.counts.unchanged == 20
    assert [each["collectTime"] for each in await collected(export(db, manifest))] == [2] * 20


async def test_a_row_that_went_and_came_back_has_two_versions(store: Database) -> None:
    await snapshot(store, 1, [[row("a"), row("b")]])
    await snapshot(store, 2, [[row("a")]])
    third = await snapshot(store, 3, [[row("a"), row("b")]])
    assert third.counts.added == 1
    spans = [(each["key"], each["from"], each["to"]) for each in await everything(store, "ua_org")]
    assert spans == [("a", 1, OPEN_END), ("b", 1, 2), ("b", 3, OPEN_END)]


async def test_a_snapshot_to_zero_closes_everything(store: Database) -> None:
    await snapshot(store, 1, [FIRST])
    manifest = await snapshot(store, 2, [[]])
    assert manifest.counts.removed == 20
    assert [each["to"] for each in await everything(store, "ua_org")] == [2] * 20
    assert await collected(export(store, manifest)) == []


async def test_cells_do_not_touch_each_other(store: Database) -> None:
    """Not even provinces whose identifiers begin alike, nor two datasets of one province."""
    cells = [("62", ORG), ("620", ORG), ("62.5", ORG), ("62-5", ORG), ("62", DATASETS["hardware"])]
    for cmc, dataset in cells:
        await snapshot(store, 1, [[{dataset.key: "a"}, {dataset.key: "b"}]], cmc=cmc, dataset=dataset)
    for cmc, dataset in cells[1:]:
        await snapshot(store, 2, [[{dataset.key: "b", "x": 1}]], cmc=cmc, dataset=dataset, state=State.HELD)
    for state in (State.PUBLISHED, State.ROLLED_BACK, State.HELD):
        run = 3 + [State.PUBLISHED, State.ROLLED_BACK, State.HELD].index(state)
        await snapshot(store, run, [[{"orgId": "a"}, {"orgId": "b"}]], cmc="62", state=state)
        for cmc, dataset in cells[1:]:
            held = await get_manifest(store, 2, cmc, dataset.code)
            assert await collected(export(store, held)) == [{dataset.key: "b", "x": 1}]
            first = await get_manifest(store, 1, cmc, dataset.code)
            assert await collected(export(store, first)) == [{dataset.key: "a"}, {dataset.key: "b"}]


async def test_a_second_pass_forgets_the_rows_of_the_first(store: Database) -> None:
    await snapshot(store, 1, [FIRST])
    before = await everything(store, "ua_org")
    night = Night(store, 2)
    await night.begin()
    await night.take(SECOND, [row("only in pass 1"), row("k00", "conflict"), {"no": "key"}])
    await night.restart()
    assert await everything(store, "ua_org") == before
    await night.take(FIRST)
    manifest = await night.finish()
    assert await everything(store, "ua_org") == before
    assert (manifest.stored_pass, manifest.counts.unchanged, manifest.counts.removed) == (2, 20, 0)
    assert await collected(export(store, manifest)) == FIRST
    passes = {each["pass"] for each in await everything(store, "ledger") if each["run"] == 2}
    assert passes == {1, 2}, "the ledger of the first pass stays"


async def test_a_walk_that_is_rolled_back_leaves_the_versions_as_they_were(store: Database) -> None:
    await snapshot(store, 1, [FIRST])
    before = await everything(store, "ua_org")
    manifest = await snapshot(store, 2, [SECOND], state=State.ROLLED_BACK)
    assert manifest.state is State.ROLLED_BACK
    assert await everything(store, "ua_org") == before


async def test_a_held_snapshot_is_undone_by_the_next_walk_of_its_cell(store: Database) -> None:
    await snapshot(store, 1, [FIRST])
    before = await everything(store, "ua_org")
    await snapshot(store, 2, [SECOND], state=State.HELD)
    night = Night(store, 3)
    await night.begin()
    assert await everything(store, "ua_org") == before
    assert (await get_manifest(store, 2, CMC, "ua_org")).state is State.ROLLED_BACK
    assert night.writer.base is not None
    assert night.writer.base.run == 1


async def test_rolling_back_may_be_repeated(store: Database) -> None:
    await snapshot(store, 1, [FIRST])
    before = await everything(store, "ua_org")
    night = Night(store, 2)
    await night.begin()
    await night.take(SECOND)
    for _ in range(2):
        base = await roll_back_unsettled(store, "ua_org", CMC, 2)
        assert base is not None
        assert base.run == 1
        await reset(store, "ua_org", CMC, 1, 2)
        assert await everything(store, "ua_org") == before
    assert await roll_back_unsettled(store, "ua_org", "nobody", 2) is None


async def test_the_same_page_written_twice_is_stored_once(store: Database) -> None:
    """A batch whose acknowledgement was lost is sent again."""
    await snapshot(store, 1, [FIRST])
    collections = ("ua_org", "ledger", "quarantine")
    page = page_of([*SECOND, row("k00", "other"), {"no": "key"}])
    stored: list[Any] = []
    for _ in range(2):
        writer = SnapshotWriter(store, ORG, opened(2), fence=1)
        if not stored:
            await writer.begin()
        else:
            writer.compare_with(await published_as_of(store, 1, CMC, "ua_org"))
            writer.tell_order_by(model_for(writer.base, 2))
        await writer.apply(page, Tally().sort(page, 0), page_record(0), [attempt()])
        stored.append([await everything(store, name) for name in collections])
    assert stored[0] == stored[1]


@pytest.mark.parametrize("collection", ["ua_org", "ledger", "quarantine"])
async def test_another_document_under_the_same_identifier_is_never_taken_for_ours(
    store: Database, collection: str
) -> None:
    first = SnapshotWriter(store, ORG, opened(1), fence=1)
    await first.begin()
    page = page_of([row("a", "one", time=1), {"no": "key"}])
    await first.apply(page, Tally().sort(page, 0), page_record(0), [])
    others = {
        "ua_org": page_of([row("a", "two", time=1), {"no": "key"}]),
        "ledger": page_of([row("a", "one", time=2), {"no": "key"}]),
        "quarantine": page_of([row("a", "one", time=1), {"no": "other key"}]),
    }
    again = SnapshotWriter(store, ORG, opened(1), fence=1)
    with pytest.raises(StoreLost, match="another"):
        await again.apply(others[collection], Tally().sort(others[collection], 0), page_record(0), [])


async def test_a_refused_write_is_a_fault_and_shows_no_record(db: Database) -> None:
    await db.command("collMod", "ua_org", validator={"refused": {"$exists": True}})
    night = Night(db, 1)
    await night.begin()
    with pytest.raises(StoreLost, match="121") as caught:
        await night.take([row("secret-key", "secret-content")])
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None


async def test_a_version_that_is_lost_and_another_that_is_doubled_do_not_even_out(store: Database) -> None:
    """The count is right then, and every stored hash is one that was served: keys must be told apart."""
    night = Night(store, 1)
    await night.begin()
    await night.take([row("a"), row("b")])
    lost = await store["ua_org"].find_one_and_delete({"key": "b"})
    kept = await store["ua_org"].find_one({"key": "a"})
    assert lost is not None
    assert kept is not None
    await store["ua_org"].insert_one({**kept, "_id": f"{CMC}/00000000/a", "from": 0})
    stored = await night.writer.finish(night.tally)
    assert stored.rows == night.tally.distinct
    assert stored.digest != stored.served_digest


async def test_the_same_run_never_walks_a_published_cell_again(store: Database) -> None:
    manifest = await snapshot(store, 1, [FIRST])
    with pytest.raises(StoreLost, match="published"):
        await Night(store, 1).begin()
    assert await collected(export(store, manifest)) == FIRST
    assert (await get_manifest(store, 1, CMC, "ua_org")).state is State.PUBLISHED


async def test_a_version_that_vanished_under_the_writer_is_a_fault(store: Database) -> None:
    night = Night(store, 1)
    await night.begin()
    await night.take([row("a", "one")])
    await store["ua_org"].delete_many({})
    with pytest.raises(StoreLost, match="gone"):
        await night.take([row("a", "two")])


async def test_the_ledger_keeps_every_attempt_even_of_a_walk_without_a_page(store: Database) -> None:
    writer = SnapshotWriter(store, ORG, opened(1), fence=1)
    await writer.begin()
    failed = pass_facts(Ending.FAILED)
    await writer.end_pass(1, failed, [attempt(fault="connect"), attempt(fault="timeout")])
    await writer.end_pass(2, failed, [attempt(walk_pass=2, fault="connect")])
    await writer.end_pass(3, failed, [])
    entries = [each["_id"] for each in await everything(store, "ledger")]
    prefix = f"00000001/{CMC}/ua_org"
    assert entries == [
        f"{prefix}/001/a000001",
        f"{prefix}/001/a000002",
        f"{prefix}/001/end",
        f"{prefix}/002/a000003",
        f"{prefix}/002/end",
        f"{prefix}/003/end",
    ]


async def test_many_cells_at_once_do_not_mix(store: Database) -> None:
    cells = [(f"{620000 + number}", dataset) for number in range(3) for dataset in DATASETS.values()]

    def rows(cmc: str, dataset: str, run: int) -> list[dict[str, Any]]:
        key = DATASETS[dataset].key
        return [{key: f"{number}", "x": f"{cmc}{dataset}{run * (number % 3)}"} for number in range(30)]

    for run in (1, 2):
        async with asyncio.TaskGroup() as group:
            for cmc, dataset in cells:
                pages = [rows(cmc, dataset.code, run)[:20], rows(cmc, dataset.code, run)[20:]]
                group.create_task(snapshot(store, run, pages, cmc=cmc, dataset=dataset))
    for cmc, dataset in cells:
        for run in (1, 2):
            manifest = await get_manifest(store, run, cmc, dataset.code)
            assert await collected(export(store, manifest)) == rows(cmc, dataset.code, run)


async def test_a_fault_of_the_driver_leaves_the_store_as_ours(
    mongod_uri: str, database: str, driver: DriverName
) -> None:
    """Whatever the driver raises inside the block, StoreLost leaves it."""

    async def used() -> None:
        async with open_store(mongod_uri, database=database, driver=driver, prepare=False) as other:
            with pytest.raises(PyMongoError):
                await other.command("collMod", "no such collection")
            await other.command("collMod", "no such collection")

    with pytest.raises(StoreLost, match="failed: OperationFailure, code 26"):
        await used()
