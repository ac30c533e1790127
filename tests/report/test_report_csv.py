from __future__ import annotations

import pytest
from hostile import any_hostile
from hypothesis import given
from hypothesis import strategies as st
from report_cases import made_up_night, manifest_of, night_report, run_record

from subcmc_crawler.model import Counts, Manifest, State, Verdict
from subcmc_crawler.report.csvreport import inert, to_csv
from subcmc_crawler.report.detail import Night
from subcmc_crawler.report.labels import CATALOGUES
from subcmc_crawler.report.night import build
from subcmc_crawler.report.xlsx import to_xlsx
from workbooks import csv_rows, is_formula, workbook

LANGS = sorted(CATALOGUES)


def rows_of(*manifests: Manifest) -> list[dict[object, object]]:
    head, *rows = csv_rows(to_csv(build(run_record(), manifests), "en"))
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.mark.parametrize("lang", LANGS)
def test_a_bom_a_line_of_heads_and_a_line_a_cell_each_ended_as_excel_does(lang: str) -> None:
    raw = to_csv(night_report(), lang)
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\n") == raw.count(b"\r\n") == 316
    assert raw.endswith(b"\r\n")


@pytest.mark.parametrize("lang", LANGS)
def test_the_columns_are_those_of_the_sheet_of_cells(lang: str) -> None:
    report = night_report()
    head, *rows = csv_rows(to_csv(report, lang))
    sheet = workbook(to_xlsx(Night(report=report, details={}), lang)).worksheets[1]
    assert head == [each.value for each in sheet[1]]
    for row, other in zip(rows, sheet.iter_rows(min_row=2, values_only=True), strict=True):
        numbers = [at for at, field in enumerate(other) if isinstance(field, int)]
        assert [row[at] for at in numbers] == [other[at] for at in numbers]


def test_counts_are_numbers_times_are_those_of_beijing_and_the_unknown_is_blank() -> None:
    (row,) = rows_of(manifest_of(counts=Counts(declared=5, received=9, distinct=9), verdict=Verdict.SURPLUS))
    assert (row["declared"], row["received"], row["missing"]) == (5, 9, -4)
    assert row["began"] == "2026-03-05 01:00:03"
    assert row["stored"] == ""
    assert row["balance"] == "5 declared + 4 surplus = 9 distinct"


def test_the_sums_are_those_of_the_night() -> None:
    _, manifests, _ = made_up_night()
    rows = rows_of(*manifests)
    assert sum(float(str(row["received"])) for row in rows) == sum(m.counts.received for m in manifests)


def test_a_number_of_any_length_is_written_to_its_last_digit() -> None:
    raw = to_csv(build(run_record(), [manifest_of(counts=Counts(declared=10**30 + 7))]))
    assert f",{10**30 + 7}," in raw.decode("utf-8-sig")


def test_what_an_operator_wrote_is_no_formula_either() -> None:
    manifest = manifest_of(state=State.HELD, province="=1+1", address="+86")
    (row,) = rows_of(manifest)
    assert row["province"] == "'=1+1"
    assert row["address"] == "'+86"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("=1+1", "'=1+1"),
        ("+1+1", "'+1+1"),
        ("-2+3", "'-2+3"),
        ("-5", "'-5"),
        ("@SUM(1)", "'@SUM(1)"),
        ("＝1+1", "'＝1+1"),
        ("＋1", "'＋1"),
        ("－1", "'－1"),
        ("＠x", "'＠x"),
        ("﹣1", "'﹣1"),
        ("\u22121", "'\u22121"),
        ("  =1", "'  =1"),
        ("\u3000=1", "'\u3000=1"),
        ("\t=1", "\\t=1"),
        ("\r=1", "\\r=1"),
        ("\ufeff=1", "\\ufeff=1"),
        ("a=1", "a=1"),
        ("620000", "620000"),
        ("", ""),
    ],
)
def test_a_text_that_would_start_a_formula_gets_an_apostrophe(text: str, said: str) -> None:
    assert inert(text) == said


@given(any_hostile | st.text(alphabet=st.characters(codec=None), max_size=8))
def test_no_text_at_all_starts_a_formula(text: str) -> None:
    line = inert(text)
    assert not is_formula(line)
    assert "\n" not in line
    assert "\r" not in line
