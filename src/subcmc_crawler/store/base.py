"""What the base holds: the snapshot to which a walk compares.

Most nights serve most rows as they were, in the order in which they were, and whether a row is what the base holds
needs no question to the versions then. The pass by which others are told keeps the hashes of its rows in the
ledger; a row of the base that it told, and of which no version has begun since, still has that hash. Every other
row is looked up. What is told here is proven when the walk ends, as everything is: what MongoDB holds is read back
and digested.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from operator import or_
from typing import Final, NamedTuple

from pymongo import ASCENDING

from subcmc_crawler.model import Manifest
from subcmc_crawler.province.page import Page
from subcmc_crawler.province.tally import Sorted, Tally, at, keys_at
from subcmc_crawler.store.awaited import Awaited
from subcmc_crawler.store.batches import batches
from subcmc_crawler.store.codec import unpack
from subcmc_crawler.store.driver import Database, Document
from subcmc_crawler.store.ids import ledger_id, ledger_of, manifest_id, page_entry, version_id, versions_after
from subcmc_crawler.store.order import Key, Model, NotAsServed, Order, hashes_of
from subcmc_crawler.store.versions import Previous

_AHEAD: Final = 200
_PAGES_AT_ONCE: Final = 4
_FAR: Final = 50_000
"""Rows of the base that may wait to be met; when more do, the order is another one, and all are looked up."""


class Differing(NamedTuple):
    """Positions of rows: what the base holds of some has to be looked up, of others it surely holds another one."""

    unsure: Sequence[int]
    changed: Sequence[int] = ()


class Base:
    """The rows of a published snapshot, as a later walk meets them.

    Those that it has not met yet are read a few pages ahead of it, `_FAR` at most, or two pages of them; without
    `ahead` none are, for a walk that does not begin at its beginning.
    """

    def __init__(self, db: Database, manifest: Manifest, *, ahead: bool = True) -> None:
        self._db = db
        self._versions = db[manifest.dataset]
        self._manifest = manifest
        self._held = {
            "cmcId": manifest.cmc_id,
            "from": {"$lte": manifest.run},
            "to": {"$gt": manifest.run},
        }
        self._ahead = ahead and bool(manifest.stored_pass)
        self._walk = (manifest.run, manifest.cmc_id, manifest.dataset, manifest.stored_pass or 0)
        self._model = Model(manifest.like_run or manifest.run, manifest.like_pass or self._walk[3])
        self._changed: set[str] | None = None  # keys of which a version has begun after the model
        # where rows conflict, a hash of the ledger need not be that of the store
        self._conflicting = manifest.counts.conflicting
        self._begin()

    def rewind(self) -> None:
        """Begins again, for another pass."""
        self._ahead = bool(self._manifest.stored_pass)
        self._begin()

    def _begin(self) -> None:
        manifest = self._manifest
        self._order = Order(self._db, self._model, manifest.cmc_id, manifest.dataset, hashes=True)
        self._awaited = Awaited()
        self._met = self._read = self._pages = 0
        self._ended = False
        self._usable = self._ahead

    async def held(self, keys: Sequence[str]) -> Previous:
        """The versions that the base holds under these keys."""
        if not keys:
            return {}
        wanted = {**self._held, "key": {"$in": list(keys)}}
        return {
            version["key"]: version
            async for versions in batches(self._versions, wanted, "key", "from", "hash")
            for version in versions
        }

    async def differing(self, page: Page, rows: Sorted) -> Differing:
        """The positions to store, without those of rows that the base surely holds as they are.

        Every row that displaced another one has to be looked up.
        """
        await self._look_ahead(len(rows.store))
        if not self._usable:
            return Differing(rows.store)
        self._met += len(rows.store)
        keys = keys_at(page, rows.store)
        differ, held = self._awaited.meet(keys, at(page.hashes, rows.store))
        if rows.displaced:
            displaced = {entry.key for entry in rows.displaced}
            differ = [*map(or_, differ, map(displaced.__contains__, keys))]
            held = [None if key in displaced else content for key, content in zip(keys, held, strict=True)]
        some = [*compress(zip(rows.store, held, strict=True), differ)]
        return Differing(
            unsure=[position for position, content in some if content is None],
            changed=[position for position, content in some if content is not None],
        )

    async def gone(self, served: Tally, *, expected: int) -> list[str]:
        """The keys of the base that were not served; from the versions where the ledger does not tell as many."""
        while self._usable and not self._ended:
            await self._read_on(0)
        gone = [key for key in self._awaited.unmet() if key not in served]
        if self._usable and len(gone) == expected:
            return gone
        return [
            version["key"]
            async for versions in batches(self._versions, self._held, "key", hint="version")
            for version in versions
            if version["key"] not in served
        ]

    async def _look_ahead(self, rows: int) -> None:
        while self._usable and not self._ended and self._read < self._met + rows + _AHEAD:
            await self._read_on(rows)

    async def _read_on(self, rows: int) -> None:
        if self._changed is None:
            self._changed = await self._changed_since_model()
        wanted = ledger_of(*self._walk, "p")
        wanted["_id"]["$gte"] = ledger_id(*self._walk, page_entry(self._pages))
        fields = {"keys": 1, "hashes": 1, "like": 1, "rows": 1}
        found = self._db["ledger"].find(wanted, fields, sort=[("_id", ASCENDING)], limit=_PAGES_AT_ONCE)
        pages = [page async for page in found]
        self._pages += len(pages)
        self._ended = len(pages) < _PAGES_AT_ONCE
        try:
            for page in pages:
                keys, hashes = await self._rows_of(page)
                self._read += len(keys)
                sure = [None] * len(keys) if self._conflicting else hashes
                self._awaited.add(keys, sure, unsure=self._changed)
        except NotAsServed:
            self._usable = False
        if len(self._awaited) > max(_FAR, 2 * rows):
            self._usable = False
        if not self._usable:
            self._awaited.clear()

    async def _rows_of(self, page: Document) -> tuple[Sequence[Key], Sequence[bytes | None]]:
        if page.get("like") is not None:
            return await self._order.rows_of(page)
        keys = unpack(page["keys"])
        return keys, hashes_of(page) or [None] * len(keys)

    async def _changed_since_model(self) -> set[str]:
        """The keys of which a version has begun after the model, up to the base."""
        manifest = self._manifest
        if self._model.run == manifest.run:
            return set()
        model = manifest_id(self._model.run, manifest.cmc_id, manifest.dataset)
        counts = await self._db["snapshots"].find_one({"_id": model}, {"counts.conflicting": 1})
        self._conflicting += counts["counts"]["conflicting"] if counts else 1
        begun = versions_after(manifest.cmc_id, self._model.run, manifest.run)
        prefix = len(version_id(manifest.cmc_id, 0, ""))
        return {
            version["_id"][prefix:]
            async for versions in batches(self._versions, begun, "_id")
            for version in versions
        }
