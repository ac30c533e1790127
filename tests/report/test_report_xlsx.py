from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime

import pytest
from openpyxl.worksheet.worksheet import Worksheet
from report_cases import BEGAN, failed_attempt, made_up_night, manifest_of, night_report, run_record

from subcmc_crawler.model import (
    Comparison,
    Counts,
    DifferingKey,
    Manifest,
    NamedKey,
    ReferenceCount,
    References,
    RuleBreak,
    State,
    Verdict,
)
from subcmc_crawler.report import xlsx
from subcmc_crawler.report.detail import AsideRow, Detail, KeyChange, Night
from subcmc_crawler.report.labels import CATALOGUES, labels
from subcmc_crawler.report.night import build
from subcmc_crawler.report.xlsx import to_xlsx
from workbooks import workbook, xlsx_members

LANGS = sorted(CATALOGUES)
SHEETS = {
    "zh": ["矩阵", "各数据集", "差异", "推送与抓取", "失败的请求", "规则违反", "隔离的行", "说明"],
    "en": [
        "Matrix", "Cells", "Differences", "Pushed and pulled", "Failed requests", "Broken rules", "Kept aside",
        "Explanation",
    ],
}  # fmt: skip


def night_with(*manifests: Manifest, **detail: object) -> Night:
    report = build(run_record(), manifests)
    details = {
        cell.name: Detail(manifest=cell.manifest, **detail)  # type: ignore[arg-type]
        for cell in report.cells
    }
    return Night(report=report, details=details)


def sheet(night: Night, name: str, lang: str = "en") -> Worksheet:
    found = workbook(to_xlsx(night, lang))[labels(lang)[f"sheet.{name}"]]
    assert isinstance(found, Worksheet)
    return found


def records(night: Night, name: str) -> list[dict[str, object]]:
    """The rows of a sheet under its heads, the values as Excel has them."""
    heads, *rows = sheet(night, name).iter_rows(values_only=True)
    return [dict(zip(map(str, heads), row, strict=True)) for row in rows]


@pytest.fixture(scope="module")
def night() -> Night:
    return Night(report=night_report(), details={})


@pytest.mark.parametrize("lang", LANGS)
def test_the_sheets_are_named_frozen_filtered_and_set_up_for_print(night: Night, lang: str) -> None:
    book = workbook(to_xlsx(night, lang))
    assert book.sheetnames == SHEETS[lang]
    for each in book.worksheets:
        head_row = 5 if each is book.worksheets[0] else 1
        assert str(each.freeze_panes).endswith(str(head_row + 1))
        assert each.auto_filter.ref
        assert each.print_title_rows == f"${head_row}:${head_row}"
        assert each.page_setup.orientation == "landscape"
        assert each.page_setup.fitToHeight in (0, "0")
        fitted = each.sheet_properties.pageSetUpPr
        assert fitted is not None
        assert fitted.fitToPage
    assert book.properties.creator == "subcmc-crawler"
    assert "12" in str(book.properties.title)
    assert book.properties.created == datetime(2026, 3, 5, 5, 11, 43)  # noqa: DTZ001 - Beijing, as all of a sheet


def test_the_same_night_gives_the_same_bytes(night: Night) -> None:
    assert to_xlsx(night) == to_xlsx(night)


def test_the_matrix_has_the_verdict_in_words_over_received_and_declared(night: Night) -> None:
    grid = sheet(night, "matrix", "zh")
    rows = list(grid.iter_rows(min_row=5, values_only=True))
    assert len(rows) == 36
    assert all(len(row) == 11 for row in rows)
    assert rows[0][:3] == ("cmcId", "省级中心", "机构\nua_org")
    by_name = {row[1]: row for row in rows}
    assert "缺失（已扣留）\n49,912 / 50,012" in by_name["甘肃省"]
    assert "骤减（已人工放行）\n900 / 900" in by_name["山东省"]
    assert set(by_name["西藏自治区"][2:]) == {"不可达"}
    assert set(by_name["澳门特别行政区"][2:]) == {"未登记"}
    assert by_name["北京市"][2] == "一致\n0 / 0"


def test_a_cell_that_is_not_in_the_run_is_a_dash() -> None:
    grid = sheet(night_with(manifest_of("620000", "hardware"), manifest_of("110000", "pm_app")), "matrix")
    fields = [row[2:] for row in grid.iter_rows(min_row=6, values_only=True)]
    assert fields == [("proven\n50,012 / 50,012", "-"), ("-", "proven\n50,012 / 50,012")]


