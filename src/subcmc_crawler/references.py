"""Counts records that name one that is not there, and records served before their parents. Pure.

Records stream by in batches. What is remembered of them are keys: a bounded number of those that are named, and,
where an order is asked for, those that were served.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from subcmc_crawler.model import NamedKey, ReferenceCount
from subcmc_crawler.spec.datasets import Dataset, Reference
from subcmc_crawler.spec.personal import mask_key

_SAMPLES: Final = 10
_REMEMBERED: Final = 50_000

Named = tuple[str, tuple[str | None, ...], int]
"""The key of a record, the keys that it names, and how many records name the same: the key is the first of theirs."""


class ReferenceTally:
    """Counts one reference. For each batch ask `unknown()`, look those keys up, and `add()` the batch."""

    def __init__(self, dataset: Dataset, reference: Reference, *, remembered: int = _REMEMBERED) -> None:
        self._dataset = dataset.code
        self._reference = reference
        self._most = remembered
        self._known: dict[str, bool] = {}  # key of the target -> whether it is there
        self._records = 0
        self._absent = 0
        self._dangling = 0
        self._nowhere: dict[str | None, str] = {}  # what is not there -> the first record that names it

    def unknown(self, batch: Iterable[Named]) -> list[str]:
        """The keys of the target that the batch names and that nobody has looked up yet."""
        if len(self._known) > self._most:
            self._known.clear()
        named = {key for _, names, _ in batch for key in names if key is not None}
        return sorted(named - self._known.keys())

    def add(self, batch: Sequence[Named], asked: Iterable[str], there: Collection[str]) -> None:
        """Counts a batch; of the keys that were `asked` for, those in `there` are there."""
        self._known.update((key, key in there) for key in asked)
        for key, names, records in batch:
            self._records += records
            if not names:
                self._absent += records
                continue
            nowhere = [name for name in names if name is None or not self._known[name]]
            if nowhere:
                self._dangling += records
                self._keep(nowhere[0], key)

    def _keep(self, named: str | None, key: str) -> None:
        """Keeps what is to be told: the same, in whichever order the records come."""
        told = self._nowhere
        told[named] = min(key, told.get(named, key))
        if len(told) > _SAMPLES:
            del told[max(told, key=told.__getitem__)]

    def count(self, *, as_of: int, target_as_of: int, order: Late | None = None) -> ReferenceCount:
        """What was counted, with what the order of serving says.

        Each thing that is not there is told once, with the first record that names it; those whose records come first
        in the order of keys are told.
        """
        told = sorted((key, named) for named, key in self._nowhere.items())
        target = self._reference.dataset
        return ReferenceCount(
            dataset=self._dataset,
            field=self._reference.field,
            target=self._reference.dataset,
            as_of=as_of,
            target_as_of=target_as_of,
            records=self._records,
            absent=self._absent,
            dangling=self._dangling,
            samples=tuple(_masked(self._dataset, key, target, named) for key, named in told),
            late=order.late if order else None,
            late_samples=tuple(order.samples) if order else (),
        )


class Late:
    """Counts the records that were served before the record of the same dataset that they name (2.2.1.4)."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset.code
        self._children: dict[str, list[str]] = {}  # parent -> children served before it
        self.waiting = 0  # children whose parent has not come
        self.late = 0
        self.samples: list[NamedKey] = []

    def come(self, key: str) -> None:
        """A record is served: those that named it before were late."""
        for child in self._children.pop(key, ()):
            self.waiting -= 1
            self.late += 1
            if len(self.samples) < _SAMPLES:
                self.samples.append(_masked(self._dataset, child, self._dataset, key))

    def wait(self, child: str, parent: str) -> None:
        """A record names one that has not been served."""
        self._children.setdefault(parent, []).append(child)
        self.waiting += 1

    def awaits(self, keys: Iterable[str]) -> bool:
        """Whether one of these is named by a record that was served before."""
        return not self._children.keys().isdisjoint(keys)


class ServedOrder(Late):
    """Counts them record by record. One that names itself, or a record that never comes, is not late."""

    def __init__(self, dataset: Dataset) -> None:
        super().__init__(dataset)
        self._served: set[str] = set()

    @property
    def served(self) -> int:
        """Distinct keys so far."""
        return len(self._served)

    def serve(self, key: str, parents: Iterable[str | None]) -> None:
        """The next record; one that was served before changes nothing."""
        if key in self._served:
            return
        self._served.add(key)
        self.come(key)
        for parent in parents:
            if parent is not None and parent not in self._served:
                self.wait(key, parent)


def not_counted(
    dataset: Dataset, reference: Reference, as_of: int | None, target_as_of: int | None
) -> ReferenceCount:
    """The count of a reference of which one side has no snapshot."""
    return ReferenceCount(
        dataset=dataset.code,
        field=reference.field,
        target=reference.dataset,
        as_of=as_of,
        target_as_of=target_as_of,
    )


def _masked(dataset: str, key: str, target: str, named: str | None) -> NamedKey:
    return NamedKey(key=mask_key(dataset, key), named="" if named is None else mask_key(target, named))
