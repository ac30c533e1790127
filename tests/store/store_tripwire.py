"""A database on a real MongoDB whose n-th write goes wrong: the process dies there, or is paused there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal, cast

from subcmc_crawler.store import Database

Mode = Literal["before", "after", "half", "pause"]

_WRITES = frozenset(
    {
        "insert_one",
        "update_one",
        "update_many",
        "replace_one",
        "delete_one",
        "delete_many",
        "find_one_and_update",
    }
)


class Killed(BaseException):
    """The process is gone; no handler of errors may see it."""


class Tripwire:
    """Counts writes. At write `at` it is `Killed` before the write, after it, or when half of it is done.

    From then on nothing reaches the database any more. With mode "pause", `paused` runs first, then the write.
    """

    def __init__(
        self,
        db: Database,
        *,
        at: int,
        mode: Mode,
        paused: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.writes = 0
        self.published = False  # a write that took effect has published a snapshot
        self._db = db
        self.at = at
        self._mode = mode
        self.paused = paused
        self._dead = False

    @property
    def database(self) -> Database:
        """The database to give to the code under test."""
        return cast("Database", self)

    def __getitem__(self, name: str) -> Any:
        return _Collection(self, self._db[name])

    async def command(self, command: dict[str, Any]) -> Any:
        """A command; `insert` is the only one that writes."""
        if "insert" in command:
            return await self.write(self._db, "command", command)
        self.look()
        return await self._db.command(command)

    def look(self) -> None:
        """Nobody reads after he is dead."""
        if self._dead:
            raise Killed

    async def write(self, collection: Any, method: str, *args: Any, **options: Any) -> Any:
        """The write, unless it is the one that goes wrong."""
        self.look()
        self.writes += 1
        if self.writes != self.at:
            return await self._written(collection, method, *args, **options)
        if self._mode == "pause":
            assert self.paused is not None
            await self.paused()
            return await self._written(collection, method, *args, **options)
        self._dead = True
        if self._mode == "after":
            await self._written(collection, method, *args, **options)
        elif self._mode == "half":
            await _half(collection, method, *args)
        raise Killed

    async def _written(self, collection: Any, method: str, *args: Any, **options: Any) -> Any:
        result = await getattr(collection, method)(*args, **options)
        if collection.name == "snapshots" and method == "update_one" and result.matched_count:
            self.published |= args[1]["$set"].get("state") == "published"
        return result


class _Collection:
    def __init__(self, wire: Tripwire, real: Any) -> None:
        self._wire = wire
        self._real = real

    def __getattr__(self, name: str) -> Any:
        if name not in _WRITES:
            self._wire.look()
            return getattr(self._real, name)

        async def write(*args: Any, **options: Any) -> Any:
            return await self._wire.write(self._real, name, *args, **options)

        return write


async def _half(collection: Any, method: str, *args: Any) -> None:
    """What is left of a write of many documents when MongoDB was stopped in the middle of it."""
    if method == "command":
        documents = args[0]["documents"]
        await collection.command({**args[0], "documents": documents[: (len(documents) + 1) // 2]})
    elif method in ("update_many", "delete_many"):
        touched = [found["_id"] async for found in collection.find(args[0], {"_id": 1})]
        some = {"_id": {"$in": touched[: (len(touched) + 1) // 2]}}
        await getattr(collection, method)(some, *args[1:])
