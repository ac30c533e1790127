"""What goes wrong with MongoDB is one line that names the host and never the password."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from own_mongod import lasting_port
from pymongo import MongoClient
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from subcmc_crawler.errors import BadConfig, StoreLost
from subcmc_crawler.store import DriverName, open_store
from subcmc_crawler.store.driver import connect, explain, host_of
from subcmc_crawler.store.lease import new_holder
from subcmc_crawler.store.local import find_mongod

SECRET = "hunter2%40x"
both = pytest.mark.parametrize("driver", ["motor", "pymongo"])


def shown(error: BaseException) -> str:
    """Everything that a careless program would print of it."""
    return "".join(traceback.format_exception(error)) + repr(error)


@pytest.fixture
def unclosed() -> Iterator[None]:
    """PyMongo's monitor drops the socket of a connection that it is just making when the client is closed.

    What it left behind is collected here, where `forgiven` looks away, and not in some later test.
    """
    yield
    gc.collect()


forgiven = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


async def closed(client: Any) -> None:
    closing = client.close()
    if closing is not None:  # PyMongo's is a coroutine, Motor's is not
        await closing


async def opening(uri: str, driver: DriverName = "motor") -> str:
    """The message of the fault that opening the store ends with."""
    with pytest.raises(StoreLost) as caught:
        async with open_store(uri, driver=driver):
            pytest.fail("it was opened")
    assert "\n" not in str(caught.value)
    assert "hunter" not in shown(caught.value)
    return str(caught.value)


@both
@forgiven
@pytest.mark.usefixtures("unclosed")
async def test_a_mongodb_that_is_away(driver: DriverName) -> None:
    port = lasting_port()
    uri = f"mongodb://crawler:{SECRET}@127.0.0.1:{port}/subcmc?serverSelectionTimeoutMS=200"
    message = await opening(uri, driver)
    assert f"MongoDB at 127.0.0.1:{port} cannot be reached" in message
    assert "MONGODB_URI" in message


@both
@forgiven
@pytest.mark.usefixtures("unclosed")
async def test_one_that_goes_away_while_it_is_used(
    driver: DriverName, mongod_uri: str, database: str
) -> None:
    async def used() -> None:
        async with open_store(mongod_uri, database=database, driver=driver):
            away = f"mongodb://127.0.0.1:{lasting_port()}/?serverSelectionTimeoutMS=100"
            other, client = connect(away, database=database, driver=driver)
            try:
                await other["runs"].find_one({})
            finally:
                await closed(client)

    with pytest.raises(StoreLost, match="cannot be reached"):
        await used()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a mongod that asks for a login; `crawler` may read only."""
    folder = tmp_path_factory.mktemp("guarded")
    port = lasting_port()
    command = [str(find_mongod()), "--auth", "--port", str(port), "--bind_ip", "127.0.0.1"]
    command += ["--dbpath", str(folder), "--nounixsocket", "--logpath", str(folder / "log"), "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as mongod:
        try:
            with MongoClient[dict[str, Any]]("127.0.0.1", port, serverSelectionTimeoutMS=30_000) as client:
                root = [{"role": "root", "db": "admin"}]
                client.admin.command("createUser", "root", pwd="root", roles=root)
            with MongoClient[dict[str, Any]](f"mongodb://root:root@127.0.0.1:{port}/") as client:
                roles = [{"role": "read", "db": "subcmc"}]
                client["subcmc"].command("createUser", "crawler", pwd="hunter2@x", roles=roles)
            yield port
        finally:
            mongod.terminate()


@both
async def test_a_login_that_is_refused(guarded: int, driver: DriverName) -> None:
    message = await opening(f"mongodb://crawler:hunter3@127.0.0.1:{guarded}/subcmc", driver)
    assert f"127.0.0.1:{guarded} refused the login (code 18): check user and password" in message
    assert "crawler" not in message


@both
async def test_a_login_that_is_missing(guarded: int, driver: DriverName) -> None:
    message = await opening(f"mongodb://127.0.0.1:{guarded}/subcmc", driver)
    assert "code 13" in message
    assert "role" in message


@both
async def test_a_user_without_the_right_to_write(guarded: int, driver: DriverName) -> None:
    uri = f"mongodb://crawler:{SECRET}@127.0.0.1:{guarded}/subcmc"
    message = await opening(uri, driver)
    assert "does not permit this (code 13)" in message
    async with open_store(uri, driver=driver, prepare=False) as db:
        assert await db["runs"].find_one({}) is None  # which is enough for one who only looks


INVALID = [
    "",
    "hunter2",
    "http://hunter2@127.0.0.1/",
    "mongodb://",
    f"mongodb://crawler:{SECRET}",
    "mongodb://crawler:hunter2@x@127.0.0.1/",
    "mongodb://crawler:hunter2@127.0.0.1:99999/",
    "mongodb://crawler:hunter2@127.0.0.1:port/",
    "mongodb://crawler:hunter%@127.0.0.1/",
    "mongodb://127.0.0.1/hunter2?option",
    "mongodb://127.0.0.1/?hunter2=1",
    "mongodb://127.0.0.1/?serverSelectionTimeoutMS=hunter2",
    "mongodb://127.0.0.1/?authMechanism=hunter2",
    "mongodb://127.0.0.1/?w=0&journal=true",
    "mongodb://127.0.0.1/?readPreference=hunter2",
    "mongodb://127.0.0.1/?tlsCAFile=/hunter2.pem&tls=true",
    "mongodb://[127.0.0.1/hunter2",
    "mongodb://crawler:hunter2@a,,b/",
]


@both
@pytest.mark.parametrize("uri", INVALID, ids=ascii)
async def test_an_invalid_uri_is_bad_config_and_never_shown(uri: str, driver: DriverName) -> None:
    with pytest.raises(BadConfig) as caught:
        async with open_store(uri, driver=driver):
            pytest.fail("it was opened")
    assert "MONGODB_URI" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "hunter" not in shown(caught.value)


@pytest.mark.parametrize(
    ("uri", "hosts"),
    [
        ("mongodb://crawler:hunter2@10.0.0.1/", "10.0.0.1:27017"),
        ("mongodb://crawler:hunter2@a:1,b:2/subcmc?replicaSet=rs", "a:1,b:2"),
        ("mongodb://[::1]:5/", "::1:5"),
        ("hunter2", "the given URI"),
        ("mongodb://crawler:hunter2@a:99999/", "the given URI"),
    ],
)
def test_hosts_are_named_without_user_and_password(uri: str, hosts: str) -> None:
    assert host_of(uri) == hosts


@pytest.mark.parametrize(
    ("given", "uri", "name"),
    [
        ("", "mongodb://a/", "subcmc"),
        ("", "mongodb://a/other", "other"),
        ("mine", "mongodb://a/other", "mine"),
    ],
)
@both
async def test_the_database_is_the_named_one_or_that_of_the_uri(
    given: str, uri: str, name: str, driver: DriverName
) -> None:
    db, client = connect(uri, database=given, driver=driver)
    assert db.name == name
    await closed(client)


@both
async def test_writes_are_majority_and_journaled_unless_the_uri_says_otherwise(driver: DriverName) -> None:
    for uri, expected in [
        ("mongodb://a/", {"w": "majority", "j": True, "wtimeout": 30_000}),
        ("mongodb://a/?w=1&journal=false&wtimeoutMS=5", {"w": 1, "j": False, "wtimeout": 5}),
        ("mongodb://a/?W=2", {"w": 2, "j": True, "wtimeout": 30_000}),
    ]:
        db, client = connect(uri, database="", driver=driver)
        assert db.write_concern.document == expected
        await closed(client)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OperationFailure("hunter2", 18), "refused the login (code 18)"),
        (OperationFailure("hunter2", 8000), "refused the login (code 8000)"),
        (OperationFailure("hunter2", 13), "does not permit this (code 13)"),
        (OperationFailure("hunter2", 14031), "no disk space left (code 14031): free some"),
        (OperationFailure("hunter2", 50), "failed: OperationFailure, code 50"),
        (DuplicateKeyError("hunter2", 11000), "failed: DuplicateKeyError, code 11000"),
        (BulkWriteError({"writeErrors": [{"errmsg": "hunter2"}]}), "failed: BulkWriteError, code 65"),
        (ServerSelectionTimeoutError("hunter2"), "cannot be reached (ServerSelectionTimeoutError)"),
        (AutoReconnect("hunter2"), "cannot be reached (AutoReconnect)"),
        (ConnectionFailure("hunter2"), "cannot be reached (ConnectionFailure)"),
        (NotPrimaryError("hunter2"), "has no primary at the moment (NotPrimaryError): start this again"),
        (OperationFailure("hunter2", 10107), "has no primary at the moment (NotPrimaryError)"),
        (PyMongoError("hunter2"), "failed: PyMongoError"),
    ],
)
def test_every_error_is_class_code_and_place(error: PyMongoError, words: str) -> None:
    line = explain(error, "a:1")
    assert line.startswith("MongoDB at a:1 ")
    assert words in line
    assert "hunter" not in line


def test_a_holder_can_be_found_and_never_repeats() -> None:
    host, pid, part = new_holder().split("/")
    assert (host, pid) == (socket.gethostname(), str(os.getpid()))
    assert new_holder().split("/")[2] != part
