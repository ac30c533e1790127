"""Collections, indexes, validators and views, made by the program."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo.errors import WriteError
from store_cases import BOTH_DRIVERS, snapshot

from subcmc_crawler.errors import StoreLost
from subcmc_crawler.model import OPEN_END
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import Database, DriverName, open_store
from subcmc_crawler.store.schema import SCHEMA_VERSION, prepare

pytestmark = BOTH_DRIVERS

LEDGERS = {
    "runs",
    "snapshots",
    "ledger",
    "quarantine",
    "references",
    "comparisons",
    "leases",
    "rests",
    "schema",
}


async def description(db: Database) -> dict[str, Any]:
    """Everything of the schema: collections with their options, and their indexes."""
    found: dict[str, Any] = {}
    async for each in await db.list_collections():
        name, options = each["name"], {**each["options"], "type": each["type"]}
        if each["type"] == "collection":
            options["indexes"] = await db[name].index_information()
        found[name] = options
    return found


async def test_prepare_makes_everything(db: Database) -> None:
    made = await description(db)
    datasets = set(DATASETS)
    views = {f"current_{code}" for code in datasets}
    assert set(made) - {"system.views"} == LEDGERS | datasets | views
    assert {name for name, options in made.items() if options["type"] == "view"} == views
    for code in datasets:
        assert set(made[code]["indexes"]) == {"_id_", "version"}
        assert set(made[code]["validator"]) == {
            "_id",
            "cmcId",
            "key",
            "from",
            "to",
            "hash",
            "flags",
            "record",
        }
    assert set(made["snapshots"]["indexes"]) == {"_id_", "run", "head", "cell"}


async def test_prepare_may_be_repeated(db: Database) -> None:
    made = await description(db)
    await snapshot(db, 1, [[{"orgId": "a"}]])
    await prepare(db)
    assert await description(db) == made
    await db["schema"].delete_many({})  # as after a crash in the middle
    await prepare(db)
    assert await description(db) == made
    assert await db["ua_org"].count_documents({}) == 1


async def test_prepare_goes_on_where_it_was_cut_off(db: Database) -> None:
    made = await description(db)
    await db["schema"].delete_many({})
    for name in ("ua_org", "current_pm_app", "snapshots", "leases"):
        await db.drop_collection(name)
    await db["hardware"].drop_index("version")
    await prepare(db)
    assert await description(db) == made


async def test_a_newer_schema_is_refused_and_left_alone(
    db: Database, mongod_uri: str, driver: DriverName
) -> None:
    await db["schema"].update_one({}, {"$set": {"version": SCHEMA_VERSION + 1}})
    made = await description(db)
    with pytest.raises(StoreLost, match=f"schema {SCHEMA_VERSION + 1}.*knows {SCHEMA_VERSION}.*newer"):
        async with open_store(mongod_uri, database=db.name, driver=driver):
            pytest.fail("it was opened")
    assert await description(db) == made


async def test_many_may_prepare_at_once(mongod_uri: str, database: str, driver: DriverName) -> None:
    async def opened() -> dict[str, Any]:
        async with open_store(mongod_uri, database=database, driver=driver) as db:
            return await description(db)

    first, *others = await asyncio.gather(*(opened() for _ in range(6)))
    assert set(first) - {"system.views"} >= LEDGERS
    assert all(other == first for other in others)


_PROGRAM = """
import asyncio, sys
from subcmc_crawler.store import open_store

async def main(uri, database, driver):
    async with open_store(uri, database=database, driver=driver) as db:
        print(await db["schema"].find_one())

asyncio.run(main(*sys.argv[1:]))
"""


def test_processes_may_prepare_at_once(mongod_uri: str, database: str, driver: DriverName) -> None:
    command = [sys.executable, "-c", _PROGRAM, mongod_uri, database, driver]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = [child.communicate()[0] for child in children]
    assert [child.returncode for child in children] == [0, 0, 0]
    assert answers == [f"{{'_id': 'schema', 'version': {SCHEMA_VERSION}}}\n"] * 3


GOOD: dict[str, dict[str, Any]] = {
    "ua_org": {
        "_id": "620000/00000001/a",
        "cmcId": "620000",
        "key": "a",
        "from": 1,
        "to": OPEN_END,
        "hash": b"0123456789abcdef",
        "flags": [],
        "record": {},
    },
    "runs": {"_id": 1, "status": "running", "startedAt": datetime(2026, 3, 1, tzinfo=UTC)},
    "snapshots": {
        "_id": "1",
        "run": 1,
        "cmcId": "620000",
        "dataset": "ua_org",
        "state": "published",
        "counts": {},
    },
    "ledger": {"_id": "1", "kind": "page", "run": 1, "cmcId": "620000", "dataset": "ua_org", "pass": 1},
    "quarantine": {
        "_id": "1",
        "run": 1,
        "cmcId": "620000",
        "dataset": "ua_org",
        "reason": "no-key",
        "raw": {},
    },
    "leases": {"_id": "crawl", "fence": 1, "expiresAt": datetime(2026, 3, 1, tzinfo=UTC)},
}

BAD: dict[str, list[dict[str, Any]]] = {
    "ua_org": [
        {"_id": 1},
        {"cmcId": 620000},
        {"key": None},
        {"from": "1"},
        {"to": 1.5},
        {"hash": "text"},
        {"flags": "none"},
        {"record": "text"},
    ],
    "runs": [{"_id": "1"}, {"status": "asleep"}],
    "snapshots": [{"run": "1"}, {"state": "gone"}],
    "ledger": [],
    "quarantine": [],
    "leases": [],
}


@pytest.mark.parametrize("collection", sorted(GOOD))
async def test_validators_refuse_bad_documents_and_take_good_ones(store: Database, collection: str) -> None:
    good = GOOD[collection]
    for code in [collection, *DATASETS] if collection == "ua_org" else [collection]:
        wrong = [{**good, **change} for change in BAD[collection]]
        for name in good.keys() - {"_id"}:  # MongoDB makes an _id of its own
            wrong.append({key: value for key, value in good.items() if key != name})
        for document in wrong:
            with pytest.raises(WriteError) as caught:
                await store[code].insert_one(document)
            assert caught.value.code == 121, document
        await store[code].delete_many({})
        await store[code].insert_one(dict(good))
        assert await store[code].count_documents({}) == 1
