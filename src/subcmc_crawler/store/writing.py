"""Writes one snapshot: staged, checked, then published by one update of one manifest.

Everything is written so that it may be written twice, and so that nobody sees it before the manifest says
`published`: readers read as of published runs, and what a run stages has `from` or `to` equal to that run.
A crash between any two statements leaves a manifest in `collecting` or `rolling-back`; the next run undoes it.

A crawl that lost its lease without knowing (a machine that was paused) finds its manifest rolled back before
or after its next write, takes back what it wrote by then, and ends with StoreLost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import bson
from bson.raw_bson import RawBSONDocument
from pymongo import DESCENDING
from pymongo.errors import BulkWriteError

from subcmc_crawler.errors import StoreLost
from subcmc_crawler.model import OPEN_END, Attempt, Manifest, PageRecord, State
from subcmc_crawler.province.page import Page, SnapshotDigest
from subcmc_crawler.province.tally import Displaced, Place, Sorted, Tally
from subcmc_crawler.spec.datasets import Dataset
from subcmc_crawler.store.codec import encode_record, encode_version, manifest_of, pack, to_document
from subcmc_crawler.store.driver import Database, Document
from subcmc_crawler.store.ids import (
    attempt_entry,
    ledger_id,
    manifest_id,
    page_entry,
    row_entry,
    version_id,
    versions_after,
)

_DUPLICATE: Final = 11000
_BATCH: Final = 5_000
_EXACT: Final = (int, str, type(None))  # of these, equal values are the same value; 0.0 and -0.0 are not
_UNSETTLED: Final = [State.COLLECTING.value, State.HELD.value, State.ROLLING_BACK.value]


@dataclass(slots=True)
class Changes:
    """How the rows of a pass stand to the last published snapshot."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True)
class Stored:
    """What MongoDB holds as of the run, counted after writing.

    `served_digest` is what `digest` must be: over the same keys with the hashes of what was served.
    """

    rows: int
    digest: str
    served_digest: str | None = None


@dataclass(frozen=True, slots=True)
class _Previous:
    start: int
    hash: bytes


