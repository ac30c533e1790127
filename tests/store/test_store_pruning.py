"""What no kept run can see goes; whatever one can see stays as it was, and so does what is in force."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from store_cases import AT, BOTH_DRIVERS, CMC, ORG, Night, collected, everything, row, snapshot
from store_tripwire import Killed, Mode, Tripwire

from subcmc_crawler import gathering
from subcmc_crawler.errors import NotFound, StoreLost, TryLater
from subcmc_crawler.model import Acceptance, Comparison, References, RunRecord, RunStatus, State
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import Database
from subcmc_crawler.store.comparisons import write_comparison
from subcmc_crawler.store.pruning import Pruned, prune
from subcmc_crawler.store.reading import export, history, prove
from subcmc_crawler.store.references import write_references
from subcmc_crawler.store.runs import accept, begin_run, finish_run, get_manifest, list_runs, published_as_of

HARDWARE = DATASETS["hardware"]
COLLECTIONS = ("runs", "snapshots", "ua_org", "hardware", "ledger", "quarantine", "references", "comparisons")


def rows_of(run: int) -> list[dict[str, Any]]:
    """A row that never changes, one that changes every night, one that is there for one night, one without a key."""
    keyless = {"orgName": f"keyless {run}", "collectTime": run}
    return [row("still", time=run), row("moves", run, time=run), row(f"only {run}", time=run), keyless]


async def a_run(db: Database) -> int:
    began = await begin_run(db, RunRecord(number=0, status=RunStatus.RUNNING, started_at=AT))
    await write_references(db, References(run=began.number, cmc_id=CMC, counts=()), fence=1)
    comparison = Comparison(run=began.number, cmc_id=CMC, province="省", dataset="ua_org")
    await write_comparison(db, comparison, fence=1)
    return (await finish_run(db, began.number, RunStatus.FINISHED, AT)).number


async def nights(db: Database, count: int) -> None:
    """Runs 1 to `count` of one cell; another province and another dataset were last pulled in run 2."""
    for _ in range(count):
        run = await a_run(db)
        await snapshot(db, run, [rows_of(run)[:2], rows_of(run)[2:]])
        if run <= 2:
            await snapshot(db, run, [rows_of(run)], cmc="62")
            await snapshot(db, run, [[{"assetId": "a", "name": run}]], dataset=HARDWARE)


def exported(db: Database, run: int, cmc: str = CMC, dataset: str = "ua_org") -> Any:
    async def rows() -> list[Any]:
        manifest = await get_manifest(db, run, cmc, dataset)
        assert (await prove(db, manifest)).holds(manifest)
        return await collected(export(db, manifest))

    return rows()


@BOTH_DRIVERS
async def test_kept_nights_and_what_is_in_force_stay_exact(store: Database) -> None:
    await nights(store, 6)
    planned = await prune(store, 3, dry_run=True)
    before = [await everything(store, name) for name in COLLECTIONS]
    assert before == [await everything(store, name) for name in COLLECTIONS]
    pruned = await prune(store, 3)
    assert pruned == planned
    assert pruned == Pruned(
        oldest=4,
        runs=3,
        snapshots=3 + 1 + 1,  # of runs 1 to 3, and in run 1 of the two that were last pulled in run 2
        held=0,
        # ended in run 4 or before: two in each of the nights 1 to 3; of "62" two, of the hardware one
        versions={code: {"ua_org": 6 + 2, "hardware": 1}.get(code, 0) for code in DATASETS},
        ledger=3 * 4
        + 2
        + 2
        - 4
        - 2
        - 2,  # a page and an attempt for each page, but what later nights are told by
        quarantine=3 + 1,
        references=3,
        comparisons=3,
    )
    assert [run.number for run in await list_runs(store, 0)] == [6, 5, 4]
    for run in (4, 5, 6):
        assert await exported(store, run) == rows_of(run)
    assert await exported(store, 2, "62") == rows_of(2)
    assert await exported(store, 2, CMC, "hardware") == [{"assetId": "a", "name": 2}]
    assert await published_as_of(store, 3, CMC, "ua_org") is None


async def test_a_second_prune_finds_nothing(store: Database) -> None:
    await nights(store, 4)
    await prune(store, 1)
    left = [await everything(store, name) for name in COLLECTIONS]
    again = await prune(store, 1)
    assert again == Pruned(
        oldest=4,
        runs=0,
        snapshots=0,
        held=0,
        versions=dict.fromkeys(DATASETS, 0),
        ledger=0,
        quarantine=0,
        references=0,
        comparisons=0,
    )
    assert [await everything(store, name) for name in COLLECTIONS] == left


async def test_more_nights_than_there_are_remove_nothing(store: Database) -> None:
    await nights(store, 2)
    before = [await everything(store, name) for name in COLLECTIONS]
    await prune(store, 30)
    assert [await everything(store, name) for name in COLLECTIONS] == before


async def test_without_a_run_there_is_nothing_to_prune(store: Database) -> None:
    with pytest.raises(NotFound, match="nothing to prune"):
        await prune(store, 1)


async def test_nights_go_on_after_a_prune_as_if_there_had_been_none(store: Database) -> None:
    await nights(store, 3)
    await prune(store, 1)
    await nights(store, 2)
    assert [run.number for run in await list_runs(store, 0)] == [5, 4, 3]
    manifest = await get_manifest(store, 5, CMC, "ua_org")
    assert (manifest.counts.added, manifest.counts.changed, manifest.counts.removed) == (1, 1, 1)
    assert await exported(store, 4) == rows_of(4)
    assert await exported(store, 5) == rows_of(5)


async def test_what_is_held_is_given_up_with_its_run(store: Database) -> None:
    await nights(store, 1)
    held = await a_run(store)
    await snapshot(store, held, [[row("staged")]], state=State.HELD)
    for _ in range(2):  # nobody pulls that cell any more
        await a_run(store)
    planned = await prune(store, 2, dry_run=True)
    pruned = await prune(store, 2)
    assert pruned == planned
    assert (pruned.held, pruned.versions["ua_org"]) == (1, 1)
    assert await exported(store, 1) == rows_of(1)
    assert (
        await store["ua_org"].count_documents({"to": {"$lt": 1000}}) == 0
    )  # what it had closed is open again


@pytest.mark.parametrize("at", range(1, 8))
async def test_what_is_accepted_while_it_is_pruned_is_kept_or_was_never_accepted(
    store: Database, at: int
) -> None:
    await nights(store, 1)
    held = await snapshot(store, await a_run(store), [rows_of(2)], state=State.HELD)
    await a_run(store)
    accepted = False

    async def operator() -> None:
        nonlocal accepted
        by = Acceptance(by="operator", at=AT, reason="a reorganisation")
        with suppress(TryLater, NotFound):
            await accept(store, held, digest=held.digest or "", acceptance=by)
            accepted = True

    wire = Tripwire(store, at=at, mode="pause", paused=operator)
    await prune(wire.database, 1)
    assert wire.writes >= at, "and the operator came"
    in_force = await published_as_of(store, 3, CMC, "ua_org")
    assert in_force is not None
    assert in_force.run == (2 if accepted else 1)
    assert await exported(store, in_force.run) == rows_of(in_force.run)


async def test_what_is_held_in_a_kept_run_can_still_be_read(store: Database) -> None:
    await nights(store, 2)
    held = await a_run(store)
    await snapshot(store, held, [[row("staged")]], state=State.HELD)
    await prune(store, 1)
    assert await exported(store, held) == [row("staged")]
    assert await exported(store, 2) == rows_of(2)


async def test_a_crawl_that_wakes_up_after_a_prune_is_still_undone(store: Database) -> None:
    """It was rolled back while it slept; it writes one page more and dies at once."""
    await nights(store, 1)
    stale = Night(store, await a_run(store))
    await stale.begin()

    async def meanwhile() -> None:
        await nights(store, 1)  # run 3
        await prune(store, 1)

    wire = Tripwire(store, at=1, mode="pause", paused=meanwhile)
    stale.writer._db, stale.writer._versions = wire.database, wire.database["ua_org"]
    with pytest.raises(StoreLost, match="another crawl"):
        await stale.take([row("late")])
    late = {**(await everything(store, "ua_org"))[0], "_id": f"{CMC}/00000002/late", "key": "late", "from": 2}
    await store["ua_org"].insert_one(late)  # as if it had died before it could take that back
    await nights(store, 1)
    assert await exported(store, 3) == rows_of(3)
    assert await exported(store, 4) == rows_of(4)


@pytest.mark.parametrize("mode", ["before", "after", "half"])
async def test_a_prune_that_is_killed_at_any_write_loses_nothing(store: Database, mode: Mode) -> None:
    at = 0
    while True:
        at += 1
        for name in COLLECTIONS:
            await store[name].delete_many({})
        await nights(store, 2)
        await snapshot(store, await a_run(store), [[row("staged")]], state=State.HELD)
        await a_run(store)
        await snapshot(store, 4, [rows_of(4)], cmc="62")
        wire = Tripwire(store, at=at, mode=mode)
        try:
            await prune(wire.database, 1)
        except Killed:
            assert await exported(store, 2) == rows_of(2), f"write {at}"
            assert await exported(store, 4, "62") == rows_of(4), f"write {at}"
        else:
            break
        await prune(store, 1)
        left = [await everything(store, name) for name in COLLECTIONS]
        await prune(store, 1)
        assert [await everything(store, name) for name in COLLECTIONS] == left, f"write {at}"
        assert await exported(store, 2) == rows_of(2), f"write {at}"
        assert await exported(store, 4, "62") == rows_of(4), f"write {at}"
        assert await store["ua_org"].count_documents({"cmcId": CMC}) == 3
    assert at > 8


async def test_a_history_after_a_prune_is_still_told_from_what_is_only_held(store: Database) -> None:
    await nights(store, 3)
    await snapshot(store, await a_run(store), [[row("still", "new")]], state=State.HELD)
    await prune(store, 1)
    states = [(each.start, each.state) for each in await history(store, "ua_org", CMC, "still")]
    assert states == [(1, State.PUBLISHED), (4, State.HELD)]


async def test_no_changes_are_told_where_the_base_was_pruned(store: Database) -> None:
    await nights(store, 3)
    whole = await gathering.detail(store, await get_manifest(store, 3, CMC, "ua_org"))
    assert len(whole.changes) == 3
    await prune(store, 1)
    pruned = await gathering.detail(store, await get_manifest(store, 3, CMC, "ua_org"))
    assert pruned == replace(whole, changes=(), past=())


async def test_a_large_prune_goes_in_short_steps(store: Database) -> None:
    for _ in range(2):
        run = await a_run(store)
        await snapshot(store, run, [[row(f"{run} {number}") for number in range(2_500)]])
    wire = Tripwire(store, at=0, mode="before")
    pruned = await prune(wire.database, 1)
    assert pruned.versions["ua_org"] == 2_500
    assert wire.writes >= 3
    assert ORG.code == "ua_org"
