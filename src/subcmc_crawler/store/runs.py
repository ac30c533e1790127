"""Runs and manifests: what happened, night by night."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING, ReplaceOne

from subcmc_crawler.errors import NotFound, TryLater
from subcmc_crawler.model import Acceptance, Attempt, Manifest, RunRecord, RunStatus, State
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store.cellgroups import grouped
from subcmc_crawler.store.codec import manifest_of, run_of, to_document
from subcmc_crawler.store.counting import stored_as_of
from subcmc_crawler.store.driver import Database, Document, aggregated
from subcmc_crawler.store.ids import ledger_of, ledger_of_province, manifest_id
from subcmc_crawler.store.outlines import OUTLINE, in_force
from subcmc_crawler.store.undoing import roll_back_unsettled

_UNDER_WAY: Final = [State.COLLECTING.value, State.ROLLING_BACK.value]


async def begin_run(db: Database, run: RunRecord, after: int | None = None) -> RunRecord:
    """The run with the next number, written down as running.

    The next one `after` the run that the caller has seen last, if given: DuplicateKeyError when another was faster.
    """
    if after is None:
        last = await db["runs"].find_one({}, {"_id": 1}, sort=[("_id", DESCENDING)])
        after = last["_id"] if last else 0
    numbered = replace(run, number=after + 1)
    document = to_document(numbered)
    document["_id"] = document.pop("number")
    await db["runs"].insert_one(document)
    return numbered


async def reopen_run(db: Database) -> RunRecord:
    """The last run, running again; NotFound when it came to its end, so that there is nothing to resume."""
    last = await get_run(db)
    if last.status is RunStatus.FINISHED:
        raise NotFound(
            f"run {last.number} has finished: there is nothing to resume; start a new one without --resume"
        )
    running = {"status": RunStatus.RUNNING.value, "finishedAt": None, "shards": None}
    await db["runs"].update_one({"_id": last.number}, {"$set": running})
    return replace(last, shards=None)  # all of it goes on in one process


async def finish_run(db: Database, number: int, status: RunStatus, at: datetime) -> RunRecord:
    """Closes a run with its summary, counted from its manifests."""
    summary = summary_of(await manifests_of(db, number))
    closing = {"status": status.value, "finishedAt": at, "summary": to_document(summary)}
    await db["runs"].update_one({"_id": number}, {"$set": closing})
    return await get_run(db, number)


async def add_cpu(db: Database, number: int, seconds: float) -> None:
    """Adds CPU time that a process has spent on a run."""
    await db["runs"].update_one({"_id": number}, {"$inc": {"cpuSeconds": round(seconds, 3)}})


def summary_of(manifests: Iterable[Manifest]) -> dict[str, int]:
    """How many cells have each verdict."""
    return dict(Counter(str(manifest.verdict) for manifest in manifests if manifest.verdict))


async def claim_alert(db: Database, number: int, at: datetime) -> bool:
    """Takes it upon the caller to send the digest of a run: True for the first one who asks, ever."""
    unclaimed = {"_id": number, "alertedAt": None}
    return (await db["runs"].update_one(unclaimed, {"$set": {"alertedAt": at}})).matched_count == 1


async def add_notices(db: Database, number: int, notices: Sequence[str]) -> None:
    """Lines that every report of the run repeats from now on; one that is there already is not doubled."""
    await db["runs"].update_one({"_id": number}, {"$addToSet": {"notices": {"$each": list(notices)}}})


async def recover(db: Database, before: int) -> list[int]:
    """Undoes what crashed runs left behind, and marks them; gives their numbers.

    Held snapshots are left alone: they wait for the operator, or for the next walk of their cell.
    """
    left = {"run": {"$lt": before}, "state": {"$in": _UNDER_WAY}}
    async for manifest in db["snapshots"].find(left, {"cmcId": 1, "dataset": 1}):
        await roll_back_unsettled(db, manifest["dataset"], manifest["cmcId"], before - 1)
    running = {"_id": {"$lt": before}, "status": RunStatus.RUNNING.value}
    crashed = [run["_id"] async for run in db["runs"].find(running, {"_id": 1})]
    await db["runs"].update_many(running, {"$set": {"status": RunStatus.CRASHED.value}})
    return crashed


async def abandon(db: Database, manifests: Sequence[Manifest]) -> None:
    """Writes down walks that were broken off or kept from beginning, and undoes what they staged.

    A cell that has its verdict already keeps it.
    """
    for manifest in manifests:
        identity = manifest_id(manifest.run, manifest.cmc_id, manifest.dataset)
        found = await db["snapshots"].find_one({"_id": identity}, {"state": 1, "verdict": 1})
        if found and found["state"] not in _UNDER_WAY:
            continue
        if found:
            await roll_back_unsettled(db, manifest.dataset, manifest.cmc_id, manifest.run)
        if not found or found["verdict"] is None:
            await write_manifest(db, manifest)


async def get_run(db: Database, number: int | None = None) -> RunRecord:
    """A run, the last one when no number is given; NotFound names those that there are."""
    if number is not None:
        found = await db["runs"].find_one({"_id": number})
    else:
        found = await db["runs"].find_one({}, sort=[("_id", DESCENDING)])
    if found is not None:
        return run_of(found)
    last = await db["runs"].find_one({}, {"_id": 1}, sort=[("_id", DESCENDING)])
    if last is None:
        raise NotFound("there is no run yet: start one with `subcmc crawl`")
    raise NotFound(f"there is no run {number}; the last one is {last['_id']}")


async def list_runs(db: Database, limit: int) -> list[RunRecord]:
    """The last runs, newest first."""
    return [run_of(found) async for found in db["runs"].find({}, sort=[("_id", DESCENDING)], limit=limit)]


async def manifests_of(db: Database, run: int, cmc_id: str | None = None) -> list[Manifest]:
    """All manifests of a run, or those of one province, by province and dataset."""
    wanted = {"run": run} if cmc_id is None else ledger_of_province(run, cmc_id)
    found = db["snapshots"].find(wanted, sort=[("_id", ASCENDING)])
    return [manifest_of(document) async for document in found]


async def unsettled_of(db: Database, run: int) -> list[Manifest]:
    """The manifests of a run whose walks are under way, or were when it crashed."""
    found = db["snapshots"].find({"run": run, "state": {"$in": _UNDER_WAY}}, sort=[("_id", ASCENDING)])
    return [manifest_of(document) async for document in found]


async def earlier_manifests(db: Database, run: int, runs: int = 7) -> list[Manifest]:
    """The manifests of the runs before `run` in outline, as many as are worth looking back to."""
    earlier = {"run": {"$gte": run - runs, "$lt": run}}
    return [manifest_of(document) async for document in db["snapshots"].find(earlier, OUTLINE)]


async def past_of_cell(db: Database, manifest: Manifest, runs: int) -> list[Manifest]:
    """The manifests of the same cell in the `runs` runs before, in outline, the latest first."""
    earlier = {"$gte": manifest.run - runs, "$lt": manifest.run}
    wanted = {"cmcId": manifest.cmc_id, "dataset": manifest.dataset, "run": earlier}
    found = db["snapshots"].find(wanted, OUTLINE, sort=[("run", DESCENDING)])
    return [manifest_of(document) async for document in found]


async def last_whole_run(db: Database) -> RunRecord | None:
    """The last run over all provinces and datasets that came to its end."""
    whole = {"status": RunStatus.FINISHED.value, "selection": []}
    found = await db["runs"].find_one(whole, sort=[("_id", DESCENDING)])
    return run_of(found) if found else None


async def measured_runs(db: Database, runs: int = 7) -> list[tuple[RunRecord, list[Manifest]]]:
    """The last runs that came to their end, the newest first, each with its manifests: what a forecast rests on."""
    finished = db["runs"].find({"status": RunStatus.FINISHED.value}, sort=[("_id", DESCENDING)], limit=runs)
    return [(run, await manifests_of(db, run.number)) for run in [run_of(found) async for found in finished]]


async def past_durations(db: Database, *, runs: int = 7, before: int | None = None) -> dict[str, float]:
    """How many seconds the pull of each province took when it was pulled last, by cmcId.

    Looks at the last `runs` runs over all provinces and datasets that came to their end, `before` that run if named.
    """
    whole: dict[str, Any] = {"status": RunStatus.FINISHED.value, "selection": []}
    if before is not None:
        whole["_id"] = {"$lt": before}
    found = db["runs"].find(whole, {"_id": 1}, sort=[("_id", DESCENDING)], limit=runs)
    numbers = [run["_id"] async for run in found]
    wanted = {"run": {"$in": numbers}}
    by_run = {"_id": {"run": "$run", "cmcId": "$cmcId"}, "seconds": {"$sum": "$seconds"}}
    took = sorted(await grouped(db, wanted, by_run, "run"), key=lambda each: each["_id"]["run"])
    return {each["_id"]["cmcId"]: each["seconds"] for each in took}


async def find_manifest(db: Database, run: int, cmc_id: str, dataset: str) -> Manifest | None:
    """The manifest of one cell, if that run has come to it."""
    found = await db["snapshots"].find_one({"_id": manifest_id(run, cmc_id, dataset)})
    return manifest_of(found) if found else None


async def last_walked(db: Database, before: int, cmc_id: str, dataset: str) -> Manifest | None:
    """The manifest of the last run in which a page of this cell came."""
    walked = {"cmcId": cmc_id, "dataset": dataset, "run": {"$lt": before}, "pageSize": {"$ne": None}}
    found = await db["snapshots"].find_one(walked, sort=[("run", DESCENDING)])
    return manifest_of(found) if found else None


async def get_manifest(db: Database, run: int, cmc_id: str, dataset: str) -> Manifest:
    """The manifest of one cell; NotFound when that run had no such cell."""
    found = await find_manifest(db, run, cmc_id, dataset)
    if found is None:
        raise NotFound(f"run {run} has no {cmc_id}/{dataset}; `subcmc report {run}` lists what it has")
    return found


async def write_manifest(db: Database, manifest: Manifest) -> None:
    """A manifest for a cell that was not walked."""
    await write_manifests(db, [manifest])


async def write_manifests(db: Database, manifests: Collection[Manifest]) -> None:
    """Manifests for cells that were not walked, by one question; again, when it was done before."""
    documents = [
        {**to_document(each), "_id": manifest_id(each.run, each.cmc_id, each.dataset)} for each in manifests
    ]
    if documents:
        written = [ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in documents]
        await db["snapshots"].bulk_write(written, ordered=False)


async def published_as_of(db: Database, run: int, cmc_id: str, dataset: str) -> Manifest | None:
    """The manifest of the snapshot that was in force in `run`: the last one published up to then."""
    wanted = {"cmcId": cmc_id, "dataset": dataset, "state": State.PUBLISHED.value, "run": {"$lte": run}}
    found = await db["snapshots"].find_one(wanted, sort=[("run", DESCENDING)])
    return manifest_of(found) if found else None


async def all_published_as_of(
    db: Database, run: int, cmc_id: str, datasets: Sequence[str]
) -> dict[str, Manifest]:
    """The same of several datasets of a province, by one question; those that had none are left out."""
    published = {"cmcId": cmc_id, "state": State.PUBLISHED.value, "run": {"$lte": run}}
    last: list[list[dict[str, Any]]] = [
        [{"$match": {**published, "dataset": each}}, {"$sort": {"run": DESCENDING}}, {"$limit": 1}]
        for each in datasets
    ]
    if not last:
        return {}
    others: list[dict[str, Any]] = [
        {"$unionWith": {"coll": "snapshots", "pipeline": each}} for each in last[1:]
    ]
    found = await aggregated(db["snapshots"], [*last[0], *others])
    return {document["dataset"]: manifest_of(document) async for document in found}


async def heads(db: Database, run: int | None = None) -> list[Manifest]:
    """The snapshot in force of every cell that has one, as of `run` or as of now."""
    wanted = {"_id": {"$in": await in_force(db, run)}}
    columns = {code: rank for rank, code in enumerate(DATASETS)}
    newest = [manifest_of(found) async for found in db["snapshots"].find(wanted)]
    return sorted(newest, key=lambda head: (head.cmc_id, columns[head.dataset]))


async def attempts_of(db: Database, manifest: Manifest) -> list[Attempt]:
    """Every request of a walk, in the order in which they ended."""
    entries = db["ledger"].find(
        ledger_of(manifest.run, manifest.cmc_id, manifest.dataset), sort=[("_id", ASCENDING)]
    )
    return [attempt_of(entry) async for entry in entries if entry["kind"] == "attempt"]


def attempt_of(entry: Mapping[str, Any]) -> Attempt:
    """A request of the ledger."""
    return Attempt(
        walk_pass=entry["pass"],
        page_num=entry["pageNum"],
        page_size=entry["pageSize"],
        number=entry["number"],
        address=entry["address"],
        status=entry["status"],
        fault=entry["fault"],
        detail=entry["detail"],
        bytes=entry["bytes"],
        milliseconds=entry["milliseconds"],
        at=entry["at"],
        rest_seconds=entry["restSeconds"],
    )


async def page_entries(db: Database, manifest: Manifest) -> list[Document]:
    """The pages of every pass of a walk, without their keys."""
    entries = db["ledger"].find(
        ledger_of(manifest.run, manifest.cmc_id, manifest.dataset),
        {"keys": 0, "times": 0},
        sort=[("_id", ASCENDING)],
    )
    return [entry async for entry in entries if entry["kind"] == "page"]


async def accept(db: Database, manifest: Manifest, *, digest: str, acceptance: Acceptance) -> Manifest:
    """Publishes a held snapshot that the operator names by its digest (at least 8 characters of it).

    What is stored is counted and digested again first. NotFound when it is not held or is another snapshot,
    TryLater when a crawl undid it in the meantime.
    """
    name = f"run {manifest.run} {manifest.cmc_id}/{manifest.dataset}"
    if manifest.state is not State.HELD:
        raise NotFound(f"{name} is {manifest.state}, not held: there is nothing to accept")
    known = manifest.digest or ""
    if len(digest) < 8 or not known.startswith(digest.lower()):
        raise NotFound(
            f"{name} has the digest {known[:12]}, not {digest}: look at it again before you accept it"
        )
    stored = await stored_as_of(db, manifest.dataset, manifest.cmc_id, manifest.run)
    if stored.digest != known:
        raise NotFound(f"{name} no longer holds what was pulled: it cannot be accepted; crawl again")
    identity = manifest_id(manifest.run, manifest.cmc_id, manifest.dataset)
    update = {"$set": {"state": State.PUBLISHED.value, "accepted": to_document(acceptance)}}
    published = await db["snapshots"].update_one({"_id": identity, "state": State.HELD.value}, update)
    if not published.matched_count:
        raise TryLater(f"{name}: a crawl has begun to replace it; look at the new report")
    return await get_manifest(db, manifest.run, manifest.cmc_id, manifest.dataset)


async def resolve_province(db: Database, name: str) -> str:
    """The cmcId of a province that has been pulled before, given as cmcId or as name."""
    found = await db["snapshots"].find_one({"$or": [{"cmcId": name}, {"province": name}]}, {"cmcId": 1})
    if found is None:
        raise NotFound(f"no province {name!r} was ever pulled; name it by its cmcId or as in the registry")
    return str(found["cmcId"])
