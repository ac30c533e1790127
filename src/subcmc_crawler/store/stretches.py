"""Reads many documents as BSON: small ones in the order of a field, a stretch at a time, each by its own question.

The driver's `find_raw_batches` makes an object of each document before it joins their bytes, which is most of what
reading them costs. The answer to the command itself comes as it was sent.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import chain
from struct import Struct, iter_unpack
from typing import Any, Final

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import ASCENDING
from pymongo.errors import AutoReconnect, OperationFailure

_ROWS: Final = 5_000

_SHORT: Final = 8_000_000
"""Bytes of an answer. MongoDB ends a larger one before it has all that was asked for: at 16 MB."""

_TRIES: Final = 3

_PASSING: Final = frozenset({6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436})
"""After these the driver asks again by itself what it knows to be a read; commands it does not know."""

_RAW: Final = CodecOptions(document_class=RawBSONDocument)
_ARRAY: Final = b"\x04firstBatch\0"  # a name of a database or a collection has no NUL
_LENGTH: Final = Struct("<i")


async def stretches(
    collection: Any, wanted: Mapping[str, Any], *fields: str, by: str, hint: str
) -> AsyncIterator[list[bytes]]:
    """The `fields` of the documents that are `wanted`, each as BSON; sorted by `by`, which holds a text in each.

    No two of them should have the same text there, and no 5000 may: of those that have, one may come twice, but
    each comes. Asked again, at most twice, when the connection is lost, or MongoDB was stopped or stepped down:
    nothing is kept between two questions.
    """
    command = {**_question(collection, wanted, fields, hint=hint, most=_ROWS), "sort": {by: ASCENDING}}
    while True:
        answer = await _answer(collection, command)
        documents = documents_in(answer)
        if len(documents) < _ROWS and len(answer) < _SHORT:
            yield documents
            return
        last = documents.pop()  # the first of the next stretch: whatever shares its text comes there
        yield documents
        command["filter"] = {**wanted, by: {"$gte": bson.decode(last)[by]}}


async def first_answer(
    collection: Any, wanted: Mapping[str, Any], *fields: str, hint: str, most: int
) -> bytes:
    """The cursor over the `fields` of the documents that are `wanted`, `most` of them, as BSON.

    It has one batch alone: where 16 MB are too little for all, those that are missing have to be asked for.
    """
    return await _answer(collection, _question(collection, wanted, fields, hint=hint, most=most))


def _question(
    collection: Any, wanted: Mapping[str, Any], fields: Sequence[str], *, hint: str, most: int
) -> dict[str, Any]:
    question: dict[str, Any] = {
        "find": collection.name,
        "filter": dict(wanted),
        "projection": {"_id": 0, **dict.fromkeys(fields, 1)},
        "hint": hint,
        "limit": most,
        "batchSize": most,
        "singleBatch": True,
    }
    if concern := collection.read_concern.document:
        question["readConcern"] = concern
    return question


async def _answer(collection: Any, command: Mapping[str, Any]) -> bytes:
    """The cursor that MongoDB answers with, as BSON."""
    for tries_left in reversed(range(_TRIES)):
        try:
            found = await collection.database.command(
                dict(command), read_preference=collection.read_preference, codec_options=_RAW
            )
            return bytes(found["cursor"].raw)
        except AutoReconnect:
            if not tries_left:
                raise
        except OperationFailure as error:
            if not tries_left or error.code not in _PASSING:
                raise
    raise AssertionError("the last try returns or raises")


def documents_in(cursor: bytes) -> list[bytes]:
    """The documents of the first batch of a cursor, as MongoDB sends it."""
    at = cursor.index(_ARRAY) + len(_ARRAY)
    end = at + _LENGTH.unpack_from(cursor, at)[0] - 1
    at += _LENGTH.size
    documents: list[bytes] = []
    # before each document stand its kind, its number, and a NUL: three bytes up to the tenth, then four, and so on
    head, upto = 3, 10
    while at < end:
        alike = _alike(cursor, at, end, head, upto - len(documents))
        some = alike or _one_by_one(cursor, at, end, head, upto - len(documents))
        documents += some
        at += len(some) * head + sum(map(len, some))
        if len(documents) == upto:
            head, upto = head + 1, upto * 10
    return documents


def _alike(cursor: bytes, at: int, end: int, head: int, most: int) -> list[bytes]:
    """The next documents, so many at most, if all that are here would be as long as the first, and are."""
    size = _LENGTH.unpack_from(cursor, at + head)[0]
    step = head + size
    count = min(most, (end - at) // step)
    stop = at + count * step
    for place, byte in enumerate(_LENGTH.pack(size), start=at + head):
        if cursor[place:stop:step] != bytes((byte,)) * count:
            return []
    return [*chain.from_iterable(iter_unpack(f"{head}x{size}s", memoryview(cursor)[at:stop]))]


def _one_by_one(cursor: bytes, at: int, end: int, head: int, most: int) -> list[bytes]:
    """The next documents, so many at most, of whatever lengths."""
    length = _LENGTH.unpack_from
    documents: list[bytes] = []
    while at < end and len(documents) < most:
        start = at + head
        at = start + length(cursor, start)[0]
        documents.append(cursor[start:at])
    return documents
