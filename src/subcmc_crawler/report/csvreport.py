"""The cells of a night as CSV for spreadsheets: UTF-8 with BOM, CRLF, no text that could run as a formula."""

from __future__ import annotations

import csv
import unicodedata
from datetime import datetime
from io import StringIO
from typing import Final

from subcmc_crawler.report.labels import DEFAULT_LANG, labels
from subcmc_crawler.report.lines import escaped
from subcmc_crawler.report.night import Report
from subcmc_crawler.report.sentences import local
from subcmc_crawler.report.sheets.cells import cells_table
from subcmc_crawler.report.sheets.table import Value, clipped

_STARTERS: Final = frozenset("=+-@\u2212")


def to_csv(report: Report, lang: str = DEFAULT_LANG) -> bytes:
    """One line a cell under one line of heads in that language.

    The columns are those of the sheet of cells in a workbook; times are those of Beijing. Programs read the
    JSON instead, whose names are a contract.
    """
    words = labels(lang)
    table = cells_table(report, words)
    text = StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow([inert(column.head(words)) for column in table.columns])
    writer.writerows([_field(value) for value in row] for row in table.rows)
    return text.getvalue().encode("utf-8-sig")


def inert(text: str) -> str:
    """The text as one line that no spreadsheet takes for a formula: an apostrophe before what would start one.

    Full-width and small forms start one as well, and blanks before it are no help.
    """
    line = clipped(escaped(text))
    first = unicodedata.normalize("NFKC", line.lstrip()[:1])
    return f"'{line}" if first[:1] in _STARTERS else line


def _field(value: Value) -> str | int | float:
    """A number as it is; a blank for what nobody knows."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return local(value).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, float):
        return round(value, 3)
    return value if isinstance(value, int) else inert(value)
