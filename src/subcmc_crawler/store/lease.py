"""One run at a time: a lease with expiry and a fencing number, on MongoDB's own clock.

The shards of one run hold it together, each in a place of its own with a fencing number of its own; it is free for
others when the last of these places is.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
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
class Place:
    """A place in a lease that is shared: by those of one `crew` alone, one holder a `number`."""

    crew: str
    number: int


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write; `fence` grows by one with each holder. `shared`: this is a place among shards."""

    holder: str
    fence: int
    seconds: int
    shared: bool = False
    term: Term = field(default_factory=Term, compare=False, repr=False)


def new_holder() -> str:
    """A name for this process that an operator can find: host, process id, and a part that never repeats."""
    return f"{socket.gethostname()}/{os.getpid()}/{os.urandom(4).hex()}"


async def acquire(db: Database, holder: str, seconds: int, place: Place | None = None) -> Lease:
    """The lease, or a place in it; TryLater names who holds it and until when."""
    leases = db["leases"]
    asked = _clock()
    with suppress(DuplicateKeyError):  # it has been there since the first run
        await leases.insert_one({"_id": _NAME, "holder": "", "fence": 0, "expiresAt": _EPOCH})
    free: dict[str, Any] = {"$expr": {"$lt": ["$expiresAt", "$$NOW"]}}
    if place is not None:
        free = {"$or": [free, {"crew": place.crew, "$expr": {"$not": [_is_taken(place.number)]}}]}
    taken = await leases.find_one_and_update(
        {"_id": _NAME, **free},
        [{"$set": _alone(holder, seconds) if place is None else _among(holder, seconds, place)}],
        return_document=ReturnDocument.AFTER,
    )
    if taken is None:
        held = await leases.find_one({"_id": _NAME}) or {}
        raise TryLater(
            f"another crawl is running: {held.get('holder')} holds the lease until "
            f"{held.get('expiresAt', _EPOCH):%H:%M:%S} UTC; wait for it, or for the lease to expire"
        )
    lease = Lease(holder, taken["fence"], seconds, shared=place is not None)
    lease.term.begin(asked, seconds)
    return lease


async def renew(db: Database, lease: Lease) -> None:
    """Extends the lease; StoreLost when somebody else holds it by now."""
    asked = _clock()
    until = _in(lease.seconds)
    fields = {
        "expiresAt": {"$max": ["$expiresAt", until]},
        "members": _each_mine(lease, {"expiresAt": until}),
    }
    update = fields if lease.shared else {"expiresAt": until}
    renewed = await db["leases"].update_one(_held_by(lease), [{"$set": update}])
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
async def held(db: Database, seconds: int, place: Place | None = None) -> AsyncIterator[Lease]:
    """The lease, or a place in it, for the time of the block; given back at its end, if MongoDB answers soon."""
    lease = await acquire(db, new_holder(), seconds, place)
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


async def note_run(db: Database, lease: Lease, run: int) -> None:
    """Writes down which run the holder of a place is at work on; StoreLost when the place was lost."""
    noted = await db["leases"].update_one(
        _held_by(lease), [{"$set": {"members": _each_mine(lease, {"run": run})}}]
    )
    if not noted.matched_count:
        raise StoreLost("the lease was lost: another crawl took over, so that this one may write no more")


async def others_at(db: Database, lease: Lease, run: int) -> list[int]:
    """The other places whose holders are alive and at work on that run."""
    at_work = {
        "$and": [
            {"$eq": ["$$m.run", run]},
            {"$ne": ["$$m.fence", lease.fence]},
            {"$gt": ["$$m.expiresAt", "$$NOW"]},
        ]
    }
    others = {"$filter": {"input": "$members", "as": "m", "cond": at_work}}
    found = await db["leases"].find_one({"_id": _NAME}, {"members": others}) or {}
    return sorted(member["number"] for member in found.get("members") or ())


async def issue(db: Database, lease: Lease) -> int:
    """A fencing number of its own for one attempt at a task of the run that holds the lease; it grows with each.

    So a second attempt takes a walk over from the first one, which can publish nothing from then on. StoreLost
    when the lease was taken or given back. One that merely ran out may yet be renewed, and whoever takes it instead
    has a higher number.
    """
    found = await db["leases"].find_one_and_update(
        _kept_by(lease), {"$inc": {"fence": 1}}, return_document=ReturnDocument.AFTER
    )
    if found is None:
        raise StoreLost("the run that ordered this has lost its lease, or lies in another MongoDB than ours")
    return int(found["fence"])


