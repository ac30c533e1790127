"""How much memory the real command takes for answers that are small on the line: at most 300 MB.

Each answer in a process of its own: `HOSTILE_CASES=1 pytest tests/faults/test_hostile_memory.py`.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest
from hostile_answers import PROVEN, http, page_of, raw
from hostile_bombs import bomb_cases
from hostile_province import DEFAULTS, Case, registry_text, served

from shells import Shell
from subcmc_crawler.store import open_store
from subcmc_crawler.store.runs import manifests_of

MOST_KB = 300 * 1024
END_SECONDS = 300


@cache
def bombs() -> Mapping[str, Case]:
    """Made when the first is wanted: they are two hundred megabytes, which no worker needs to collect tests."""
    return {case.name.removeprefix("bomb."): case for case in bomb_cases()}


ALONE = list(bombs()) if os.environ.get("HOSTILE_CASES") else ["names", "lists"]
ONE_BY_ONE = [
    "objects",
    "objects-under-the-limit",
    "number-rows-under-the-limit",
    "texts",
    "halves",
    "stray-names",
]


async def crawled(shell: Shell, cases: Sequence[Case], at_once: int, dataset: str = "ua_user") -> int:
    """One run over the cases by the command itself; gives the most memory that it held, in kB."""
    defaults = re.sub(r"max_provinces = \d+", f"max_provinces = {at_once}", DEFAULTS)
    async with served(cases) as provinces, asyncio.timeout(END_SECONDS):
        for province in provinces:
            province.night = True
        text = registry_text(provinces, defaults).replace('ca_file = "ca.pem"', "")
        (shell.folder / "provinces.toml").write_text(text, encoding="utf-8")
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, str(Path(__file__).with_name("measured.py")), "crawl", "--now"),
            *("--dataset", dataset),
            cwd=shell.folder,
            env=shell.environment,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, told = await child.communicate()
    assert child.returncode in (0, 1), told.decode()
    assert b"Traceback" not in told, told.decode()
    environment = shell.environment
    async with open_store(environment["MONGODB_URI"], database=environment["SUBCMC_DATABASE"]) as db:
        found = {each.cmc_id: each for each in await manifests_of(db, 1)}
    for case in cases:
        manifest = found[case.name]
        assert manifest.verdict in case.verdicts, manifest
        assert not case.fault or set(case.fault.split("|")) & manifest.faults.keys(), manifest
        assert manifest.attempts <= case.most_requests, manifest
        assert manifest.counts.imbalances() == ()
    return int(told.decode().rpartition("peak ")[2])


async def test_gigabytes_that_come_packed_are_never_unpacked(shell: Shell) -> None:
    cases = [case for name, case in bombs().items() if re.match("gzip|deflate|br|zstd", name)]
    assert len(cases) == 9
    assert await crawled(shell, cases, at_once=len(cases)) < MOST_KB


async def test_what_grows_when_it_is_read_is_bounded(shell: Shell) -> None:
    assert await crawled(shell, [bombs()[name] for name in ONE_BY_ONE], at_once=1) < MOST_KB


@pytest.mark.parametrize("name", ALONE)
async def test_each_alone_is_bounded(shell: Shell, name: str) -> None:
    assert await crawled(shell, [bombs()[name]], at_once=1) < MOST_KB


async def test_a_million_wrong_items_in_an_array_without_a_limit_are_bounded(shell: Shell) -> None:
    items = b"[" + b"1," * 900_000 + b"1]"
    body = page_of(b'{"appId":"1","publishScope":' + items + b"}")
    case = Case(name="items", script=raw(http(body)), verdict=PROVEN, most_requests=1)
    assert await crawled(shell, [case], at_once=1, dataset="pm_app") < MOST_KB
