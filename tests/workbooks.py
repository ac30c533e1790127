"""Reads workbooks and CSV files back, as Excel would, for the tests."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO, StringIO
from zipfile import ZipFile

from openpyxl import load_workbook
from openpyxl.workbook import Workbook


@dataclass(frozen=True)
class Field:
    """One field that is not blank; `kind` is that of the file: s, n, d, f for a formula."""

    value: object
    kind: str
    number_format: str
    link: object
    head: bool


@dataclass(frozen=True)
class Grid:
    """One sheet."""

    title: str
    fields: list[Field]


def workbook(raw: bytes) -> Workbook:
    """The file as openpyxl reads it."""
    return load_workbook(BytesIO(raw))


def grids(raw: bytes) -> Iterator[Grid]:
    """Every sheet with its fields; a field is of the head when it is bold."""
    for sheet in workbook(raw).worksheets:
        fields = [
            Field(each.value, each.data_type, each.number_format, each.hyperlink, bool(each.font.b))
            for row in sheet.iter_rows()
            for each in row
            if each.value is not None
        ]
        yield Grid(sheet.title, fields)


def xlsx_members(raw: bytes) -> dict[str, bytes]:
    """The parts of the file by name."""
    with ZipFile(BytesIO(raw)) as file:
        return {name: file.read(name) for name in file.namelist()}


def csv_rows(raw: bytes) -> list[list[str | float]]:
    """The rows of a CSV file: what was quoted is text, the rest are numbers."""
    text = StringIO(raw.decode("utf-8-sig"), newline="")
    return [list(row) for row in csv.reader(text, quoting=csv.QUOTE_NONNUMERIC)]


def is_formula(text: str) -> bool:
    """Whether some spreadsheet may evaluate it: its first character, in any width, blanks left out."""
    plain = unicodedata.normalize("NFKC", text).strip()
    return plain[:1] in tuple("=+-@") or text[:1] in ("\t", "\r", "\n")
