"""The connection to MongoDB, through Motor or through PyMongo's AsyncMongoClient.

Both drivers are used only through calls that they share: every other file of this room is typed against
PyMongo and runs unchanged on either, so that leaving Motor (past its end of life since 2026-05-14) is one
setting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import isawaitable
from typing import Any, Literal, cast

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    InvalidURI,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
)
from pymongo.uri_parser import parse_uri

from subcmc_crawler.errors import BadConfig, StoreLost

DriverName = Literal["motor", "pymongo"]
Document = dict[str, Any]
Database = AsyncDatabase[Document]
DriverError = PyMongoError

_OPTIONS: dict[str, Any] = {
    "appname": "subcmc-crawler",
    "tz_aware": True,
    "w": "majority",
    "journal": True,
    "wtimeoutms": 30_000,
    "serverselectiontimeoutms": 5_000,
    "connecttimeoutms": 5_000,
    "sockettimeoutms": 120_000,
    "waitqueuetimeoutms": 60_000,
}

_FULL = frozenset({14031})
_NOT_PRIMARY = frozenset({10058, 10107, 13435})


def connect(uri: str, *, database: str, driver: DriverName = "motor") -> tuple[Database, Any]:
    """The database and the client to close afterwards; nothing is sent yet.

    Writes are acknowledged by a majority and journaled, unless the URI says otherwise. BadConfig when the URI
    cannot be read; its text is never shown, since it may hold a password.
    """
    try:
        given = parse_uri(uri, warn=False)
        options = {key: value for key, value in _OPTIONS.items() if key not in _lower(given["options"])}
        client: Any = (AsyncIOMotorClient if driver == "motor" else AsyncMongoClient)(uri, **options)
    except (InvalidURI, ConfigurationError, ValueError, TypeError, OSError) as error:
        raise BadConfig(
            f"MONGODB_URI: {type(error).__name__}: not a MongoDB URI that can be used; "
            "write mongodb://user:password@host:27017/database"
        ) from None
    return cast("Database", client[database or given.get("database") or "subcmc"]), client


async def aggregated(collection: Any, pipeline: Sequence[Mapping[str, Any]], **options: Any) -> Any:
    """A cursor over what a pipeline gives."""
    found = collection.aggregate(list(pipeline), **options)
    return await found if isawaitable(found) else found  # PyMongo's call is a coroutine, Motor's is not


def host_of(uri: str) -> str:
    """The hosts of a URI, for messages: never the user or the password."""
    try:
        return ",".join(f"{host}:{port}" for host, port in parse_uri(uri, warn=False)["nodelist"])
    except (PyMongoError, ValueError, TypeError, OSError):
        return "the given URI"


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turns every error of the driver into StoreLost: class, code and place, never a document."""
    try:
        yield
    except PyMongoError as error:
        raise StoreLost(explain(error, where)) from None


def explain(error: PyMongoError, where: str) -> str:
    """One line for an operator."""
    name = type(error).__name__
    code = error.code if isinstance(error, OperationFailure) else None
    if code in (18, 8000):
        return f"MongoDB at {where} refused the login (code {code}): check user and password in MONGODB_URI"
    if code == 13:
        return f"MongoDB at {where} does not permit this (code 13): the user lacks a role on the database"
    if code in _FULL:
        return f"MongoDB at {where} has no disk space left (code {code}): free some, then start this again"
    if isinstance(error, NotPrimaryError) or code in _NOT_PRIMARY:
        name = NotPrimaryError.__name__
        return f"MongoDB at {where} has no primary at the moment ({name}): start this again once there is one"
    if isinstance(error, ConnectionFailure):
        return f"MongoDB at {where} cannot be reached ({name}): start it, or set MONGODB_URI"
    return f"MongoDB at {where} failed: {name}" + (f", code {code}" if code else "")


def _lower(options: Any) -> set[str]:
    return {str(key).lower() for key in options}
