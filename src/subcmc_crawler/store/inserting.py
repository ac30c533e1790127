"""Inserts that may be sent twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import bson
from pymongo.errors import BulkWriteError

from subcmc_crawler.errors import StoreLost

_DUPLICATE: Final = 11000

_PASSING: Final = frozenset({91, 189, 10058, 10107, 11600, 11602, 13435, 13436})
"""MongoDB was stopped, or another member became the primary, before a majority had the write."""

_TRIES: Final = 3


async def insert_once(collection: Any, documents: Sequence[Any], where: str) -> None:
    """Inserts; a document that is there already, the same, counts as inserted.

    Sent again, at most twice, when MongoDB was stopped or stepped down meanwhile, since only a majority is sure to
    keep it. StoreLost names `where`.
    """
    if not documents:
        return
    for tries_left in reversed(range(_TRIES)):
        try:
            await collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            details = error.details or {}
            problems = details.get("writeErrors", [])
            codes = {int(item.get("code", 0)) for item in [*problems, *details.get("writeConcernErrors", [])]}
            if codes & _PASSING and codes <= {_DUPLICATE, *_PASSING} and tries_left:
                continue
            if codes != {_DUPLICATE}:
                numbers = ", ".join(map(str, sorted(codes)))
                raise StoreLost(
                    f"{where}: MongoDB refused a write (codes {numbers}): see why in its log, then start the crawl "
                    "again with --resume"
                ) from None
            await _same(collection, [documents[item["index"]] for item in problems], where)
        return


async def _same(collection: Any, documents: Sequence[Mapping[str, Any]], where: str) -> None:
    for document in documents:
        stored = await collection.find_one({"_id": document["_id"]}) or {}
        if "hash" in document:
            same = stored.get("hash") == document["hash"]
        else:
            same = bson.encode(stored) == bson.encode(document)
        if not same:
            raise StoreLost(f"{where}: MongoDB holds another document for the same place in this run")
