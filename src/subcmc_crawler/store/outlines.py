"""Many nights at a glance: manifests in outline, and which snapshots are in force."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING

from subcmc_crawler.model import Counts, Manifest, State, Verdict
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store.batches import batches
from subcmc_crawler.store.codec import manifest_of
from subcmc_crawler.store.driver import Database, Document, aggregated
from subcmc_crawler.store.ids import manifest_id

OUTLINE: Final = dict.fromkeys(
    (
        *("run", "cmcId", "province", "dataset", "state", "verdict", "base", "seconds"),
        *("startedAt", "finishedAt", "accepted", "counts", "digest"),
    ),
    1,
) | {"_id": 0}
"""What is kept of a manifest where hundreds of its like are read; all else has its default."""

_MARK: Final = (
    *("run", "cmcId", "province", "dataset", "state", "verdict", "base"),
    *("counts.declared", "counts.received"),
)
_SUMMED: Final = ("declared", "received", "stored", "added", "changed", "removed", "flagged", "quarantined")
_WORK: Final = (
    *("run", "cmcId", "province", "dataset", "state", "verdict", "base"),
    *("attempts", "bytes", "seconds", "restSeconds"),
    *(f"counts.{name}" for name in _SUMMED),
)
_VERDICTS: Final[dict[str | None, Verdict]] = {verdict.value: verdict for verdict in Verdict}
_STATES: Final = {state.value: state for state in State}


async def outlines(
    db: Database, first: int, last: int, cells: Mapping[str, Collection[str]] | None = None
) -> list[Manifest]:
    """Verdict, state, base and rows of every cell of the runs from `first` to `last`, the newest run first.

    `cells` are the datasets that are wanted, by cmcId; None means all.
    """
    wanted: dict[str, Any] = {"run": {"$gte": first, "$lte": last}}
    if cells is not None:
        if not cells:
            return []
        wanted = {
            "$or": [
                {"cmcId": cmc_id, "dataset": {"$in": list(datasets)}, **wanted}
                for cmc_id, datasets in cells.items()
            ]
        }
    found = [_mark(each) async for some in batches(db["snapshots"], wanted, *_MARK) for each in some]
    return sorted(found, key=lambda each: -each.run)


def _mark(document: Document) -> Manifest:
    counts = document["counts"]
    return _cell(document, Counts(declared=counts["declared"], received=counts["received"]))


def _cell(document: Document, counts: Counts, **work: Any) -> Manifest:
    """By hand, because a page reads thousands of them."""
    return Manifest(
        run=document["run"],
        cmc_id=document["cmcId"],
        province=document["province"],
        dataset=document["dataset"],
        state=_STATES[document["state"]],
        verdict=_VERDICTS.get(document["verdict"]),
        base=document["base"],
        counts=counts,
        **work,
    )


async def work_of_run(db: Database, run: int) -> list[Manifest]:
    """What each cell of a run came to and what it cost, by province and dataset; all else has its default."""
    found = batches(db["snapshots"], {"run": run}, *_WORK)
    worked = [_worked(each) async for some in found for each in some]
    return sorted(worked, key=lambda each: (each.cmc_id, each.dataset))


def _worked(document: Document) -> Manifest:
    counts = document["counts"]
    return _cell(
        document,
        Counts(**{name: counts[name] for name in _SUMMED}),
        attempts=document["attempts"],
        bytes=document["bytes"],
        seconds=document["seconds"],
        rest_seconds=document["restSeconds"],
    )


async def outlines_of_run(db: Database, run: int, cmc_ids: Collection[str] | None = None) -> list[Manifest]:
    """The manifests of a run in outline, of all provinces or of some, by province and dataset."""
    wanted: dict[str, Any] = {"run": run}
    if cmc_ids is not None:
        wanted = {
            "_id": {"$in": [manifest_id(run, each, dataset) for each in cmc_ids for dataset in DATASETS]}
        }
    found = db["snapshots"].find(wanted, OUTLINE, sort=[("_id", ASCENDING)])
    return [manifest_of(document) async for document in found]


async def in_force(db: Database, run: int | None = None, cmc_id: str | None = None) -> list[str]:
    """The identifiers of the last published manifest of every cell, as of `run` or as of now, by dataset."""
    return [manifest_id(newest, owner, dataset) for owner, dataset, newest in await _newest(db, run, cmc_id)]


async def oldest_in_force(db: Database) -> dict[str, int]:
    """The run of the oldest snapshot in force of every province that has one, by cmcId."""
    oldest: dict[str, int] = {}
    for cmc_id, _, run in await _newest(db):
        oldest[cmc_id] = min(run, oldest.get(cmc_id, run))
    return oldest


async def _newest(
    db: Database, run: int | None = None, cmc_id: str | None = None
) -> list[tuple[str, str, int]]:
    """CmcId, dataset and run of the last published manifest of every cell.

    Reads the keys of the index `head` alone.
    """
    published: dict[str, Any] = {"state": State.PUBLISHED.value}
    if cmc_id is not None:
        published["cmcId"] = cmc_id
    if run is not None:
        published["run"] = {"$lte": run}
    found = []
    for dataset in DATASETS:
        pipeline = [
            {"$match": {"dataset": dataset, **published}},
            {"$sort": {"cmcId": ASCENDING, "run": DESCENDING}},
            {"$group": {"_id": "$cmcId", "run": {"$first": "$run"}}},
        ]
        newest = await (await aggregated(db["snapshots"], pipeline)).to_list(None)
        found += [(each["_id"], dataset, each["run"]) for each in newest]
    return found


async def heads_in_outline(db: Database, run: int | None = None, cmc_id: str | None = None) -> list[Manifest]:
    """The snapshot in force of every cell that has one, in outline, as of `run` or as of now, in no order."""
    wanted = {"_id": {"$in": await in_force(db, run, cmc_id)}}
    return [manifest_of(document) async for document in db["snapshots"].find(wanted, OUTLINE)]


async def published_at(db: Database) -> list[tuple[str, str, int, datetime | None]]:
    """cmcId, dataset, run and end of the walk of every snapshot in force."""
    wanted = {"_id": {"$in": await in_force(db)}}
    kept = ("cmcId", "dataset", "run", "finishedAt")
    return [
        (each["cmcId"], each["dataset"], each["run"], each["finishedAt"])
        async for some in batches(db["snapshots"], wanted, *kept)
        for each in some
    ]
