"""MongoDB gone, slow, full, stepped down, hung: one clear line and exit 69, or a run that goes on."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from crash_world import end_leases, world
from nights import FAST, Ministry, Watcher, ministry
from own_mongod import OwnMongod, own_mongod
from pymongo.errors import AutoReconnect, OperationFailure
from store_cases import BOTH_DRIVERS

from patience import until
from subcmc_crawler.errors import StoreLost
from subcmc_crawler.model import RunStatus, State
from subcmc_crawler.run import Crawl
from subcmc_crawler.simulator.nights import Centre
from subcmc_crawler.simulator.server import Simulator
from subcmc_crawler.store import Database, DriverName, open_store
from subcmc_crawler.store import lease as leases
from subcmc_crawler.store.counting import stored_as_of
from subcmc_crawler.store.inserting import insert_once
from subcmc_crawler.store.lease import acquire, held, keep
from subcmc_crawler.store.reading import prove
from subcmc_crawler.store.runs import get_run, manifests_of

FULL = 14031  # OutOfDiskSpace


@pytest.fixture(scope="module")
def mongod() -> Iterator[OwnMongod]:
    """A replica set of one, which can be told to fail."""
    with own_mongod("--replSet", "one", "--setParameter", "enableTestCommands=1") as running:
        member = {"_id": 0, "host": f"127.0.0.1:{running.port}"}
        running.command("replSetInitiate", {"_id": "one", "members": [member]})
        primary_of([running])
        yield running


@pytest.fixture
def uri(mongod: OwnMongod) -> Iterator[str]:
    yield f"{mongod.uri}?replicaSet=one&serverSelectionTimeoutMS=5000"
    mongod.thaw()
    mongod.fail_no_more()


@pytest.fixture
async def db(uri: str, driver: DriverName) -> AsyncIterator[Database]:
    async with open_store(uri, database=f"test_{uuid4().hex}", driver=driver) as opened:
        yield opened


@asynccontextmanager
async def house(db: Database) -> AsyncIterator[Ministry]:
    """A ministry whose first night is in the store."""
    async with ministry(db, defaults=FAST.replace("page_size = 50", "page_size = 10")) as known:
        await known.night(1)
        yield known


async def broken(known: Ministry, act: Callable[[], None], lease_seconds: int = 3) -> None:
    """A second night in which something befalls MongoDB at the tenth page of users."""
    known.simulator.night = 2
    acted = False

    def watch(_province: Any, dataset: Any, received: int) -> None:
        nonlocal acted
        if dataset.code == "ua_user" and received >= 100 and not acted:
            acted = True
            act()

    crawl = Crawl(
        known.registry,
        known.db,
        Watcher([], on_page=watch),
        folder=Path(),
        now=known.clock,
        ignore_windows=True,
        lease_seconds=lease_seconds,
    )
    await crawl.run()
    assert acted


async def assert_mended(known: Ministry) -> None:
    """What was published stays, and the next run, resumed, is exact."""
    assert (await get_run(known.db)).status is RunStatus.RUNNING
    run = await known.night(2, resume=True)
    assert (run.number, run.status) == (2, RunStatus.FINISHED)
    assert await known.assert_exact(2) == 9


@BOTH_DRIVERS
async def test_a_write_that_no_majority_has_yet_is_sent_again(db: Database, mongod: OwnMongod) -> None:
    """The insert went through, the write concern did not (code 11602): it is the same batch the second time."""
    rows = [{"_id": number, "hash": b"same"} for number in range(3)]
    lost = {"code": 11602, "errmsg": "interrupted"}
    mongod.fail(["insert"], times=2, writeConcernError=lost)
    await insert_once(db, "ua_org_copy", rows, "here")
    assert await db["ua_org_copy"].count_documents({}) == 3


async def test_a_write_that_never_gets_a_majority_is_one_line(db: Database, mongod: OwnMongod) -> None:
    mongod.fail(["insert"], writeConcernError={"code": 11602, "errmsg": "hunter2"})
    with pytest.raises(StoreLost, match=r"^here: MongoDB refused a write \(codes 11000, 11602\): see why"):
        await insert_once(db, "ua_org_copy", [{"_id": 1, "hash": b"same"}], "here")


@pytest.mark.parametrize("code", [FULL, 9001, 64])
async def test_another_fault_is_not_tried_again(db: Database, mongod: OwnMongod, code: int) -> None:
    mongod.fail(["insert"], writeConcernError={"code": code, "errmsg": "hunter2"})
    with pytest.raises(StoreLost, match=rf"^here: MongoDB refused a write \(codes {code}\): see why"):
        await insert_once(db, "ua_org_copy", [{"_id": 1, "hash": b"same"}], "here")


@BOTH_DRIVERS
@pytest.mark.parametrize("how", [{"closeConnection": True}, {"errorCode": 6}])
async def test_what_is_stored_is_read_over_a_lost_connection(
    db: Database, mongod: OwnMongod, how: dict[str, Any]
) -> None:
    expected = await stored_as_of(db, "ua_org", "620000", 1)
    mongod.fail(["find"], times=2, **how)
    assert await stored_as_of(db, "ua_org", "620000", 1) == expected
    mongod.fail(["find"], times=3, **how)
    with pytest.raises((AutoReconnect, OperationFailure)):
        await stored_as_of(db, "ua_org", "620000", 1)


async def test_what_may_not_be_read_is_asked_for_once(db: Database, mongod: OwnMongod) -> None:
    mongod.fail(["find"], times=1, errorCode=13)
    with pytest.raises(OperationFailure) as caught:
        await stored_as_of(db, "ua_org", "620000", 1)
    assert caught.value.code == 13


async def test_a_full_disk_ends_the_run_and_the_next_one_goes_on(db: Database, mongod: OwnMongod) -> None:
    async with house(db) as known:
        with pytest.raises((OperationFailure, StoreLost), match=str(FULL)):
            await broken(known, lambda: mongod.fail(["insert", "update", "delete"], errorCode=FULL))
        mongod.fail_no_more()
        await assert_lease_over(db)  # on a full disk it could not be given back
        await assert_mended(known)


async def test_a_primary_that_steps_down_costs_no_more_than_a_resumed_run(
    db: Database, mongod: OwnMongod
) -> None:
    """Mostly the driver waits for the next primary by itself; a write of many documents it cannot repeat."""

    def step_down() -> None:
        mongod.command("replSetStepDown", 2, force=True)

    async with house(db) as known:
        try:
            await broken(known, step_down)
        except (AutoReconnect, StoreLost):
            primary_of([mongod])
            await end_leases(db)  # while there was no primary it could not be given back
            await assert_mended(known)
        else:
            assert await known.assert_exact(2) == 9


@contextmanager
def three_members() -> Iterator[tuple[str, list[OwnMongod]]]:
    """A replica set of three, and its URI."""
    with ExitStack() as stack:
        members = [stack.enter_context(own_mongod("--replSet", "three")) for _ in range(3)]
        hosts = [f"127.0.0.1:{each.port}" for each in members]
        config = {
            "_id": "three",
            "members": [{"_id": number, "host": host} for number, host in enumerate(hosts)],
            "settings": {"electionTimeoutMillis": 2000},
        }
        members[0].command("replSetInitiate", config)
        assert primary_of(members)
        yield f"mongodb://{','.join(hosts)}/?replicaSet=three&serverSelectionTimeoutMS=5000", members


def primary_of(members: list[OwnMongod]) -> OwnMongod:
    """The one that may write, within a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for member in members:
            if member.command("hello")["isWritablePrimary"]:
                return member
        time.sleep(0.05)  # each question is a client of its own
    raise AssertionError("no primary was elected")


