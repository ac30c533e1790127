"""The floor: a bare asyncio loop, aiohttp and orjson, `insert_many` of AsyncMongoClient; nothing is checked."""

from __future__ import annotations

import asyncio

import aiohttp
import orjson
from common import PAGE_ROWS, Task, mongodb, tasks
from pymongo import AsyncMongoClient


async def walk(session: aiohttp.ClientSession, task: Task, db) -> None:
    """Page after page, until all declared rows have come."""
    page, left = 1, 1
    while left > 0:
        async with session.get(task.url(page)) as response:
            answer = orjson.loads(await response.read())
        left = answer["total"] - page * PAGE_ROWS
        await db[task.dataset].insert_many(answer["data"], ordered=False)
        page += 1


async def province(session: aiohttp.ClientSession, datasets: list[Task], db) -> None:
    """One province, a dataset after the other."""
    for task in datasets:
        await walk(session, task, db)


async def main() -> None:
    """All provinces at once."""
    uri, database = mongodb()
    client = AsyncMongoClient(uri)
    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(province(session, each, client[database]) for each in tasks()))
    await client.close()


asyncio.run(main())
