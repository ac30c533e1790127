"""Reads many documents at once: a batch is taken in one step, not document by document."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from pymongo import ASCENDING

from subcmc_crawler.store.driver import Document

_ROWS: Final = 5_000

_WHOLE: Final = 100
"""Records at once, of which each, and each field, may be as large as a body; the driver holds 16 MB besides."""


async def batches(
    collection: Any, wanted: Mapping[str, Any], *fields: str, by: str = "", hint: str = ""
) -> AsyncIterator[list[Document]]:
    """The `fields` of the documents that are `wanted`, a batch at a time; `by` is what they are sorted by.

    Records come fewer at a time, whole or a field of them.
    """
    most = _WHOLE if any(field.startswith("record") for field in fields) else _ROWS
    projection = {"_id": 0, **dict.fromkeys(fields, 1)}
    found = collection.find(dict(wanted), projection, batch_size=_ROWS)
    if by:
        found = found.sort(by, ASCENDING)
    if hint:
        found = found.hint(hint)
    while found.alive:
        if batch := await found.to_list(most):
            yield batch
