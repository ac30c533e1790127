"""Many nights in one process: what it holds after each, what the store grows by, and what a prune gives back."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from crash_world import digest

from subcmc_crawler.model import OPEN_END
from subcmc_crawler.simulator.nights import Centre
from subcmc_crawler.simulator.server import Simulator
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import Database, open_store
from subcmc_crawler.store.pruning import Pruned, prune
from subcmc_crawler.store.reading import export
from subcmc_crawler.store.runs import manifests_of

_PROVINCES = {"110000": "北京市", "620000": "甘肃省"}
_DEFAULTS = """
page_size = 50
requests_per_second = 0
stagger_share = 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Morning:
    """What the process holds after a night, what the night changed, and what the store grew by."""

    rss: int
    descriptors: int
    tasks: int
    new: int  # rows that are added or changed
    grown: int  # versions more than the night before


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """The mornings, and what the prune after the last night came to."""

    mornings: tuple[Morning, ...]
    pruned: Pruned
    versions_before: int
    versions_after: int
    bytes_before: int  # of all versions, as BSON
    bytes_after: int
    reusable: int  # bytes of the files of the versions that the prune left free for what comes
    kept: int  # snapshots of kept nights that were exported and held against what was served
    faults: tuple[str, ...]


async def live(uri: str, database: str, folder: Path, *, nights: int, keep: int, scale: float) -> Life:
    """So many nights of two provinces of which a tenth changes every night; then `prune --keep-runs keep`."""
    centres = [Centre(cmc_id, name, scale=scale, change=0.1) for cmc_id, name in _PROVINCES.items()]
    async with (
        Simulator(centres) as simulator,
        open_store(uri, database=database, driver="pymongo") as db,
    ):
        registry = folder / "provinces.toml"
        registry.write_text(simulator.registry(defaults=_DEFAULTS), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                str(Path(__file__).with_name("one_long_process.py")),
                str(registry),
                uri,
                database,
            ),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        served: dict[tuple[int, str, str], str] = {}
        mornings = []
        stored = 0
        for night in range(1, nights + 1):
            simulator.night = night
            for cmc_id in _PROVINCES:
                served |= {(night, cmc_id, code): digest(simulator.rows(cmc_id, code)) for code in DATASETS}
            process.stdin.write(b"night\n")
            told = json.loads(await process.stdout.readline())
            before, stored = stored, (await _versions(db))[0]
            counts = [manifest.counts for manifest in await manifests_of(db, night)]
            new = sum(each.added + each.changed for each in counts)
            mornings.append(Morning(**told, new=new, grown=stored - before))
        process.stdin.close()
        await process.wait()
        return await _pruned(db, tuple(mornings), served, keep)


async def _pruned(
    db: Database, mornings: tuple[Morning, ...], served: dict[tuple[int, str, str], str], keep: int
) -> Life:
    versions_before, bytes_before, _ = await _versions(db)
    pruned = await prune(db, keep)
    await db.client.admin.command(
        "fsync"
    )  # room is given back to the file by the next checkpoint, a minute away
    versions_after, bytes_after, reusable = await _versions(db)
    faults, kept = [], 0
    for run in range(pruned.oldest, len(mornings) + 1):
        for manifest in await manifests_of(db, run):
            kept += 1
            rows = [row async for row in export(db, manifest)]
            if digest(rows) != served[run, manifest.cmc_id, manifest.dataset]:
                faults.append(f"run {run} {manifest.cmc_id}/{manifest.dataset} is not what was served")
    for code in DATASETS:  # of what is left, all is seen by a kept run
        if left := await db[code].count_documents({"to": {"$lte": pruned.oldest, "$lt": OPEN_END}}):
            faults.append(f"{left} versions of {code} that nobody can see")
    return Life(
        mornings=mornings,
        pruned=pruned,
        versions_before=versions_before,
        versions_after=versions_after,
        bytes_before=bytes_before,
        bytes_after=bytes_after,
        reusable=reusable,
        kept=kept,
        faults=tuple(faults),
    )


async def _versions(db: Database) -> tuple[int, int, int]:
    """Versions, their bytes, and bytes that are free in their files, of all datasets."""
    stats = [await db.command("collStats", code) for code in DATASETS]
    free = sum(int(each.get("freeStorageSize", 0)) for each in stats)
    return sum(each["count"] for each in stats), sum(int(each["size"]) for each in stats), free
