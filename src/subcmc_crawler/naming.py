"""What the rows of a pass name, gathered from its pages as they come: no record need be read again for it. Pure.

What is kept are groups: something that is named, how many rows name it, and the first of their keys. Nothing is
kept of a field of which the store might tell something else (a key came twice, a value is no text, a name may be
spelt with blanks), nor of one that names more than there is memory for. The store is asked then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, compress, count, islice, repeat
from operator import gt, is_not, itemgetter
from sys import getsizeof
from typing import Any, Final

from subcmc_crawler.province.page import Page
from subcmc_crawler.province.tally import Tally
from subcmc_crawler.references import Late, Named
from subcmc_crawler.spec.datasets import Dataset, Reference
from subcmc_crawler.spec.references import is_ordered, keys_named

MOST_BYTES: Final = 4_000_000
"""Memory for the groups of one reference: some 20,000 of them."""

_GROUP: Final = 130
"""Bytes that a group takes beside what is named: its places in two mappings, and its number."""

_MOST_WAITING: Final = 10_000
"""Rows that may wait for the one that they name."""

_PLAIN: Final = frozenset({str, type(None)})
"""Values that are told by groups. Numbers are not: to Python 1, 1.0 and true are one, to MongoDB the first two."""


class Naming:
    """What the rows of one pass name, by reference. `add()` each page once the tally has counted it."""

    def __init__(self, dataset: Dataset, *, most_bytes: int = MOST_BYTES) -> None:
        # where the key itself is what names, there is a group for each row: the index tells those
        self._groups = {
            reference.field: Groups(dataset, reference, most_bytes=most_bytes)
            for reference in dataset.references
            if reference.field != dataset.key
        }

    def add(self, page: Page, tally: Tally) -> None:
        """The next page of the pass; the tally has counted it, and all before it."""
        if tally.repeats:  # not each row is a record
            self._groups.clear()
        if not self._groups:
            return
        rows, keys = page.records, page.keys
        if page.reasons:
            usable = [*map(is_not, keys, repeat(None))]
            rows, keys = [*compress(rows, usable)], [*compress(keys, usable)]
        stray = page.checked.stray_keys > 0
        given_up = [
            field for field, groups in self._groups.items() if not groups.add(rows, keys, tally, stray=stray)
        ]
        for field in given_up:
            del self._groups[field]

    def of(self, reference: Reference) -> Groups | None:
        """What is named by a reference; None when the pages do not surely tell it."""
        return self._groups.get(reference.field)


class Groups:
    """What one field names: each thing once, with how many rows name it and the first of their keys."""

    def __init__(self, dataset: Dataset, reference: Reference, *, most_bytes: int = MOST_BYTES) -> None:
        self._field = reference.field
        self._many = reference.many
        self._left = most_bytes
        self._rows: Counter[Any] = Counter()
        self._first: dict[Any, str] = {}
        self.order = PageOrder(dataset) if is_ordered(dataset, reference) else None

    @property
    def rows(self) -> int:
        """The rows that were counted."""
        return self._rows.total()

    def batches(self, size: int) -> Iterator[list[Named]]:
        """The groups, a few at a time."""
        named = ((self._first[value], _keys_named(value), rows) for value, rows in self._rows.items())
        while batch := list(islice(named, size)):
            yield batch

    def add(self, rows: Sequence[Any], keys: Sequence[Any], tally: Tally, *, stray: bool) -> bool:
        """Counts the rows of a page; False when they do not surely tell what they name, or memory is short.

        `stray` says that some name on the page has blanks around it.
        """
        column = self._column(rows, stray=stray)
        if column is None or not self._count(column):
            return False
        first = self._first
        for value, key in zip(column, keys, strict=True):
            if first.setdefault(value, key) > key:
                first[value] = key
        return self.order is None or self.order.add(keys, column, tally)

    def _column(self, rows: Sequence[Any], *, stray: bool) -> list[Any] | None:
        """The values of the field, None for none; None when it is not sure which they are."""
        try:
            column: list[Any] = [*map(itemgetter(self._field), rows)]
        except KeyError:
            if stray:  # under which of several spellings a record has it, its order in the store decides
                return None
            column = [row.get(self._field) for row in rows]
        if not self._many:
            return column
        lists = set(map(type, column)) <= {list, type(None)}
        return [tuple(each or ()) for each in column] if lists else None

    def _count(self, column: Sequence[Any]) -> bool:
        known = len(self._rows)
        try:
            self._rows.update(column)
        except TypeError:  # a list or an object among them
            return False
        fresh = [*islice(reversed(self._rows), len(self._rows) - known)]
        items = [*chain.from_iterable(fresh)] if self._many else fresh
        self._left -= _GROUP * len(fresh) + sum(map(getsizeof, fresh))
        if self._many:
            self._left -= sum(map(getsizeof, items))
        return self._left >= 0 and set(map(type, items)) <= _PLAIN


class PageOrder(Late):
    """Counts the records that were served before the one they name, page by page.

    A page on which each parent came before its children needs no look at its rows one by one.
    """

    def add(self, keys: Sequence[str], column: Sequence[Any], tally: Tally) -> bool:
        """The next page: its keys, none of which came before, and what each names; False when too many wait."""
        places = dict(zip(keys, count()))
        if self._in_order(places, column, tally):
            return True
        for place, (key, value) in enumerate(zip(keys, column, strict=True)):
            self.come(key)
            for parent in keys_named(value):
                if parent is not None and not _served(parent, place, places, tally):
                    self.wait(key, parent)
        return self.waiting <= _MOST_WAITING

    def _in_order(self, places: dict[str, int], column: Sequence[Any], tally: Tally) -> bool:
        """Whether the page surely holds no row that is late, and none that must wait."""
        if self.waiting and self.awaits(places):
            return False
        if any(map(gt, map(places.get, column, repeat(-1)), count())):
            return False
        elsewhere = set(column).difference(places)
        return not any(_names_one(value) for value in elsewhere if value not in tally)


def _served(parent: str, place: int, places: dict[str, int], tally: Tally) -> bool:
    """Whether a record was served up to this place of the page; the tally knows the whole page already."""
    here = places.get(parent)
    return parent in tally if here is None else here <= place


def _names_one(value: Any) -> bool:
    return any(key is not None for key in keys_named(value))


def _keys_named(value: Any) -> tuple[str | None, ...]:
    return keys_named(list(value) if isinstance(value, tuple) else value)
