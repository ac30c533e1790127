"""The rows of a page name by name: where all rows have the same names, most are judged a column at a time. Pure.

A column is held against its field in a few calls, whatever its length. Only a field in which some value may break a
rule is left for the schema of the field table to judge, row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any, Final

from subcmc_crawler.spec.codes import spellings
from subcmc_crawler.spec.fields import FIELDS, Field
from subcmc_crawler.spec.shapes import MOST_NAMES, is_required

INTEGERS: Final = {"integer": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}
REPORT_TYPES: Final = ("A", "U", "")
"""Of a row that a pull may serve; "D", deleted, is none of them."""

_NONE: Final = type(None)
_PLAIN: Final = frozenset({str, int, bool, _NONE})
_Judge = Callable[[set[type], Sequence[Any]], bool]
_Rule = Callable[[Sequence[Any]], bool]


@dataclass(frozen=True, slots=True)
class Columns:
    """The values of each name, row after row, and of which types they are."""

    values: Mapping[str, Sequence[Any]]
    kinds: Mapping[str, set[type]]

    @property
    def are_plain(self) -> bool:
        """Whether all values are texts, whole numbers, true, false or null."""
        return _PLAIN.issuperset(chain.from_iterable(self.kinds.values()))


def columns_of(rows: Sequence[Any]) -> Columns | None:
    """The columns of some rows.

    None where the rows do not all have the same names, where a name has white space around it, and where there are
    more names than a shape may have.
    """
    if not rows or {*map(type, rows)} != {dict}:
        return None
    names = rows[0]
    if not 0 < len(names) <= MOST_NAMES or {*map(len, rows)} != {len(names)}:
        return None
    if any(name != name.strip() for name in names):
        return None
    try:
        values = {name: [*map(itemgetter(name), rows)] for name in names}
    except KeyError:
        return None
    return Columns(values, {name: {*map(type, column)} for name, column in values.items()})


def suspects(dataset_code: str, columns: Columns) -> frozenset[str]:
    """The fields in which some value may break a rule of its own; in the others none does.

    The texts are such as UTF-8 can hold: half a surrogate pair is not seen here.
    """
    judges, kinds = _judges(dataset_code), columns.kinds
    return frozenset(
        name
        for name, column in columns.values.items()
        if name in judges and not judges[name](kinds[name], column)
    )


@cache
def _judges(dataset_code: str) -> Mapping[str, _Judge]:
    return {field.name: _judge(field) for field in FIELDS[dataset_code]}


def _judge(field: Field) -> _Judge:
    """Whether all values of a column are right: of a type that is expected, and within the rule."""
    kinds, rule = _rule(field)
    required = is_required(field)

    def is_right(found: set[type], column: Sequence[Any]) -> bool:
        if _NONE in found:
            if required:
                return False
            found = found - {_NONE}
            column = [value for value in column if value is not None]
        return not column or (found <= kinds and rule(column))

    return is_right


def _rule(field: Field) -> tuple[frozenset[type], _Rule]:
    """The types of a field, and its rule for a column of such; as the schema has them."""
    longest, items_max, item_longest = field.max_length, field.items_max, field.item_max_length
    if field.name == "reportType":
        return frozenset({str}), frozenset(REPORT_TYPES).issuperset
    if field.table is not None:
        return frozenset({int, str}), frozenset(spellings(field.table)).issuperset
    if field.kind in INTEGERS:
        lowest, highest = INTEGERS[field.kind]
        return frozenset({int}), lambda column: lowest <= min(column) and max(column) <= highest
    if field.kind == "strings":
        return (
            frozenset({list}),
            lambda column: (
                _are_within(column, items_max) and _are_texts([*chain.from_iterable(column)], item_longest)
            ),
        )
    if field.lengths is not None:
        lengths = frozenset(field.lengths)
        return frozenset({str}), lambda column: lengths.issuperset(map(len, column))
    return frozenset({str}), lambda column: _are_within(column, longest)


def _are_texts(items: Sequence[Any], longest: int | None) -> bool:
    return not items or ({*map(type, items)} == {str} and _are_within(items, longest))


def _are_within(column: Sequence[Any], longest: int | None) -> bool:
    return longest is None or max(map(len, column)) <= longest
