"""Nights in which a dataset is switched off: what lay unpublished before them is undone before the next walk."""

from __future__ import annotations

from dataclasses import replace

import pytest
from store_cases import AT, CMC, Night, collected, everything, row, snapshot
from store_centre import Behaviour, Centre, Watching, province
from store_tripwire import Tripwire

from subcmc_crawler import pull
from subcmc_crawler.errors import StoreLost
from subcmc_crawler.halting import Halt
from subcmc_crawler.model import Manifest, State, Verdict
from subcmc_crawler.province.registry import Province
from subcmc_crawler.store import Database
from subcmc_crawler.store.reading import export
from subcmc_crawler.store.runs import get_manifest
from subcmc_crawler.store.undoing import LATE_RUNS

ROWS = [row(f"k{number}", "old") for number in range(9)]
FEWER = [*ROWS[:3], row("k3", "new"), row("n", "new")]
OFF = replace(province(CMC), datasets=dict.fromkeys(province(CMC).datasets))


async def pulled(store: Database, run: int, where: Province, *, resumed: bool = False) -> Manifest:
    """The manifest of ua_org after a pull of that alone."""
    night = pull.Night(
        db=store,
        run=run,
        fence=run,
        observer=Watching(),
        now=lambda: AT,
        datasets=("ua_org",),
        resumed=resumed,
    )
    centre = Centre(ROWS, Behaviour())
    halted = Halt(centre.stop, closing=None, grace_seconds=0, now=lambda: AT)
    (manifest,) = await pull.pull_province(where, night, centre, halted=halted)
    return manifest


async def test_what_was_held_before_many_nights_off_is_undone_by_the_next_walk(store: Database) -> None:
    await snapshot(store, 1, [ROWS])
    await snapshot(store, 2, [FEWER], state=State.HELD)
    nights_off = range(3, 3 + 2 * LATE_RUNS)
    for run in nights_off:
        assert (await pulled(store, run, OFF)).verdict is Verdict.UNREGISTERED
    manifest = await pulled(store, nights_off.stop, province(CMC))
    assert manifest.verdict is Verdict.PROVEN
    assert (await get_manifest(store, 2, CMC, "ua_org")).state is State.ROLLED_BACK
    assert await collected(export(store, manifest)) == ROWS


@pytest.mark.parametrize("broken_off", ["collecting", "rolling-back"])
async def test_a_walk_that_was_broken_off_is_undone_when_its_run_goes_on_without_it(
    store: Database, broken_off: str
) -> None:
    await snapshot(store, 1, [ROWS])
    versions = await everything(store, "ua_org")
    night = Night(store, 2)
    await night.begin()
    await night.take(FEWER)
    await store["snapshots"].update_one({"run": 2}, {"$set": {"state": broken_off}})
    assert (await pulled(store, 2, OFF, resumed=True)).verdict is Verdict.UNREGISTERED
    assert await everything(store, "ua_org") == versions
    assert (await pulled(store, 3, province(CMC))).verdict is Verdict.PROVEN


async def test_a_page_that_comes_when_its_run_has_gone_on_without_it_is_taken_back(store: Database) -> None:
    await snapshot(store, 1, [ROWS])
    versions = await everything(store, "ua_org")

    async def resumed_by_another() -> None:
        await pulled(store, 2, OFF, resumed=True)

    wire = Tripwire(store, at=0, mode="pause", paused=resumed_by_another)
    stale = Night(wire.database, 2)
    await stale.begin()
    wire.at = wire.writes + 1
    with pytest.raises(StoreLost, match="another crawl"):
        await stale.take(FEWER)
    assert await everything(store, "ua_org") == versions


async def test_what_is_held_waits_for_the_operator_while_a_run_goes_on_without_it(store: Database) -> None:
    await snapshot(store, 1, [ROWS])
    await snapshot(store, 2, [FEWER], state=State.HELD)
    await pulled(store, 3, OFF, resumed=True)
    held = await get_manifest(store, 2, CMC, "ua_org")
    assert held.state is State.HELD
    assert await collected(export(store, held)) == FEWER
