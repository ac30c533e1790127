"""One run at a time: a lease with expiry and a fencing number, on MongoDB's own clock."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from pymongo import ReturnDocument
from pymongo.errors import ConnectionFailure, DuplicateKeyError, PyMongoError

from subcmc_crawler.errors import StoreLost, TryLater
from subcmc_crawler.store.driver import Database

T = TypeVar("T")

_NAME: Final = "crawl"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Term:
    """Until when a lease is ours beyond doubt: by a clock of this machine that goes on while it sleeps."""

    until: float = float("-inf")

    def __call__(self) -> bool:
        """Whether nobody else can hold the lease now, so that MongoDB need not be asked."""
        return _clock() < self.until

    def begin(self, asked: float, seconds: float) -> None:
        """A renewal that was `asked` for at that time has gone through. Clocks may differ in pace by a tenth."""
        self.until = asked + 0.9 * seconds

    def end(self) -> None:
        """The lease is given back or lost."""
        self.until = float("-inf")


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write; `fence` grows by one with each holder."""

    holder: str
    fence: int
    seconds: int
    term: Term = field(default_factory=Term, compare=False, repr=False)


def new_holder() -> str:
    """A name for this process that an operator can find: host, process id, and a part that never repeats."""
    return f"{socket.gethostname()}/{os.getpid()}/{os.urandom(4).hex()}"


async def acquire(db: Database, holder: str, seconds: int) -> Lease:
    """The lease, or TryLater that names who holds it and until when."""
    leases = db["leases"]
    asked = _clock()
    with suppress(DuplicateKeyError):  # it has been there since the first run
        await leases.insert_one({"_id": _NAME, "holder": "", "fence": 0, "expiresAt": _EPOCH})
    taken = await leases.find_one_and_update(
        {"_id": _NAME, "$expr": {"$lt": ["$expiresAt", "$$NOW"]}},
        [
            {
                "$set": {
                    "holder": {"$literal": holder},
                    "fence": {"$add": ["$fence", 1]},
                    "expiresAt": _in(seconds),
                }
            }
        ],
        return_document=ReturnDocument.AFTER,
    )
    if taken is None:
        held = await leases.find_one({"_id": _NAME}) or {}
        raise TryLater(
            f"another crawl is running: {held.get('holder')} holds the lease until "
            f"{held.get('expiresAt', _EPOCH):%H:%M:%S} UTC; wait for it, or for the lease to expire"
        )
    lease = Lease(holder, taken["fence"], seconds)
    lease.term.begin(asked, seconds)
    return lease


async def renew(db: Database, lease: Lease) -> None:
    """Extends the lease; StoreLost when somebody else holds it by now."""
    asked = _clock()
    renewed = await db["leases"].update_one(_held_by(lease), [{"$set": {"expiresAt": _in(lease.seconds)}}])
    if not renewed.matched_count:
        lease.term.end()
        raise StoreLost("the lease was lost: another crawl took over, so that this one may write no more")
    lease.term.begin(asked, lease.seconds)


async def keep(db: Database, lease: Lease) -> None:
    """Renews the lease three times within its term, for ever.

    StoreLost when somebody else holds it by now, or when it has run out by our own clock because MongoDB did not
    answer: from then on another crawl may write, so that this one must not. A fault that passes before costs nothing,
    nor does a pause of the whole machine: a lease that nobody took meanwhile is renewed, however late.
    """
    clock = asyncio.get_running_loop().time
    until = clock() + lease.seconds
    while True:
        asked = clock()
        try:
            async with asyncio.timeout_at(max(until, asked + lease.seconds / 3)):
                await _renew_at_last(db, lease)
        except TimeoutError:
            raise StoreLost(
                f"the lease ran out: MongoDB did not renew it within {lease.seconds} s, so that this crawl may write "
                "no more; see why MongoDB is slow or away, then start the crawl again with --resume"
            ) from None
        until = asked + lease.seconds
        await asyncio.sleep(lease.seconds / 3)


@asynccontextmanager
async def held(db: Database, seconds: int) -> AsyncIterator[Lease]:
    """The lease for the time of the block; given back at its end, if MongoDB answers soon."""
    lease = await acquire(db, new_holder(), seconds)
    try:
        yield lease
    finally:
        with suppress(PyMongoError, TimeoutError):  # it expires by itself
            async with asyncio.timeout(seconds / 3):
                await release(db, lease)


async def under_lease(db: Database, seconds: int, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The result of work that nobody else may do at the same time; cancelled when the lease is lost."""
    async with held(db, seconds) as lease:
        try:
            async with asyncio.TaskGroup() as group:
                keeping = group.create_task(keep(db, lease))
                result = await group.create_task(work())
                keeping.cancel()
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
    return result


async def is_held(db: Database, lease: Lease) -> bool:
    """Whether this very lease is still in force."""
    in_force = {**_held_by(lease), "$expr": {"$gt": ["$expiresAt", "$$NOW"]}}
    return await db["leases"].find_one(in_force) is not None


async def release(db: Database, lease: Lease) -> None:
    """Gives the lease back; nothing happens when it is not ours any more."""
    lease.term.end()
    await db["leases"].update_one(_held_by(lease), {"$set": {"expiresAt": _EPOCH}})


async def _renew_at_last(db: Database, lease: Lease) -> None:
    while True:
        try:
            return await renew(db, lease)
        except ConnectionFailure:
            await asyncio.sleep(lease.seconds / 30)


def _clock() -> float:
    """Seconds since the machine was started, its sleep included where the system counts that."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)  # Linux alone
    return time.monotonic() if boot is None else time.clock_gettime(boot)


def _held_by(lease: Lease) -> dict[str, Any]:
    return {"_id": _NAME, "holder": lease.holder, "fence": lease.fence}


def _in(seconds: int) -> dict[str, Any]:
    return {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": seconds}}
