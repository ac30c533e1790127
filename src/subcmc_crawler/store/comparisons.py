"""What came of comparing pushes with pulls: one document a (run, province, dataset), and the records to compare."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from subcmc_crawler.errors import StoreLost
from subcmc_crawler.model import Comparison, Manifest, State
from subcmc_crawler.store.codec import comparison_of, decode_record, to_document
from subcmc_crawler.store.driver import Database
from subcmc_crawler.store.ids import manifest_id, run_of_ledger
from subcmc_crawler.store.runs import published_as_of

_BATCH: Final = 2_000
_COMPARABLE: Final = (State.PUBLISHED, State.HELD)


async def snapshot_to_compare(db: Database, manifest: Manifest) -> Manifest | None:
    """The manifest of what was pulled: this one where its snapshot is published or held, else the one in force."""
    if manifest.state in _COMPARABLE:
        return manifest
    return await published_as_of(db, manifest.run, manifest.cmc_id, manifest.dataset)


async def records_by_key(db: Database, manifest: Manifest) -> AsyncIterator[tuple[str, Any]]:
    """Every key of a snapshot with its record, in the order of the keys."""
    held = {"cmcId": manifest.cmc_id, "from": {"$lte": manifest.run}, "to": {"$gt": manifest.run}}
    found = db[manifest.dataset].find(held, {"_id": 0, "key": 1, "record": 1}, batch_size=_BATCH)
    async for version in found.sort("key").hint("version"):
        yield version["key"], decode_record(version["record"])


async def write_comparison(db: Database, comparison: Comparison, *, fence: int) -> None:
    """Keeps it, in place of an earlier one of the same run, and its `pushed` in the manifest.

    StoreLost when a crawl with a later lease was here.
    """
    identity = manifest_id(comparison.run, comparison.cmc_id, comparison.dataset)
    document = {**to_document(comparison), "_id": identity, "fence": fence}
    mine = {"_id": identity, "fence": {"$lte": fence}}
    try:
        await db["comparisons"].replace_one(mine, document, upsert=True)
    except DuplicateKeyError:
        raise StoreLost(f"{identity}: another crawl has taken over this run") from None
    await db["snapshots"].update_one({"_id": identity}, {"$set": {"counts.pushed": comparison.pushed}})


async def find_comparison(db: Database, run: int, cmc_id: str, dataset: str) -> Comparison | None:
    """What was kept for one cell of a run, None when nothing was."""
    found = await db["comparisons"].find_one({"_id": manifest_id(run, cmc_id, dataset)})
    return comparison_of(found) if found else None


async def comparisons_of_run(db: Database, run: int) -> dict[tuple[str, str], Comparison]:
    """What was kept for the cells of a run, by cmcId and dataset."""
    found = db["comparisons"].find(run_of_ledger(run))
    return {(each["cmcId"], each["dataset"]): comparison_of(each) async for each in found}
