"""The crawler and MongoDB are killed at any instant; the next run mends it all. `make soak` does it 250 times."""

from __future__ import annotations

import asyncio
from pathlib import Path

from crash_world import Figures, world
from own_mongod import own_mongod


async def killed_twice(uri: str, database: str, folder: Path, seed: int) -> Figures:
    async with world(uri, database, folder, seed, patient=False) as ministry:
        await ministry.crawler_dies(times=2)
        await ministry.check_everything()
        return ministry.figures


async def test_a_crawler_that_is_killed_leaves_nothing_that_the_next_run_does_not_mend(
    mongod_uri: str, database: str, tmp_path: Path
) -> None:
    worlds = [killed_twice(mongod_uri, f"{database}_{seed}", tmp_path / str(seed), seed) for seed in range(3)]
    for figures in await asyncio.gather(*worlds):
        assert figures.faults == []
        assert figures.kills == 2
        assert figures.snapshots >= 2 * 18


async def test_a_mongod_that_is_killed_has_lost_nothing_that_was_published(tmp_path: Path) -> None:
    with own_mongod() as mongod:
        async with world(mongod.uri, "subcmc", tmp_path, seed=4) as ministry:
            for _ in range(2):
                await ministry.mongod_dies(mongod)
            await ministry.check_everything()
    assert ministry.figures.faults == []
    assert ministry.figures.snapshots >= 2 * 18
