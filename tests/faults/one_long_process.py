"""A crawler that lives for many nights in one process: a night for each line that it reads.

    python one_long_process.py REGISTRY URI DATABASE

After each night, a line of JSON says what the process holds then.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from subcmc_crawler.config import read_registry
from subcmc_crawler.model import Manifest
from subcmc_crawler.province.registry import Province, Registry
from subcmc_crawler.run import Crawl
from subcmc_crawler.spec.datasets import Dataset
from subcmc_crawler.store import Database, open_store

_FIRST = datetime(2026, 11, 24, 1, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


class Looking:
    """An observer that looks away."""

    def page(self, province: Province, dataset: Dataset, received: int, declared: int | None) -> None:
        """Nothing."""

    def cell(self, manifest: Manifest) -> None:
        """Nothing."""


def held() -> dict[str, int]:
    """What the process holds: resident bytes, file descriptors, tasks of the event loop but this one."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return {
        "rss": pages * os.sysconf("SC_PAGESIZE"),
        "descriptors": len(os.listdir("/proc/self/fd")),  # noqa: PTH208 - a path for each is not needed
        "tasks": len(asyncio.all_tasks()) - 1,
    }


async def one_night(db: Database, registry: Registry, night: int) -> None:
    """A whole run inside the windows of that night."""
    opening = _FIRST + timedelta(days=night)
    began = asyncio.get_running_loop().time()

    def now() -> datetime:
        return opening + timedelta(seconds=asyncio.get_running_loop().time() - began)

    await Crawl(registry, db, Looking(), folder=Path(), now=now).run()


async def main(registry: str, uri: str, database: str) -> None:
    """Nights until there are no more lines."""
    async with open_store(uri, database=database) as db:
        night = 0
        while await asyncio.to_thread(sys.stdin.readline):
            await one_night(db, read_registry(Path(registry)), night)
            sys.stdout.write(json.dumps(held()) + "\n")
            sys.stdout.flush()
            night += 1


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
