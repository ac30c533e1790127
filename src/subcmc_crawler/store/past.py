"""What a walk must know of the nights before it, by one question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pymongo import DESCENDING

from subcmc_crawler.model import Manifest, State
from subcmc_crawler.store.codec import manifest_of
from subcmc_crawler.store.driver import Database
from subcmc_crawler.store.outlines import OUTLINE
from subcmc_crawler.store.undoing import LATE_RUNS, UNSETTLED

_SEEN: Final = LATE_RUNS + 2
_FIELDS: Final = {
    **OUTLINE,
    **dict.fromkeys(("pageSize", "clamped", "storedPass", "likeRun", "likePass"), 1),
}


@dataclass(frozen=True, slots=True)
class Past:
    """The last manifests of a cell in outline, the latest first; `whole` when there are no older ones."""

    dataset: str
    cmc_id: str
    manifests: Sequence[Manifest]
    whole: bool

    @property
    def latest(self) -> Manifest | None:
        """The last one, whatever became of it."""
        return self.manifests[0] if self.manifests else None

    def is_settled_before(self, run: int) -> bool:
        """Whether no run has left anything to undo, this one included, and none may have written late.

        What is not seen here is settled where a published walk is: that has undone what lay before it. Nights in
        which the cell was switched off have not.
        """
        seen = self.whole or any(each.state is State.PUBLISHED for each in self.manifests)
        return seen and all(
            each.run < run
            and each.state.value not in UNSETTLED
            and (each.state is not State.ROLLED_BACK or each.run < run - LATE_RUNS)
            for each in self.manifests
        )

    async def in_force(self, db: Database) -> Manifest | None:
        """The snapshot that was published last."""
        known = (each for each in self.manifests if each.state is State.PUBLISHED)
        return next(known, None) or await self._older(db, {"state": State.PUBLISHED.value})

    async def walked(self, db: Database) -> Manifest | None:
        """The last walk in which a page came."""
        known = (each for each in self.manifests if each.page_size is not None)
        return next(known, None) or await self._older(db, {"pageSize": {"$ne": None}})

    async def _older(self, db: Database, wanted: Mapping[str, Any]) -> Manifest | None:
        if self.whole:
            return None
        cell = {"cmcId": self.cmc_id, "dataset": self.dataset, "run": {"$lt": self.manifests[-1].run}}
        found = await db["snapshots"].find_one({**cell, **wanted}, _FIELDS, sort=[("run", DESCENDING)])
        return manifest_of(found) if found else None


async def look_back(db: Database, dataset: str, cmc_id: str) -> Past:
    """The past of a cell."""
    cell = {"cmcId": cmc_id, "dataset": dataset}
    found = db["snapshots"].find(cell, _FIELDS, sort=[("run", DESCENDING)], limit=_SEEN)
    manifests = [manifest_of(document) async for document in found]
    return Past(dataset, cmc_id, manifests, whole=len(manifests) < _SEEN)
