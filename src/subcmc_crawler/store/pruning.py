"""Gives back the space of nights that are kept no longer.

What is removed follows from what stays, and from nothing else: the kept runs, and the snapshots that were in force
when the oldest of them ended. So every step may be done twice, and what a crash between any two leaves is found by
the next prune. What names a snapshot goes first and what it is made of afterwards: nobody reads half of one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from pymongo import DESCENDING

from subcmc_crawler.errors import NotFound
from subcmc_crawler.model import OPEN_END, State
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store.driver import Database
from subcmc_crawler.store.ids import manifest_id, versions_after
from subcmc_crawler.store.outlines import in_force
from subcmc_crawler.store.undoing import LATE_RUNS, UNSETTLED, roll_back_unsettled

_BATCH: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What a prune removed, in documents; `held` of the snapshots waited for an operator."""

    oldest: int  # the first run that is kept
    runs: int
    snapshots: int
    held: int
    versions: Mapping[str, int]  # by dataset
    ledger: int
    quarantine: int
    references: int
    comparisons: int


async def prune(db: Database, keep_runs: int, *, dry_run: bool = False) -> Pruned:
    """Removes what none of the last `keep_runs` runs, at least one, can see; call it under the lease alone.

    Stays: the snapshot of each cell that was in force in the oldest kept run, with its manifest, ledger and
    quarantine, however old it is; and the ledger of a walk by whose pages the order of a later one is told. A held
    snapshot of a run that goes is given up. With `dry_run`, counts and removes nothing.

    NotFound when there is no run.
    """
    oldest, newest = await _kept_runs(db, keep_runs)
    held = {"run": {"$lt": oldest}, "state": State.HELD.value}
    given_up = await db["snapshots"].count_documents(held)
    staged = await _undo_unsettled(db, oldest, dry_run=dry_run)
    heads = await in_force(db, oldest)  # none comes from now on: nothing is left that could be accepted
    kept = sorted(identity for identity in heads if identity < f"{oldest:08d}")
    models = await _models(db, kept, oldest)
    remove = partial(_remove, db, dry_run=dry_run)
    return Pruned(
        oldest=oldest,
        held=given_up,
        runs=await remove("runs", [{"_id": {"$lt": oldest}}]),
        snapshots=await remove("snapshots", [_manifests(kept, oldest, newest)]),
        versions={code: staged[code] + await remove(code, _ended(heads, code)) for code in DATASETS},
        ledger=await remove("ledger", _between(sorted({*kept, *models}), oldest)),
        quarantine=await remove("quarantine", _between(kept, oldest)),
        references=await remove("references", _between([], oldest)),
        comparisons=await remove("comparisons", _between([], oldest)),
    )


async def _kept_runs(db: Database, keep_runs: int) -> tuple[int, int]:
    """The oldest and the newest of the runs that are kept."""
    found = db["runs"].find({}, {"_id": 1}, sort=[("_id", DESCENDING)], limit=keep_runs)
    numbers = [run["_id"] async for run in found]
    if not numbers:
        raise NotFound("there is no run yet, so that there is nothing to prune")
    return numbers[-1], numbers[0]


async def _models(db: Database, kept: Sequence[str], oldest: int) -> set[str]:
    """The manifests before `oldest` by whose pages the order of what stays is told."""
    stays = {"likeRun": {"$lt": oldest}, "$or": [{"run": {"$gte": oldest}}, {"_id": {"$in": kept}}]}
    found = db["snapshots"].find(stays, {"likeRun": 1, "cmcId": 1, "dataset": 1})
    return {manifest_id(each["likeRun"], each["cmcId"], each["dataset"]) async for each in found}


async def _undo_unsettled(db: Database, oldest: int, *, dry_run: bool) -> Counter[str]:
    """Undoes what runs before `oldest` neither published nor undid; how many versions that removes, by dataset."""
    unsettled = {"run": {"$lt": oldest}, "state": {"$in": UNSETTLED}}
    found = db["snapshots"].find(unsettled, {"run": 1, "cmcId": 1, "dataset": 1})
    staged = [(each["run"], each["cmcId"], each["dataset"]) async for each in found]
    removed: Counter[str] = Counter()
    for run, cmc_id, code in staged:
        removed[code] += await db[code].count_documents(versions_after(cmc_id, run - 1, run))
    for _, cmc_id, code in staged if not dry_run else ():
        await roll_back_unsettled(db, code, cmc_id, oldest - 1)
    return removed


def _manifests(kept: Sequence[str], oldest: int, newest: int) -> dict[str, Any]:
    """The manifests that go.

    One of the last runs that was undone stays: a crawl that was paused past its lease may still write, and a later
    run undoes once more what it finds marked so.
    """
    undone = {"state": {"$in": [State.ROLLED_BACK.value, *UNSETTLED]}, "run": {"$gt": newest - LATE_RUNS}}
    return {"run": {"$lt": oldest}, "_id": {"$nin": kept}, "$nor": [undone]}


def _ended(heads: Iterable[str], dataset: str) -> Iterator[dict[str, Any]]:
    """The versions of a dataset that ended no later than with the run of the oldest snapshot that is kept."""
    for identity in heads:
        run, cmc_id, code = identity.split("/")
        if code == dataset:
            # the second bound lets MongoDB use the index of versions that have ended
            yield {"cmcId": cmc_id, "to": {"$lte": int(run), "$lt": OPEN_END}}


def _between(kept: Iterable[str], oldest: int) -> Iterator[dict[str, Any]]:
    """The entries of runs before `oldest`, as ranges that leave out those of the manifests `kept`, in their order."""
    start = ""
    for identity in kept:
        yield {"_id": {"$gte": start, "$lt": f"{identity}/"}}
        start = f"{identity}0"  # "0" follows "/"
    yield {"_id": {"$gte": start, "$lt": f"{oldest:08d}"}}


async def _remove(db: Database, name: str, wanted: Iterable[dict[str, Any]], *, dry_run: bool) -> int:
    """Removes documents, at most so many at once that a write stays short; how many there were."""
    removed = 0
    for each in wanted:
        if dry_run:
            removed += await db[name].count_documents(each)
            continue
        while batch := [found["_id"] async for found in db[name].find(each, {"_id": 1}, limit=_BATCH)]:
            removed += (await db[name].delete_many({"_id": {"$in": batch}})).deleted_count
    return removed