@pytest.mark.parametrize("lang", LANGS)
def test_every_fill_hangs_on_words_so_that_none_speaks_alone(night: Night, lang: str) -> None:
    rules = sheet(night, "matrix", lang).conditional_formatting
    texts = [rule.text for block in rules for rule in block.rules]
    words = labels(lang)
    assert set(texts) >= {words[f"verdict.{verdict}"] for verdict in Verdict}
    assert len(set(texts)) == len(texts)
    assert all(rule.formula for block in rules for rule in block.rules)


def test_a_proven_snapshot_that_got_stuck_is_not_shown_as_good() -> None:
    grid = sheet(night_with(manifest_of(state=State.ROLLED_BACK)), "matrix")
    assert "(not published)" in str(grid["C6"].value)
    first = next(iter(grid.conditional_formatting)).rules[0]
    assert first.text == " (not published)"


def test_cells_hold_numbers_as_numbers_and_times_as_times(night: Night) -> None:
    rows = records(night, "cells")
    assert len(rows) == 315
    gansu = next(row for row in rows if (row["cmcId"], row["dataset"]) == ("620000", "hardware"))
    assert (gansu["declared"], gansu["received"], gansu["missing"], gansu["repeated"]) == (
        50_012,
        49_912,
        100,
        25,
    )
    assert gansu["verdict"] == "short"
    assert gansu["balance"] == "50,012 declared = 49,887 distinct + 25 repeated + 100 missing"
    assert gansu["began"] == datetime(2026, 3, 5, 1, 0, 3)  # noqa: DTZ001
    assert gansu["pushed"] is None
    _, manifests, _ = made_up_night()
    for name in ("received", "distinct", "added", "changed", "removed"):
        assert sum(int(str(row[name])) for row in rows) == sum(getattr(m.counts, name) for m in manifests)


def test_a_surplus_is_a_negative_number() -> None:
    surplus = manifest_of(counts=Counts(declared=5, received=9, distinct=9), verdict=Verdict.SURPLUS)
    assert records(night_with(surplus), "cells")[0]["missing"] == -4


def test_a_number_longer_than_excel_can_keep_is_text() -> None:
    counts = Counts(declared=10**30 + 7, declared_first=10**15 - 1, received=10**15)
    row = records(night_with(manifest_of(counts=counts)), "cells")[0]
    assert row["declared"] == str(10**30 + 7)
    assert row["declared first"] == 10**15 - 1
    assert row["received"] == str(10**15)


def test_a_time_that_excel_has_not_is_text() -> None:
    rows = records(
        night_with(
            manifest_of("110000", collect_time_min=-(2**62), collect_time_max=-4_000_000_000_000),
        ),
        "cells",
    )
    assert rows[0]["first collectTime"] == str(-(2**62))
    assert rows[0]["last collectTime"] == "1843-04-01 00:53:20"


def test_columns_are_wide_enough_for_chinese_heads(night: Night) -> None:
    grid = sheet(night, "cells", "zh")
    widths = {grid[f"{letter}1"].value: found.width for letter, found in grid.column_dimensions.items()}
    assert widths["省级中心"] >= 2 * len("新疆维吾尔自治区")
    assert all(width <= 61 for width in widths.values())


def test_differences_add_up_to_the_counts_of_their_cell() -> None:
    changes = tuple(
        KeyChange(change=change, key=f"{change}-{number}")
        for change in ("added", "changed", "removed")
        for number in range(3)
    )
    manifest = manifest_of(counts=Counts(received=9, distinct=9, added=3, changed=40, removed=5))
    rows = records(night_with(manifest, changes=changes), "differences")
    sums: Counter[str] = Counter()
    for row in rows:
        sums[str(row["change"])] += int(str(row["keys"]))
    assert sums == {"added": 3, "changed": 40, "removed": 5}
    assert [row["key (masked)"] for row in rows if row["change"] == "added"] == [
        "added-0",
        "added-1",
        "added-2",
    ]
    assert rows[-1]["key (masked)"] == "(the rest, not listed)"


def test_what_was_pushed_and_what_was_pulled_add_up_as_well() -> None:
    comparison = Comparison(
        run=12, cmc_id="620000", province="甘肃省", dataset="hardware", snapshot=11, pushed=7, pulled=9, equal=1,
        differing=4, only_pushed=2, only_pulled=4, differing_keys=(DifferingKey("K-1", ("name", "status")),),
        only_pushed_keys=("P-1", "P-2"),
    )  # fmt: skip
    report = build(run_record(), [manifest_of()], comparisons={("620000", "hardware"): comparison})
    night = Night(report=report, details={})
    rows = records(night, "pushed")
    assert [(row["difference"], row["keys"], row["key (masked)"], row["fields"]) for row in rows] == [
        ("only pushed", 1, "P-1", None),
        ("only pushed", 1, "P-2", None),
        ("only pulled", 4, "(the rest, not listed)", None),
        ("differing", 1, "K-1", "name, status"),
        ("differing", 3, "(the rest, not listed)", None),
    ]
    cell = records(night, "cells")[0]
    assert [cell[name] for name in ("pushed", "only pushed", "only pulled", "differing")] == [7, 2, 4, 4]


