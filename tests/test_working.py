"""What a worker does with a task, without Dask: its own files, the run's lease, a fence an attempt."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from crash_world import end_leases
from nights import FAST, MIDNIGHT

from patience import until
from subcmc_crawler.config import read_registry
from subcmc_crawler.errors import BadConfig, StoreLost
from subcmc_crawler.model import RunRecord, RunStatus, State
from subcmc_crawler.simulator.faults import Fault
from subcmc_crawler.simulator.nights import standard_centres
from subcmc_crawler.simulator.server import Simulator
from subcmc_crawler.store import Database, DriverError
from subcmc_crawler.store import lease as leases
from subcmc_crawler.store.lease import Lease, Standing, acquire, post, release, renew
from subcmc_crawler.store.runs import begin_run, manifests_of
from subcmc_crawler.working import Desk, Order, Thread, work

CODE = "110000"


class Place:
    """A thread that says what it did."""

    def __init__(self) -> None:
        self.did: list[str] = []

    @property
    def thread(self) -> Thread:
        return Thread(
            leave=lambda: self.did.append("leave"), come_back=lambda: self.did.append("back"), worker="here"
        )


@pytest.fixture
def worker(tmp_path: Path, mongod_uri: str, database: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The registry file of a worker whose environment names the database of the test."""
    file = tmp_path / "provinces.toml"
    monkeypatch.setenv("MONGODB_URI", mongod_uri)
    monkeypatch.setenv("SUBCMC_DATABASE", database)
    monkeypatch.setenv("SUBCMC_REGISTRY", str(file))
    return file


def write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


async def opened(db: Database, file: Path, simulator: Simulator, defaults: str = FAST) -> tuple[Order, Lease]:
    """A run, its lease, and the order of its tasks."""
    write(file, simulator.registry(defaults=defaults))
    lease = await acquire(db, "the run", 60)
    run = await begin_run(db, RunRecord(number=0, status=RunStatus.RUNNING, started_at=MIDNIGHT))
    digest = read_registry(file).digest
    order = Order(run=run.number, holder="the run", since=lease.fence, lease_seconds=60, registry=digest)
    return order, lease


def centres(*faults: str) -> list[Any]:
    known = standard_centres(scale=0.002, faults=[*map(Fault.parse, faults)])
    return [centre for centre in known if centre.cmc_id == CODE]


async def test_a_centre_is_pulled_and_a_second_attempt_finds_it_done(db: Database, worker: Path) -> None:
    async with Simulator(centres()) as simulator:
        order, lease = await opened(db, worker, simulator)
        first = await asyncio.to_thread(work, order.plain(), CODE, None, Place().thread)
        second = await asyncio.to_thread(work, order.plain(), CODE, None, Place().thread)
    assert first["cells"] == second["cells"]
    assert {verdict for verdict, _ in first["cells"].values()} == {"proven"}
    assert second["fence"] == first["fence"] + 1 > lease.fence
    manifests = await manifests_of(db, order.run, CODE)
    assert [each.state for each in manifests] == [State.PUBLISHED] * 9
    await release(db, lease)


async def test_a_centre_that_rests_leaves_its_place_in_the_worker(db: Database, worker: Path) -> None:
    place = Place()
    async with Simulator(centres("*/ua_org:503=1")) as simulator:
        order, lease = await opened(db, worker, simulator)
        done = await asyncio.to_thread(work, order.plain(), CODE, None, place.thread)
    assert place.did == ["leave", "back"]
    assert done["cells"]["ua_org"][0] == "proven"
    await release(db, lease)


async def test_a_run_that_is_to_stop_is_heard(db: Database, worker: Path) -> None:
    async with Simulator(centres()) as simulator:
        order, lease = await opened(db, worker, simulator)
        await post(db, lease, Standing(stop=2))
        done = await asyncio.to_thread(work, order.plain(), CODE, None, Place().thread)
    assert {verdict for verdict, _ in done["cells"].values()} == {"incomplete"}
    await release(db, lease)


async def test_with_a_limit_nothing_is_asked_for_before_there_is_a_part_of_it(
    db: Database, worker: Path
) -> None:
    async with Simulator(centres()) as simulator:
        order, lease = await opened(db, worker, simulator, FAST + "max_run_bytes_per_second = 1000000\n")
        pulling = asyncio.create_task(asyncio.to_thread(work, order.plain(), CODE, None, Place().thread))
        await post(db, lease, Standing(lines={"another": 1_000_000}))
        done, _ = await asyncio.wait([pulling], timeout=0.5)
        assert not done
        assert simulator.requests == []
        await post(db, lease, Standing(lines={"here": 500_000, "another": 500_000}))
        assert {verdict for verdict, _ in (await pulling)["cells"].values()} == {"proven"}
    await release(db, lease)


