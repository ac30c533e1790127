"""What tests share: a real mongod for the session, and a fresh database for each test that asks for one."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import settings
from playwright.async_api import Browser
from pymongo import MongoClient
from xdist.scheduler import LoadScopeScheduling

from browser import started
from forking import Loaded, loaded
from shells import FIRST_LINE_SECONDS, Shell
from subcmc_crawler.store import Database, DriverName, local_mongod, open_store

# The same examples on every machine; `pytest --hypothesis-profile=explore` looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile("same")


# No test trusts an authority of this machine, and to read them all takes 20 ms of every crawl.
os.environ["SSL_CERT_FILE"] = os.devnull

# Temporary directories lie in memory where there is room: every write of a mongod waits for its journal, so that on
# a slow disk the tests would mostly wait for it.
MEMORY = Path("/dev/shm")  # noqa: S108 - directories of our own inside
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 4 * 2**30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What is collected stays to the end: the collector need not look through it again with every test."""
    gc.collect()
    gc.freeze()


SHARED = (
    "tests/box/test_kubernetes.py",
    "tests/box/test_sources.py",
    "tests/dashboard/test_pages_in_a_browser.py",
    "tests/faults/test_hostile_provinces.py",
    "tests/faults/test_long_life.py",
    "tests/report/test_html_browser.py",
    "tests/report/test_html_night.py",
)
"""Modules whose tests look at what one fixture made at some cost: one worker runs all of each."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Every test goes to the worker that is free, those of SHARED modules together."""

    class Scheduling(LoadScopeScheduling):  # type: ignore[misc] # the library has no types
        def _split_scope(self, nodeid: str) -> str:
            module = nodeid.partition("::")[0]
            return module if module in SHARED else nodeid

    return Scheduling(config, log)


@pytest.fixture(scope="session")
def mongod_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A mongod of our own over a temporary directory."""
    with local_mongod(tmp_path_factory.mktemp("mongod")) as uri:
        yield uri


@pytest.fixture(scope="session")
def mongo(mongod_uri: str) -> Iterator[MongoClient[dict[str, object]]]:
    """For what happens around tests: to connect again each time would cost more than it does."""
    with MongoClient[dict[str, object]](mongod_uri) as client:
        yield client


@pytest.fixture
def database(mongo: MongoClient[dict[str, object]]) -> Iterator[str]:
    """The name of a database that nobody uses; dropped afterwards."""
    name = f"test_{uuid4().hex}"
    yield name
    mongo.drop_database(name)


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
async def store(
    mongo: MongoClient[dict[str, object]], mongod_uri: str, prepared: str, driver: DriverName
) -> AsyncIterator[Database]:
    """A store without a document: faster than `db`, for tests that change no collection itself."""
    for name in mongo[prepared].list_collection_names(filter={"type": "collection"}):
        if name == "system.profile":
            mongo[prepared].command("profile", 0)
            mongo[prepared].drop_collection(name)
        elif name != "schema" and not name.startswith("system."):
            mongo[prepared][name].delete_many({})
    async with open_store(mongod_uri, database=prepared, driver=driver) as opened:
        yield opened


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """A headless Chromium of this machine."""
    async with started() as browser:
        yield browser


@pytest.fixture(scope="session")
def program() -> Iterator[Loaded]:
    """The program in a process that has imported it."""
    with loaded() as commands:
        yield commands


@pytest.fixture
def shell(tmp_path: Path, mongod_uri: str, database: str, program: Loaded) -> Shell:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SUBCMC", "MONGODB"))}
    environment = {"MONGODB_URI": mongod_uri, "SUBCMC_DATABASE": database, "SUBCMC_LANG": "en"}
    return Shell(tmp_path, kept | environment, program)


@pytest.fixture
def provinces(shell: Shell) -> Iterator[Callable[..., int]]:
    """Starts a simulator in a process of its own, writes its registry, and gives its port."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> int:
        process = shell.begin("simulate", "--port", "0", "--scale", "0.002", *arguments)
        running.append(process)
        assert process.stdout is not None
        told: dict[str, Any] = json.loads(process.stdout.readline())
        (shell.folder / "provinces.toml").write_text(told["registry"], encoding="utf-8")
        return int(told["port"])

    yield start
    for process in running:
        process.terminate()
        process.communicate(timeout=FIRST_LINE_SECONDS)


@pytest.fixture
def registered(shell: Shell) -> Path:
    """A registry of one province that is not there."""
    registry = shell.folder / "provinces.toml"
    registry.write_text(
        '[defaults]\n[[province]]\ncmcId = "620000"\nareaCode = "620000"\nname = "甘肃省"\n'
        'pullAddressList = ["http://127.0.0.1:9/x"]\npushIpList = []\n',
        encoding="utf-8",
    )
    return registry
