"""Which field names a record of which dataset, and what a record names (fields tables of chapter 2). Pure."""

from __future__ import annotations

from typing import Any, Final

from subcmc_crawler.spec.datasets import DATASETS, Dataset, Reference
from subcmc_crawler.spec.records import usable_key

REFERENCES: Final = tuple((dataset, each) for dataset in DATASETS.values() for each in dataset.references)
"""Every reference beside the dataset that it stands in, in the order of the specification."""

_ABSENT: Final = "empty-key"


def is_ordered(dataset: Dataset, reference: Reference) -> bool:
    """Whether the named record must be served first: organisations alone, parents first (2.2.1.4)."""
    return reference.dataset == dataset.code


def value_in(reference: Reference, record: object) -> Any:
    """What a record holds in the field of a reference, None without one; the exact spelling of its name wins."""
    if not isinstance(record, dict):
        return None
    if reference.field in record:
        return record[reference.field]
    return next((value for name, value in record.items() if name.strip() == reference.field), None)


def keys_named(value: object) -> tuple[str | None, ...]:
    """The keys that a value names, each once; None stands for values that can be no key.

    A list names all of its elements. What stands for "has none" (1.3.5) names nothing, and a number equals its
    digits, as it does in a primary key.
    """
    found: dict[str | None, None] = {}
    for each in value if isinstance(value, list) else [value]:
        key, why = usable_key(each)
        if why != _ABSENT and each != -1.0:
            found[key] = None
    return tuple(found)