async def test_another_member_takes_over_in_the_middle_and_nothing_is_lost() -> None:
    """Every write was acknowledged by a majority, so the next primary has it; one that was not is made again."""
    with three_members() as (uri, members):
        first = primary_of(members)

        def step_down() -> None:
            first.command("replSetStepDown", 30, force=True)

        async with open_store(uri, database="subcmc") as db, house(db) as known:
            assert db.write_concern.document["w"] == "majority"
            try:
                await broken(known, step_down)
            except (AutoReconnect, StoreLost):
                primary_of(members)
                await end_leases(db)
                await assert_mended(known)
            else:
                assert await known.assert_exact(2) == 9
        assert primary_of(members) is not first


async def test_a_member_of_a_sharded_cluster_to_be_accepts_all_that_a_night_writes() -> None:
    """`--shardsvr` before it has joined one: there is no mongos in the wheel, so that it cannot be divided."""
    with own_mongod("--shardsvr", "--replSet", "shard") as mongod:
        member = {"_id": 0, "host": f"127.0.0.1:{mongod.port}"}
        mongod.command("replSetInitiate", {"_id": "shard", "members": [member]})
        primary_of([mongod])
        async with open_store(f"{mongod.uri}?replicaSet=shard", database="subcmc") as db, house(db) as known:
            await known.night(2)
            assert await known.assert_exact(2) == 9