class SnapshotWriter:
    """One snapshot on its way. Use `begin()`; then `restart()`, `apply()`, `finish()`, and `settle()` at last."""

    def __init__(self, db: Database, dataset: Dataset, manifest: Manifest, *, fence: int) -> None:
        self._db = db
        self._dataset = dataset
        self._versions = db[dataset.code]
        self._manifest = manifest
        self._run = manifest.run
        self._cmc_id = manifest.cmc_id
        self._fence = fence
        self._sequence = 0
        self.changes = Changes()
        self.base: Manifest | None = None

    async def begin(self) -> Manifest:
        """Undoes what was left unpublished, finds the base, and opens the manifest.

        StoreLost when a later run has been here, or when this run has published the cell already.
        """
        await self._check_turn()
        self.base = await roll_back_unsettled(self._db, self._dataset.code, self._cmc_id, self._run)
        self._manifest = replace(self._manifest, base=self.base.run if self.base else None)
        document = {**to_document(self._manifest), "_id": self._id, "fence": self._fence}
        await self._db["snapshots"].replace_one({"_id": self._id}, document, upsert=True)
        await self._check_turn()
        return self._manifest

    async def restart(self) -> None:
        """Forgets the rows of a pass that did not end well; its ledger stays."""
        await self._check_mine()
        await self._take_back()
        self.changes = Changes()

    async def apply(self, page: Page, rows: Sorted, record: PageRecord, attempts: Sequence[Attempt]) -> None:
        """Stores one page: new and changed rows, rows without a usable key, and its place in the ledger."""
        await self._check_mine()
        earlier = [entry for entry in rows.displaced if entry.places[0].ordinal < record.ordinal]
        keys = [str(page.keys[position]) for position in rows.store]
        previous = await self._previous(keys)
        raws = await self._undo(earlier, previous)
        documents, closed = self._versions_of(page, rows, previous)
        await self._insert(self._versions, documents)
        if closed:
            await self._close(closed)
        await self._quarantine(page, rows, record, raws)
        await self._insert(self._db["ledger"], [self._page_document(page, record), *self._attempts(attempts)])
        await self._check_mine()

    async def note(self, attempts: Sequence[Attempt]) -> None:
        """Writes attempts that gave no page into the ledger."""
        await self._insert(self._db["ledger"], self._attempts(attempts))

    async def finish(self, tally: Tally) -> Stored:
        """Closes what the province no longer has, then counts and digests what is stored as of this run."""
        await self._check_mine()
        await self._close_removed(tally)
        return await stored_as_of(self._db, self._dataset.code, self._cmc_id, self._run, tally)

    async def settle(self, manifest: Manifest) -> None:
        """Ends the snapshot in the state of `manifest`: the one update that publishes it, or its rollback.

        StoreLost when another crawl has taken over in between.
        """
        undo = manifest.state is State.ROLLED_BACK
        state = State.ROLLING_BACK if undo else manifest.state
        mine = {"_id": self._id, "state": State.COLLECTING.value, "fence": self._fence}
        update = {"$set": to_document(replace(manifest, state=state))}
        settled = await self._db["snapshots"].update_one(mine, update)
        if not settled.matched_count:
            await self._check_mine()
            raise StoreLost(f"{self._id} cannot be settled twice")
        if undo:
            await self._take_back()
            mine["state"] = State.ROLLING_BACK.value
            await self._db["snapshots"].update_one(mine, {"$set": {"state": State.ROLLED_BACK.value}})

    @property
    def _id(self) -> str:
        return manifest_id(self._run, self._cmc_id, self._dataset.code)

    @property
    def _base_run(self) -> int:
        return self.base.run if self.base else 0

    async def _check_turn(self) -> None:
        """Runs are numbered in the order they began, and each walks a cell once."""
        cell = {"cmcId": self._cmc_id, "dataset": self._dataset.code, "run": {"$gte": self._run}}
        latest = await self._db["snapshots"].find_one(
            cell, {"run": 1, "state": 1}, sort=[("run", DESCENDING)]
        )
        if latest is None:
            return
        if latest["run"] > self._run:
            mine = {"_id": self._id, "state": State.COLLECTING.value, "fence": self._fence}
            await self._db["snapshots"].update_one(mine, {"$set": {"state": State.ROLLED_BACK.value}})
            raise StoreLost(f"{self._id}: another crawl has taken over with run {latest['run']}")
        if latest["state"] == State.PUBLISHED.value:
            raise StoreLost(f"{self._id} is published: a run never walks it again")

    async def _check_mine(self) -> None:
        """StoreLost, with nothing of ours left, when another crawl has undone this snapshot in between."""
        found = await self._db["snapshots"].find_one({"_id": self._id}, {"state": 1, "fence": 1}) or {}
        state = found.get("state")
        if state == State.COLLECTING.value and found.get("fence") == self._fence:
            return
        if state in (State.ROLLING_BACK.value, State.ROLLED_BACK.value):
            await self._take_back()
        raise StoreLost(f"{self._id}: another crawl has taken over, so that nothing was published")

    async def _take_back(self) -> None:
        """Undoes what this run wrote, and only that: another one may have come after it."""
        await reset(self._db, self._dataset.code, self._cmc_id, self._run - 1, self._run)

    async def _close(self, ids: Sequence[str]) -> None:
        """Ends versions that hold; one that somebody has ended already is let alone."""
        open_ones = {"_id": {"$in": list(ids)}, "to": OPEN_END}
        await self._versions.update_many(open_ones, {"$set": {"to": self._run}})

    async def _previous(self, keys: Sequence[str]) -> dict[str, _Previous]:
        if self.base is None or not keys:
            return {}
        wanted = {
            "cmcId": self._cmc_id,
            "key": {"$in": list(keys)},
            "from": {"$lte": self._base_run},
            "to": {"$gt": self._base_run},
        }
        found = self._versions.find(wanted, {"_id": 0, "key": 1, "from": 1, "hash": 1}, batch_size=_BATCH)
        return {row["key"]: _Previous(row["from"], row["hash"]) async for row in found}

    def _versions_of(
        self, page: Page, rows: Sorted, previous: Mapping[str, _Previous]
    ) -> tuple[list[RawBSONDocument], list[str]]:
        documents, closed = [], []
        flags = page.checked.flags
        for position in rows.store:
            key, content = str(page.keys[position]), page.hashes[position]
            before = previous.get(key)
            if before is not None and before.hash == content:
                self.changes.unchanged += 1
                continue
            if before is None:
                self.changes.added += 1
            else:
                self.changes.changed += 1
                closed.append(version_id(self._cmc_id, before.start, key))
            documents.append(
                encode_version(
                    {
                        "_id": version_id(self._cmc_id, self._run, key),
                        "cmcId": self._cmc_id,
                        "key": key,
                        "from": self._run,
                        "to": OPEN_END,
                        "hash": content,
                        "flags": list(flags.get(position, ())),
                        "record": page.records[position],
                    }
                )
            )
        return documents, closed

    async def _undo(
        self, displaced: Sequence[Displaced], previous: Mapping[str, _Previous]
    ) -> dict[Place, Any]:
        """Takes back rows of earlier pages that a later one displaced; gives their records by place."""
        raws: dict[Place, Any] = {}
        for entry in displaced:
            before = previous.get(entry.key)
            unchanged = before is not None and before.hash == entry.hash
            start = before.start if unchanged and before else self._run
            version = await self._versions.find_one({"_id": version_id(self._cmc_id, start, entry.key)})
            if version is None:
                raise StoreLost(f"{self._id}: a row that was just staged is gone from MongoDB")
            raws.update(dict.fromkeys(entry.places, version["record"]))
            if unchanged:
                self.changes.unchanged -= 1
                continue
            await self._versions.delete_one({"_id": version["_id"]})
            if before is None:
                self.changes.added -= 1
            else:
                self.changes.changed -= 1
                reopened = version_id(self._cmc_id, before.start, entry.key)
                await self._versions.update_one({"_id": reopened}, {"$set": {"to": OPEN_END}})
        return raws

    async def _quarantine(
        self, page: Page, rows: Sorted, record: PageRecord, raws: Mapping[Place, Any]
    ) -> None:
        kept: list[tuple[Place, str, str | None, Any]] = [
            (Place(record.ordinal, position), reason, None, encode_record(page.records[position]))
            for position, reason in page.reasons.items()
        ]
        for entry in rows.displaced:
            for place in entry.places:
                if place in raws:
                    raw = raws[place]
                elif place.ordinal == record.ordinal:
                    raw = encode_record(page.records[place.position])
                else:
                    continue
                kept.append((place, "conflicting", entry.key, raw))
        await self._insert(
            self._db["quarantine"],
            [
                {
                    "_id": self._ledger_id(record.walk_pass, row_entry(place.ordinal, place.position)),
                    **self._cell(record.walk_pass),
                    "ordinal": place.ordinal,
                    "position": place.position,
                    "reason": reason,
                    "key": key,
                    "raw": raw,
                }
                for place, reason, key, raw in kept
            ],
        )

    def _page_document(self, page: Page, record: PageRecord) -> Document:
        times = page.collect_times
        kind = type(times[0]) if times else None
        steady = kind in _EXACT and all(type(time) is kind and time == times[0] for time in times)
        return {
            "_id": self._ledger_id(record.walk_pass, page_entry(record.ordinal)),
            "kind": "page",
            **self._cell(record.walk_pass),
            "ordinal": record.ordinal,
            "pageNum": record.page_num,
            "pageSize": record.page_size,
            "rows": len(page.records),
            "declared": page.total,
            "bytes": record.bytes,
            "milliseconds": record.milliseconds,
            "tries": record.tries,
            "at": record.at,
            "keys": pack(page.keys),
            "times": pack(times[:1] if steady else times),
        }

    def _attempts(self, attempts: Iterable[Attempt]) -> list[Document]:
        documents = []
        for attempt in attempts:
            self._sequence += 1
            document = to_document(attempt)
            walk_pass = document.pop("walkPass")
            entry = self._ledger_id(walk_pass, attempt_entry(self._sequence))
            documents.append({"_id": entry, "kind": "attempt", **self._cell(walk_pass), **document})
        return documents

    def _cell(self, walk_pass: int) -> Document:
        return {"run": self._run, "cmcId": self._cmc_id, "dataset": self._dataset.code, "pass": walk_pass}

    def _ledger_id(self, walk_pass: int, entry: str) -> str:
        return ledger_id(self._run, self._cmc_id, self._dataset.code, walk_pass, entry)

    async def _close_removed(self, tally: Tally) -> None:
        """Closes versions of the base whose keys were not served; none are looked for where none can be."""
        if self.base is None:
            return
        expected = self.base.counts.distinct - self.changes.changed - self.changes.unchanged
        if not expected:
            return
        held = {"cmcId": self._cmc_id, "from": {"$lte": self._base_run}, "to": {"$gt": self._base_run}}
        gone: dict[int, list[str]] = defaultdict(list)
        found = self._versions.find(held, {"_id": 0, "key": 1, "from": 1}, batch_size=_BATCH).hint("version")
        async for row in found:
            if row["key"] not in tally:
                gone[self.changes.removed // _BATCH].append(version_id(self._cmc_id, row["from"], row["key"]))
                self.changes.removed += 1
        for ids in gone.values():
            await self._close(ids)

    async def _insert(self, collection: Any, documents: Sequence[Any]) -> None:
        """Inserts; a document that is there already, the same, counts as inserted."""
        if not documents:
            return
        try:
            await collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            details = error.details or {}
            problems = details.get("writeErrors", [])
            if details.get("writeConcernErrors") or any(item.get("code") != _DUPLICATE for item in problems):
                codes = sorted({str(item.get("code")) for item in problems})
                raise StoreLost(f"{self._id}: MongoDB refused a write (codes {', '.join(codes)})") from None
            await self._same(collection, [documents[item["index"]] for item in problems])

    async def _same(self, collection: Any, documents: Sequence[Mapping[str, Any]]) -> None:
        for document in documents:
            stored = await collection.find_one({"_id": document["_id"]}) or {}
            if "hash" in document:
                same = stored.get("hash") == document["hash"]
            else:
                same = bson.encode(stored) == bson.encode(document)
            if not same:
                raise StoreLost(f"{self._id}: MongoDB holds another document for the same place in this run")


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
    unsettled = {**cell, "state": {"$in": _UNSETTLED}}
    await db["snapshots"].update_many(unsettled, {"$set": {"state": State.ROLLING_BACK.value}})
    base = await db["snapshots"].find_one(
        {**cell, "state": State.PUBLISHED.value}, sort=[("run", DESCENDING)]
    )
    await reset(db, dataset, cmc_id, base["run"] if base else 0, upto)
    undone = {**cell, "state": State.ROLLING_BACK.value}
    await db["snapshots"].update_many(undone, {"$set": {"state": State.ROLLED_BACK.value}})
    return manifest_of(base) if base else None


async def stored_as_of(
    db: Database, dataset: str, cmc_id: str, run: int, tally: Tally | None = None
) -> Stored:
    """Rows and digest of the versions that hold in `run`, read from the index alone, in bounded memory."""
    held = {"cmcId": cmc_id, "from": {"$lte": run}, "to": {"$gt": run}}
    found = db[dataset].find(held, {"_id": 0, "key": 1, "hash": 1}, batch_size=_BATCH)
    rows, stored, served = 0, SnapshotDigest(), SnapshotDigest()
    last = ""  # which is no usable key
    async for version in found.sort("key").hint("version"):
        key = version["key"]
        rows += 1
        stored.add(key, version["hash"])
        if tally is not None and key != last:  # two versions of a key must not stand for two keys
            served.add(key, tally.hash_of(key) or b"")
        last = key
    return Stored(rows, str(stored), None if tally is None else str(served))
