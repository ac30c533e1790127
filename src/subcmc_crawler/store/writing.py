"""Writes one snapshot: staged, checked, then published by one update of one manifest.

Everything is written so that it may be written twice, and so that nobody sees it before the manifest says
`published`: readers read as of published runs, and what a run stages has `from` or `to` equal to that run.
A crash between any two statements leaves a manifest in `collecting` or `rolling-back`; the next run undoes it.

A crawl that lost its lease without knowing (a machine that was paused) finds its manifest rolled back before
or after its next write, takes back what it wrote by then, and ends with StoreLost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any, Final

import bson
from pymongo import DESCENDING

from subcmc_crawler.errors import StoreLost
from subcmc_crawler.model import OPEN_END, Attempt, Manifest, PageRecord, State
from subcmc_crawler.province.page import Page
from subcmc_crawler.province.tally import Displaced, Sorted, Tally, keys_at
from subcmc_crawler.province.walking import PassFacts
from subcmc_crawler.spec.datasets import Dataset
from subcmc_crawler.store.aside import AsideRow, displaced_rows, keyless_rows
from subcmc_crawler.store.base import Base, Differing
from subcmc_crawler.store.batches import batches
from subcmc_crawler.store.codec import encode_version, manifest_of, to_document
from subcmc_crawler.store.counting import Changes, Stored, stored_as_of
from subcmc_crawler.store.driver import Database, Document
from subcmc_crawler.store.ids import ledger_of, manifest_id, page_entry, version_id, versions_after
from subcmc_crawler.store.inserting import insert_once
from subcmc_crawler.store.ledger import Entries
from subcmc_crawler.store.order import Model, Order, model_for, spelt
from subcmc_crawler.store.past import Past, look_back
from subcmc_crawler.store.resuming import Reopened, read_ledger
from subcmc_crawler.store.undoing import reset, roll_back_unsettled, undo_late_writes
from subcmc_crawler.store.versions import Previous, turnover

_BATCH: Final = 5_000
_ASIDE_BYTES: Final = 10_000_000


class SnapshotWriter:
    """One snapshot on its way. Use `begin()`; then `restart()`, `apply()`, `finish()`, and `settle()` at last.

    While `surely` says that the lease is ours beyond doubt, MongoDB is not asked whether another crawl has come.
    """

    def __init__(
        self,
        db: Database,
        dataset: Dataset,
        manifest: Manifest,
        *,
        fence: int,
        surely: Callable[[], bool] = lambda: False,
    ) -> None:
        self._db = db
        self._dataset = dataset
        self._versions = db[dataset.code]
        self._manifest = manifest
        self._run = manifest.run
        self._cmc_id = manifest.cmc_id
        self._fence = fence
        self._surely = surely
        self._entries = Entries(manifest.run, manifest.cmc_id, dataset.code)
        self._goes_on = False  # from an earlier attempt, which may not know it yet
        self._order: Order | None = None
        self._base: Base | None = None
        self.changes = Changes()
        self.base: Manifest | None = None
        self.past: Past | None = None

    async def begin(self) -> Manifest:
        """Undoes what was left unpublished, finds the base, and opens the manifest.

        StoreLost when a later run has been here, or when this run has published the cell already.
        """
        cell = (self._dataset.code, self._cmc_id)
        past = await look_back(self._db, *cell)
        await self._check_turn(past.latest)
        if past.is_settled_before(self._run):
            self.compare_with(await past.in_force(self._db))
        else:
            self.compare_with(await roll_back_unsettled(self._db, *cell, self._run))
            await undo_late_writes(self._db, *cell, self._run)
        self.past = past
        self._manifest = replace(self._manifest, base=self.base.run if self.base else None)
        self.tell_order_by(model_for(self.base, self._run))
        document = {**to_document(self._manifest), "_id": self._id, "fence": self._fence}
        await self._db["snapshots"].replace_one({"_id": self._id}, document, upsert=True)
        if not self._surely():
            await self._check_turn((await look_back(self._db, *cell)).latest)
        return self._manifest

    async def reopen(self) -> Reopened:
        """Goes on with what an earlier process of this run left: the manifest becomes ours.

        What it had settled without publishing is begun anew. StoreLost when a later run, or a later attempt of this
        one, has been here.
        """
        left = await self._db["snapshots"].find_one({"_id": self._id})
        if left is not None and left.get("fence", 0) > self._fence:
            raise StoreLost(f"{self._id}: a later attempt has taken over")
        ledger = await read_ledger(self._db, self._run, self._cmc_id, self._dataset.code)
        self._entries.sequence, self._goes_on = ledger.attempts, True
        if left is None or left["state"] != State.COLLECTING.value:
            return replace(ledger, manifest=await self.begin(), passes=(), endings=(), open_pass=None)
        self.past = await look_back(self._db, self._dataset.code, self._cmc_id)
        await self._check_turn(self.past.latest)
        mine = {"_id": self._id, "state": State.COLLECTING.value, "fence": {"$lte": self._fence}}
        await self._db["snapshots"].update_one(mine, {"$set": {"fence": self._fence}})
        await self._check_mine()
        self._manifest = manifest_of(left)
        if self._manifest.base is not None:
            base = manifest_id(self._manifest.base, self._cmc_id, self._dataset.code)
            found = await self._db["snapshots"].find_one({"_id": base}) or {}
            self.compare_with(manifest_of(found), ahead=False)
        if self._manifest.like_run is not None:
            self.tell_order_by(Model(self._manifest.like_run, self._manifest.like_pass or 0))
        if await self._is_torn(left.get("undoing")):
            ledger = replace(ledger, open_pass=None)
        if ledger.open_pass is None:  # no page goes on from here: one may be half written, even the first
            await self._take_back()
        await self._drop_aside(ledger.last_pass)
        return replace(ledger, manifest=self._manifest)

    def compare_with(self, base: Manifest | None, *, ahead: bool = True) -> None:
        """Says how the rows stand to a published snapshot; without `ahead` the walk begins somewhere within."""
        self.base = base
        self._base = Base(self._db, base, ahead=ahead) if base else None

    def tell_order_by(self, model: Model | None) -> None:
        """Tells the order of the pages by that of another pass, if there is one."""
        if model is None:
            return
        self._order = Order(self._db, model, self._cmc_id, self._dataset.code)
        self._manifest = replace(self._manifest, like_run=model.run, like_pass=model.walk_pass)

    async def _is_torn(self, undoing: Sequence[int] | None) -> bool:
        """Whether the crash came while a page took back rows of earlier ones: they cannot be told apart then."""
        if undoing is None:
            return False
        walk_pass, ordinal = undoing
        page = {"_id": self._entries.id(walk_pass, page_entry(ordinal))}
        return await self._db["ledger"].find_one(page, {"_id": 1}) is None

    async def _drop_aside(self, last_pass: int) -> None:
        """Takes out of quarantine what belongs to pages that never came into the ledger."""
        cell = (self._run, self._cmc_id, self._dataset.code)
        pages = await self._db["ledger"].count_documents(ledger_of(*cell, last_pass, "p"))
        rows = ledger_of(*cell)["_id"]
        rows["$gte"] = self._entries.id(last_pass, page_entry(pages))
        await self._db["quarantine"].delete_many({"_id": rows})

    async def align(self, tally: Tally, *, walk_pass: int, pages: int) -> None:
        """Drops what belongs to no page of the ledger, and counts anew how the staged rows stand to the base."""
        await self._db["quarantine"].delete_many(self._entries.from_page(walk_pass, pages))
        await self._catch_up(walk_pass)
        staged = await self._keys({"cmcId": self._cmc_id, **versions_after(self._cmc_id, self._run - 1)})
        closed = await self._keys({"cmcId": self._cmc_id, "to": self._run})
        for stray in staged - closed:
            if stray not in tally:
                await self._versions.delete_one({"_id": version_id(self._cmc_id, self._run, stray)})
        for stray in closed:
            if stray not in tally:
                await self._versions.delete_one({"_id": version_id(self._cmc_id, self._run, stray)})
                reopened = {"cmcId": self._cmc_id, "key": stray, "to": self._run}
                await self._versions.update_one(reopened, {"$set": {"to": OPEN_END}})
        kept = sum(key in tally for key in staged)
        changed = sum(key in tally for key in staged & closed)
        self.changes = Changes(
            added=kept - changed, changed=changed, unchanged=tally.distinct - kept, removed=0
        )

    async def _catch_up(self, walk_pass: int) -> None:
        """Lets the order go on after the last page that is told by it."""
        told = {
            **ledger_of(self._run, self._cmc_id, self._dataset.code, walk_pass, "p"),
            "like": {"$ne": None},
        }
        last = await self._db["ledger"].find_one(told, {"like": 1}, sort=[("_id", DESCENDING)])
        if self._order is not None and last is not None:
            await self._order.go_on(last["like"]["at"] + last["like"]["used"])

    async def _keys(self, wanted: Mapping[str, Any]) -> set[str]:
        return {
            version["key"]
            async for versions in batches(self._versions, wanted, "key")
            for version in versions
        }

    async def restart(self) -> None:
        """Forgets the rows of a pass that did not end well; its ledger stays."""
        await self._check_mine()
        await self._take_back()
        self.changes = Changes()
        if self._order is not None:
            self._order.rewind()
        if self._base is not None:
            self._base.rewind()

    async def apply(self, page: Page, rows: Sorted, record: PageRecord, attempts: Sequence[Attempt]) -> None:
        """Stores one page: new and changed rows, rows without a usable key, and its place in the ledger."""
        await self._check_mine()
        earlier = [entry for entry in rows.displaced if entry.first.ordinal < record.ordinal]
        differing = await self._base.differing(page, rows) if self._base else Differing(rows.store)
        unsure, changed = differing
        self.changes.unchanged += len(rows.store) - len(unsure) - len(changed)
        previous = await self._base.held(keys_at(page, unsure)) if self._base else {}
        if earlier:
            undoing = {"$set": {"undoing": [record.walk_pass, record.ordinal]}}
            await self._db["snapshots"].update_one({"_id": self._id}, undoing)
        await self._displace(earlier, previous, page, record)
        for start in range(0, max(len(unsure), len(changed)), _BATCH):
            some = slice(start, start + _BATCH)
            await self._turn_over(page, unsure[some], changed[some], previous)
        here = [each for each in rows.displaced if each.first.ordinal == record.ordinal]
        aside = (displaced_rows(each, page, record.ordinal) for each in here)
        await self._quarantine(chain(keyless_rows(page, record.ordinal), *aside), record)
        order = await self._told(page)
        entries = [self._entries.page(page, record, order), *self._entries.attempts(attempts)]
        await self._insert("ledger", entries)
        await self._check_mine()

    async def _turn_over(
        self, page: Page, unsure: Sequence[int], changed: Sequence[int], previous: Previous
    ) -> None:
        """Begins versions of some rows and ends those that they replace.

        Of the `unsure` ones all that hold are `previous`; of the `changed` ones the base has others, ended unseen.
        """
        begun, ended = turnover(page, unsure, previous, cmc_id=self._cmc_id, run=self._run)
        instead, _ = turnover(page, changed, {}, cmc_id=self._cmc_id, run=self._run)
        await self._insert(self._dataset.code, [*begun, *instead], spelt=encode_version)
        self.changes.count(rows=len(unsure), begun=len(begun), ended=len(ended))
        if ended:
            await self._close({"_id": {"$in": ended}})
        if changed:
            replaced = await self._close(self._held_by_base(keys_at(page, changed)))
            self.changes.count(rows=len(changed), begun=len(instead), ended=replaced)

    async def end_pass(self, number: int, facts: PassFacts, attempts: Sequence[Attempt]) -> None:
        """Writes the end of a pass into the ledger, with the attempts that gave no page."""
        end = self._entries.end(number, facts)
        await self._insert("ledger", self._entries.attempts(attempts))
        await self._db["ledger"].replace_one(
            {"_id": end["_id"]}, end, upsert=True
        )  # a resumed pass ends again

    async def finish(self, tally: Tally) -> Stored:
        """Closes what the province no longer has, then counts and digests what is stored as of this run."""
        await self._check_mine()
        await self._close_removed(tally)
        return await stored_as_of(self._db, self._dataset.code, self._cmc_id, self._run, tally)

    async def settle(self, manifest: Manifest) -> None:
        """Ends the snapshot in the state of `manifest`: the one update that publishes it, or its rollback.

        StoreLost when another crawl has taken over in between.
        """
        if self._order is not None and not self._order.used:
            manifest = replace(
                manifest, like_run=None, like_pass=None
            )  # so that others may be told by this one
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

    async def _check_turn(self, latest: Manifest | None) -> None:
        """Runs are numbered in the order they began, and each walks a cell once."""
        if latest is None or latest.run < self._run:
            return
        if latest.run > self._run:
            mine = {"_id": self._id, "state": State.COLLECTING.value, "fence": self._fence}
            await self._db["snapshots"].update_one(mine, {"$set": {"state": State.ROLLED_BACK.value}})
            raise StoreLost(f"{self._id}: another crawl has taken over with run {latest.run}")
        if latest.state is State.PUBLISHED:
            raise StoreLost(f"{self._id} is published: a run never walks it again")

    async def _insert(
        self, name: str, documents: Sequence[Any], spelt: Callable[[Any], Any] | None = None
    ) -> None:
        """Inserts what is of this walk, over what the attempt that this one goes on from may have written late."""
        ours = self._look_for_another if self._goes_on else None
        await insert_once(self._db, name, documents, self._id, spelt=spelt, ours=ours)

    async def _check_mine(self) -> None:
        """StoreLost, with nothing of ours left, when another crawl has undone this snapshot in between."""
        if not self._surely():
            await self._look_for_another()

    async def _look_for_another(self) -> None:
        found = await self._db["snapshots"].find_one({"_id": self._id}, {"state": 1, "fence": 1}) or {}
        state = found.get("state")
        if state == State.COLLECTING.value and found.get("fence") == self._fence:
            return
        if state in (State.ROLLING_BACK.value, State.ROLLED_BACK.value, State.NONE.value):
            await self._take_back()
        raise StoreLost(f"{self._id}: another crawl has taken over, so that nothing was published")

    async def _take_back(self) -> None:
        """Undoes what this run wrote, and only that: another one may have come after it."""
        await reset(self._db, self._dataset.code, self._cmc_id, self._run - 1, self._run)

    async def _close(self, held: Mapping[str, Any]) -> int:
        """Ends versions that hold; what a later run has ended is let alone, what a stale one has is ours."""
        ended_later = {"to": {"$gte": self._run, "$lt": OPEN_END}}
        closed = await self._versions.update_many(
            {**held, "$nor": [ended_later]}, {"$set": {"to": self._run}}
        )
        return closed.matched_count

    def _held_by_base(self, keys: Sequence[str]) -> dict[str, Any]:
        run = self.base.run if self.base else 0
        return {"cmcId": self._cmc_id, "key": {"$in": list(keys)}, "from": {"$lte": run}, "to": {"$gt": run}}

    async def _told(self, page: Page) -> Document:
        """What the ledger keeps of the rows of a page."""
        if self._order is None:
            return spelt(page.keys, page.hashes)
        return await self._order.told(page.keys, page.hashes)

    async def _displace(
        self, entries: Sequence[Displaced], previous: Previous, page: Page, record: PageRecord
    ) -> None:
        """Takes back rows of earlier pages and keeps them aside, a few at a time: each may be as large as a body."""
        aside, size = [], 0
        for entry in entries:
            stored = await self._undo(entry, previous)
            aside.append(displaced_rows(entry, page, record.ordinal, stored))
            size += len(bson.encode({"record": stored}))
            if size > _ASIDE_BYTES:
                await self._quarantine(chain.from_iterable(aside), record)
                aside, size = [], 0
        await self._quarantine(chain.from_iterable(aside), record)

    async def _undo(self, entry: Displaced, previous: Previous) -> Any:
        """Takes back a row of an earlier page that a later one displaced; gives its record."""
        before = previous.get(entry.key)
        unchanged = before is not None and before["hash"] == entry.hash
        start = before["from"] if unchanged and before else self._run
        version = await self._versions.find_one({"_id": version_id(self._cmc_id, start, entry.key)})
        if version is None:
            raise StoreLost(f"{self._id}: a row that was just staged is gone from MongoDB")
        if unchanged:
            self.changes.unchanged -= 1
            return version["record"]
        await self._versions.delete_one({"_id": version["_id"]})
        if before is None:
            self.changes.added -= 1
        else:
            self.changes.changed -= 1
            reopened = version_id(self._cmc_id, before["from"], entry.key)
            await self._versions.update_one({"_id": reopened}, {"$set": {"to": OPEN_END}})
        return version["record"]

    async def _quarantine(self, aside: Iterator[AsideRow], record: PageRecord) -> None:
        while batch := list(islice(aside, _BATCH)):
            documents = [self._entries.row(record.walk_pass, row) for row in batch]
            await self._insert("quarantine", documents)

    async def _close_removed(self, tally: Tally) -> None:
        """Closes versions of the base whose keys were not served; none are looked for where none can be."""
        if self.base is None or self._base is None:
            return
        expected = self.base.counts.distinct - self.changes.changed - self.changes.unchanged
        gone = await self._base.gone(tally, expected=expected) if expected else []
        for start in range(0, len(gone), _BATCH):
            held = await self._base.held(gone[start : start + _BATCH])
            ids = [version_id(self._cmc_id, each["from"], key) for key, each in held.items()]
            await self._close({"_id": {"$in": ids}})
            self.changes.removed += len(held)
