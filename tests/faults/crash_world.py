"""A ministry whose crawler, or whose MongoDB, is killed at any instant; and what must hold in the end.

The crawler is `subcmc crawl --now` as a process, the provinces are in this one, so that it knows what was served.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from own_mongod import OwnMongod

from subcmc_crawler.model import OPEN_END, RunStatus, State
from subcmc_crawler.simulator.nights import Centre
from subcmc_crawler.simulator.server import Simulator
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import Database, open_store
from subcmc_crawler.store.reading import export, prove
from subcmc_crawler.store.runs import list_runs, manifests_of

_PROVINCES = {"110000": "北京市", "620000": "甘肃省"}
_REQUESTS = (
    36  # of a night, about: two provinces, nine datasets, most of them one page; users and devices a few
)
_DEFAULTS = """
page_size = 10
requests_per_second = 0
max_in_flight = 2
max_attempts = 3
cool_down_seconds = 0.05
request_timeout_seconds = 10
"""
_STALLS = 3
_NIGHTS = 10
"""Different nights that are served, in any order: after dozens of changes a dataset of three records may be empty,
and an empty one is held for the operator."""

_LOOK_SECONDS = 0.002
_LONGEST_SECONDS = {0: 0.8, _REQUESTS: 0.4}
"""After so many requests, how long the instant may wait: first Python starts, the lease is taken and what is left is
undone; last the run is closed and told."""
_GONE = re.compile(
    r"^subcmc: (?:MongoDB at 127\.0\.0\.1:\d+ .+|the lease ran out: MongoDB did not renew it .+ --resume)$",
    re.MULTILINE,
)
"""What is told when MongoDB is gone: by the driver, or, on a slow machine, by the lease that ran out before."""
_MOST_SECONDS = 60  # for what takes 10, on a machine that has other things to do

Kill = Callable[[asyncio.subprocess.Process], None]


@dataclass
class Figures:
    """What was done, and what came of it."""

    kills: int = 0
    caught: Counter[str] = field(default_factory=Counter)  # where the killed process was
    runs: int = 0
    resumed: int = 0
    stalled: int = 0  # runs that lost their lease because the machine was too busy to renew it
    snapshots: int = 0  # published ones that were exported and held against what was served
    rows: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, other: Figures) -> None:
        """Counts the figures of another world as well."""
        self.kills += other.kills
        self.caught += other.caught
        self.runs += other.runs
        self.resumed += other.resumed
        self.stalled += other.stalled
        self.snapshots += other.snapshots
        self.rows += other.rows
        self.faults += other.faults


class World:
    """Nights with changing data over one database, and a seeded dice for every instant.

    A `patient` one waits until the lease of the dead is over; another one moves its end, which is quicker.
    """

    def __init__(
        self, db: Database, simulator: Simulator, folder: Path, uri: str, seed: int, *, patient: bool
    ) -> None:
        self.figures = Figures()
        self._patient = patient
        self._db = db
        self._simulator = simulator
        self._folder = folder
        self._dice = random.Random(seed)  # noqa: S311 - a test that can be run again
        self._nights: dict[int, int] = {}  # run -> the night that was served
        self._served: dict[tuple[int, str, str], str] = {}  # digest by night and cell
        self._environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith(("SUBCMC", "MONGODB"))},
            "MONGODB_URI": uri,
            "SUBCMC_DATABASE": db.name,
            "SUBCMC_LEASE_SECONDS": "3",
            "SUBCMC_LANG": "en",
        }

    async def crawler_dies(self, times: int | None = None) -> None:
        """A night in which the crawler is killed, so many times in a row, and then one that ends well."""
        await self._turn()
        for _ in range(times or self._dice.choice([1, 1, 1, 2, 3])):
            await self._lease_over()
            await self._crawl(_dies)
            await self._note_run()
            self.figures.kills += 1
        await self._whole()

    async def mongod_dies(self, mongod: OwnMongod) -> None:
        """A night in which MongoDB is killed, started again over its data, and then one that ends well."""
        await self._turn()
        code, said = await self._crawl(lambda _: mongod.kill(), uri=mongod.impatient_uri)
        self.figures.kills += 1
        if code not in (0, 69):
            self.figures.faults.append(f"exit {code} when MongoDB was killed: {said}")
        if code == 69 and len(_GONE.findall(said)) != 1:
            self.figures.faults.append(f"not one clear line: {said}")
        mongod.start()
        await self._note_run()
        await self._whole()

    async def mongod_hangs(self, mongod: OwnMongod) -> tuple[int, str, int]:
        """A night in which MongoDB answers no more: how it ended, what it said, how many requests came after that.

        Then MongoDB answers again, and a night ends well.
        """
        await self._turn()
        asked = len(self._simulator.requests)

        def freeze(_: asyncio.subprocess.Process) -> None:
            nonlocal asked
            asked = len(self._simulator.requests)
            mongod.freeze()

        async with asyncio.timeout(_MOST_SECONDS):
            code, said = await self._crawl(freeze, instant=_REQUESTS // 2)
        after = len(self._simulator.requests) - asked
        mongod.thaw()
        await self._note_run()
        await self._whole()
        return code, said, after

    async def check_everything(self) -> None:
        """Every snapshot that was ever published, and every version that is stored."""
        runs = await list_runs(self._db, 0)
        self.figures.runs += len(runs)
        for run in runs:
            await self._check_run(run.number)
        await self._check_versions()

    async def _turn(self) -> None:
        if self._served:
            others = [night for night in range(1, _NIGHTS + 1) if night != self._simulator.night]
            self._simulator.night = self._dice.choice(others)
        night = self._simulator.night
        for cmc_id in _PROVINCES:
            for code in DATASETS:
                self._served[night, cmc_id, code] = digest(self._simulator.rows(cmc_id, code))

    async def _whole(self) -> None:
        """The next run: nobody helps it, it only waits until the lease of the dead one is over."""
        left = any(run.status is RunStatus.RUNNING for run in await list_runs(self._db, 1))
        resume = left and self._dice.random() < 0.4
        if not resume and self._dice.random() < 0.5:
            await self._turn()
        self.figures.resumed += resume
        for _ in range(_STALLS):
            await self._lease_over()
            code, said = await self._crawl(None, *(["--resume"] if resume else []))
            if code != 69 or "the lease ran out" not in said:
                break
            self.figures.stalled += (
                1  # a machine that stands still for three seconds; the next run is as any other
            )
        if code != 0:
            self.figures.faults.append(f"the run after a crash ended with {code}: {said}")
        await self._check_state()
        await self._check_run((await list_runs(self._db, 1))[0].number)

    async def _crawl(
        self, kill: Kill | None, *arguments: str, instant: int | None = None, uri: str = ""
    ) -> tuple[int, str]:
        """One process, and what it said on standard error; `kill` befalls it after so many requests, or any."""
        own = {"MONGODB_URI": uri} if uri else {}
        if kill is None:  # a third of its lease is what it has to give it back
            own["SUBCMC_LEASE_SECONDS"] = "60"
        before = len(self._simulator.requests)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "subcmc_crawler", "crawl", "--now", *arguments),
            cwd=self._folder,
            env={**self._environment, **own},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        ending = asyncio.ensure_future(process.communicate())
        if kill is not None:
            await self._instant(ending, before, instant)
            self.figures.caught[_place(len(self._simulator.requests) - before, ending.done())] += 1
            kill(process)
        said = (await ending)[1].decode()
        if "Traceback" in said:
            self.figures.faults.append(said)
        if kill is None:
            await self._note_run()
        return process.returncode or 0, said

    async def _instant(self, ending: asyncio.Future[Any], before: int, requests: int | None) -> None:
        """Returns a moment after so many requests, or after any number of them, or at the end of the process."""
        wanted = self._some_request() if requests is None else requests
        while len(self._simulator.requests) - before < wanted and not ending.done():  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)
        await asyncio.sleep(self._dice.uniform(0, _LONGEST_SECONDS.get(wanted, 0.05)))

    def _some_request(self) -> int:
        """Any, and more often the first and the last, where runs and not only pages begin and end."""
        return self._dice.choice([0, _REQUESTS, *(self._dice.randint(1, _REQUESTS) for _ in range(4))])

    async def _note_run(self) -> None:
        for run in await list_runs(self._db, 2):
            self._nights.setdefault(run.number, self._simulator.night)

    async def _lease_over(self) -> None:
        """Only MongoDB's clock decides."""
        if not self._patient:
            await end_leases(self._db)
        held = {"$expr": {"$gt": ["$expiresAt", "$$NOW"]}}
        async with asyncio.timeout(2 * _MOST_SECONDS):
            while await self._db["leases"].find_one(held):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def _check_state(self) -> None:
        """After a run that ended well nothing is under way, and nobody holds the lease."""
        unsettled = {"state": {"$in": [State.COLLECTING.value, State.ROLLING_BACK.value]}}
        if left := await self._db["snapshots"].count_documents(unsettled):
            self.figures.faults.append(f"{left} snapshots neither published nor undone")
        if await self._db["leases"].find_one({"$expr": {"$gt": ["$expiresAt", "$$NOW"]}}):
            self.figures.faults.append("the lease is still held")
        running = {"status": RunStatus.RUNNING.value}
        if left := await self._db["runs"].count_documents(running):
            self.figures.faults.append(f"{left} runs still marked as running")

    async def _check_run(self, number: int) -> None:
        night = self._nights[number]
        for manifest in await manifests_of(self._db, number):
            if manifest.state is not State.PUBLISHED:
                continue
            name = f"run {number} {manifest.cmc_id}/{manifest.dataset}"
            rows = [row async for row in export(self._db, manifest)]
            if digest(rows) != self._served[night, manifest.cmc_id, manifest.dataset]:
                self.figures.faults.append(f"{name} is not what night {night} served")
            if not (await prove(self._db, manifest)).holds(manifest):
                self.figures.faults.append(f"{name} does not have its digest")
            self.figures.snapshots += 1
            self.figures.rows += len(rows)

    async def _check_versions(self) -> None:
        """No two versions of a key hold in the same run; each begins and ends with a run that was published."""
        for code in DATASETS:
            published: dict[str, set[int]] = {cmc_id: {OPEN_END} for cmc_id in _PROVINCES}
            found = self._db["snapshots"].find({"dataset": code, "state": State.PUBLISHED.value})
            async for manifest in found:
                published[manifest["cmcId"]].add(manifest["run"])
            last: tuple[str, str, int] = ("", "", 0)
            shape = {"cmcId": 1, "key": 1, "from": 1, "to": 1}
            async for each in self._db[code].find({}, shape, sort=[("cmcId", 1), ("key", 1), ("from", 1)]):
                known = published[each["cmcId"]]
                doubled = last[:2] == (each["cmcId"], each["key"]) and each["from"] < last[2]
                if doubled or each["from"] >= each["to"] or not {each["from"], each["to"]} <= known:
                    self.figures.faults.append(f"{code}: a version that nothing explains: {each}")
                last = (each["cmcId"], each["key"], each["to"])


