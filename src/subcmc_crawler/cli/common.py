"""What the commands share: settings, the store, output, logging."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import stat
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from copy import copy
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from subcmc_crawler.config import Settings, load
from subcmc_crawler.errors import NotFound
from subcmc_crawler.report.labels import labels
from subcmc_crawler.report.lines import shown
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import Database, data_directory, drop_database, local_mongod, open_store
from subcmc_crawler.store.runs import get_run, resolve_province

_T = TypeVar("_T")


def settings(
    *, registry: Path | None = None, lang: str | None = None, metrics_file: Path | None = None
) -> Settings:
    """The settings of this process."""
    return load(os.environ, registry=registry, lang=lang, metrics_file=metrics_file)


def spare_the_collector() -> None:
    """Looks for cycles a hundred times less often.

    Rows have none, and looking for some among the objects of every page is a tenth of the CPU time of whatever goes
    through a whole snapshot.
    """
    gc.freeze()
    gc.set_threshold(50_000)


def run_async(work: Coroutine[Any, Any, _T]) -> _T:
    """The result of a coroutine, in an event loop of its own."""
    return asyncio.run(work)


@asynccontextmanager
async def store(chosen: Settings, *, create: bool = False, anew: bool = False) -> AsyncIterator[Database]:
    """The database of the settings; without a URI that of a local mongod, which is said in a line.

    `create` makes collections that are missing; commands that only read leave an empty database empty. `anew`
    removes everything first.
    """
    with contextlib.ExitStack() as stack:
        uri = chosen.uri
        if uri is None:
            folder = data_directory(chosen.data)
            note(labels(chosen.lang).say("crawl.local_mongod", folder=folder))
            uri = stack.enter_context(local_mongod(folder))
        opening = partial(open_store, uri, database=chosen.database, driver=chosen.driver)
        if anew:
            async with opening(prepare=False) as db:
                await drop_database(db)
        async with opening(prepare=create) as db:
            yield db


def say(text: str) -> None:
    """Data, on standard output."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """Anything else, on standard error."""
    sys.stderr.write(f"subcmc: {text}\n")
    sys.stderr.flush()


@contextmanager
def own_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write that only its owner can read, whatever its mode was; NotFound when it cannot be made.

    A device or a pipe keeps its mode: `--output /dev/null` is not ours to lock.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise NotFound(f"{path}: cannot be written: {error.strerror}") from None
    with os.fdopen(descriptor, "wb") as file:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fchmod(descriptor, 0o600)
        yield file


def color() -> bool:
    """Whether standard output is a terminal that may have colours."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


class _Masked(logging.Formatter):
    """One line a record, personal data masked, nothing that could forge another line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return shown(
            super().format(copy(record))
        )  # formatting leaves its text in a record that others format, too

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name is logging's
        """The class of an exception alone: messages may hold what a province sent."""
        return f"[{ei[0].__name__}]" if ei and ei[0] else ""


def start_logging() -> None:
    """Log lines on standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Masked("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("asyncio").setLevel(logging.WARNING)


def dataset_of(code: str) -> str:
    """The code when there is such a dataset."""
    if code not in DATASETS:
        raise NotFound(f"no dataset {code!r}; known: {', '.join(DATASETS)}")
    return code


async def cell_of(db: Database, text: str) -> tuple[str, str]:
    """The cmcId and dataset that `PROVINCE/DATASET` names; the province by cmcId or by name."""
    province, slash, code = text.rpartition("/")
    if not slash:
        raise NotFound(f"{text!r} names no cell: write PROVINCE/DATASET, for example 620000/hardware")
    return await resolve_province(db, province), dataset_of(code)


async def run_number(db: Database, text: str | None) -> int:
    """The run that is meant: a number, or the last one."""
    if text is None or text == "last":
        return (await get_run(db)).number
    if not text.isdecimal():
        raise NotFound(f"{text!r} is no run: give its number, or `last`")
    return (await get_run(db, int(text))).number


def registry_time(zone: Any) -> datetime:
    """Now, in the zone of the registry."""
    return datetime.now(zone)
