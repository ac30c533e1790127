"""The roles of deploy/mongo are enough for what the program does, and for nothing else: on a mongod with --auth."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from nights import ministry
from own_mongod import own_mongod
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from subcmc_crawler import gathering
from subcmc_crawler.errors import StoreLost
from subcmc_crawler.store import Database, open_store
from subcmc_crawler.store.lease import under_lease
from subcmc_crawler.store.pruning import prune
from subcmc_crawler.store.reading import export, history, prove
from subcmc_crawler.store.runs import heads, list_runs

FOLDER = Path(__file__).parents[2] / "deploy" / "mongo"
ROLES: dict[str, Any] = json.loads((FOLDER / "roles.json").read_text("utf-8"))
PASSWORD = "hunter2"
NAME = ROLES["database"]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A mongod that has the users of the compose file: what 10-users.js does, by the driver."""
    with own_mongod("--auth") as mongod:
        root = [{"role": "root", "db": "admin"}]
        mongod.command("createUser", "root", pwd="root", roles=root)  # the exception for the first user
        with MongoClient[dict[str, Any]](f"mongodb://root:root@127.0.0.1:{mongod.port}/") as client:
            for role in ROLES["roles"]:
                rights = {name: value for name, value in role.items() if name != "role"}
                client[NAME].command("createRole", role["role"], **rights)
            for user in ROLES["users"]:
                client[NAME].command("createUser", user["user"], pwd=PASSWORD, roles=user["roles"])
        yield mongod.port


def uri_of(user: str, port: int) -> str:
    return f"mongodb://{user}:{PASSWORD}@127.0.0.1:{port}/{NAME}?authSource={NAME}"


@pytest.fixture
async def crawler(port: int) -> AsyncIterator[Database]:
    async with open_store(uri_of("crawler", port)) as db:
        yield db


async def look(db: Database) -> int:
    """What commands that only look and the dashboard read; how many rows were exported."""
    run = (await list_runs(db, 1))[0]
    assert (await gathering.night(db, run.number)).run.number == run.number
    assert await prune(db, 1, dry_run=True)
    rows = 0
    for head in await heads(db):
        await gathering.detail(db, head)
        assert (await prove(db, head)).holds(head)
        rows += len([row async for row in export(db, head)])
    shown = await db["current_ua_user"].find_one({})
    assert shown is not None
    assert await history(db, "ua_user", shown["cmcId"], shown["key"])
    return rows


async def test_the_crawler_may_do_what_a_night_and_a_prune_need(crawler: Database, port: int) -> None:
    async with ministry(crawler, "110000/hardware:nokey=1") as known:
        await known.night(1)
        await known.night(2)
        rows = await look(crawler)
        assert rows > 500
        await under_lease(crawler, 60, lambda: prune(crawler, 1))
        assert await known.assert_exact(2) == 9
    async with open_store(uri_of("reader", port), prepare=False) as db:
        assert await look(db) == rows


@pytest.mark.parametrize("name", ["ua_user", "runs"])
async def test_the_crawler_may_drop_nothing_and_see_no_other_database(crawler: Database, name: str) -> None:
    for forbidden in (
        crawler.drop_collection(name),
        crawler[name].drop_indexes(),
        crawler.client.drop_database(NAME),
        crawler.client["admin"]["system.users"].find_one({}),
        crawler.command("createUser", "other", pwd="x", roles=[]),
    ):
        with pytest.raises(OperationFailure) as refused:
            await forbidden
        assert refused.value.code == 13


async def test_the_reader_may_write_nothing(port: int) -> None:
    async with open_store(uri_of("reader", port), prepare=False) as db:
        for forbidden in (
            db["runs"].insert_one({}),
            db["snapshots"].update_one({}, {"$set": {"state": "published"}}),
            db["ua_user"].delete_one({}),
            db.create_collection("other", check_exists=False),
        ):
            with pytest.raises(OperationFailure) as refused:
                await forbidden
            assert refused.value.code == 13
    with pytest.raises(StoreLost, match="does not permit this"):
        async with open_store(uri_of("reader", port), prepare=False) as db:
            await under_lease(db, 60, lambda: prune(db, 1))


def test_the_script_makes_what_the_file_names() -> None:
    script = (FOLDER / "10-users.js").read_text("utf-8")
    assert 'roles.json`, "utf8"' in script
    assert "wanted.roles.forEach((role) => subcmc.createRole(role))" in script
    assert "users.forEach((user) => subcmc.createUser(user))" in script
    assert all(set(user) == {"user", "secret", "roles"} for user in ROLES["users"])
