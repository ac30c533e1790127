"""Reads snapshots as of any published run: exports, differences, histories, proofs."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import bson
import orjson
from pymongo import ASCENDING, DESCENDING

from subcmc_crawler.errors import NotFound
from subcmc_crawler.model import OPEN_END, Manifest, State
from subcmc_crawler.province.digest import SnapshotDigest
from subcmc_crawler.province.page import fingerprint, volatile_name
from subcmc_crawler.spec.datasets import VOLATILE
from subcmc_crawler.store.batches import batches
from subcmc_crawler.store.codec import WRAPPED, decode_record, dump_json, unpack_times
from subcmc_crawler.store.driver import Database, Document
from subcmc_crawler.store.ids import ledger_of, manifest_id, page_entry, versions_after
from subcmc_crawler.store.order import NotAsServed, served_pages
from subcmc_crawler.store.stretches import first_answer

_PAGES_AHEAD: Final = 4


@dataclass(frozen=True, slots=True)
class ServedPage:
    """One page of a pass as it was served: its entry in the ledger, and its rows."""

    entry: Document
    rows: list[Any]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A page whose versions are on their way.

    They are kept as MongoDB sends them until it is their turn: objects that are made long before they are used, and
    of several pages at once, take a quarter more CPU time, and several times the memory.
    """

    page: Document
    keys: Sequence[str | None]
    wanted: Mapping[str, Any]
    answer: asyncio.Task[bytes]


async def pages_as_served(
    db: Database, run: int, cmc_id: str, dataset: str, walk_pass: int
) -> AsyncIterator[ServedPage]:
    """The pages of the pass whose rows are stored as of `run`, in order; a few are read ahead.

    NotAsServed when a row of a page is not stored.
    """
    ahead: deque[_Asked] = deque()
    aside = await db["quarantine"].find_one(ledger_of(run, cmc_id, dataset, walk_pass), {"_id": 1})
    try:
        async for page, keys in served_pages(db, run, cmc_id, dataset, walk_pass):
            ahead.append(_asked(db, run, page, keys))
            if len(ahead) > _PAGES_AHEAD:
                await asyncio.sleep(0)  # so that the next ones are asked for while this one is looked at
                served = await _served(db, ahead[0], aside=aside is not None)
                ahead.popleft()
                yield served
        while ahead:
            served = await _served(db, ahead[0], aside=aside is not None)
            ahead.popleft()
            yield served
    finally:
        for asked in ahead:
            asked.answer.cancel()
        await asyncio.gather(*(asked.answer for asked in ahead), return_exceptions=True)


def _asked(db: Database, run: int, page: Document, keys: Sequence[str | None]) -> _Asked:
    """Asks for the versions of a page."""
    some = [*{key for key in keys if key is not None}]
    wanted = {**_held(page["cmcId"], run), "key": {"$in": some}}
    asking = first_answer(db[page["dataset"]], wanted, "key", "record", hint="version", most=len(some) + 1)
    return _Asked(page, keys, wanted, asyncio.create_task(asking))


async def _served(db: Database, asked: _Asked, *, aside: bool) -> ServedPage:
    """A page of a pass with its rows, read by their keys; `aside` says that rows of the pass are kept aside."""
    page, keys = asked.page, asked.keys
    times = unpack_times(page["times"])
    apart = await _aside(db, page) if aside else {}
    records = await _records(db[page["dataset"]], asked)
    try:
        rows = [apart[at] if at in apart else records[key] for at, key in enumerate(keys)]
    except KeyError:
        cell = f"run {page['run']} {page['cmcId']}/{page['dataset']}"
        message = f"{cell}: a row of page {page['ordinal']} is not stored"
        raise NotAsServed(message) from None
    if len(records) < len(keys):  # a repeated row shares its record with another
        rows = [dict(row) if type(row) is dict else row for row in rows]
    _give_times(rows, times if len(times) == len(keys) else times * len(keys))
    return ServedPage(page, rows)


