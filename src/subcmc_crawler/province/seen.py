"""The keys that a pass has served; of the last row under each its hash, its place, whether it is flagged. Pure.

A walk keeps them to its end, and a dataset may have millions. Up to some tens of thousands they are in dictionaries,
which cost little time and 190 bytes a key; beyond, in a table of SQLite in memory: 60 bytes a key, and 2.5 us more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import count, repeat
from typing import Final
from weakref import finalize

Batch = tuple[Sequence[str], Sequence[bytes]]
Row = tuple[str, bytes, int, bool]
"""A key, the hash and the place of the row under it, and whether that is flagged."""

_TABLE: Final = """
    PRAGMA page_size = 16384;
    PRAGMA journal_mode = OFF;
    CREATE TABLE seen (
        key TEXT PRIMARY KEY, hash BLOB NOT NULL, place INTEGER NOT NULL, flagged INTEGER NOT NULL
    ) WITHOUT ROWID;
"""


class Few:
    """Keys in dictionaries. Where they were served is looked up only once that is asked for."""

    def __init__(self) -> None:
        self._hashes: dict[str, bytes] = {}
        self._columns: list[tuple[int, Sequence[str]]] = []  # place of the first, keys
        self._places: dict[str, int] | None = None
        self._flagged: set[str] = set()

    def __len__(self) -> int:
        return len(self._hashes)

    def __contains__(self, key: str) -> bool:
        return key in self._hashes

    @property
    def flagged(self) -> int:
        """The keys whose row is flagged."""
        return len(self._flagged)

    def add(
        self, keys: Sequence[str], hashes: Sequence[bytes], flagged: Collection[int], *, first: int
    ) -> bool:
        """Takes rows with keys that differ, from the place `first` on; `flagged` counts from 0.

        False, and none is taken, when one of the keys is there already.
        """
        if not self._hashes.keys().isdisjoint(keys):
            return False
        self._hashes.update(zip(keys, hashes, strict=True))
        if self._places is None:
            self._columns.append((first, keys))
        else:
            self._places.update(zip(keys, count(first)))
        self._flagged.update(keys[position] for position in flagged)
        return True

    def put(self, key: str, content: bytes, place: int, *, flagged: bool) -> None:
        """Takes one row, whether its key is new or not."""
        self._all_places()[key] = place
        self._hashes[key] = content
        if flagged:
            self._flagged.add(key)
        else:
            self._flagged.discard(key)

    def hash_of(self, key: str) -> bytes | None:
        """The hash under a key; None when it was not served."""
        return self._hashes.get(key)

    def place_of(self, key: str) -> int:
        """The place of a key that was served."""
        return self._all_places()[key]

    def batches(self, size: int) -> Iterator[Batch]:
        """All keys with their hashes, in the order of their UTF-8, a few at a time."""
        keys = sorted(self._hashes)  # code points sort as their UTF-8 does
        for start in range(0, len(keys), size):
            batch = keys[start : start + size]
            yield batch, [*map(self._hashes.__getitem__, batch)]

    def rows(self) -> Iterator[Row]:
        """All that is known, in that order, too."""
        places = self._all_places()
        return ((key, self._hashes[key], places[key], key in self._flagged) for key in sorted(places))

    def _all_places(self) -> dict[str, int]:
        if self._places is None:
            self._places = {}
            for first, keys in self._columns:
                self._places.update(zip(keys, count(first)))
            self._columns.clear()
        return self._places


class Many:
    """Keys in a table."""

    def __init__(self, rows: Iterable[Row]) -> None:
        # closed by whichever thread the collector runs in; nothing else is done by another one
        self._table = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        finalize(self, self._table.close)
        self._table.executescript(_TABLE)
        self._table.execute("BEGIN")  # one for all: nothing is ever taken back by it
        self._keys = self._insert(rows)

    def __len__(self) -> int:
        return self._keys

    def __contains__(self, key: str) -> bool:
        try:
            return self.hash_of(key) is not None
        except UnicodeEncodeError:  # half a surrogate pair: no key, but what a row names may be any text
            return False

    @property
    def flagged(self) -> int:
        """The keys whose row is flagged; all are looked at."""
        return int(self._table.execute("SELECT sum(flagged) FROM seen").fetchone()[0] or 0)

    def add(
        self, keys: Sequence[str], hashes: Sequence[bytes], flagged: Collection[int], *, first: int
    ) -> bool:
        """Takes rows with keys that differ, from the place `first` on; `flagged` counts from 0.

        False, and none is taken, when one of the keys is there already.
        """
        flags = map(flagged.__contains__, range(len(keys))) if flagged else repeat(False)
        added = self._insert(zip(keys, hashes, count(first), flags))
        if added < len(keys):
            self._table.executemany("DELETE FROM seen WHERE key = ? AND place >= ?", zip(keys, count(first)))
            return False
        self._keys += added
        return True

    def put(self, key: str, content: bytes, place: int, *, flagged: bool) -> None:
        """Takes one row, whether its key is new or not."""
        added = self._insert([(key, content, place, flagged)])
        self._keys += added
        if not added:
            self._table.execute(
                "UPDATE seen SET hash = ?, place = ?, flagged = ? WHERE key = ?",
                (content, place, flagged, key),
            )

    def hash_of(self, key: str) -> bytes | None:
        """The hash under a key; None when it was not served."""
        found: tuple[bytes] | None = self._table.execute(
            "SELECT hash FROM seen WHERE key = ?", (key,)
        ).fetchone()
        return found[0] if found else None

    def place_of(self, key: str) -> int:
        """The place of a key that was served."""
        return int(self._table.execute("SELECT place FROM seen WHERE key = ?", (key,)).fetchone()[0])

    def batches(self, size: int) -> Iterator[Batch]:
        """All keys with their hashes, in the order of their UTF-8, a few at a time."""
        found = self._table.execute("SELECT key, hash FROM seen ORDER BY key")
        while some := found.fetchmany(size):
            keys, hashes = zip(*some, strict=True)
            yield keys, hashes

    def _insert(self, rows: Iterable[Row]) -> int:
        """Takes rows whose keys are not there; gives how many that were."""
        return self._table.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?, ?, ?)", rows).rowcount
