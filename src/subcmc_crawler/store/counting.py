"""Counts and digests what MongoDB holds of a snapshot."""

from __future__ import annotations

from dataclasses import dataclass

import bson

from subcmc_crawler.province.page import SnapshotDigest
from subcmc_crawler.province.tally import Tally
from subcmc_crawler.store.batches import raw_batches
from subcmc_crawler.store.driver import Database


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


async def stored_as_of(
    db: Database, dataset: str, cmc_id: str, run: int, tally: Tally | None = None
) -> Stored:
    """Rows and digest of the versions that hold in `run`, read from the index alone, in bounded memory."""
    held = {"cmcId": cmc_id, "from": {"$lte": run}, "to": {"$gt": run}}
    rows, stored = 0, SnapshotDigest()
    last = ""  # which is no usable key
    same = tally is not None
    async for batch in raw_batches(db[dataset], held, "key", "hash", by="key", hint="version"):
        stored.add_encoded(batch)
        versions = bson.decode_all(batch)
        rows += len(versions)
        if tally is not None and same and versions:
            keys = [version["key"] for version in versions]
            hashes = [version["hash"] for version in versions]
            same = tally.agrees(keys, hashes, last)  # two versions of a key must not stand for two keys
            last = keys[-1]
    if tally is None:
        return Stored(rows, str(stored))
    return Stored(rows, str(stored), str(stored) if same and rows == tally.distinct else tally.digest())