def _dies(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()


def _place(requests: int, ended: bool) -> str:
    if ended:
        return "after its end"
    if requests == 0:
        return "before its first request"
    if requests >= _REQUESTS:
        return "after most of its requests"
    return "in its first half" if requests < _REQUESTS / 2 else "in its second half"


def digest(rows: list[Any]) -> str:
    """Equal for equal rows in the same order; the order of the keys in a row means nothing."""
    return hashlib.blake2b(json.dumps(rows, sort_keys=True).encode(), digest_size=16).hexdigest()


async def end_leases(db: Database) -> None:
    """What time does to the leases of those who are dead."""
    await db["leases"].update_many({}, [{"$set": {"expiresAt": "$$NOW"}}])


@asynccontextmanager
async def world(
    uri: str, database: str, folder: Path, seed: int, *, patient: bool = True
) -> AsyncIterator[World]:
    """Two provinces with about 220 rows, of which a fifth changes every night."""
    centres = [
        Centre(cmc_id, name, scale=0.001, change=0.2, seed=seed) for cmc_id, name in _PROVINCES.items()
    ]
    async with (
        Simulator(centres) as simulator,
        open_store(uri, database=database, driver="pymongo") as db,
    ):
        _register(folder, simulator)
        yield World(db, simulator, folder, uri, seed, patient=patient)


def _register(folder: Path, simulator: Simulator) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "provinces.toml").write_text(simulator.registry(defaults=_DEFAULTS), encoding="utf-8")