def test_failed_requests_are_listed_and_good_ones_are_not() -> None:
    failed = failed_attempt("connection reset")
    night = night_with(manifest_of(), attempts=(failed, replace(failed, fault=None, status=200)))
    (row,) = records(night, "attempts")
    assert row["fault"] == "HTTP 503 (service unavailable)"
    assert row["detail"] == "HTTP 503 (service unavailable): connection reset"
    assert (row["page"], row["HTTP status"], row["rest (s)"]) == (41, 503, 600)
    assert row["at"] == BEGAN.replace(hour=1, day=5, tzinfo=None)


def test_broken_rules_unknown_fields_deviations_and_broken_references() -> None:
    manifest = manifest_of(
        rules=(RuleBreak(field="policeNo", rule="length", rows=7, samples=("A12**", "B**")),),
        drift={"extField": 12},
        deviations={"bom": 51},
    )
    reference = ReferenceCount(
        dataset="hardware", field="orgId", target="ua_org", as_of=12, target_as_of=12, records=9, dangling=2,
        samples=(NamedKey(key="H-1", named="O-9"),), late=1, late_samples=(NamedKey(key="H-2", named=""),),
    )  # fmt: skip
    references = {"620000": References(run=12, cmc_id="620000", counts=(reference,))}
    night = Night(report=build(run_record(), [manifest], references=references), details={})
    found = [tuple(row.values())[5:] for row in records(night, "rules")]
    assert found == [
        ("broken rule", "policeNo", "length", 7, "rows", "A12**  B**"),
        ("unknown field", "extField", None, 12, "rows", None),
        ("deviation", None, "a BOM at the start", 51, "pages", None),
        ("broken reference", "orgId", "names a record that ua_org has not", 2, "rows", "H-1 > O-9"),
        (
            "broken reference",
            "orgId",
            "served before the ua_org record that it names (2.2.1.4)",
            1,
            "rows",
            "H-2",
        ),
    ]


def test_rows_kept_aside_have_their_place_and_reason() -> None:
    aside = (
        AsideRow(walk_pass=1, ordinal=0, position=4, reason="empty-key", key=None),
        AsideRow(walk_pass=2, ordinal=1, position=0, reason="conflicting", key="A-1"),
    )
    found = [tuple(row.values())[5:] for row in records(night_with(manifest_of(), aside=aside), "aside")]
    assert found == [
        (1, 1, 5, "an empty primary key", None),
        (2, 2, 1, "a later row of the same key displaced it", "A-1"),
    ]


def test_an_empty_sheet_says_so() -> None:
    assert sheet(night_with(manifest_of()), "attempts")["A2"].value == "(none)"
    empty = Night(report=build(run_record(), []), details={})
    assert sheet(empty, "cells")["A2"].value == "(none)"


def test_a_very_long_sheet_says_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MOST_ROWS", 2)
    night = night_with(manifest_of(), attempts=(failed_attempt(),) * 5)
    grid = sheet(night, "attempts")
    assert grid.max_row == 4
    assert grid["A4"].value == "... 3 rows more"
    assert str(grid.auto_filter.ref).endswith("3")


@pytest.mark.parametrize("lang", LANGS)
def test_every_verdict_state_sheet_and_column_is_explained(night: Night, lang: str) -> None:
    book = workbook(to_xlsx(night, lang))
    words = labels(lang)
    explained = {
        str(word): str(meaning)
        for _, word, meaning, _ in book[words["sheet.explanation"]].iter_rows(min_row=2, values_only=True)
    }
    heads = {str(each.value) for grid in book.worksheets[1:-1] for each in grid[1]}
    wanted = {words[f"verdict.{verdict}"] for verdict in Verdict} | {
        words[f"state.{state}"] for state in State
    }
    missing = (wanted | heads | set(book.sheetnames[:-1])) - set(explained)
    assert not missing
    assert all(len(meaning) > 3 for meaning in explained.values())


@pytest.mark.parametrize("lang", LANGS)
def test_names_of_sheets_are_ones_that_excel_takes(lang: str) -> None:
    assert all(len(name) <= 31 and not set(name) & set(r"[]:*?/\'") for name in SHEETS[lang])


def test_no_part_of_the_file_reaches_outside(night: Night) -> None:
    members = xlsx_members(to_xlsx(night))
    assert not [name for name in members if "external" in name.lower() or "vba" in name.lower()]
    assert not [name for name, part in members.items() if name.endswith(".rels") and b"External" in part]
