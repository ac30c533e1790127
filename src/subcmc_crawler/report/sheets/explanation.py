"""What the words of a workbook mean: its sheets, the verdicts and what to do about them, states, columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from subcmc_crawler.model import State, Verdict
from subcmc_crawler.report.labels import Labels
from subcmc_crawler.report.night import advice
from subcmc_crawler.report.sheets.table import Column, Kind, Table, Value

_COLUMNS: Final = (
    Column("topic"),
    Column("word"),
    Column("meaning", Kind.PROSE),
    Column("to_do", Kind.PROSE),
)


def explanation_table(tables: Sequence[Table], words: Labels) -> Table:
    """A row a sheet, a verdict, a state, and a column of the given tables."""
    rows = [
        *_sheets(tables, words),
        *_verdicts(words),
        *_states(words),
        *_heads(tables, words),
    ]
    return Table("explanation", _COLUMNS, rows)


def _sheets(tables: Sequence[Table], words: Labels) -> Iterable[tuple[Value, ...]]:
    for name in ("matrix", *(table.name for table in tables)):
        yield words["sheet.topic.sheet"], words[f"sheet.{name}"], words[f"sheet.holds.{name}"], None


def _verdicts(words: Labels) -> Iterable[tuple[Value, ...]]:
    topic = words["sheet.topic.verdict"]
    for verdict in Verdict:
        meaning = words[f"sheet.verdict.{verdict}"]
        yield topic, words[f"verdict.{verdict}"], meaning, words[advice(verdict)]
    yield topic, words["verdict.pending"], words["sheet.verdict.pending"], None


def _states(words: Labels) -> Iterable[tuple[Value, ...]]:
    for state in State:
        yield words["sheet.topic.state"], words[f"state.{state}"], words[f"sheet.state.{state}"], None


def _heads(tables: Sequence[Table], words: Labels) -> Iterable[tuple[Value, ...]]:
    seen = dict.fromkeys(column for table in tables for column in table.columns)
    for column in seen:
        yield words["sheet.topic.column"], column.head(words), words[f"sheet.about.{column.name}"], None
