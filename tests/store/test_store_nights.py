"""Random nights on a real MongoDB: walks that succeed, fail, drift, are held, are killed at any write.

The model keeps what was served. Whatever happens, every snapshot that was ever published stays exactly that.
The examples are the same each time (`derandomize`) and are not shrunk, which takes minutes. A longer hunt,
with other examples each time and shrinking, is `SUBCMC_NIGHTS=2000 pytest tests/store/test_store_nights.py`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from store_cases import AT, collected, everything
from store_centre import Behaviour, Centre, Row, Served, Watching, as_json, content, province, remembered
from store_tripwire import Killed, Mode, Tripwire

from subcmc_crawler.errors import Refused, Unreachable
from subcmc_crawler.halting import Halt
from subcmc_crawler.model import OPEN_END, Acceptance, Manifest, RunRecord, RunStatus, State
from subcmc_crawler.province.addresses import Address
from subcmc_crawler.province.settings import DatasetSettings
from subcmc_crawler.pull import Night, Walk, find_concluded
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import Database, open_store
from subcmc_crawler.store.counting import stored_as_of
from subcmc_crawler.store.reading import export
from subcmc_crawler.store.runs import (
    accept,
    begin_run,
    finish_run,
    get_manifest,
    recover,
    reopen_run,
)

Result = TypeVar("Result")
Cell = tuple[str, str]

PROVINCES = ("62", "620000")  # one is the beginning of the other
CODES = ("ua_org", "hardware")
CELLS: list[Cell] = [(cmc, code) for cmc in PROVINCES for code in CODES]
KEYS = [f"k{number}" for number in range(8)] + ["a.b", "$x", "机", "😀"]

LONG_HUNT = int(os.environ.get("SUBCMC_NIGHTS", "0"))


names = st.sampled_from(["a", "b", "c"])


def rows_for(key_name: str) -> st.SearchStrategy[list[Row]]:
    """Few keys, so that they repeat and conflict; some rows without one."""
    row = st.one_of(
        st.fixed_dictionaries(
            {key_name: st.sampled_from(KEYS), "x": names}, optional={"collectTime": st.integers(1, 3)}
        ),
        st.fixed_dictionaries({"x": names}, optional={"collectTime": st.integers(1, 3)}),
    )
    distinct = st.lists(
        st.fixed_dictionaries({key_name: st.sampled_from(KEYS), "x": names, "collectTime": st.just(1)}),
        unique_by=lambda each: each[key_name],
        max_size=12,
    )
    return st.one_of(distinct, st.lists(row, min_size=4, max_size=30), st.just([]))


class Nights(RuleBasedStateMachine):
    """Every rule is something that may happen to the store; every invariant what must hold afterwards."""

    uri: ClassVar[str]
    name: ClassVar[str]
    killed: ClassVar[int] = 0
    walked: ClassVar[int] = 0
    resumed: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.opening: AbstractAsyncContextManager[Database] = open_store(
            self.uri, database=self.name, driver="pymongo", prepare=False
        )
        self.db = self.do(self.opening.__aenter__())
        self.rows: dict[Cell, list[Row]] = {
            (cmc, code): [{DATASETS[code].key: key, "x": "a", "collectTime": 1} for key in KEYS[:7]]
            for cmc, code in CELLS
        }
        self.truth: dict[tuple[int, Cell], list[Row]] = {}  # of every published snapshot
        self.gone: set[tuple[int, Cell]] = set()  # published once and pruned
        self.held: dict[Cell, tuple[Manifest, list[Row]]] = {}
        self.touched: set[Cell] = set(CELLS)  # since the last look at everything
        self.broken: tuple[int, list[Cell]] | None = None  # the last run, if it was killed, and its cells
        self.served: dict[Cell, Served] = {}  # in it
        self.fence = 0
        self.clock = AT

    def do(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(work)

    def now(self) -> datetime:
        self.clock += timedelta(seconds=1)
        return self.clock

    def teardown(self) -> None:
        self.touched = set(CELLS)
        self.every_published_snapshot_is_what_was_served()
        self.do(self.opening.__aexit__(None, None, None))
        self.runner.close()

    @initialize()
    def empty(self) -> None:
        async def wipe() -> None:
            for collection in (*CODES, "runs", "snapshots", "ledger", "quarantine", "leases"):
                await self.db[collection].delete_many({})

        self.do(wipe())

    # What the provinces do by day

    def by_day(self, data: st.DataObject, cell: Cell) -> None:
        """The rows of a cell move on: all of them, some of them, or none."""
        key_name = DATASETS[cell[1]].key
        rows = [dict(row) for row in self.rows[cell]]
        for row in rows:
            row["collectTime"] = row.get("collectTime", 0) + 1
        match data.draw(st.sampled_from(["others", "some change", "in and out", "moved", "same"])):
            case "others":
                rows = data.draw(rows_for(key_name))
            case "some change":
                for row in rows[:: data.draw(st.integers(1, 4))]:
                    row["x"] = data.draw(names)
            case "in and out":
                del rows[: data.draw(st.integers(0, 2))]
                rows.append({key_name: data.draw(st.sampled_from(KEYS)), "x": data.draw(names)})
            case "moved":
                rows = rows[2:] + rows[:2]
        self.rows[cell] = rows

    # What a run does by night

    @rule(data=st.data(), cells=st.sets(st.sampled_from(CELLS), min_size=1, max_size=3))
    def a_night(self, data: st.DataObject, cells: set[Cell]) -> None:
        """A run over some cells. One of its writes may be its last."""
        self.touched = set(cells)
        for cell in sorted(cells):
            self.by_day(data, cell)
        at = data.draw(st.one_of(st.just(0), st.integers(1, 15 * len(cells) + 3)), label="killed at write")
        mode: Mode = data.draw(st.sampled_from(["before", "after", "half"]), label="killed")
        wire = Tripwire(self.db, at=at, mode=mode)
        self.fence += 1
        try:
            self.do(self.run_over(sorted(cells), wire, lambda cell: self.behaviour(data, cell)))
        except Killed:
            type(self).killed += 1

    @precondition(lambda self: self.broken)
    @rule(data=st.data(), moved=st.booleans())
    def the_run_is_resumed(self, data: st.DataObject, moved: bool) -> None:
        """By a new process, which may be killed in its turn, and which the provinces may serve other rows."""
        assert self.broken is not None
        _, cells = self.broken
        self.touched = set(cells)
        if moved:
            for cell in cells:
                self.by_day(data, cell)
        at = data.draw(st.one_of(st.just(0), st.integers(1, 20)), label="killed at write")
        mode: Mode = data.draw(st.sampled_from(["before", "after", "half"]), label="killed")
        wire = Tripwire(self.db, at=at, mode=mode)
        self.fence += 1
        type(self).resumed += 1
        try:
            self.do(self.run_over(cells, wire, lambda cell: self.behaviour(data, cell), resumed=True))
        except Killed:
            type(self).killed += 1

    def behaviour(self, data: st.DataObject, cell: Cell) -> Behaviour:
        how = Behaviour(page_size=data.draw(st.sampled_from([1, 2, 3, 5, 30]), label="page size"))
        kind = data.draw(
            st.sampled_from(["good", "good", "good", "drift", "hides", "fault", "halt", "ignores pages"]),
            label="the province",
        )
        if kind == "drift":
            how.drift = data.draw(st.lists(rows_for(DATASETS[cell[1]].key), min_size=1, max_size=8))
        elif kind == "hides":
            how.hides = min(data.draw(st.integers(1, 2)), len(self.rows[cell]))
        elif kind in ("fault", "halt"):
            how.fails_at = data.draw(st.integers(1, 6))
            how.halts = kind == "halt"
            how.for_good = data.draw(st.booleans(), label="for good")
            fault = data.draw(st.sampled_from(["connect", "code"]))
            how.fault = Refused("code", "1", status=200) if fault == "code" else Unreachable(fault, "")
        elif kind == "ignores pages":
            how.ignores_page_num = True
        return how

    async def run_over(
        self,
        cells: list[Cell],
        wire: Tripwire,
        behaviour: Callable[[Cell], Behaviour],
        *,
        resumed: bool = False,
    ) -> None:
        if resumed:
            record = await reopen_run(wire.database)
        else:
            opened = RunRecord(number=0, status=RunStatus.RUNNING, started_at=self.now())
            record = await begin_run(wire.database, opened)  # killed before it, the run before can be resumed
            self.served = {}
        self.broken = (record.number, cells)
        await recover(wire.database, record.number)
        for cell in cells:
            await self.walk(cell, record.number, wire, behaviour(cell), resumed=resumed)
        self.broken = None
        await finish_run(wire.database, record.number, RunStatus.FINISHED, self.now())

    async def walk(
        self, cell: Cell, run: int, wire: Tripwire, how: Behaviour, *, resumed: bool = False
    ) -> None:
        cmc, code = cell
        night = Night(
            db=wire.database,
            run=run,
            fence=self.fence,
            observer=Watching(),
            now=self.now,
            resumed=resumed,
        )
        if resumed and await find_concluded(night, province(cmc), DATASETS[code]):
            return
        centre = Centre(deepcopy(self.rows[cell]), how)
        if resumed:
            centre.served = await remembered(self.db, self.served.get(cell, {}), run, cell)
        self.served[cell] = centre.served
        settings = DatasetSettings(page_size=how.page_size)
        pull = Walk(
            province(cmc),
            DATASETS[code],
            settings,
            night,
            centre,
            halted=Halt(centre.stop, closing=None, grace_seconds=0, now=self.now),
            dead={},
        )
        wire.published = False
        self.held.pop(cell, None)  # whatever comes, a walk that has begun undoes what is held
        try:
            manifest = await pull.run()
        finally:
            type(self).walked += 1
            if wire.published:
                self.truth[run, cell] = centre.rows_of(max(centre.served))
        assert wire.published == (manifest.state is State.PUBLISHED)
        assert manifest.counts.imbalances() == () or manifest.digest is None
        if manifest.stored_pass is not None:
            assert manifest.counts.received == len(centre.rows_of(manifest.stored_pass))
        if manifest.state is State.HELD:
            self.held[cell] = (manifest, centre.rows_of(max(centre.served)))
        await self.nothing_is_left(cell, manifest)

    async def nothing_is_left(self, cell: Cell, manifest: Manifest) -> None:
        """After a walk the versions know the published runs of their cell alone, and this one if held."""
        runs = {number for number, other in [*self.truth, *self.gone] if other == cell} | {OPEN_END}
        if manifest.state is State.HELD:
            runs.add(manifest.run)
        for version in await everything(self.db, cell[1]):
            if version["cmcId"] == cell[0]:
                assert {version["from"], version["to"]} <= runs

    # What an operator does in the morning

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def an_operator_accepts(self, data: st.DataObject) -> None:
        cell = data.draw(st.sampled_from(sorted(self.held)), label="accepts")
        manifest, rows = self.held.pop(cell)
        self.touched = {cell}
        at = data.draw(st.integers(0, 1), label="killed at write")
        wire = Tripwire(self.db, at=at, mode=data.draw(st.sampled_from(["before", "after"])))
        by = Acceptance(by="operator", at=AT, reason="a reorganisation")
        assert manifest.digest is not None

        async def accepted() -> None:
            found = await get_manifest(self.db, manifest.run, *cell)
            assert found.state is State.HELD
            try:
                await accept(wire.database, found, digest=found.digest or "", acceptance=by)
            except Killed:
                if not wire.published:
                    self.held[cell] = (manifest, rows)

        self.do(accepted())
        if wire.published or at == 0:
            assert wire.published
            self.truth[manifest.run, cell] = rows

    # What must hold, always

    @invariant()
    def every_published_snapshot_is_what_was_served(self) -> None:
        async def check() -> None:
            for (run, cell), rows in self.truth.items():
                if cell not in self.touched:
                    continue  # the end of the example looks at them all
                manifest = await get_manifest(self.db, run, *cell)
                assert manifest.state is State.PUBLISHED
                exported = await collected(export(self.db, manifest))
                assert [as_json(each) for each in exported] == [as_json(each) for each in rows]
                stored = await stored_as_of(self.db, cell[1], cell[0], run)
                assert (stored.rows, stored.digest) == (manifest.counts.distinct, manifest.digest)

        self.do(check())

    @invariant()
    def nothing_else_is_published(self) -> None:
        async def check() -> None:
            published = {
                (found["run"], (found["cmcId"], found["dataset"]))
                async for found in self.db["snapshots"].find({"state": "published"})
            }
            assert published == set(self.truth)

        self.do(check())

    @invariant()
    def no_version_is_doubled(self) -> None:
        """In no published run does a key hold twice."""

        async def check() -> None:
            for cmc, code in self.touched:
                shape = {"key": 1, "from": 1, "to": 1}
                versions = [found async for found in self.db[code].find({"cmcId": cmc}, shape)]
                for run in (run for run, cell in self.truth if cell == (cmc, code)):
                    keys = [each["key"] for each in versions if each["from"] <= run < each["to"]]
                    assert len(keys) == len(set(keys))

        self.do(check())

    @invariant()
    def the_view_is_the_last_published(self) -> None:
        async def check() -> None:
            for code in CODES:
                shown = await everything(self.db, f"current_{code}")
                for cmc in PROVINCES:
                    runs = [run for run, cell in self.truth if cell == (cmc, code)]
                    rows = self.truth[max(runs), (cmc, code)] if runs else []
                    last = {str(row[DATASETS[code].key]): row for row in rows if DATASETS[code].key in row}
                    found = [version["record"] for version in shown if version["cmcId"] == cmc]
                    assert sorted(map(content, found)) == sorted(map(content, last.values()))

        self.do(check())

    @invariant()
    def what_is_held_can_still_be_read(self) -> None:
        async def check() -> None:
            for cell, (manifest, rows) in self.held.items():
                exported = await collected(export(self.db, manifest))
                assert [as_json(each) for each in exported] == [as_json(each) for each in rows], cell

        self.do(check())


@pytest.fixture
def machine(mongod_uri: str, prepared: str) -> Iterator[type[Nights]]:
    Nights.uri, Nights.name = mongod_uri, prepared
    Nights.killed = Nights.walked = Nights.resumed = 0
    yield Nights
    del Nights.uri, Nights.name


def test_whatever_happens_a_published_snapshot_stays_what_was_served(machine: type[Nights]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=LONG_HUNT or 20,
            stateful_step_count=12,
            deadline=None,
            derandomize=not LONG_HUNT,
            phases=[Phase.generate, Phase.shrink] if LONG_HUNT else [Phase.generate],
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert machine.walked > 60, "the examples must walk"
    assert machine.killed > 20, "and be killed"
    assert machine.resumed > 10, "and be resumed"


async def test_the_same_page_again_is_where_a_pass_ends() -> None:
    """The model's own eyes: an echo ends a pass, and the probe of page 1 is no page of it."""
    centre = Centre([{"orgId": "a", "x": "1"}, {"orgId": "b", "x": "1"}], Behaviour(ignores_page_num=True))
    settings = DatasetSettings(page_size=1)
    for page_num in (1, 2, 1):
        await centre.page(
            DATASETS["ua_org"],
            settings,
            address=Address("http", "127.0.0.1", 9, "/a"),
            walk_pass=1,
            page_num=page_num,
            page_size=1,
        )
    assert centre.rows_of(1) == [{"orgId": "a", "x": "1"}]
