"""Inserts that may be sent twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import bson
from bson.errors import BSONError
from pymongo.errors import AutoReconnect, DocumentTooLarge

from subcmc_crawler.errors import StoreLost
from subcmc_crawler.store.driver import Database

_DUPLICATE: Final = 11000

_PASSING: Final = frozenset({91, 189, 10058, 10107, 11600, 11602, 13435, 13436})
"""MongoDB was stopped, or another member became the primary, before a majority had the write."""

_TRIES: Final = 3

_UNENCODABLE: Final = (BSONError, OverflowError, ValueError, TypeError)
"""What the encoder says of values that BSON cannot hold, before anything is sent."""


async def insert_once(
    db: Database,
    name: str,
    documents: Sequence[Any],
    where: str,
    *,
    spelt: Callable[[Any], Any] | None = None,
    ours: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Inserts into a collection; a document that is there already, the same, counts as inserted.

    By the command itself, so that the documents are encoded in one go: the driver's `insert_many` costs more than
    their encoding. What is more than the driver sends in a command, 16 MB, goes in parts. With `spelt` a batch that
    BSON cannot hold as it is is encoded by it, document by document. With `ours` another document for the same place
    gives way, which an attempt that this one goes on from wrote late; it raises when the place is no longer ours.

    Sent again, at most twice, when MongoDB was stopped or stepped down meanwhile, since only a majority is sure to
    keep it. StoreLost names `where`.
    """
    if not documents:
        return
    for tries_left in reversed(range(_TRIES)):
        try:
            codes, again = await _insert(db, name, documents)
        except _UNENCODABLE as error:
            if isinstance(error, DocumentTooLarge) and len(documents) > 1:
                half = len(documents) // 2
                parts = [documents[:half], documents[half:]]
            elif spelt is not None:
                parts, spelt = [[spelt(document) for document in documents]], None
            else:
                raise
            for part in parts:
                await insert_once(db, name, part, where, spelt=spelt, ours=ours)
            return
        except AutoReconnect:
            if not tries_left:
                raise
            continue
        if codes & _PASSING and codes <= {_DUPLICATE, *_PASSING} and tries_left:
            continue
        if not codes <= {_DUPLICATE}:
            numbers = ", ".join(map(str, sorted(codes)))
            raise StoreLost(
                f"{where}: MongoDB refused a write (codes {numbers}): see why in its log, then start the crawl "
                "again with --resume"
            )
        await _settle(db[name], [documents[index] for index in again], where, ours)
        return


async def _insert(db: Database, name: str, documents: Sequence[Any]) -> tuple[set[int], list[int]]:
    """The codes of what went wrong, and the places of the documents that were not inserted."""
    command: dict[str, Any] = {"insert": name, "documents": list(documents), "ordered": False}
    if concern := db[name].write_concern.document:
        command["writeConcern"] = concern
    answer: Mapping[str, Any] = await db.command(command)
    problems = answer.get("writeErrors", [])
    failed = answer.get("writeConcernError")
    codes = {int(each.get("code", 0)) for each in [*problems, *([failed] if failed else [])]}
    return codes, [each["index"] for each in problems]


async def _settle(
    collection: Any,
    documents: Sequence[Mapping[str, Any]],
    where: str,
    ours: Callable[[], Awaitable[None]] | None,
) -> None:
    for document in documents:
        if await _is_there(collection, document):
            continue
        if ours is None:
            raise StoreLost(f"{where}: MongoDB holds another document for the same place in this run")
        await ours()
        await collection.replace_one({"_id": document["_id"]}, document, upsert=True)


async def _is_there(collection: Any, document: Mapping[str, Any]) -> bool:
    stored = await collection.find_one({"_id": document["_id"]}) or {}
    if "hash" in document:
        return bool(stored.get("hash") == document["hash"])
    return bson.encode(stored) == bson.encode(document)