async def _records(collection: Any, asked: _Asked) -> dict[str | None, Any]:
    """The records of a page by their keys."""
    versions = bson.decode(await asked.answer, collection.codec_options)["firstBatch"]
    records = _by_key(versions)
    if len(records) < len(asked.wanted["key"]["$in"]):  # more than an answer may hold, or not all are there
        async for some in batches(collection, asked.wanted, "key", "record", hint="version"):
            records |= _by_key(some)
    return records


def _by_key(versions: Sequence[Document]) -> dict[str | None, Any]:
    return {
        version["key"]: decode_record(record) if WRAPPED in (record := version["record"]) else record
        for version in versions
    }


async def _aside(db: Database, page: Document) -> Mapping[int, Any]:
    """The rows of a page that no version holds, by their positions."""
    entry = f"{page_entry(page['ordinal'])}/"
    found = db["quarantine"].find(ledger_of(page["run"], page["cmcId"], page["dataset"], page["pass"], entry))
    return {row["position"]: decode_record(row["raw"]) async for row in found}


async def export(db: Database, manifest: Manifest) -> AsyncIterator[Any]:
    """The rows of a published or held snapshot exactly as served: in order, with the collectTime of that night.

    Rows that repeat a key come as often as they were served, rows without a usable key where they stood.
    """
    async for rows in exported_pages(db, manifest):
        for row in rows:
            yield row


async def exported_pages(db: Database, manifest: Manifest) -> AsyncIterator[list[Any]]:
    """The rows of `export()`, page by page; after them NotFound or NotAsServed when they were not all of them."""
    walk_pass, rows = manifest.stored_pass or 0, 0
    try:
        async for page in pages_as_served(db, manifest.run, manifest.cmc_id, manifest.dataset, walk_pass):
            rows += len(page.rows)
            yield page.rows
    except NotAsServed:
        await _check_there(db, manifest)  # no damage, if it was pruned or rolled back meanwhile
        raise
    await _check_whole(db, manifest, rows, manifest.counts.received)


async def _check_whole(db: Database, manifest: Manifest, rows: int, expected: int | None) -> None:
    """Looks whether what was read was there to the end, and all of it."""
    await _check_there(db, manifest)
    if rows != expected:
        name = f"run {manifest.run} {manifest.cmc_id}/{manifest.dataset}"
        raise NotAsServed(f"{name}: {rows} of {expected} rows are stored")


async def _check_there(db: Database, manifest: Manifest) -> None:
    """NotFound when the snapshot is gone: a manifest goes before anything that it is made of."""
    there = {
        "_id": manifest_id(manifest.run, manifest.cmc_id, manifest.dataset),
        "state": {"$in": [manifest.state.value, State.PUBLISHED.value]},
    }
    if await db["snapshots"].find_one(there, {"_id": 1}) is None:
        name = f"run {manifest.run} {manifest.cmc_id}/{manifest.dataset}"
        raise NotFound(f"{name} was pruned or rolled back while it was read: what came of it is not whole")


async def aside_entries(db: Database, manifest: Manifest, most: int) -> list[Document]:
    """The places and reasons of rows of a walk that no version holds, at most so many; not the rows themselves."""
    wanted = ledger_of(manifest.run, manifest.cmc_id, manifest.dataset)
    found = db["quarantine"].find(wanted, {"raw": 0}, sort=[("_id", ASCENDING)], limit=most)
    return [entry async for entry in found]


def to_lines(records: Sequence[Any]) -> bytes:
    """Each record as a line of JSON."""
    try:
        # copied: what the serializer gives has room for more, and to keep a page of that costs a third of the time
        return b"".join([orjson.dumps(record) + b"\n" for record in records])
    except TypeError:  # integers over 64 bits, lone surrogates
        return b"".join(dump_json(record) + b"\n" for record in records)


async def distinct_records(db: Database, manifest: Manifest) -> AsyncIterator[list[Any]]:
    """One record a key, in the order of the keys, each with the collectTime under which it was stored first.

    They come in batches; after them NotFound or NotAsServed when they were not all of them.
    """
    rows = 0
    async for versions in batches(
        db[manifest.dataset], _held(manifest.cmc_id, manifest.run), "record", by="key", hint="version"
    ):
        rows += len(versions)
        yield [decode_record(version["record"]) for version in versions]
    await _check_whole(db, manifest, rows, manifest.counts.distinct)


