"""A table before it becomes a sheet or a file: typed columns, rows of plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from subcmc_crawler.report.labels import Labels

_LONGEST: Final = 32_767  # UTF-16 units of one field, in Excel

Value = str | int | float | datetime | None
"""What a field may hold. Every text has been masked and escaped before it came here."""


class Kind(StrEnum):
    """What a column holds, which decides its format and its width."""

    TEXT = "text"
    PROSE = "prose"  # sentences, which are wrapped
    NUMBER = "number"  # of a run, a page, a status: without separators
    COUNT = "count"
    SECONDS = "seconds"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head is the label `head.NAME`, its meaning the label `about.NAME`, both of `sheet.`."""

    name: str
    kind: Kind = Kind.TEXT

    def head(self, words: Labels) -> str:
        """What stands above it."""
        return words[f"sheet.head.{self.name}"]


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet: its title is the label `sheet.NAME`; each row has a value for every column."""

    name: str
    columns: tuple[Column, ...]
    rows: Sequence[tuple[Value, ...]]

    def title(self, words: Labels) -> str:
        """The name of the sheet."""
        return words[f"sheet.{self.name}"]


def clipped(text: str) -> str:
    """The text in as many UTF-16 units as a field can hold; a cut one ends in `~`."""
    if len(text) * 2 <= _LONGEST:
        return text
    units = text.encode("utf-16-le")
    if len(units) <= _LONGEST * 2:
        return text
    return units[: (_LONGEST - 1) * 2].decode("utf-16-le", errors="ignore") + "~"
