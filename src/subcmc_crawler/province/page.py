"""One parsed response of a dataset, ready to be counted and stored. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import orjson

from subcmc_crawler.province.walking import PageFacts
from subcmc_crawler.spec.datasets import VOLATILE, Dataset
from subcmc_crawler.spec.envelope import Envelope
from subcmc_crawler.spec.records import Checked, check_page, key_of

HASH_BYTES: Final = 16
"""128 bits: among a billion records two share a hash with a probability of 10^-21."""

LONGEST_KEY: Final = 1024
"""Characters of a primary key that we index; the longest of the specification has 255."""

_SORTED: Final = orjson.OPT_SORT_KEYS


@dataclass(frozen=True, slots=True, kw_only=True)
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

    @property
    def content(self) -> bytes:
        """Digest of its rows in served order, without their collectTime."""
        return digest(self.hashes)

    def facts(self) -> PageFacts:
        """What the walk needs to know of this page."""
        return PageFacts(
            rows=len(self.records),
            total=self.total,
            keys=digest((key or "").encode("utf-8", "surrogatepass") for key in self.keys),
            content=self.content,
        )


def read(dataset: Dataset, envelope: Envelope, cmc_id: str) -> Page:
    """The page that an envelope holds."""
    keys: list[str | None] = []
    reasons: dict[int, str] = {}
    hashes: list[bytes] = []
    collect_times: list[Any] = []
    for position, record in enumerate(envelope.rows):
        key, reason = key_of(dataset, record)
        if key is not None and not _storable(key):
            key, reason = None, "bad-key"
        keys.append(key)
        if key is None:
            reasons[position] = reason
        content, collect_time = fingerprint(record)
        hashes.append(content)
        collect_times.append(collect_time)
    return Page(
        total=envelope.total,
        records=envelope.rows,
        keys=keys,
        hashes=hashes,
        collect_times=collect_times,
        reasons=reasons,
        checked=check_page(dataset, envelope.rows, cmc_id),
        deviations=envelope.deviations,
        flat=envelope.flat,
    )


def _storable(key: str) -> bool:
    """Whether MongoDB can index the key: lone surrogates cannot be stored, and keys have 255 at most (2.2)."""
    if len(key) > LONGEST_KEY:
        return False
    try:
        return key.isascii() or bool(key.encode())
    except UnicodeEncodeError:
        return False


def fingerprint(record: Any) -> tuple[bytes, Any]:
    """The hash of a record without the value of its collectTime, and that value.

    Keys are sorted, since an order of keys means nothing (1.3.1). Whether there is a collectTime is part of
    the hash, so that a stored record always has a place for the value of another night.
    """
    name = volatile_name(record)
    if name is None:
        return blake2b(canonical(record), digest_size=HASH_BYTES).digest(), None
    collect_time = record[name]
    record[name] = None  # in place and back: the key keeps its position and no copy is made
    content = blake2b(canonical(record), digest_size=HASH_BYTES).digest()
    record[name] = collect_time
    return content, collect_time


def volatile_name(record: Any) -> str | None:
    """The key under which a record keeps its collectTime, stray spaces included; None when it has none."""
    if not isinstance(record, dict):
        return None
    if VOLATILE in record:
        return VOLATILE
    return next((key for key in record if key.strip() == VOLATILE), None)


def canonical(value: Any) -> bytes:
    """One JSON text for equal values; 1 and 1.0 differ."""
    try:
        return orjson.dumps(value, option=_SORTED)
    except TypeError:  # integers over 64 bits, lone surrogates
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def digest(parts: Iterable[bytes]) -> bytes:
    """One hash over parts in their order, each with its length, so that no boundary can move."""
    total = blake2b(digest_size=HASH_BYTES)
    for part in parts:
        total.update(len(part).to_bytes(4, "big"))
        total.update(part)
    return total.digest()


class SnapshotDigest:
    """The content digest of a snapshot: over (key, hash) in the order of the keys, one pair at a time."""

    def __init__(self) -> None:
        self._total = blake2b(digest_size=HASH_BYTES)

    def add(self, key: str, content: bytes) -> None:
        """The next pair; keys come in ascending order of their UTF-8 bytes, as an index gives them."""
        encoded = key.encode()
        self._total.update(len(encoded).to_bytes(4, "big"))
        self._total.update(encoded)
        self._total.update(content)

    def __str__(self) -> str:
        return self._total.hexdigest()
