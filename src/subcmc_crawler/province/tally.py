"""Counts the rows of one pass: each is distinct, repeated, conflicting or without a usable key. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from struct import Struct
from typing import Final, TypeVar, cast

from subcmc_crawler.province.digest import SnapshotDigest
from subcmc_crawler.province.page import Page
from subcmc_crawler.province.seen import Few, Many

Value = TypeVar("Value")

FEW: Final = 100_000
"""Keys that are kept where they cost little time; more are kept where they take little memory."""

_BATCH: Final = 5_000
_PAGE: Final = 1 << 32  # rows that no page has
_PLACE: Final = Struct(">II")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row was served: the page, counted from 0 in walking order, and the row's position on it."""

    ordinal: int
    position: int


@dataclass(frozen=True, slots=True)
class Displaced:
    """Rows that a later one with the same key and other content displaced; the last one served is stored.

    `first` is where the row that was to be stored came from; `again` are the places of its repetitions, packed,
    since there may be a million.
    """

    key: str
    first: Place
    hash: bytes
    again: bytes = b""

    def places(self) -> Iterator[Place]:
        """Where the rows were served, the one that was to be stored first."""
        yield self.first
        for ordinal, position in _PLACE.iter_unpack(self.again):
            yield Place(ordinal, position)


@dataclass(frozen=True, slots=True)
class Sorted:
    """What the rows of one page are: positions to store, and earlier rows that they displace."""

    store: Sequence[int]
    displaced: tuple[Displaced, ...] = ()
    fresh: int = 0  # rows with a new key or with none


@dataclass(slots=True)
class Tally:
    """The keys of one pass so far. Memory grows with the distinct keys, and by 8 bytes with each repetition.

    Most pages hold new keys alone, and those are counted column by column.
    """

    received: int = 0
    repeated: int = 0
    conflicting: int = 0
    quarantined: int = 0
    few: int = FEW
    _seen: Few | Many = field(default_factory=Few)
    _again: dict[str, bytearray] = field(default_factory=dict)  # key -> places that repeat what is in _seen

    @property
    def distinct(self) -> int:
        """Distinct primary keys."""
        return len(self._seen)

    @property
    def flagged(self) -> int:
        """Distinct keys whose last row breaks a rule."""
        return self._seen.flagged

    @property
    def repeats(self) -> int:
        """Rows whose key had been served before."""
        return self.repeated + self.conflicting

    def __contains__(self, key: str) -> bool:
        return key in self._seen

    def sort(self, page: Page, ordinal: int) -> Sorted:
        """Counts the rows of the next page and says which are to be stored."""
        self.received += len(page.records)
        self.quarantined += len(page.reasons)
        found = self._take_whole(page, ordinal) or self._take_each(page, ordinal)
        if isinstance(self._seen, Few) and len(self._seen) > self.few:
            self._seen = Many(self._seen.rows())
        return found

    def _take_whole(self, page: Page, ordinal: int) -> Sorted | None:
        """Takes a page on which each row has a usable key, and one that was never served; None for another."""
        if page.reasons or len(set(page.keys)) < len(page.keys):
            return None
        keys = cast(Sequence[str], page.keys)
        if not self._seen.add(keys, page.hashes, page.checked.flags, first=ordinal * _PAGE):
            return None
        return Sorted(range(len(keys)), (), len(keys))

    def _take_each(self, page: Page, ordinal: int) -> Sorted:
        seen, flags = self._seen, page.checked.flags
        store: dict[str, int] = {}
        displaced: list[Displaced] = []
        fresh = len(page.reasons)
        for position, (key, content) in enumerate(zip(page.keys, page.hashes, strict=True)):
            if key is None:
                continue
            before = seen.hash_of(key)
            if before is None:
                fresh += 1
            elif before == content:
                self.repeated += 1
                self._again.setdefault(key, bytearray()).extend(_PLACE.pack(ordinal, position))
                continue
            else:
                self.conflicting += 1
                first = Place(*divmod(seen.place_of(key), _PAGE))
                displaced.append(Displaced(key, first, before, bytes(self._again.pop(key, b""))))
            seen.put(key, content, ordinal * _PAGE + position, flagged=position in flags)
            store[key] = position
        return Sorted(tuple(store.values()), tuple(displaced), fresh)

    def digest(self) -> str:
        """The content digest of what was served last under each key."""
        total = SnapshotDigest()
        for keys, hashes in self._seen.batches(_BATCH):
            total.add_all(keys, hashes)
        return str(total)

    def hash_of(self, key: str) -> bytes | None:
        """The hash of the last row served under `key`."""
        return self._seen.hash_of(key)


def at(column: Sequence[Value], positions: Sequence[int]) -> Sequence[Value]:
    """The values of a column at some of its positions; the column itself where those are all, from the first on."""
    return column if len(positions) == len(column) else [*map(column.__getitem__, positions)]


def keys_at(page: Page, positions: Sequence[int]) -> Sequence[str]:
    """The keys of rows that are to be stored: each has one."""
    return cast(Sequence[str], at(page.keys, positions))
