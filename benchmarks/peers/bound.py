"""The bound: what a proven night cannot do without, each step in the fastest way this project knows, and no other.

Pages are fetched, parsed, held against their field tables and hashed by the code of the product; versions that began
or ended are written by raw commands, with the index by which they are compared. No pace, no lease, no ledger, no
count of keys, no reading back, no manifest, no report: what the product takes beyond this is the price of its proof.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Any, Final

import aiohttp
from common import PAGE_ROWS, Task, mongodb, tasks
from pymongo import ASCENDING, AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from subcmc_crawler.model import OPEN_END
from subcmc_crawler.province.page import read
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.spec.envelope import parse

_INDEX: Final = [(name, ASCENDING) for name in ("cmcId", "key", "from", "to", "hash")]


async def walk(
    session: aiohttp.ClientSession, task: Task, db: AsyncDatabase[dict[str, Any]], run: int
) -> None:
    """Page after page, until all declared rows have come; then ends what was not served."""
    held: dict[str, tuple[str, bytes]] = {}  # key: the version of the night before, and its hash
    if run > 1:
        wanted = {"cmcId": task.cmc_id, "to": OPEN_END}
        found = db[task.dataset].find(wanted, {"_id": 0, "key": 1, "from": 1, "hash": 1}, batch_size=5_000)
        async for each in found:
            held[each["key"]] = (f"{task.cmc_id}/{each['from']:08d}/{each['key']}", each["hash"])
    ended: list[str] = []
    page_num, left = 1, 1
    while left > 0:
        async with session.get(task.url(page_num)) as response:
            envelope = parse(await response.read())
        page = read(DATASETS[task.dataset], envelope, task.cmc_id)
        left = (envelope.total or 0) - page_num * PAGE_ROWS
        begun = []
        for key, content, record in zip(page.keys, page.hashes, page.records, strict=True):
            before = held.pop(key, None) if key else None
            if before and before[1] == content:
                continue
            if before:
                ended.append(before[0])
            begun.append(
                {
                    "_id": f"{task.cmc_id}/{run:08d}/{key}",
                    "cmcId": task.cmc_id,
                    "key": key,
                    "from": run,
                    "to": OPEN_END,
                    "hash": content,
                    "flags": [],
                    "record": record,
                }
            )
        if begun:
            await db.command({"insert": task.dataset, "documents": begun, "ordered": False})
        page_num += 1
    ended += [identifier for identifier, _ in held.values()]
    if ended:
        await db[task.dataset].update_many({"_id": {"$in": ended}}, {"$set": {"to": run}})


async def province(
    session: aiohttp.ClientSession, datasets: list[Task], db: AsyncDatabase[dict[str, Any]], run: int
) -> None:
    """One province, a dataset after the other."""
    for task in datasets:
        await walk(session, task, db, run)


async def main(run: int, index: int, count: int) -> None:
    """Every `count`-th province from the one with this `index`, all at once."""
    uri, database = mongodb()
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(uri)
    db = client[database]
    provinces = tasks()[index - 1 :: count]
    for code in {task.dataset for datasets in provinces for task in datasets}:
        await db[code].create_index(_INDEX, name="version")
    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(province(session, each, db, run) for each in provinces))
    await client.close()


options = argparse.ArgumentParser()
options.add_argument("run", type=int)
options.add_argument("--shard", default="1/1")
given = options.parse_args()
asyncio.run(main(given.run, *map(int, given.shard.split("/"))))
