"""Counts what is stored of a province's references, and keeps it: one document a (run, province)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from subcmc_crawler.errors import StoreLost
from subcmc_crawler.model import Manifest, NamedKey, ReferenceCount, References, State
from subcmc_crawler.naming import Naming
from subcmc_crawler.references import Named, ReferenceTally, ServedOrder, not_counted
from subcmc_crawler.spec.datasets import DATASETS, Dataset, Reference
from subcmc_crawler.spec.references import REFERENCES, is_ordered, keys_named, value_in
from subcmc_crawler.store.batches import batches
from subcmc_crawler.store.codec import decode_record, to_document
from subcmc_crawler.store.driver import Database, Document, aggregated
from subcmc_crawler.store.order import served_pages
from subcmc_crawler.store.runs import all_published_as_of, find_manifest

_BATCH: Final = 2_000
_SEEN: Final = (State.PUBLISHED, State.HELD)
_UNCLEAR: Final = object()
_ALONE: Final = ["string", "int", "long"]
"""Types of which equal values name the same; 1.0 names nobody, and MongoDB takes it for 1."""


async def count_references(db: Database, run: int, cmc_id: str) -> References:
    """The references of a province between what this run published or holds, elsewhere what is in force.

    All records that name something are read.
    """
    return await ReferenceCounting(db, run, cmc_id).finish()


class ReferenceCounting:
    """Counts the references of a province while its datasets are walked; what comes of it is `count_references()`.

    Whatever the pages of a walk surely tell is counted when the walk is over, and what they leave at the end.
    """

    def __init__(self, db: Database, run: int, cmc_id: str) -> None:
        self._db = db
        self._run = run
        self._cmc_id = cmc_id
        self._counts: dict[tuple[str, str], ReferenceCount] = {}
        self._settled: dict[str, Manifest | None] = {}
        self._own: dict[str, Manifest] = {}

    def concluded(self, own: Manifest) -> None:
        """A dataset has its manifest of this run, so that it need not be asked for."""
        self._own[own.dataset] = own

    async def walked(self, own: Manifest, naming: Naming) -> None:
        """A dataset of this run is settled; `naming` is what the rows of its last pass name."""
        if own.state not in _SEEN:
            return
        self._settled[own.dataset] = own
        dataset = DATASETS[own.dataset]
        for reference in dataset.references:
            groups, target = naming.of(reference), self._settled.get(reference.dataset)
            if groups is None or target is None or groups.rows != own.counts.distinct:
                continue
            tally = ReferenceTally(dataset, reference)
            for batch in groups.batches(_BATCH):
                await _add(self._db, tally, batch, target)
            self._counts[dataset.code, reference.field] = tally.count(
                as_of=own.run, target_as_of=target.run, order=groups.order
            )

    async def finish(self) -> References:
        """All references, once every dataset is settled."""
        await self._settle({each for named in REFERENCES for each in (named[0].code, named[1].dataset)})
        counts = [
            self._counts.get((dataset.code, reference.field)) or await self._ask(dataset, reference)
            for dataset, reference in REFERENCES
        ]
        return References(run=self._run, cmc_id=self._cmc_id, counts=tuple(counts))

    async def _ask(self, dataset: Dataset, reference: Reference) -> ReferenceCount:
        own, target = self._settled[dataset.code], self._settled[reference.dataset]
        if own is None or target is None:
            runs = (own.run if own else None, target.run if target else None)
            return not_counted(dataset, reference, *runs)
        return await _count(self._db, dataset, reference, own, target)

    async def _settle(self, datasets: set[str]) -> None:
        """Finds the snapshots that count in this run: its own where it has one, else the ones in force."""
        others = []
        for dataset in sorted(datasets - self._settled.keys()):
            own = self._own.get(dataset) or await find_manifest(self._db, self._run, self._cmc_id, dataset)
            if own is not None and own.state in _SEEN:
                self._settled[dataset] = own
            else:
                others.append(dataset)
        in_force = await all_published_as_of(self._db, self._run, self._cmc_id, others)
        self._settled |= {dataset: in_force.get(dataset) for dataset in others}


async def write_references(db: Database, references: References, *, fence: int) -> None:
    """Keeps them; again, when it was done before. StoreLost when a crawl with a later lease was here."""
    identity = references_id(references.run, references.cmc_id)
    document = {**to_document(references), "_id": identity, "fence": fence}
    try:
        await db["references"].replace_one({"_id": identity, "fence": {"$lte": fence}}, document, upsert=True)
    except DuplicateKeyError:
        raise StoreLost(f"{identity}: another crawl has taken over this run") from None


async def find_references(db: Database, run: int, cmc_id: str) -> References | None:
    """What was kept for one province, None when nothing was."""
    found = await db["references"].find_one({"_id": references_id(run, cmc_id)})
    return references_of(found) if found else None


async def references_of_run(db: Database, run: int) -> dict[str, References]:
    """What was kept for every province of a run, by cmcId."""
    prefix = references_id(run, "")
    wanted = {"_id": {"$gte": prefix, "$lt": f"{prefix}\U0010ffff"}}
    return {found["cmcId"]: references_of(found) async for found in db["references"].find(wanted)}


def references_id(run: int, cmc_id: str) -> str:
    """The document of one province in one run."""
    return f"{run:08d}/{cmc_id}"


def references_of(document: Mapping[str, Any]) -> References:
    """The references that a document holds."""
    return References(
        run=document["run"],
        cmc_id=document["cmcId"],
        counts=tuple(
            ReferenceCount(
                dataset=count["dataset"],
                field=count["field"],
                target=count["target"],
                as_of=count["asOf"],
                target_as_of=count["targetAsOf"],
                records=count["records"],
                absent=count["absent"],
                dangling=count["dangling"],
                samples=tuple(NamedKey(**sample) for sample in count["samples"]),
                late=count["late"],
                late_samples=tuple(NamedKey(**sample) for sample in count["lateSamples"]),
            )
            for count in document["counts"]
        ),
    )


async def _count(
    db: Database, dataset: Dataset, reference: Reference, own: Manifest, target: Manifest
) -> ReferenceCount:
    tally = ReferenceTally(dataset, reference)
    async for batch in _batches(db, own, reference):
        await _add(db, tally, batch, target)
    order = await _order(db, dataset, reference, own) if is_ordered(dataset, reference) else None
    return tally.count(as_of=own.run, target_as_of=target.run, order=order)


async def _add(db: Database, tally: ReferenceTally, batch: Sequence[Named], target: Manifest) -> None:
    asked = tally.unknown(batch)
    tally.add(batch, asked, await _there(db, target, asked))


async def _batches(db: Database, own: Manifest, reference: Reference) -> AsyncIterator[list[Named]]:
    """All records of a snapshot with what they name; from the index alone where the key itself is what names."""
    if _by_key(own, reference):
        async for versions in batches(db[own.dataset], _held(own), "key", hint="version"):
            yield [(version["key"], (version["key"],), 1) for version in versions]
    elif reference.many:
        async for versions in batches(db[own.dataset], _held(own), *_fields(reference), hint="version"):
            yield [(key, names, 1) for key, names in await _named(db, own, reference, versions)]
    else:
        async for named in _groups(db, own, reference):
            yield named


async def _groups(db: Database, own: Manifest, reference: Reference) -> AsyncIterator[list[Named]]:
    """What records name, each thing once and with how many they are: many records name few others.

    Those in which it is neither text nor a whole number are read whole: its name may be spelt with a blank, or the
    record kept as text.
    """
    field = f"record.{reference.field}"
    value = {"$cond": [{"$in": [{"$type": f"${field}"}, _ALONE]}, f"${field}", None]}
    group = {"_id": value, "records": {"$sum": 1}, "first": {"$min": "$key"}}
    pipeline = [{"$match": _held(own)}, {"$group": group}]
    found = await aggregated(db[own.dataset], pipeline, hint="version", batchSize=_BATCH)
    batch: list[Named] = []
    unclear = 0
    async for each in found:
        if each["_id"] is None:
            unclear = each["records"]
            continue
        batch.append((each["first"], keys_named(each["_id"]), each["records"]))
        if len(batch) == _BATCH:
            yield batch
            batch = []
    yield batch
    if unclear:  # to a query a list is of the types of its items, too
        others = [{field: {"$not": {"$type": _ALONE}}}, {field: {"$type": "array"}}]
        wanted = {**_held(own), "$or": others}
        async for versions in batches(db[own.dataset], wanted, "key", "record", hint="version"):
            values = ((each["key"], value_in(reference, decode_record(each["record"]))) for each in versions)
            yield [(key, keys_named(value), 1) for key, value in values]


async def _named(
    db: Database, own: Manifest, reference: Reference, batch: Sequence[Document]
) -> list[tuple[str, tuple[str | None, ...]]]:
    """What each record of a batch names. One whose field was not found by its name is read whole."""
    values = {each["key"]: each["record"].get(reference.field, _UNCLEAR) for each in batch}
    unclear = [key for key, value in values.items() if value is _UNCLEAR]
    if unclear:
        wanted = {**_held(own), "key": {"$in": unclear}}
        async for versions in batches(db[own.dataset], wanted, "key", "record", hint="version"):
            for version in versions:
                values[version["key"]] = value_in(reference, decode_record(version["record"]))
    return [(key, keys_named(value)) for key, value in values.items()]


async def _there(db: Database, target: Manifest, keys: Sequence[str]) -> set[str]:
    """Those of the keys that a snapshot has: read from the index alone. Asked in parts: a question may have 16 MB."""
    found: set[str] = set()
    for start in range(0, len(keys), _BATCH):
        wanted = {**_held(target), "key": {"$in": [*keys[start : start + _BATCH]]}}
        async for versions in batches(db[target.dataset], wanted, "key", hint="version"):
            found.update(version["key"] for version in versions)
    return found


async def _order(db: Database, dataset: Dataset, reference: Reference, own: Manifest) -> ServedOrder | None:
    """The order in which the ledger says the records were served; None when it has not all of their pages."""
    order = ServedOrder(dataset)
    walk = (own.run, own.cmc_id, own.dataset, own.stored_pass or 0)
    async for _, served in served_pages(db, *walk):
        keys = [key for key in served if key is not None]
        wanted_keys = {**_held(own), "key": {"$in": keys}}
        found = batches(db[own.dataset], wanted_keys, *_fields(reference), hint="version")
        versions = [version async for batch in found for version in batch]
        named = dict(await _named(db, own, reference, versions))
        for key in keys:
            order.serve(key, named.get(key, ()))
    return order if order.served == own.counts.distinct else None


def _by_key(own: Manifest, reference: Reference) -> bool:
    """Whether the primary key is what names: then no record need be read."""
    return reference.field == DATASETS[own.dataset].key


def _fields(reference: Reference) -> tuple[str, str]:
    return "key", f"record.{reference.field}"


def _held(manifest: Manifest) -> dict[str, Any]:
    return {"cmcId": manifest.cmc_id, "from": {"$lte": manifest.run}, "to": {"$gt": manifest.run}}
