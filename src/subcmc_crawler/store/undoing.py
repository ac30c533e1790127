"""Undoes what runs staged and did not publish. Every step may be done twice."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from pymongo import DESCENDING

from subcmc_crawler.model import OPEN_END, Manifest, State
from subcmc_crawler.store.codec import manifest_of
from subcmc_crawler.store.driver import Database
from subcmc_crawler.store.ids import versions_after

UNSETTLED: Final = [State.COLLECTING.value, State.HELD.value, State.ROLLING_BACK.value]
LATE_RUNS: Final = 10


async def undo_late_writes(db: Database, dataset: str, cmc_id: str, before: int) -> None:
    """Undoes once more the runs before this one that were rolled back lately.

    A crawl that was paused past its lease may have written one batch after that, and died.
    """
    lately = {"$gte": before - LATE_RUNS, "$lt": before}
    wanted = {"cmcId": cmc_id, "dataset": dataset, "run": lately, "state": State.ROLLED_BACK.value}
    for run in [manifest["run"] async for manifest in db["snapshots"].find(wanted, {"run": 1})]:
        await reset(db, dataset, cmc_id, run - 1, run)


async def take_back_run(db: Database, run: int, cmc_ids: Collection[str]) -> None:
    """Undoes what a crawl wrote of these provinces after another one had rolled it back; what is published stays."""
    undone = {
        "run": run,
        "cmcId": {"$in": list(cmc_ids)},
        "state": {"$in": [State.ROLLING_BACK.value, State.ROLLED_BACK.value]},
    }
    async for manifest in db["snapshots"].find(undone, {"cmcId": 1, "dataset": 1}):
        await reset(db, manifest["dataset"], manifest["cmcId"], run - 1, run)


async def reset(db: Database, dataset: str, cmc_id: str, base: int, upto: int) -> None:
    """Undoes what the runs after `base` up to `upto` did to the versions of a province; harmless when done.

    Bounded above, since a crawl that was paused may come here when a later one has published.
    """
    await db[dataset].delete_many(versions_after(cmc_id, base, upto))
    reopened = {"cmcId": cmc_id, "to": {"$gt": base, "$lte": upto, "$lt": OPEN_END}}
    await db[dataset].update_many(reopened, {"$set": {"to": OPEN_END}})


async def roll_back_unsettled(db: Database, dataset: str, cmc_id: str, upto: int) -> Manifest | None:
    """Undoes every snapshot of a cell, up to run `upto`, that is neither published nor undone.

    Gives the published one in force. The manifests are marked first: from then on neither `accept` nor a crawl
    that lost its lease can publish them.
    """
    cell = {"cmcId": cmc_id, "dataset": dataset, "run": {"$lte": upto}}
    unsettled = {**cell, "state": {"$in": UNSETTLED}}
    await db["snapshots"].update_many(unsettled, {"$set": {"state": State.ROLLING_BACK.value}})
    base = await db["snapshots"].find_one(
        {**cell, "state": State.PUBLISHED.value}, sort=[("run", DESCENDING)]
    )
    await reset(db, dataset, cmc_id, base["run"] if base else 0, upto)
    undone = {**cell, "state": State.ROLLING_BACK.value}
    await db["snapshots"].update_many(undone, {"$set": {"state": State.ROLLED_BACK.value}})
    return manifest_of(base) if base else None
