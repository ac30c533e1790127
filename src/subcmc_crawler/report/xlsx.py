"""The night as a workbook: for people who answer for the numbers in Excel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from typing import Final

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from subcmc_crawler.model import RunRecord
from subcmc_crawler.report.detail import Night
from subcmc_crawler.report.labels import DEFAULT_LANG, Labels, labels
from subcmc_crawler.report.lines import escaped, width_of
from subcmc_crawler.report.sentences import local
from subcmc_crawler.report.sheets.cells import NAMED, cells_table
from subcmc_crawler.report.sheets.explanation import explanation_table
from subcmc_crawler.report.sheets.findings import (
    aside_table,
    attempts_table,
    differences_table,
    pushed_table,
    rules_table,
)
from subcmc_crawler.report.sheets.matrix import HEAD_ROW, Matrix, fills, matrix
from subcmc_crawler.report.sheets.table import Kind, Table, Value, clipped

MOST_ROWS: Final = 50_000
"""Rows of one sheet; what is left out is said in the last one."""

_EXACT: Final = 10**15
"""Excel keeps fifteen digits: a longer number is written as text, so that none of it is lost."""

_FIRST_DAY: Final = datetime(1900, 3, 1)  # noqa: DTZ001 - wall clock: a sheet knows no zones
_NUMBERS: Final = {
    Kind.TEXT: "@",  # also after somebody has edited it, it is not read as a formula
    Kind.PROSE: "@",
    Kind.NUMBER: "0",
    Kind.COUNT: "#,##0",
    Kind.SECONDS: "#,##0.0",
    Kind.TIME: "yyyy-mm-dd hh:mm:ss",
}
_WIDEST: Final = {Kind.TEXT: 40, Kind.PROSE: 60}
_TIME_WIDTH, _FILTER_WIDTH, _SAMPLE = 20, 3, 500
_A4, _A3 = 9, 8
_WIDE_TABLE: Final = 20  # columns


def to_xlsx(night: Night, lang: str = DEFAULT_LANG) -> bytes:
    """The workbook: matrix, cells, differences, failed requests, broken rules, rows kept aside, explanation.

    The same night gives the same bytes. Times are those of Beijing; a number of more than fifteen digits
    is text.
    """
    words, report = labels(lang), night.report
    details = [night.details[cell.name] for cell in report.cells if cell.name in night.details]
    file = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = Workbook(file, {**options, "strings_to_numbers": False})
    _describe(book, report.run, words)
    sheets = _Sheets(book, words)
    sheets.add_matrix(matrix(report, words))
    tables = (
        cells_table(report, words),
        differences_table(details, words),
        pushed_table(report, words),
        attempts_table(details, words),
        rules_table(report, words),
        aside_table(details, words),
    )
    for table in (*tables, explanation_table(tables, words)):
        sheets.add(table)
    book.close()
    return file.getvalue()


def _describe(book: Workbook, run: RunRecord, words: Labels) -> None:
    title = words.say("night.title", number=run.number, status=words[f"run.{run.status}"])
    made = local(run.finished_at or run.started_at).replace(tzinfo=None)
    book.set_properties(
        {
            "title": title,
            "subject": words["sheet.subject"],
            "author": "subcmc-crawler",
            "comments": escaped(run.version),
            "created": made,
        }
    )


class _Sheets:
    """Writes tables into one workbook, each as a sheet with its head frozen, a filter and a print setup."""

    def __init__(self, book: Workbook, words: Labels) -> None:
        self._book = book
        self._words = words
        self._head = book.add_format({"bold": True, "bg_color": "#DDE6F0", "border": 1, "text_wrap": True})
        self._title = book.add_format({"bold": True, "font_size": 14, "num_format": "@"})
        self._formats = {
            kind: book.add_format({"num_format": number, "valign": "top", "text_wrap": kind is Kind.PROSE})
            for kind, number in _NUMBERS.items()
        }
        self._boxed = book.add_format({"num_format": "@", "valign": "top", "text_wrap": True, "border": 1})
        self._styles = {
            "bad": book.add_format({"bg_color": "#F8CBAD", "bold": True}),
            "note": book.add_format({"bg_color": "#FFF2CC"}),
            "good": book.add_format({"bg_color": "#E2EFDA"}),
            "dim": book.add_format({"font_color": "#595959", "italic": True}),
        }

    def add(self, table: Table) -> None:
        """A table as a sheet."""
        sheet = self._book.add_worksheet(table.title(self._words))
        rows = table.rows[:MOST_ROWS]
        for at, column in enumerate(table.columns):
            head = column.head(self._words)
            sheet.write_string(0, at, head, self._head)
            sheet.set_column(at, at, _width(column.kind, head, [row[at] for row in rows[:_SAMPLE]]))
            for number, row in enumerate(rows, 1):
                self._write(sheet, number, at, row[at], self._formats[column.kind])
            if column.name == "verdict" and rows:
                self._fill(sheet, (1, at, len(rows), at))
        sheet.autofilter(0, 0, max(len(rows), 1), len(table.columns) - 1)
        if not rows:
            sheet.write_string(1, 0, self._words["sheet.nothing"])
        elif len(table.rows) > len(rows):
            left = len(table.rows) - len(rows)
            sheet.write_string(len(rows) + 1, 0, self._words.say("sheet.left_out", rows=left))
        sheet.freeze_panes(1, len(NAMED) if table.columns[: len(NAMED)] == NAMED else 0)
        self._print(sheet, head_row=0, paper=_A3 if len(table.columns) > _WIDE_TABLE else _A4)

    def add_matrix(self, grid: Matrix) -> None:
        """The matrix: sentences of the night above it, one field a cell."""
        sheet = self._book.add_worksheet(self._words["sheet.matrix"])
        for number, line in enumerate(grid.lines):
            self._write(sheet, number, 0, line, self._title if number == 0 else self._formats[Kind.TEXT])
        for at, head in enumerate(grid.heads):
            sheet.write_string(HEAD_ROW, at, _clean(head), self._head)
        for number, row in enumerate(grid.rows, HEAD_ROW + 1):
            for at, text in enumerate(row):
                self._write(sheet, number, at, text, self._boxed)
        last, columns = HEAD_ROW + len(grid.rows), len(grid.heads)
        sheet.set_column(0, 0, 10)
        sheet.set_column(1, columns - 1, 20)
        sheet.autofilter(HEAD_ROW, 0, max(last, HEAD_ROW + 1), columns - 1)
        if grid.rows and columns > 2:
            self._fill(sheet, (HEAD_ROW + 1, 2, last, columns - 1))
        sheet.freeze_panes(HEAD_ROW + 1, 2)
        self._print(sheet, head_row=HEAD_ROW, paper=_A4)

    def _fill(self, sheet: Worksheet, place: tuple[int, int, int, int]) -> None:
        """Colours by the words of a field, so that the words are there without them."""
        for criteria, word, style in fills(self._words):
            rule = {"type": "text", "criteria": criteria, "value": word, "stop_if_true": True}
            sheet.conditional_format(*place, {**rule, "format": self._styles[style]})

    def _print(self, sheet: Worksheet, *, head_row: int, paper: int) -> None:
        sheet.set_landscape()
        sheet.set_paper(paper)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(head_row)
        sheet.set_footer("&L&A&R&P / &N")

    def _write(self, sheet: Worksheet, row: int, column: int, value: Value, style: Format) -> None:
        if value is None or value == "":
            sheet.write_blank(row, column, None, style)
        elif isinstance(value, datetime):
            self._write_time(sheet, row, column, value, style)
        elif isinstance(value, str):
            sheet.write_string(row, column, _clean(value), style)
        elif abs(value) < _EXACT:
            sheet.write_number(row, column, value, style)
        else:
            sheet.write_string(row, column, _clean(str(value)), self._formats[Kind.TEXT])

    def _write_time(self, sheet: Worksheet, row: int, column: int, at: datetime, style: Format) -> None:
        """A date of a calendar that Excel has; any other as text."""
        wall = local(at).replace(tzinfo=None, microsecond=0)
        if wall >= _FIRST_DAY:
            sheet.write_datetime(row, column, wall, style)
        else:
            sheet.write_string(row, column, wall.isoformat(sep=" "), self._formats[Kind.TEXT])


def _clean(text: str) -> str:
    """The text without control characters but for our own line breaks, clipped."""
    return clipped("\n".join(map(escaped, text.split("\n"))))


def _width(kind: Kind, head: str, values: Sequence[Value]) -> float:
    if kind is Kind.TIME:
        return _TIME_WIDTH
    shown = (f"{value:,}" if isinstance(value, int | float) else str(value or "") for value in values)
    widest = max((width_of(text) for text in shown), default=0)
    return min(max(widest + 1, width_of(head) + _FILTER_WIDTH), _WIDEST.get(kind, 40))
