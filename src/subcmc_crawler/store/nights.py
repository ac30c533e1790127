"""What the ledger holds of a whole run, in one query instead of several a cell."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from pymongo import ASCENDING

from subcmc_crawler.model import Attempt
from subcmc_crawler.store.driver import Database, Document
from subcmc_crawler.store.ids import run_of_ledger
from subcmc_crawler.store.runs import attempt_of

_WORTH_TELLING = {"$or": [{"kind": "page"}, {"fault": {"$ne": None}}, {"number": {"$gt": 1}}]}


@dataclass(slots=True)
class WalkEntries:
    """The pages of a walk without their keys, and its requests that failed or were sent again."""

    pages: list[Document] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)


async def ledger_of_run(db: Database, run: int) -> dict[tuple[str, str], WalkEntries]:
    """The walks of a run by cmcId and dataset, each in the order in which its pages were taken."""
    walks: dict[tuple[str, str], WalkEntries] = defaultdict(WalkEntries)
    wanted = {**run_of_ledger(run), **_WORTH_TELLING}
    left_out = {"keys": 0, "times": 0, "content": 0}
    async for entry in db["ledger"].find(wanted, left_out, sort=[("_id", ASCENDING)]):
        walk = walks[entry["cmcId"], entry["dataset"]]
        if entry["kind"] == "page":
            walk.pages.append(entry)
        elif entry["kind"] == "attempt":
            walk.attempts.append(attempt_of(entry))
    return walks
