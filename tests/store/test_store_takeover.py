"""A crawl that lost its lease without knowing, as on a machine that was paused, and wakes up again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from store_cases import CMC, Night, collected, everything, opened, row, snapshot
from store_tripwire import Tripwire

from subcmc_crawler.errors import StoreLost
from subcmc_crawler.model import Manifest, State
from subcmc_crawler.store import Database
from subcmc_crawler.store.reading import export, prove
from subcmc_crawler.store.runs import get_manifest

FIRST = [row(f"k{number:02d}", "old") for number in range(20)]
SECOND = [
    *[row(f"k{number:02d}", "old", time=2) for number in range(10)],
    *[row(f"k{number:02d}", "new", time=2) for number in range(10, 16)],
    *[row(f"n{number:02d}", "new", time=2) for number in range(3)],
]


async def takeover(store: Database, *, finished: bool) -> tuple[Night, Night, Manifest | None]:
    """A stale walk of run 1 in the middle of its pages, and run 2 that has taken over its cell."""
    await snapshot(store, 1, [FIRST])
    stale = Night(store, 2, fence=1)
    await stale.begin()
    await stale.take(SECOND[:12])
    fresh = Night(store, 3, fence=2)
    await fresh.begin()
    await fresh.take(SECOND)
    return stale, fresh, await fresh.finish() if finished else None


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("step", ["begin", "take", "restart", "finish", "rollback"])
async def test_a_stale_crawl_does_no_harm(store: Database, step: str, finished: bool) -> None:
    stale, fresh, published = await takeover(store, finished=finished)
    before = [await everything(store, name) for name in ("ua_org", "snapshots", "ledger", "quarantine")]
    going_on: dict[str, Callable[[], Awaitable[object]]] = {
        "begin": lambda: Night(store, 2, fence=1).begin(),
        "take": lambda: stale.take([row("stale"), row("k19", "old"), row("k00", "stale")]),
        "restart": stale.restart,
        "finish": stale.finish,
        "rollback": lambda: stale.writer.settle(replace(opened(2), state=State.ROLLED_BACK)),
    }
    with pytest.raises(StoreLost, match="another crawl"):
        await going_on[step]()
    after = [await everything(store, name) for name in ("ua_org", "snapshots", "ledger", "quarantine")]
    assert after == before
    manifest = published or await fresh.finish()
    assert await collected(export(store, manifest)) == SECOND


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("step", ["reopen", "take", "restart", "finish", "settle", "rollback"])
async def test_an_attempt_given_up_for_dead_does_no_harm_to_the_next_of_the_same_run(
    store: Database, step: str, finished: bool
) -> None:
    await snapshot(store, 1, [FIRST])
    stale, fresh = Night(store, 2, fence=2), Night(store, 2, fence=3)
    await stale.begin()
    await stale.take(SECOND[:12])
    await fresh.writer.reopen()
    await fresh.restart()
    await fresh.take(SECOND)
    published = await fresh.finish() if finished else None
    before = [await everything(store, name) for name in ("ua_org", "snapshots", "ledger", "quarantine")]
    going_on: dict[str, Callable[[], Awaitable[object]]] = {
        "reopen": Night(store, 2, fence=2).writer.reopen,
        "take": lambda: stale.take([row("stale"), row("k19", "old"), row("k00", "stale")]),
        "restart": stale.restart,
        "finish": stale.finish,
        "settle": lambda: stale.writer.settle(replace(opened(2), state=State.PUBLISHED)),
        "rollback": lambda: stale.writer.settle(replace(opened(2), state=State.ROLLED_BACK)),
    }
    with pytest.raises(StoreLost, match=r"another crawl|a later attempt"):
        await going_on[step]()
    after = [await everything(store, name) for name in ("ua_org", "snapshots", "ledger", "quarantine")]
    assert after == before
    assert await collected(export(store, published or await fresh.finish())) == SECOND


async def loses(walk: Awaitable[None]) -> bool:
    """Whether a walk learns that it has lost its cell."""
    try:
        await walk
    except StoreLost as lost:
        return "another crawl" in str(lost)
    return False


async def stale_walk(db: Database) -> None:
    """A walk of run 3 from its begin to its end, a conflict and a second pass included."""
    night = Night(db, 3, fence=1)
    await night.begin()
    await night.take(SECOND[:12], [row("k00", "conflict"), row("stale"), row("k19", "stale"), {"no": "key"}])
    await night.restart()
    await night.take(SECOND[:12], [row("k00", "conflict"), row("stale"), row("k19", "stale"), {"no": "key"}])
    await night.finish(sound=False)


@pytest.mark.parametrize("state", [State.PUBLISHED, State.COLLECTING])
async def test_a_crawl_that_is_paused_before_any_write_does_no_harm(store: Database, state: State) -> None:
    """It wakes up when a later run has walked its cell, or is at it, and goes on with that very write."""
    fresh: list[Night] = []

    async def walked_by_another() -> None:
        fresh.append(Night(store, 4, fence=2))
        await fresh[0].begin()
        await fresh[0].take(SECOND[:7], SECOND[7:])
        if state is not State.COLLECTING:
            await fresh[0].finish(state)

    at = 0
    while True:
        at += 1
        for name in ("ua_org", "snapshots", "ledger", "quarantine"):
            await store[name].delete_many({})
        fresh.clear()
        await snapshot(store, 1, [FIRST])
        await snapshot(store, 2, [SECOND[3:]], state=State.HELD)  # something to roll back at the begin
        wire = Tripwire(store, at=at, mode="pause", paused=walked_by_another)
        if not await loses(stale_walk(wire.database)):
            assert wire.writes < at, f"write {at} of {wire.writes} went through"
            break
        if state is State.COLLECTING:
            await fresh[0].finish()
        manifest = await get_manifest(store, 4, CMC, "ua_org")
        assert await collected(export(store, manifest)) == SECOND, f"write {at}"
        assert (
            await store["ua_org"].count_documents(
                {"$or": [{"from": {"$in": [2, 3]}}, {"to": {"$in": [2, 3]}}]}
            )
            == 0
        ), f"write {at}"
        states = [each["state"] for each in await everything(store, "snapshots")]
        assert states in (
            ["published", "rolled-back", "rolled-back", manifest.state],
            ["published", "rolled-back", manifest.state],  # it had not even opened its own
        )
        assert await collected(export(store, await get_manifest(store, 1, CMC, "ua_org"))) == FIRST
    assert at > 15


async def test_a_page_that_came_too_late_is_taken_back_at_once(store: Database) -> None:
    """Not only by the next step of the stale walk, which a slow province may put off, or which never comes."""
    await snapshot(store, 1, [FIRST])

    async def walked_by_another() -> None:
        await snapshot(store, 3, [SECOND])

    wire = Tripwire(store, at=0, mode="pause", paused=walked_by_another)
    stale = Night(wire.database, 2)
    await stale.begin()
    wire.at = wire.writes + 1
    assert await loses(stale.take([row("stale"), row("k00", "stale")]))
    assert await store["ua_org"].count_documents({"$or": [{"from": 2}, {"to": 2}]}) == 0
    assert await collected(export(store, await get_manifest(store, 3, CMC, "ua_org"))) == SECOND


@pytest.mark.parametrize("later", [1, 2, 3, 4])
async def test_a_version_that_both_have_closed_stays_closed(store: Database, later: int) -> None:
    """The stale crawl closes it when the fresh one has begun, and takes that back when that one has published."""
    await snapshot(store, 1, [FIRST])
    fresh = Night(store, 3, fence=2)

    async def others_begin() -> None:
        await fresh.begin()
        wire.at, wire.paused = wire.writes + later, others_publish

    async def others_publish() -> None:
        await fresh.take(SECOND)
        await fresh.finish()

    wire = Tripwire(store, at=0, mode="pause", paused=others_begin)
    stale = Night(wire.database, 2)
    await stale.begin()
    wire.at = wire.writes + 2  # its page is inserted, what it replaces is not closed yet
    assert await loses(stale.take(SECOND))
    if fresh.ordinal == 0:
        await others_publish()
    manifest = await get_manifest(store, 3, CMC, "ua_org")
    assert await collected(export(store, manifest)) == SECOND
    assert (await prove(store, manifest)).holds(manifest)
    assert await store["ua_org"].count_documents({"$or": [{"from": 2}, {"to": 2}]}) == 0
