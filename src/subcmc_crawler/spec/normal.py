"""Records as they compare: one form for every spelling of a value (1.3.5, chapter 3). Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from subcmc_crawler.spec.datasets import DATASETS, VOLATILE
from subcmc_crawler.spec.fields import FIELDS, TOLERATED, Field

Normal = str | tuple[str, ...] | None
"""A value as it compares: text, the sorted items of an array, or None for "has none"."""

_NONE: Final = frozenset({"", "-1", "-1L", "-1.0"})
_WHOLE: Final = re.compile(r"(-?)0*(\d{1,400})(?:\.0+)?", re.ASCII)


@cache
def compared_fields(dataset_code: str) -> tuple[str, ...]:
    """The fields of a dataset that are compared, in the order of its table.

    Those of the field table, without the primary key, collectTime, and what a pull may leave out (cmcId and
    reportType). Fields that no table has are a platform's own.
    """
    left_out = TOLERATED | {VOLATILE, DATASETS[dataset_code].key}
    return tuple(field.name for field in FIELDS[dataset_code] if field.name not in left_out)


def normal(dataset_code: str, record: Mapping[str, Any]) -> tuple[Normal, ...]:
    """The values of the compared fields, in their order, each in the one form of all its spellings.

    "", null, [], -1, -1.0, and "-1" or "-1L" as text are None; a number equals its digits, so that the codes
    1, "1" and "01" are one, joined ones too; the order of an array means nothing; an absent value is the default
    of its field, where the table gives one.
    """
    if not record.keys() <= _names(dataset_code):  # then perhaps with blanks around it (2.2.1.4)
        record = {**{name.strip(): value for name, value in record.items()}, **record}
    return tuple([read(record.get(name)) for name, read in _readers(dataset_code)])


@cache
def _names(dataset_code: str) -> frozenset[str]:
    return frozenset(field.name for field in FIELDS[dataset_code])


@cache
def _readers(dataset_code: str) -> tuple[tuple[str, Callable[[Any], Normal]], ...]:
    compared = frozenset(compared_fields(dataset_code))
    return tuple((field.name, _reader(field)) for field in FIELDS[dataset_code] if field.name in compared)


def _reader(field: Field) -> Callable[[Any], Normal]:
    if field.kind == "strings":
        return _items
    if field.kind == "string":
        return _text
    if field.default is None:
        return _number
    default = str(field.default)
    return lambda value: _number(value) or default


def _text(value: Any) -> str | None:
    if type(value) is str:
        return None if value in _NONE else value
    if value is None or value in ([], {}):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value) if type(value) is int else json.dumps(value, sort_keys=True)
    return None if text in _NONE else text


def _number(value: Any) -> str | None:
    if type(value) is int:
        return None if value == -1 else str(value)
    text = value if type(value) is str else _text(value)
    if text is None or text in _NONE:
        return None
    whole = _WHOLE.fullmatch(text.strip())
    return _text(whole[1] + whole[2] if whole else text.strip())


def _items(value: Any) -> tuple[str, ...] | None:
    items = value if isinstance(value, list) else [value]
    return tuple(sorted(text for text in map(_text, items) if text is not None)) or None
