"""How the shards of a night find the run that they have in common, and how the last of them ends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from pymongo import DESCENDING, ReturnDocument
from pymongo.errors import DuplicateKeyError

from subcmc_crawler.errors import NotFound, StoreLost, TryLater
from subcmc_crawler.model import RunRecord, RunStatus, Shard, Shards
from subcmc_crawler.store.codec import run_of
from subcmc_crawler.store.driver import Database
from subcmc_crawler.store.lease import Lease, note_run, others_at
from subcmc_crawler.store.runs import begin_run, get_run


async def join_run(
    db: Database, lease: Lease, opening: RunRecord, shard: Shard, since: datetime
) -> RunRecord:
    """The run that this shard is part of from now on; `opening` is begun where there is none. First match wins.

    ==  ================================================================  ====================================
    1   the last run is running, in as many shards, over the same         it is joined
        selection of the same registry, began not before `since`, and
        this shard has not joined it yet
    2   the last run is running, and another shard is at work on it       TryLater
    3   otherwise                                                         `opening` is begun; what crashed is
                                                                          left to `recover`
    ==  ================================================================  ====================================
    """
    last = await _last(db)
    for _ in range(shard.count + 1):  # as often as another shard may be faster
        if last is not None and _is_open(last, opening) and last.started_at >= since:
            await note_run(db, lease, last.number)
            if joined := await _joined(db, last.number, shard):  # 1
                return joined
        if last is not None and last.status is RunStatus.RUNNING:
            others = await others_at(db, lease, last.number)
            if others:  # 2
                raise TryLater(
                    f"run {last.number} is still going on in shard "
                    f"{', '.join(f'{number}/{shard.count}' for number in others)}: wait for it, "
                    f"or go on with it by --resume --shard {shard}"
                )
        shards = replace(opening.shards, joined=(shard.index,)) if opening.shards else None
        try:
            begun = await begin_run(
                db, replace(opening, shards=shards), after=last.number if last else 0
            )  # 3
        except DuplicateKeyError:
            last = await _last(db)
            continue
        await note_run(db, lease, begun.number)
        return begun
    raise TryLater("other crawls begin one run after the other; start this shard again")


async def rejoin_run(db: Database, lease: Lease, opening: RunRecord, shard: Shard) -> RunRecord:
    """The last run, in which this shard goes on, or begins if it never did. NotFound when there is none such."""
    last = await get_run(db)
    if last.status is RunStatus.FINISHED:
        raise NotFound(
            f"run {last.number} has finished: there is nothing to resume; start a new one without --resume"
        )
    if not _is_same(last, opening):
        raise NotFound(
            f"run {last.number} is not divided into {shard.count} shards of this registry: "
            "resume it as it was begun, or without --shard"
        )
    await note_run(db, lease, last.number)
    again: dict[str, Any] = {
        "$set": {"status": RunStatus.RUNNING.value, "finishedAt": None},
        "$addToSet": {"shards.joined": shard.index},
        "$pull": {"shards.ended": shard.index, "shards.stopped": shard.index},
    }
    unfinished = {"_id": last.number, "status": {"$ne": RunStatus.FINISHED.value}}
    found = await db["runs"].find_one_and_update(unfinished, again, return_document=ReturnDocument.AFTER)
    if found is None:
        raise NotFound(f"run {last.number} has finished in the meantime: there is nothing to resume")
    return run_of(found)


async def leave_run(db: Database, number: int, shard: Shard, status: RunStatus) -> Shards:
    """Writes down how this shard ended. StoreLost when another crawl has taken the run for crashed."""
    field = "shards.stopped" if status is RunStatus.STOPPED else "shards.ended"
    running = {"_id": number, "status": RunStatus.RUNNING.value}
    update = {"$addToSet": {field: shard.index}}
    found = await db["runs"].find_one_and_update(running, update, return_document=ReturnDocument.AFTER)
    left = run_of(found).shards if found else None
    if left is None:
        raise StoreLost(f"run {number} was taken over by another crawl before shard {shard} ended")
    return left


async def _last(db: Database) -> RunRecord | None:
    found = await db["runs"].find_one({}, sort=[("_id", DESCENDING)])
    return run_of(found) if found else None


async def _joined(db: Database, number: int, shard: Shard) -> RunRecord | None:
    """The run with this shard in it; None when it is there already, or the run has ended."""
    running = {"_id": number, "status": RunStatus.RUNNING.value, "shards.joined": {"$ne": shard.index}}
    update = {"$addToSet": {"shards.joined": shard.index}}
    found = await db["runs"].find_one_and_update(running, update, return_document=ReturnDocument.AFTER)
    return run_of(found) if found else None


def _is_open(last: RunRecord, opening: RunRecord) -> bool:
    return last.status is RunStatus.RUNNING and _is_same(last, opening)


def _is_same(last: RunRecord, opening: RunRecord) -> bool:
    """Whether both are divided alike: as many shards, over the same selection of the same registry."""
    mine, theirs = opening.shards, last.shards
    return (
        mine is not None
        and theirs is not None
        and (theirs.count, theirs.registry, last.selection) == (mine.count, mine.registry, opening.selection)
    )
