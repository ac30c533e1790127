"""What only those ask who look on: the dashboard and its pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING

from subcmc_crawler.model import Attempt, Manifest, RunRecord
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store.codec import manifest_of, run_of
from subcmc_crawler.store.driver import Database, Document
from subcmc_crawler.store.ids import ledger_of, ledger_of_province, manifest_id
from subcmc_crawler.store.runs import attempt_of


async def find_run(db: Database, number: int) -> RunRecord | None:
    """A run, None when there is no such one."""
    found = await db["runs"].find_one({"_id": number})
    return run_of(found) if found else None


async def manifests_of_province(db: Database, run: int, cmc_id: str) -> list[Manifest]:
    """The manifests of one province in a run, in full, in the order of the datasets."""
    wanted = {"_id": {"$in": [manifest_id(run, cmc_id, dataset) for dataset in DATASETS]}}
    columns = {code: rank for rank, code in enumerate(DATASETS)}
    found = [manifest_of(document) async for document in db["snapshots"].find(wanted)]
    return sorted(found, key=lambda each: columns[each.dataset])


async def repeated_attempts(db: Database, run: int, cmc_id: str) -> list[tuple[str, Attempt]]:
    """The requests of a province in a run that were not the first for their page, each with its dataset."""
    wanted = {**ledger_of_province(run, cmc_id), "kind": "attempt", "number": {"$gt": 1}}
    return [(entry["dataset"], attempt_of(entry)) async for entry in db["ledger"].find(wanted)]


async def neighbours(db: Database, run: int) -> tuple[int | None, int | None]:
    """The numbers of the runs before and after."""
    before = await db["runs"].find_one({"_id": {"$lt": run}}, {"_id": 1}, sort=[("_id", DESCENDING)])
    after = await db["runs"].find_one({"_id": {"$gt": run}}, {"_id": 1}, sort=[("_id", ASCENDING)])
    return (before["_id"] if before else None), (after["_id"] if after else None)


async def known_provinces(db: Database) -> dict[str, str]:
    """The names of the provinces of the last run over all of them, and of the last run, by cmcId."""
    known: dict[str, str] = {}
    whole: dict[str, Any] = {"selection": []}
    for wanted in (whole, {}):
        last = await db["runs"].find_one(wanted, {"_id": 1}, sort=[("_id", DESCENDING)])
        if last is not None:
            found = db["snapshots"].find({"run": last["_id"]}, {"_id": 0, "cmcId": 1, "province": 1})
            known |= {each["cmcId"]: each["province"] async for each in found}
    return known


async def last_page(db: Database, manifest: Manifest) -> Document | None:
    """The newest page of a walk in the ledger, without its keys; None before the first one came."""
    found = db["ledger"].find(
        {**ledger_of(manifest.run, manifest.cmc_id, manifest.dataset), "kind": "page"},
        {"keys": 0, "times": 0},
        sort=[("_id", DESCENDING)],
        limit=1,
    )
    return await anext(aiter(found), None)


async def resting(db: Database) -> dict[str, datetime]:
    """Until when provinces rest, by cmcId; the time may be past."""
    return {rest["_id"]: rest["until"] async for rest in db["rests"].find({})}


async def lease_is_free(db: Database) -> bool:
    """Whether no crawl holds the lease now, by MongoDB's own clock."""
    held = {"$expr": {"$gte": ["$expiresAt", "$$NOW"]}}
    return await db["leases"].find_one(held, {"_id": 1}) is None
