"""Inserts that may be sent twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import bson
from pymongo.errors import BulkWriteError

from subcmc_crawler.errors import StoreLost

_DUPLICATE: Final = 11000


async def insert_once(collection: Any, documents: Sequence[Any], where: str) -> None:
    """Inserts; a document that is there already, the same, counts as inserted. StoreLost names `where`."""
    if not documents:
        return
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        details = error.details or {}
        problems = details.get("writeErrors", [])
        if details.get("writeConcernErrors") or any(item.get("code") != _DUPLICATE for item in problems):
            codes = sorted({str(item.get("code")) for item in problems})
            raise StoreLost(f"{where}: MongoDB refused a write (codes {', '.join(codes)})") from None
        await _same(collection, [documents[item["index"]] for item in problems], where)


async def _same(collection: Any, documents: Sequence[Mapping[str, Any]], where: str) -> None:
    for document in documents:
        stored = await collection.find_one({"_id": document["_id"]}) or {}
        if "hash" in document:
            same = stored.get("hash") == document["hash"]
        else:
            same = bson.encode(stored) == bson.encode(document)
        if not same:
            raise StoreLost(f"{where}: MongoDB holds another document for the same place in this run")
