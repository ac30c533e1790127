"""A table as a template takes it: heads, rows of finished texts, and a line about what was left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from subcmc_crawler.report.labels import Labels

NUMBERS: Final = frozenset(
    {"rows", "pass", "page", "try", "status", "milliseconds", "rest", "tries", "bytes", "declared", "row"}
)
"""Columns that stand to the right."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column."""

    text: str
    number: bool


@dataclass(frozen=True, slots=True)
class Grid:
    """No rows: there is nothing to show."""

    heads: tuple[Head, ...] = ()
    rows: tuple[Sequence[str], ...] = ()
    left: str = ""


def grid(columns: Iterable[str], rows: Iterable[Sequence[str]], words: Labels, left: str = "") -> Grid:
    """The grid of columns whose labels are `head.` and their name."""
    heads = (Head(words[f"head.{column}"], column in NUMBERS) for column in columns)
    return Grid(tuple(heads), tuple(rows), left)