async def test_when_the_lease_is_gone_what_is_under_way_ends(db: Database, worker: Path) -> None:
    async with Simulator(centres("*:hang")) as simulator:
        order, lease = await opened(db, worker, simulator)
        pulling = asyncio.create_task(asyncio.to_thread(work, order.plain(), CODE, None, Place().thread))

        async def is_under_way() -> bool:
            assert not pulling.done(), pulling.exception()
            return await db["snapshots"].count_documents({}) > 0

        await until(is_under_way, "a walk under way")
        await release(db, lease)
        with pytest.raises(StoreLost, match="lost its lease"):
            await pulling
        with pytest.raises(StoreLost, match="lost its lease"):
            await asyncio.to_thread(work, order.plain(), CODE, None, Place().thread)


class Watched:
    """What a worker's desk sees, by a clock that the test moves."""

    def __init__(self, db: Database, file: Path, order: Order) -> None:
        self.at = 0.0
        self.desk = Desk(db, read_registry(file), order, folder=file.parent, clock=lambda: self.at)


@pytest.fixture
async def watched(db: Database, worker: Path) -> tuple[Watched, Lease]:
    async with Simulator(centres()) as simulator:
        order, lease = await opened(db, worker, simulator)
    return Watched(db, worker, order), lease


async def test_a_lease_that_ran_out_in_a_pause_has_as_long_again_to_be_renewed(
    db: Database, watched: tuple[Watched, Lease]
) -> None:
    world, lease = watched
    for _ in range(2):  # each pause has its own time
        world.at += 1000
        await end_leases(db)
        assert await world.desk.look()
        world.at += 59
        assert await world.desk.look()
        await renew(db, lease)
        world.at += 2
        assert await world.desk.look()
    await end_leases(db)
    assert await world.desk.look()
    world.at += 60
    assert not await world.desk.look(), "its holder is dead"


async def test_a_stop_is_heard_though_the_lease_ran_out(db: Database, watched: tuple[Watched, Lease]) -> None:
    world, lease = watched
    await end_leases(db)
    await post(db, lease, Standing(stop=1))
    assert await world.desk.look()
    assert world.desk._stop.times == 1


@pytest.mark.parametrize("how", ["taken", "given back"])
async def test_a_lease_that_is_gone_is_lost_at_once(
    db: Database, watched: tuple[Watched, Lease], how: str
) -> None:
    world, lease = watched
    assert await world.desk.look()
    await (release(db, lease) if how == "given back" else end_leases(db))
    if how == "taken":
        assert await world.desk.look()
        await acquire(db, "another", 60)
    assert not await world.desk.look()


async def test_mongodb_that_is_away_has_as_long_as_the_lease(
    watched: tuple[Watched, Lease], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, _ = watched

    async def away(*_: Any) -> None:
        raise DriverError

    with monkeypatch.context() as patch:
        patch.setattr(leases, "look", away)
        assert await world.desk.look()
        world.at += 59
        assert await world.desk.look()
        world.at += 1
        assert not await world.desk.look()
    assert await world.desk.look()


async def test_a_task_begins_while_the_lease_that_ran_out_may_be_renewed(db: Database, worker: Path) -> None:
    async with Simulator(centres()) as simulator:
        order, lease = await opened(db, worker, simulator)
        await end_leases(db)
        done = await asyncio.to_thread(work, order.plain(), CODE, None, Place().thread)
    assert {verdict for verdict, _ in done["cells"].values()} == {"proven"}
    await renew(db, lease)
    await release(db, lease)


async def test_a_worker_with_another_registry_says_so(db: Database, worker: Path) -> None:
    async with Simulator(centres()) as simulator:
        order, _ = await opened(db, worker, simulator)
        write(worker, simulator.registry(defaults=FAST) + "# another\n")
        with pytest.raises(BadConfig, match="another registry"):
            await asyncio.to_thread(work, order.plain(), CODE, None, Place().thread)


async def test_a_worker_without_a_mongodb_says_so(
    db: Database, worker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Simulator(centres()) as simulator:
        order, _ = await opened(db, worker, simulator)
    monkeypatch.delenv("MONGODB_URI")
    with pytest.raises(BadConfig, match="MONGODB_URI"):
        await asyncio.to_thread(work, order.plain(), CODE, None, Place().thread)
