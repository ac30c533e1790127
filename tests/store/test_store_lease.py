"""One run at a time."""

from __future__ import annotations

import asyncio

import pytest
from crash_world import end_leases
from store_cases import BOTH_DRIVERS

from patience import until
from subcmc_crawler.errors import StoreLost, TryLater
from subcmc_crawler.store import Database
from subcmc_crawler.store.lease import Lease, Standing, acquire, is_held, issue, look, post, release, renew

pytestmark = BOTH_DRIVERS


async def expired(db: Database, lease: Lease) -> None:
    """Waits until MongoDB's own clock has passed the end of the lease."""

    async def over() -> bool:
        return not await is_held(db, lease)

    await until(over, "the end of the lease")


async def test_a_lease_is_held_by_one(store: Database) -> None:
    lease = await acquire(store, "one", 60)
    assert lease == Lease("one", 1, 60)
    assert await is_held(store, lease)
    with pytest.raises(TryLater, match=r"one holds the lease until \d\d:\d\d:\d\d UTC"):
        await acquire(store, "two", 60)
    with pytest.raises(TryLater):
        await acquire(store, "one", 60)  # not even by the same name again
    assert await is_held(store, lease)


async def test_a_released_lease_can_be_had_at_once_and_the_fence_grows(store: Database) -> None:
    for fence, holder in enumerate(("one", "two", "one"), start=1):
        lease = await acquire(store, holder, 60)
        assert lease == Lease(holder, fence, 60)
        await release(store, lease)
        assert not await is_held(store, lease)
    assert await store["leases"].count_documents({}) == 1


async def test_an_expired_lease_passes_on_and_its_holder_has_lost_it(store: Database) -> None:
    stale = await acquire(store, "one", 1)
    await expired(store, stale)
    fresh = await acquire(store, "two", 60)
    assert fresh.fence == stale.fence + 1
    with pytest.raises(StoreLost, match="another crawl took over"):
        await renew(store, stale)
    await release(store, stale)  # does nothing
    assert await is_held(store, fresh)
    assert not await is_held(store, stale)
    with pytest.raises(TryLater):
        await acquire(store, "three", 60)


async def test_the_same_holder_with_another_fence_is_another_lease(store: Database) -> None:
    first = await acquire(store, "one", 60)
    await release(store, first)
    second = await acquire(store, "one", 60)
    with pytest.raises(StoreLost):
        await renew(store, first)
    await release(store, first)
    assert await is_held(store, second)


async def test_renewing_keeps_a_lease_beyond_its_first_end(store: Database) -> None:
    short = await acquire(store, "one", 1)
    first = await store["leases"].find_one({})
    assert first is not None
    long = Lease("one", short.fence, 60)
    await renew(store, long)

    async def first_end_is_past() -> bool:
        past = {"$expr": {"$gt": ["$$NOW", first["expiresAt"]]}}
        return await store["leases"].find_one(past) is not None

    await until(first_end_is_past, "the first end of the lease")
    assert await is_held(store, long)
    with pytest.raises(TryLater):
        await acquire(store, "two", 60)


async def test_a_holder_that_looks_like_an_expression_is_only_a_name(store: Database) -> None:
    lease = await acquire(store, "$fence", 60)
    assert await is_held(store, lease)
    with pytest.raises(TryLater, match=r"\$fence holds"):
        await acquire(store, "$_id", 60)


async def test_a_lease_that_ran_out_is_ours_until_somebody_takes_it(store: Database) -> None:
    lease = await acquire(store, "one", 60)
    await post(store, lease, Standing(stop=1))
    await end_leases(store)
    assert await look(store, lease) == Standing(stop=1, in_force=False)
    assert await issue(store, lease) == 2
    await renew(store, lease)
    assert await look(store, lease) == Standing(stop=1)
    await end_leases(store)
    assert (await acquire(store, "two", 60)).fence == 3, "above each that was issued"
    assert await look(store, lease) is None
    with pytest.raises(StoreLost, match="lost its lease"):
        await issue(store, lease)


@pytest.mark.parametrize("before", ["nothing", "released", "expired"])
async def test_of_eight_one_wins(store: Database, before: str) -> None:
    fence = 0
    for _ in range(6):
        if before == "released" and fence == 0:
            await release(store, await acquire(store, "before", 60))
            fence = 1
        elif before == "expired" and fence == 0:
            await expired(store, await acquire(store, "before", 1))
            fence = 1
        answers = await asyncio.gather(
            *(acquire(store, f"racer {number}", 60) for number in range(8)), return_exceptions=True
        )
        winners = [answer for answer in answers if isinstance(answer, Lease)]
        assert len(winners) == 1
        assert sum(isinstance(answer, TryLater) for answer in answers) == 7
        fence += 1
        assert winners[0].fence == fence
        await release(store, winners[0])


async def test_each_attempt_has_a_fence_of_its_own_and_the_lease_stays(store: Database) -> None:
    lease = await acquire(store, "one", 60)
    assert [await issue(store, lease) for _ in range(3)] == [2, 3, 4]
    await renew(store, lease)
    assert await is_held(store, lease)
    await release(store, lease)
    with pytest.raises(StoreLost, match="lost its lease"):
        await issue(store, lease)
    assert (await acquire(store, "two", 60)).fence == 5


async def test_what_the_holder_posts_is_seen_while_it_holds(store: Database) -> None:
    lease = await acquire(store, "one", 60)
    assert await look(store, lease) == Standing()
    posted = Standing(stop=1, lines={"tcp://10.0.0.1:80": 7})
    await post(store, lease, posted)
    assert await look(store, lease) == posted
    await release(store, lease)
    assert await look(store, lease) is None
    fresh = await acquire(store, "two", 60)
    assert await look(store, fresh) == Standing()
    await post(store, lease, posted)  # says nothing for others
    assert await look(store, fresh) == Standing()
