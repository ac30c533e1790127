"""Counts the rows of one pass: each is distinct, repeated, conflicting or without a usable key. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from struct import Struct
from typing import Any, Final

from subcmc_crawler.province.page import HASH_BYTES, Page, SnapshotDigest

_PLACE: Final = Struct(">IIB")  # ordinal, position, flagged


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row was served: the page, counted from 0 in walking order, and the row's position on it."""

    ordinal: int
    position: int


@dataclass(frozen=True, slots=True)
class Displaced:
    """Rows that a later one with the same key and other content displaced; the last one served is stored.

    The first of `places` is where the row that was to be stored came from, the others are its repetitions.
    """

    key: str
    places: tuple[Place, ...]
    hash: bytes


@dataclass(frozen=True, slots=True)
class Sorted:
    """What the rows of one page are: positions to store, and earlier rows that they displace."""

    store: tuple[int, ...]
    displaced: tuple[Displaced, ...] = ()
    fresh: int = 0  # rows with a new key or with none


@dataclass(slots=True)
class Tally:
    """The keys of one pass so far. Memory grows with the distinct keys, and with nothing else."""

    received: int = 0
    repeated: int = 0
    conflicting: int = 0
    quarantined: int = 0
    flagged: int = 0
    _seen: dict[str, bytes] = field(default_factory=dict)  # key -> hash, ordinal, position, flagged
    _again: dict[str, list[Place]] = field(default_factory=dict)  # key -> repetitions of what is in _seen

    @property
    def distinct(self) -> int:
        """Distinct primary keys."""
        return len(self._seen)

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
        seen, flags = self._seen, page.checked.flags
        store: dict[str, int] = {}
        displaced: list[Displaced] = []
        fresh = len(page.reasons)
        for position, (key, content) in enumerate(zip(page.keys, page.hashes, strict=True)):
            if key is None:
                continue
            packed = seen.get(key)
            if packed is None:
                fresh += 1
            elif packed.startswith(content):
                self.repeated += 1
                self._again.setdefault(key, []).append(Place(ordinal, position))
                continue
            else:
                self.conflicting += 1
                self.flagged -= packed[-1]
                displaced.append(_displaced(key, packed, self._again.pop(key, [])))
            flagged = position in flags
            self.flagged += flagged
            seen[key] = content + _PLACE.pack(ordinal, position, flagged)
            store[key] = position
        return Sorted(tuple(store.values()), tuple(displaced), fresh)

    def agrees(self, versions: Iterable[Mapping[str, Any]], after: str) -> bool:
        """Whether each `key` was served, last with that `hash`, and none comes twice.

        They are in the order of their keys, the first one follows `after`.
        """
        seen, last = self._seen, after
        for version in versions:
            key: str = version["key"]
            if key == last or not seen.get(key, b"").startswith(version["hash"]):
                return False
            last = key
        return True

    def digest(self) -> str:
        """The content digest of what was served last under each key."""
        total = SnapshotDigest()
        for key in sorted(self._seen, key=str.encode):
            total.add(key, self._seen[key][:HASH_BYTES])
        return str(total)

    def hash_of(self, key: str) -> bytes | None:
        """The hash of the last row served under `key`."""
        packed = self._seen.get(key)
        return None if packed is None else packed[:HASH_BYTES]


def _displaced(key: str, packed: bytes, again: list[Place]) -> Displaced:
    ordinal, position, _ = _PLACE.unpack(packed[HASH_BYTES:])
    return Displaced(key, (Place(ordinal, position), *again), packed[:HASH_BYTES])
