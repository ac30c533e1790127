"""MongoDB: the only room that imports the driver."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from inspect import isawaitable
from pathlib import Path

from subcmc_crawler.errors import StoreLost
from subcmc_crawler.store import schema
from subcmc_crawler.store.driver import Database, DriverError, DriverName, connect, host_of, translated
from subcmc_crawler.store.local import local_mongod

__all__ = [
    "Database",
    "DriverError",
    "DriverName",
    "data_directory",
    "drop_database",
    "local_mongod",
    "open_store",
    "silence",
]


@asynccontextmanager
async def open_store(
    uri: str, *, database: str = "", driver: DriverName = "motor", prepare: bool = True
) -> AsyncIterator[Database]:
    """The database, with its schema checked; every error of the driver leaves the block as StoreLost."""
    where = host_of(uri)
    db, client = connect(uri, database=database, driver=driver)
    try:
        with translated(where):
            if prepare:
                await schema.prepare(db)
            yield db
    finally:
        closing = client.close()
        if isawaitable(closing):  # PyMongo's close is a coroutine, Motor's is not
            await closing


async def silence(db: Database, uri: str) -> str:
    """Why MongoDB does not answer, for an operator; empty when it does."""
    try:
        with translated(host_of(uri)):
            await db.command("ping")
    except StoreLost as error:
        return str(error)
    return ""


async def drop_database(db: Database) -> None:
    """Removes everything: for the demo, which begins anew each time."""
    await db.client.drop_database(db.name)


def data_directory(base: Path) -> Path:
    """Where a local mongod keeps its files."""
    return base / "mongod"
