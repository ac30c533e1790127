"""Shards: places in one lease, and one run in common."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from store_cases import BOTH_DRIVERS

from subcmc_crawler.errors import NotFound, StoreLost, TryLater
from subcmc_crawler.model import RunRecord, RunStatus, Shard, Shards
from subcmc_crawler.store import Database
from subcmc_crawler.store.lease import Lease, Place, acquire, is_held, release, renew
from subcmc_crawler.store.runs import begin_run, finish_run, get_run, list_runs, reopen_run
from subcmc_crawler.store.shards import join_run, leave_run, rejoin_run

pytestmark = BOTH_DRIVERS

AT = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
OPENING = RunRecord(
    number=0,
    status=RunStatus.RUNNING,
    started_at=AT,
    shards=Shards(count=3, registry="digest", order=("b", "c", "a", "d")),
)


def place(number: int, crew: str = "3 digest") -> Place:
    return Place(crew, number)


async def lapse(db: Database, lease: Lease) -> None:
    """The place of that lease alone runs out."""
    await db["leases"].update_one(
        {"members.fence": lease.fence}, {"$set": {"members.$.expiresAt": datetime(1970, 1, 1, tzinfo=UTC)}}
    )


async def test_shards_of_one_crew_hold_the_lease_together(store: Database) -> None:
    first = await acquire(store, "one", 60, place(1))
    second = await acquire(store, "two", 60, place(2))
    assert (first.fence, second.fence) == (1, 2)
    for taken in (place(1), place(3, "4 digest"), None):
        with pytest.raises(TryLater, match="two holds the lease"):
            await acquire(store, "three", 60, taken)
    await renew(store, first)
    await release(store, second)
    assert await is_held(store, first)
    with pytest.raises(TryLater):
        await acquire(store, "alone", 60)
    with pytest.raises(StoreLost):
        await renew(store, second)
    await release(store, first)
    assert (await acquire(store, "alone", 60)).fence == 3
    with pytest.raises(TryLater, match="alone holds"):
        await acquire(store, "one", 60, place(1))


async def test_a_place_that_ran_out_passes_on_and_the_others_stay(store: Database) -> None:
    stale, other = [await acquire(store, "one", 60, place(number)) for number in (1, 2)]
    await lapse(store, stale)
    fresh = await acquire(store, "new", 60, place(1))
    assert fresh.fence == 3
    with pytest.raises(StoreLost):
        await renew(store, stale)
    await release(store, stale)  # does nothing
    await renew(store, other)
    await renew(store, fresh)


async def test_whoever_takes_a_lapsed_lease_alone_ends_all_places(store: Database) -> None:
    shard = await acquire(store, "one", 60, place(1))
    await store["leases"].update_one({}, {"$set": {"expiresAt": datetime(1970, 1, 1, tzinfo=UTC)}})
    await acquire(store, "alone", 60)
    with pytest.raises(StoreLost):
        await renew(store, shard)


async def test_of_six_that_want_one_place_one_wins(store: Database) -> None:
    answers = await asyncio.gather(
        *(acquire(store, f"racer {number}", 60, place(1)) for number in range(6)), return_exceptions=True
    )
    assert sum(isinstance(answer, Lease) for answer in answers) == 1


async def test_three_that_come_together_find_one_run(store: Database) -> None:
    async def come(number: int) -> RunRecord:
        lease = await acquire(store, str(number), 60, place(number))
        return await join_run(store, lease, OPENING, Shard(number, 3), AT)

    runs = await asyncio.gather(*(come(number) for number in (1, 2, 3)))
    assert {run.number for run in runs} == {1}
    shards = (await get_run(store)).shards
    assert shards is not None
    assert sorted(shards.joined) == [1, 2, 3]
    assert [shards.of(Shard(number, 3)) for number in (1, 2, 3)] == [("b", "d"), ("c",), ("a",)]


async def test_the_last_to_leave_closes_whatever_the_order(store: Database) -> None:
    for number in (1, 2, 3):  # one after the other
        lease = await acquire(store, str(number), 60, place(number))
        await join_run(store, lease, OPENING, Shard(number, 3), AT)
        left = await leave_run(store, 1, Shard(number, 3), RunStatus.FINISHED)
        assert left.all_left is (number == 3)
        await release(store, lease)
    assert len(await list_runs(store, 9)) == 1


@pytest.mark.parametrize(
    "other",
    [
        replace(OPENING, selection=("ua_org",)),
        replace(OPENING, shards=Shards(count=3, registry="another", order=())),
        replace(OPENING, shards=None),
        replace(OPENING, started_at=AT - timedelta(days=1)),
        replace(OPENING, status=RunStatus.STOPPED),
    ],
    ids=["selection", "registry", "unsharded", "another night", "ended"],
)
async def test_a_run_that_is_not_in_common_is_not_joined(store: Database, other: RunRecord) -> None:
    await begin_run(store, other)
    lease = await acquire(store, "one", 60, place(1))
    assert (await join_run(store, lease, OPENING, Shard(1, 3), AT)).number == 2


async def test_a_shard_that_died_leaves_its_run_to_the_living(store: Database) -> None:
    dead, living = [await acquire(store, "one", 60, place(number)) for number in (1, 2)]
    for number, lease in ((1, dead), (2, living)):
        await join_run(store, lease, OPENING, Shard(number, 3), AT)
    await lapse(store, dead)
    again = await acquire(store, "again", 60, place(1))
    with pytest.raises(TryLater, match=r"run 1 is still going on in shard 2/3: .* --resume --shard 1/3"):
        await join_run(store, again, OPENING, Shard(1, 3), AT)
    assert (await rejoin_run(store, again, OPENING, Shard(1, 3))).number == 1
    await release(store, living)
    await release(store, again)
    anew = await acquire(store, "anew", 60, place(1))
    assert (await join_run(store, anew, OPENING, Shard(1, 3), AT)).number == 2


async def test_a_stopped_shard_comes_back_to_its_run(store: Database) -> None:
    lease = await acquire(store, "one", 60, place(1))
    await begin_run(store, replace(OPENING, shards=replace(OPENING.shards, ended=(2, 3), joined=(1, 2, 3))))  # type: ignore[type-var]
    left = await leave_run(store, 1, Shard(1, 3), RunStatus.STOPPED)
    assert left.all_left
    await finish_run(store, 1, RunStatus.STOPPED, AT)
    run = await rejoin_run(store, lease, OPENING, Shard(1, 3))
    assert (run.status, run.finished_at) == (RunStatus.RUNNING, None)
    left = await leave_run(store, 1, Shard(1, 3), RunStatus.FINISHED)
    assert (left.all_left, left.stopped) == (True, ())
    await finish_run(store, 1, RunStatus.FINISHED, AT)
    with pytest.raises(NotFound, match="run 1 has finished"):
        await rejoin_run(store, lease, OPENING, Shard(1, 3))


async def test_only_what_was_divided_so_is_gone_on_with_in_shards(store: Database) -> None:
    lease = await acquire(store, "one", 60, place(1))
    await begin_run(store, replace(OPENING, shards=Shards(count=2, registry="digest", order=())))
    with pytest.raises(NotFound, match="run 1 is not divided into 3 shards"):
        await rejoin_run(store, lease, OPENING, Shard(1, 3))
    assert (await reopen_run(store)).shards is None  # but by one process
    assert (await get_run(store)).shards is None


async def test_a_run_taken_for_crashed_is_not_left(store: Database) -> None:
    await begin_run(store, replace(OPENING, status=RunStatus.CRASHED))
    with pytest.raises(StoreLost, match="taken over by another crawl before shard 1/3 ended"):
        await leave_run(store, 1, Shard(1, 3), RunStatus.FINISHED)