@dataclass(frozen=True, slots=True)
class Standing:
    """What the holder of a lease lets those know who work under it."""

    stop: int = 0  # how often the run was asked to stop
    lines: Mapping[str, int] = field(default_factory=dict)  # worker -> bytes a second that it may read
    in_force: bool = True  # not: the lease ran out, and its holder may renew it as long as nobody takes it


async def post(db: Database, lease: Lease, standing: Standing) -> None:
    """Lets all who work under the lease know; nothing happens when it is not ours any more."""
    lines = [{"worker": worker, "bytes": limit} for worker, limit in standing.lines.items()]
    await db["leases"].update_one(_held_by(lease), {"$set": {"stop": standing.stop, "lines": lines}})


async def look(db: Database, lease: Lease) -> Standing | None:
    """What the holder let know last; None when the lease was taken or given back."""
    fields = {"stop": 1, "lines": 1, "inForce": {"$gt": ["$expiresAt", "$$NOW"]}}
    found = await db["leases"].find_one(_kept_by(lease), fields)
    if found is None:
        return None
    lines = {line["worker"]: line["bytes"] for line in found.get("lines", ())}
    return Standing(stop=found.get("stop", 0), lines=lines, in_force=found["inForce"])


async def release(db: Database, lease: Lease) -> None:
    """Gives the lease back; nothing happens when it is not ours any more."""
    lease.term.end()
    if not lease.shared:
        await db["leases"].update_one(_held_by(lease), {"$set": {"expiresAt": _EPOCH}})
        return
    others = {"$filter": {"input": "$members", "as": "m", "cond": {"$ne": ["$$m.fence", lease.fence]}}}
    until = {"$ifNull": [{"$max": "$members.expiresAt"}, _EPOCH]}
    await db["leases"].update_one(
        _held_by(lease), [{"$set": {"members": others}}, {"$set": {"expiresAt": until}}]
    )


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
    if lease.shared:
        return {"_id": _NAME, "members": {"$elemMatch": {"holder": lease.holder, "fence": lease.fence}}}
    return {"_id": _NAME, "holder": lease.holder, "since": lease.fence}


def _kept_by(lease: Lease) -> dict[str, Any]:
    """Neither taken by another nor given back; its time may be over."""
    return {**_held_by(lease), "expiresAt": {"$gt": _EPOCH}}


def _alone(holder: str, seconds: int) -> dict[str, Any]:
    return {
        "holder": {"$literal": holder},
        "fence": {"$add": ["$fence", 1]},
        "since": {"$add": ["$fence", 1]},
        "expiresAt": _in(seconds),
        "crew": "$$REMOVE",
        "members": "$$REMOVE",
        "stop": "$$REMOVE",
        "lines": "$$REMOVE",
    }


def _among(holder: str, seconds: int, place: Place) -> dict[str, Any]:
    """One more member; those whose time is over are no members any more."""
    mine = {
        "number": place.number,
        "holder": {"$literal": holder},
        "fence": {"$add": ["$fence", 1]},
        "expiresAt": _in(seconds),
    }
    alive = {"$gt": ["$$m.expiresAt", "$$NOW"]}
    others = {"$filter": {"input": {"$ifNull": ["$members", []]}, "as": "m", "cond": alive}}
    return {
        "holder": {"$literal": holder},
        "fence": {"$add": ["$fence", 1]},
        "expiresAt": {"$max": ["$expiresAt", _in(seconds)]},
        "crew": {"$literal": place.crew},
        "members": {"$concatArrays": [others, [mine]]},
    }


def _is_taken(number: int) -> dict[str, Any]:
    lives = {"$and": [{"$eq": ["$$m.number", number]}, {"$gt": ["$$m.expiresAt", "$$NOW"]}]}
    members = {"$ifNull": ["$members", []]}
    return {"$anyElementTrue": [{"$map": {"input": members, "as": "m", "in": lives}}]}


def _each_mine(lease: Lease, fields: dict[str, Any]) -> dict[str, Any]:
    """All members, that of the lease with other fields."""
    changed = {"$mergeObjects": ["$$m", fields]}
    mine = {"$cond": [{"$eq": ["$$m.fence", lease.fence]}, changed, "$$m"]}
    return {"$map": {"input": "$members", "as": "m", "in": mine}}


def _in(seconds: int) -> dict[str, Any]:
    return {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": seconds}}