@dataclass(frozen=True, slots=True)
class Proof:
    """What is stored of a snapshot, held against its manifest."""

    rows: int
    digest: str
    damaged: tuple[str, ...]  # keys whose record no longer has its hash; the first hundred

    def holds(self, manifest: Manifest) -> bool:
        """Whether the snapshot is still what was published."""
        return not self.damaged and self.digest == manifest.digest and self.rows == manifest.counts.distinct


async def prove(db: Database, manifest: Manifest) -> Proof:
    """Hashes every stored record of a snapshot again.

    NotFound when it was pruned or rolled back before all of it was read, so that nothing is proven.
    """
    rows, digest = 0, SnapshotDigest()
    damaged: list[str] = []
    fields = ("key", "hash", "record")
    async for versions in batches(
        db[manifest.dataset], _held(manifest.cmc_id, manifest.run), *fields, by="key", hint="version"
    ):
        for version in versions:
            content, _ = fingerprint(decode_record(version["record"]))
            rows += 1
            digest.add(version["key"], content)
            if content != version["hash"] and len(damaged) < 100:
                damaged.append(version["key"])
    proof = Proof(rows, str(digest), tuple(damaged))
    if not proof.holds(manifest):
        await _check_there(db, manifest)
    return proof


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One key that differs between two snapshots: `added`, `changed` or `removed`."""

    key: str
    change: str


async def differences(db: Database, dataset: str, cmc_id: str, old: int, new: int) -> list[KeyChange]:
    """What changed between the snapshots of two published runs, `old` before `new`, by key.

    Only versions that began or ended in between are read.
    """
    states: dict[str, list[bytes | None]] = defaultdict(lambda: [None, None])
    began = {**versions_after(cmc_id, old)}
    ended = {"cmcId": cmc_id, "to": {"$gt": old, "$lt": OPEN_END}}
    for touched in (began, ended):
        async for version in db[dataset].find(touched, {"_id": 0, "key": 1, "from": 1, "to": 1, "hash": 1}):
            state = states[version["key"]]
            for side, run in enumerate((old, new)):
                if version["from"] <= run < version["to"]:
                    state[side] = version["hash"]
    return [
        KeyChange(key, "added" if before is None else "removed" if after is None else "changed")
        for key, (before, after) in sorted(states.items())
        if before != after
    ]


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """One version of a record and the runs in which it held: from `start` up to but not including `end`."""

    start: int
    end: int | None
    hash: str
    flags: tuple[str, ...]
    record: Any
    state: State


async def history(db: Database, dataset: str, cmc_id: str, key: str) -> list[KeyVersion]:
    """Every version of one record, oldest first; NotFound when the key was never stored."""
    published = {"cmcId": cmc_id, "dataset": dataset, "state": State.PUBLISHED.value}
    head = await db["snapshots"].find_one(published, {"_id": 0, "run": 1}, sort=[("run", DESCENDING)])
    in_force = head["run"] if head else 0  # what an earlier run stored is published, or it would be undone
    found = db[dataset].find({"cmcId": cmc_id, "key": key}).sort([("key", 1), ("from", 1)]).hint("version")
    versions = [
        KeyVersion(
            start=version["from"],
            end=None if version["to"] == OPEN_END else version["to"],
            hash=version["hash"].hex(),
            flags=tuple(version["flags"]),
            record=decode_record(version["record"]),
            state=State.PUBLISHED if version["from"] <= in_force else State.HELD,
        )
        async for version in found
    ]
    if not versions:
        raise NotFound(f"{cmc_id}/{dataset} has no record with the key {key!r} in any run")
    return versions


def _held(cmc_id: str, run: int) -> dict[str, Any]:
    return {"cmcId": cmc_id, "from": {"$lte": run}, "to": {"$gt": run}}


def _give_times(rows: Sequence[Any], times: Sequence[Any]) -> None:
    """Gives each row the collectTime of its night, where it has a place for one."""
    for row, collect_time in zip(rows, times, strict=False):
        name = VOLATILE if type(row) is dict and VOLATILE in row else volatile_name(row)
        if name is not None:
            row[name] = collect_time
