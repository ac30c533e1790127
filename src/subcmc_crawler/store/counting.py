"""Counts and digests what MongoDB holds of a snapshot."""

from __future__ import annotations

from dataclasses import dataclass

from subcmc_crawler.province.digest import SnapshotDigest
from subcmc_crawler.province.tally import Tally
from subcmc_crawler.store.driver import Database
from subcmc_crawler.store.stretches import stretches


@dataclass(slots=True)
class Changes:
    """How the rows of a pass stand to the last published snapshot."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0

    def count(self, *, rows: int, begun: int, ended: int) -> None:
        """Adds some rows, of which so many begin a version; those that end one have changed."""
        self.added += begun - ended
        self.changed += ended
        self.unchanged += rows - begun


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
    async for versions in stretches(db[dataset], held, "key", "hash", by="key", hint="version"):
        stored.add_encoded(b"".join(versions))
        rows += len(versions)
    return Stored(rows, str(stored), tally.digest() if tally is not None else None)
