"""What the names of a record tell by themselves: worked out once, since the records of a page mostly agree in them.

Pure. Tables: sections named .2 of chapter 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from subcmc_crawler.spec.datasets import DATASETS, VOLATILE
from subcmc_crawler.spec.fields import FIELDS, TOLERATED, Field

MOST_SHAPES: Final = 1_000
"""Shapes that are remembered of a dataset; a province that invents names must not fill the memory."""

MOST_NAMES: Final = 64
MOST_CHARACTERS: Final = 1_024
"""What a shape may have to be remembered, twice what the largest table has: one of 10 MB would cost 10 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """The names of a record, looked at. Stray spaces around a name are forgiven; the exact spelling wins."""

    key: str | None  # the name under which the primary key is
    volatile: str | None  # the name under which the collectTime is
    strange: bool  # some name is none of the table's, or has spaces around it
    missing: frozenset[
        str
    ]  # required fields that are absent; of a strange record, before its names are trimmed
    owned: bool  # there is a cmcId


class Shapes(dict[tuple[str, ...], Shape]):
    """The shapes of one dataset, by the names of a record in their order. Few are remembered, and only short ones."""

    def __init__(self, dataset_code: str) -> None:
        super().__init__()
        self._key = DATASETS[dataset_code].key
        self._fields = fields_of(dataset_code)
        self._required = required_of(dataset_code)

    def __missing__(self, names: tuple[str, ...]) -> Shape:
        shape = Shape(
            key=spelt(self._key, names),
            volatile=spelt(VOLATILE, names),
            strange=not self._fields.keys() >= set(names),
            missing=self._required.difference(names),
            owned="cmcId" in names,
        )
        if len(names) <= MOST_NAMES and sum(map(len, names)) <= MOST_CHARACTERS:
            if len(self) >= MOST_SHAPES:
                self.clear()
            self[names] = shape
        return shape


@cache
def shapes_of(dataset_code: str) -> Shapes:
    """The shapes of a dataset."""
    return Shapes(dataset_code)


def spelt(name: str, names: tuple[str, ...] | Mapping[str, object]) -> str | None:
    """How `names` spell a name: as it is, or else with spaces around it, or not at all."""
    if name in names:
        return name
    return next((each for each in names if each.strip() == name), None)


@cache
def fields_of(dataset_code: str) -> Mapping[str, Field]:
    """The fields of a dataset by name."""
    return {field.name: field for field in FIELDS[dataset_code]}


@cache
def required_of(dataset_code: str) -> frozenset[str]:
    """The names of the fields that a record must have."""
    return frozenset(name for name, field in fields_of(dataset_code).items() if is_required(field))


def is_required(field: Field) -> bool:
    """Whether a record must have it; pull samples leave some out that every table has (2.2.1.4)."""
    return field.required and field.name not in TOLERATED
