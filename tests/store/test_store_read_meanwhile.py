"""What a snapshot is made of may go while it is read: the reader is told, and never takes a part for the whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from store_cases import AT, CMC, Night, Row, row, snapshot

from subcmc_crawler.errors import NotFound, StoreLost
from subcmc_crawler.model import Manifest, RunRecord, RunStatus, State
from subcmc_crawler.store import Database
from subcmc_crawler.store import batches as reading
from subcmc_crawler.store.pruning import prune
from subcmc_crawler.store.reading import distinct_records, exported_pages, prove
from subcmc_crawler.store.runs import begin_run

Read = Callable[[Database, Manifest], AsyncIterator[list[Any]]]

PAGES = 250  # more than MongoDB sends at once
ROWS = [row(f"k{number:03d}") for number in range(PAGES)]


async def three_nights(store: Database, *, latest: list[Row]) -> Manifest:
    """The manifest of the first one; the others serve other rows, in pages of their own."""
    for _ in range(3):
        await begin_run(store, RunRecord(number=0, status=RunStatus.RUNNING, started_at=AT))
    first = await snapshot(store, 1, [[each] for each in ROWS])
    await snapshot(store, 2, [latest[::-1]])
    await snapshot(store, 3, [latest[::-1]])
    return first


@pytest.mark.parametrize("read", [exported_pages, distinct_records])
@pytest.mark.parametrize("kept", [0, PAGES], ids=["other rows", "the same rows"])
async def test_a_snapshot_that_is_pruned_meanwhile_is_not_read_to_its_end(
    store: Database, monkeypatch: pytest.MonkeyPatch, read: Read, kept: int
) -> None:
    monkeypatch.setattr(reading, "_ROWS", 10)
    first = await three_nights(store, latest=[*ROWS[:kept], row("n")])
    pages = read(store, first)
    await anext(pages)
    await prune(store, 1)
    with pytest.raises(NotFound, match="was pruned or rolled back while it was read"):
        [page async for page in pages]


async def test_a_snapshot_that_is_gone_is_not_taken_for_a_damaged_one(store: Database) -> None:
    first = await three_nights(store, latest=[*ROWS[1:], row("n")])
    await prune(store, 1)
    with pytest.raises(NotFound, match="was pruned"):
        await prove(store, first)


async def test_a_snapshot_of_which_rows_are_gone_while_it_is_in_force_is_damaged(store: Database) -> None:
    first = await three_nights(store, latest=ROWS)
    await store["ua_org"].delete_one({"key": "k007"})
    proof = await prove(store, first)
    assert (proof.rows, proof.holds(first)) == (PAGES - 1, False)


@pytest.mark.parametrize("read", [exported_pages, distinct_records])
async def test_a_held_snapshot_that_is_rolled_back_meanwhile_is_not_read_to_its_end(
    store: Database, monkeypatch: pytest.MonkeyPatch, read: Read
) -> None:
    """Of the rows that it changed those of the night before are in force again."""
    monkeypatch.setattr(reading, "_ROWS", 10)
    await snapshot(store, 1, [ROWS])
    changed = [row(each["orgId"], "new") for each in ROWS]
    held = await snapshot(store, 2, [[each] for each in changed], state=State.HELD)
    pages = read(store, held)
    await anext(pages)
    await Night(store, 3).begin()
    with pytest.raises(NotFound, match="was pruned or rolled back while it was read"):
        [page async for page in pages]


@pytest.mark.parametrize("read", [exported_pages, distinct_records])
async def test_a_held_snapshot_may_be_accepted_meanwhile(store: Database, read: Read) -> None:
    held = await snapshot(store, 1, [[each] for each in ROWS], state=State.HELD)
    pages = read(store, held)
    rows = await anext(pages)
    await store["snapshots"].update_one({"cmcId": CMC}, {"$set": {"state": State.PUBLISHED.value}})
    async for page in pages:
        rows += page
    assert rows == ROWS


@pytest.mark.parametrize("lost", [0, 7, PAGES - 1])
async def test_a_page_that_the_ledger_has_lost_is_missed(store: Database, lost: int) -> None:
    manifest = await snapshot(store, 1, [[each] for each in ROWS])
    await store["ledger"].delete_many({"kind": "page", "ordinal": lost})
    with pytest.raises(StoreLost):
        [page async for page in exported_pages(store, manifest)]
