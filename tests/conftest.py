"""What tests share: a real mongod for the session, and a fresh database for each test that asks for one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
from hypothesis import settings
from pymongo import MongoClient

from subcmc_crawler.store import Database, DriverName, local_mongod, open_store

# The same examples on every machine; `pytest --hypothesis-profile=explore` looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile("same")


@pytest.fixture(scope="session")
def mongod_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A mongod of our own over a temporary directory."""
    with local_mongod(tmp_path_factory.mktemp("mongod")) as uri:
        yield uri


@pytest.fixture
def database(mongod_uri: str) -> Iterator[str]:
    """The name of a database that nobody uses; dropped afterwards."""
    name = f"test_{uuid4().hex}"
    yield name
    with MongoClient[dict[str, object]](mongod_uri) as client:
        client.drop_database(name)


@pytest.fixture(scope="session")
def prepared(mongod_uri: str) -> str:
    """The name of a database with a schema, for tests that share one since each finds it empty."""
    name = "test_prepared"

    async def prepare() -> None:
        async with open_store(mongod_uri, database=name, driver="pymongo"):
            pass

    asyncio.run(prepare())
    return name


@pytest.fixture
def driver(request: pytest.FixtureRequest) -> DriverName:
    """The driver of `db`; a module tests both with `parametrize("driver", [...], indirect=True)`."""
    name: DriverName = getattr(request, "param", "motor")
    return name


@pytest.fixture
async def db(mongod_uri: str, database: str, driver: DriverName) -> AsyncIterator[Database]:
    """A fresh store, its schema prepared."""
    async with open_store(mongod_uri, database=database, driver=driver) as opened:
        yield opened


@pytest.fixture
async def store(mongod_uri: str, prepared: str, driver: DriverName) -> AsyncIterator[Database]:
    """A store without a document: faster than `db`, for tests that change no collection itself."""
    with MongoClient[dict[str, object]](mongod_uri) as client:
        for name in client[prepared].list_collection_names(filter={"type": "collection"}):
            if name != "schema" and not name.startswith("system."):
                client[prepared][name].delete_many({})
    async with open_store(mongod_uri, database=prepared, driver=driver) as opened:
        yield opened