async def test_a_slow_mongodb_slows_the_pages_down_and_nothing_else(db: Database, mongod: OwnMongod) -> None:
    async with house(db) as known:
        slow = {"blockConnection": True, "blockTimeMS": 30}
        await broken(known, lambda: mongod.fail(["insert", "find"], times=40, **slow), 60)
        assert await known.assert_exact(2) == 9


async def test_a_hung_mongodb_ends_the_run_when_its_lease_is_over_by_our_own_clock(tmp_path: Path) -> None:
    """And while it hangs no more pages are asked for than may be in flight: nothing piles up in memory."""
    with own_mongod() as mongod:
        async with world(mongod.uri, "subcmc", tmp_path, seed=5, patient=False) as provinces:
            code, said, asked = await provinces.mongod_hangs(mongod)
    assert code == 69
    assert re.search(r"^subcmc: the lease ran out: .* within 3 s, .* --resume$", said, re.MULTILINE)
    assert (
        asked <= 2 * 2 * 2
    )  # in each of two provinces two in flight, and two more while their pages are written
    assert provinces.figures.faults == []


async def assert_lease_over(db: Database) -> None:
    """Only MongoDB's clock decides."""
    in_force = {"$expr": {"$gt": ["$expiresAt", "$$NOW"]}}

    async def is_over() -> bool:
        return await db["leases"].find_one(in_force) is None

    await until(is_over, "the end of the lease")


async def test_a_lease_outlives_a_fault_that_passes(db: Database, mongod: OwnMongod) -> None:
    lease = await acquire(db, "one", 12)
    first = await db["leases"].find_one({})
    assert first is not None
    mongod.fail(["update"], times=2, closeConnection=True)
    keeping = asyncio.ensure_future(keep(db, lease))
    later = {"expiresAt": {"$gt": first["expiresAt"]}}

    async def is_renewed() -> bool:
        assert not keeping.done()
        return await db["leases"].find_one(later) is not None

    await until(is_renewed, "a lease that ends later")
    assert not keeping.done()
    keeping.cancel()
    await asyncio.wait([keeping])


