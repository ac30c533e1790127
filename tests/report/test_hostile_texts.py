"""What a province writes stays text, in every format: no markup, no formula, no control of any reader."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from html.parser import HTMLParser

import pytest
from hostile import TEXTS, any_hostile, night_of
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from rich.cells import cell_len

from subcmc_crawler.report.csvreport import to_csv
from subcmc_crawler.report.detail import Night
from subcmc_crawler.report.html import to_html
from subcmc_crawler.report.jsonreport import to_json
from subcmc_crawler.report.night import DiffRow, HistoryRow
from subcmc_crawler.report.schemas import schema
from subcmc_crawler.report.text import to_cell_text, to_diff_text, to_history_text, to_runs_text, to_text
from subcmc_crawler.report.xlsx import to_xlsx
from workbooks import csv_rows, grids, is_formula, xlsx_members

LANGS = ["zh", "en"]
FORBIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
"""Controls other than a line feed, marks of direction, characters without a width, halves of characters."""

few = settings(suppress_health_check=[HealthCheck.too_slow], max_examples=15)


def texts_of(night: Night, lang: str) -> Iterator[str]:
    """Every rendering as plain text."""
    report = night.report
    yield to_text(report, lang=lang)
    yield to_text(report, lang=lang, only_problems=True)
    yield to_runs_text([report.run], lang)
    for detail in night.details.values():
        yield to_cell_text(
            detail.manifest,
            attempts=detail.attempts,
            pages=detail.pages,
            past=detail.past,
            references=detail.references,
            comparison=detail.comparison,
            lang=lang,
        )
        keys = tuple((change.change, change.key) for change in detail.changes)
        row = DiffRow(cmc_id="620000", dataset="hardware", added=9, changed=1, removed=1, keys=keys)
        yield to_diff_text([row], from_run=11, to_run=12, lang=lang)
        text = detail.changes[0].key
        version = HistoryRow(from_run=1, to_run=None, hash="ab" * 16, started_at=None, changed=(text, text))
        yield to_history_text([version], name=f"620000/hardware {text}", lang=lang)


def check_text(night: Night) -> None:
    for lang in LANGS:
        for rendered in texts_of(night, lang):
            assert not FORBIDDEN.search(rendered)
            assert not re.search(r"^  1\. 假省", rendered, re.MULTILINE)
            assert max(map(cell_len, rendered.split("\n"))) <= 100


def check_json(night: Night) -> None:
    raw = to_json(night.report)
    Draft202012Validator(schema("report")).validate(json.loads(raw))
    assert not FORBIDDEN.search(raw.decode())


def check_csv(night: Night) -> None:
    for lang in LANGS:
        raw = to_csv(night.report, lang)
        assert not FORBIDDEN.search(raw.decode("utf-8-sig").replace("\r\n", "\n"))
        head, *rows = csv_rows(raw)
        assert len(rows) == len(night.report.cells)
        for row in rows:
            assert len(row) == len(head)
            assert not [field for field in row if isinstance(field, str) and is_formula(field)]


def check_xlsx(night: Night) -> None:
    raw = to_xlsx(night)
    members = xlsx_members(raw)
    assert not [name for name in members if "externalLink" in name or "vba" in name]
    assert not [name for name in members if name.endswith(".rels") and b"TargetMode" in members[name]]
    for field in (field for grid in grids(raw) for field in grid.fields):
        assert field.kind != "f"
        assert field.link is None
        if isinstance(field.value, str):
            assert not FORBIDDEN.search(field.value)
            assert len(field.value.encode("utf-16-le")) // 2 <= 32_767
            assert field.head or field.number_format == "@", field.value[:40]


class _Shape(HTMLParser):
    """What a browser would build: tags with the names of their attributes, and where links lead."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[tuple[str, ...]] = set()
        self.targets: list[str] = []
        self.scripts: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add((tag, *sorted(name for name, _ in attrs)))
        self.targets += [value or "" for name, value in attrs if name in ("href", "src", "action")]
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style"):
            self.scripts.append(data)


def shape_of(page: bytes) -> _Shape:
    shape = _Shape()
    shape.feed(page.decode())
    shape.close()
    return shape


@cache
def plain_shape(lang: str) -> _Shape:
    """The page of a night in which nobody wrote anything of note."""
    return shape_of(to_html(night_of(*["plain"] * 20), lang=lang))


def check_html(night: Night) -> None:
    for lang in LANGS:
        page = to_html(night, lang=lang)
        assert not FORBIDDEN.search(page.decode())
        shape = shape_of(page)
        assert shape.tags <= plain_shape(lang).tags
        assert shape.scripts == plain_shape(lang).scripts
        assert not [target for target in shape.targets if not target.startswith("#")]


CHECKS = [check_text, check_json, check_csv, check_xlsx, check_html]


@pytest.mark.parametrize("attack", TEXTS)
@pytest.mark.parametrize("check", CHECKS)
def test_what_a_province_writes_does_no_harm(check: Callable[[Night], None], attack: str) -> None:
    check(night_of(*TEXTS[attack]))


@few
@given(any_hostile)
def test_no_mixture_of_them_does_harm_in_text_and_json(text: str) -> None:
    night = night_of(text)
    check_text(night)
    check_json(night)


@few
@given(any_hostile)
def test_no_mixture_of_them_does_harm_in_sheets(text: str) -> None:
    night = night_of(text)
    check_csv(night)
    check_xlsx(night)


@few
@given(any_hostile)
def test_no_mixture_of_them_does_harm_in_html(text: str) -> None:
    check_html(night_of(text))
