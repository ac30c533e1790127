"""One parsed response of a dataset, ready to be counted and stored. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any, Final

import orjson

from subcmc_crawler.province.walking import PageFacts, PageProbe
from subcmc_crawler.spec.columns import Columns, columns_of
from subcmc_crawler.spec.datasets import VOLATILE, Dataset
from subcmc_crawler.spec.envelope import Envelope
from subcmc_crawler.spec.records import LONGEST_KEY, Checked, check_page, usable_key
from subcmc_crawler.spec.shapes import Shape, shapes_of, spelt

HASH_BYTES: Final = 16
"""128 bits: among a billion records two share a hash with a probability of 10^-21."""

_SORTED: Final = orjson.OPT_SORT_KEYS


@dataclass(frozen=True, kw_only=True)
class Page:
    """The rows of a response, column by column; position i of each column belongs to row i."""

    total: int | None
    records: Sequence[Any]  # as served
    keys: Sequence[str | None]  # None: no usable key
    hashes: Sequence[bytes]  # of the content without the value of collectTime
    collect_times: Sequence[Any]
    reasons: Mapping[int, str]  # row without usable key -> why
    checked: Checked
    deviations: tuple[str, ...]
    flat: bool  # no record holds an object, a list of lists, or a name with a dollar

    @cached_property
    def content(self) -> bytes:
        """Digest of its rows in served order, without their collectTime."""
        return _digest(b"".join(self.hashes))  # each has the same length

    def facts(self) -> PageFacts:
        """What the walk needs to know of this page."""
        return PageFacts(
            rows=len(self.records),
            total=self.total,
            keys=_digest_of_keys(self.keys),
            content=self.content,
        )


def read(dataset: Dataset, envelope: Envelope, cmc_id: str) -> Page:
    """The page that an envelope holds."""
    rows = envelope.rows
    shapes, columns = _shapes(dataset, envelope)
    keys, reasons = _keys(rows, shapes, columns)
    hashes, collect_times, exact = _contents(rows, shapes, columns)
    return Page(
        total=envelope.total,
        records=rows,
        keys=keys,
        hashes=hashes,
        collect_times=collect_times,
        reasons=reasons,
        checked=check_page(dataset, rows, cmc_id, shapes, columns if exact else None),
        deviations=envelope.deviations,
        flat=envelope.flat,
    )


def probe(dataset: Dataset, envelope: Envelope) -> PageProbe:
    """What a look at a page that was read before compares; the rows are neither hashed nor checked for it."""
    keys, _ = _keys(envelope.rows, *_shapes(dataset, envelope))
    return PageProbe(total=envelope.total, keys=_digest_of_keys(keys))


def _shapes(dataset: Dataset, envelope: Envelope) -> tuple[list[Shape | None], Columns | None]:
    rows, known = envelope.rows, shapes_of(dataset.code)
    columns = envelope.columns or columns_of(rows)
    if columns is not None:
        return [known[tuple(columns.values)]] * len(rows), columns
    return [known[tuple(row)] if isinstance(row, dict) else None for row in rows], None


def _keys(
    rows: Sequence[Any], shapes: Sequence[Shape | None], columns: Columns | None
) -> tuple[Sequence[str | None], Mapping[int, str]]:
    """The key of each row, and why those that have none have none."""
    plain = _plain_keys(columns, shapes[0]) if columns is not None else None
    if plain is not None:
        return plain, {}
    keys: list[str | None] = []
    reasons: dict[int, str] = {}
    key: str | None
    for position, (row, shape) in enumerate(zip(rows, shapes, strict=True)):
        if shape is None:
            key, reason = None, "not-an-object"
        elif shape.key is None:
            key, reason = None, "missing-key"
        else:
            key, reason = usable_key(row[shape.key])
        keys.append(key)
        if key is None:
            reasons[position] = reason
    return keys, reasons


def _plain_keys(columns: Columns, shape: Shape | None) -> Sequence[str] | None:
    """The keys of a page when letters and digits are all that is in them; judged at once."""
    if shape is None or shape.key is None or columns.kinds[shape.key] != {str}:
        return None
    keys = columns.values[shape.key]
    text = "".join(keys)
    plain = text.isascii() and text.isalnum() and all(keys) and max(map(len, keys)) <= LONGEST_KEY
    return keys if plain else None


def _contents(
    rows: Sequence[Any], shapes: Sequence[Shape | None], columns: Columns | None
) -> tuple[list[bytes], Sequence[Any], bool]:
    """The hash and collectTime of each row, and whether UTF-8 surely holds all texts but those of collectTimes."""
    name = shapes[0].volatile if columns is not None and shapes[0] is not None else None
    if columns is None or name is None:
        fingerprints = [*map(_fingerprint, rows, [shape.volatile if shape else None for shape in shapes])]
        return [content for content, _ in fingerprints], [time for _, time in fingerprints], False
    collect_times, exact = columns.values[name], True
    for row in rows:
        row[name] = None
    try:
        hashes = [blake2b(orjson.dumps(row, None, _SORTED), digest_size=HASH_BYTES).digest() for row in rows]
    except TypeError:
        hashes, exact = [_digest(canonical(row)) for row in rows], False
    for row, collect_time in zip(rows, collect_times, strict=True):
        row[name] = collect_time
    return hashes, collect_times, exact


def fingerprint(record: Any) -> tuple[bytes, Any]:
    """The hash of a record without the value of its collectTime, and that value.

    Keys are sorted, since an order of keys means nothing (1.3.1). Whether there is a collectTime is part of
    the hash, so that a stored record always has a place for the value of another night.
    """
    return _fingerprint(record, volatile_name(record))


def _fingerprint(record: Any, name: str | None) -> tuple[bytes, Any]:
    if name is None:
        return _digest(canonical(record)), None
    collect_time = record[name]
    record[name] = None  # in place and back: the key keeps its position and no copy is made
    content = _digest(canonical(record))
    record[name] = collect_time
    return content, collect_time


def volatile_name(record: Any) -> str | None:
    """The key under which a record keeps its collectTime, stray spaces included; None when it has none."""
    return spelt(VOLATILE, record) if isinstance(record, dict) else None


def canonical(value: Any) -> bytes:
    """One JSON text for equal values; 1 and 1.0 differ."""
    try:
        return orjson.dumps(value, option=_SORTED)
    except TypeError:  # integers over 64 bits, lone surrogates
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def _digest_of_keys(keys: Sequence[str | None]) -> bytes:
    return _digest(orjson.dumps(keys))  # none of which has half a surrogate pair


def _digest(text: bytes) -> bytes:
    return blake2b(text, digest_size=HASH_BYTES).digest()