async def test_a_lease_that_cannot_be_given_back_hides_no_fault(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(*_arguments: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(leases, "release", hangs)
    with pytest.raises(ValueError, match="the fault"):
        async with held(db, 1):
            raise ValueError("the fault")


# ── what an operator sees ───────────────────────────────────────────────────────────────────────────────────

WRITES = ["insert", "update", "delete", "findAndModify"]
AT_THE_START: dict[str, tuple[dict[str, Any], str]] = {
    "full": ({"errorCode": FULL}, r"has no disk space left \(code 14031\): free some, then start this again"),
    "not permitted": ({"errorCode": 13}, r"does not permit this \(code 13\): the user lacks a role"),
    "stepped down": ({"errorCode": 10107}, r"has no primary at the moment \(NotPrimaryError\): "),
}
IN_THE_MIDDLE: dict[str, tuple[dict[str, Any], str]] = {
    "full": ({"errorCode": FULL}, r"has no disk space left \(code 14031\)"),
    "stepped down": ({"errorCode": 10107}, r"has no primary at the moment \(NotPrimaryError\)"),
    "gone": ({"closeConnection": True}, r"cannot be reached \(AutoReconnect\)"),
}


class Town:
    """Two provinces, and `subcmc crawl --now` as an operator runs it."""

    def __init__(self, folder: Path, uri: str, name: str) -> None:
        self._folder = folder
        self.uri = uri
        self.name = name

    async def crawl(self, *arguments: str, uri: str = "") -> tuple[int, list[str]]:
        """The exit code, and the lines that are ours."""
        kept = {key: text for key, text in os.environ.items() if not key.startswith(("SUBCMC", "MONGODB"))}
        own = {"MONGODB_URI": uri or self.uri, "SUBCMC_DATABASE": self.name}
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "subcmc_crawler", "crawl", "--now", *arguments),
            cwd=self._folder,
            env={**kept, **own, "SUBCMC_LANG": "en"},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        told = (await child.communicate())[1].decode()
        assert "Traceback" not in told
        return child.returncode or 0, [line for line in told.splitlines() if line.startswith("subcmc: ")]


@pytest.fixture
async def town(uri: str, tmp_path: Path) -> AsyncIterator[Town]:
    centres = [Centre(cmc_id, cmc_id, scale=0.001) for cmc_id in ("110000", "620000")]
    async with Simulator(centres) as simulator:
        (tmp_path / "provinces.toml").write_text(simulator.registry(), encoding="utf-8")
        yield Town(tmp_path, uri, f"test_{uuid4().hex}")


@pytest.mark.parametrize("trouble", AT_THE_START)
async def test_trouble_at_the_start_is_one_line_and_exit_69(
    town: Town, mongod: OwnMongod, trouble: str
) -> None:
    how, said = AT_THE_START[trouble]
    mongod.fail(WRITES, **how)
    code, lines = await town.crawl("--dataset", "ua_user")
    assert code == 69
    assert len(lines) == 1
    assert re.search(said, lines[0]), lines


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (
            "crawler:hunter2@127.0.0.1:{port}/",
            r"refused the login \(code 18\): check user and password in MONGODB_URI",
        ),
        (
            "127.0.0.1:9/?serverSelectionTimeoutMS=300",
            r"cannot be reached \(ServerSelectionTimeoutError\): start it, or set MONGODB_URI",
        ),
    ],
    ids=["wrong password", "gone"],
)
async def test_no_way_in_is_one_line_and_exit_69(
    town: Town, mongod: OwnMongod, where: str, said: str
) -> None:
    code, lines = await town.crawl(uri="mongodb://" + where.format(port=mongod.port))
    assert code == 69
    assert len(lines) == 1
    assert re.search(said, lines[0]), lines
    assert "hunter2" not in lines[0]


@pytest.mark.parametrize("trouble", IN_THE_MIDDLE)
async def test_trouble_in_the_middle_is_one_line_and_a_run_that_goes_on(
    town: Town, mongod: OwnMongod, trouble: str
) -> None:
    how, said = IN_THE_MIDDLE[trouble]
    mongod.fail(["insert"], namespace=f"{town.name}.ua_user", **how)
    code, lines = await town.crawl("--dataset", "ua_user")
    assert code == 69
    assert len(lines) == 1
    assert re.search(said, lines[0]), lines
    mongod.fail_no_more()
    async with open_store(town.uri, database=town.name, driver="pymongo") as db:
        await end_leases(db)
        assert (await town.crawl("--resume"))[0] == 0
        run = await get_run(db)
        assert (run.number, run.status) == (1, RunStatus.FINISHED)
        manifests = await manifests_of(db, 1)
        assert [(each.state, (await prove(db, each)).holds(each)) for each in manifests] == [
            (State.PUBLISHED, True)
        ] * 2
