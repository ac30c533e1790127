"""Pushed against pulled in the renderings: text and JSON, in both languages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from report_cases import HOSTILE, manifest_of, run_record

from subcmc_crawler.model import Comparison, Counts, DifferingKey
from subcmc_crawler.report.jsonreport import to_json
from subcmc_crawler.report.labels import CATALOGUES, labels
from subcmc_crawler.report.lines import width_of
from subcmc_crawler.report.night import Report, build
from subcmc_crawler.report.schemas import schema
from subcmc_crawler.report.text import to_cell_text, to_text
from subcmc_crawler.report.text_comparison import comparison_doubts, comparison_sentence, to_compare_text

BOTH = pytest.mark.parametrize("lang", sorted(CATALOGUES))
SAME = Comparison(
    run=12, cmc_id="620000", province="甘肃省", dataset="hardware", snapshot=12, pushed=10, pulled=10,
    equal=10, differing=0, only_pushed=0, only_pulled=0, endings=("clean",), declared=10,
)  # fmt: skip
OTHER = replace(
    SAME,
    pushed=11,
    pulled=12,
    equal=7,
    differing=2,
    only_pushed=2,
    only_pulled=3,
    fields={"assetName": 2, "os": 1},
    differing_keys=(DifferingKey("k1", ("assetName", "os")), DifferingKey("k2", ("assetName",))),
    only_pushed_keys=("p1", "p2"),
    only_pulled_keys=("q1", "q2", "q3"),
)
LOST = Comparison(
    run=12, cmc_id="620000", province="甘肃省", dataset="hardware", snapshot=12,
    endings=("failed",), fault="http-503", detail="Service Unavailable",
)  # fmt: skip


def report_of(comparison: Comparison | None) -> Report:
    manifest = manifest_of(counts=Counts(declared=10, received=10, distinct=10, stored=10, added=10))
    name = (manifest.cmc_id, manifest.dataset)
    return build(run_record(), [manifest], comparisons={name: comparison} if comparison else {})


def text_of(comparison: Comparison | None, lang: str = "en") -> str:
    return to_text(report_of(comparison), lang=lang)


def test_a_night_without_a_ministry_says_nothing_of_pushes() -> None:
    assert labels("en")["compare.title"] not in text_of(None)
    assert orjson.loads(to_json(report_of(None)))["cells"][0]["comparison"] is None


def test_the_report_adds_up_what_differs_and_names_the_cell() -> None:
    said = " ".join(text_of(OTHER).split())
    assert "1 dataset compared: 0 the same, 1 with differences; 0 could not be compared." in said
    assert "Differences: 2 only pushed, 3 only pulled, 2 with other content." in said
    assert "甘肃省 620000/hardware: 11 pushed, 12 pulled: 2 only pushed, 3 only pulled" in said


def test_the_same_on_both_sides_needs_no_line_of_its_own() -> None:
    assert "620000/hardware" not in text_of(SAME)


def test_a_platform_that_could_not_be_asked_is_a_notice_and_no_fault_of_the_night() -> None:
    report = report_of(LOST)
    assert report.headline.clean
    said = " ".join(to_text(report, lang="zh", only_problems=True).split())
    assert "1 个未能比对" in said
    assert "部级平台查询接口未能查完" in said


@BOTH
def test_a_cell_shows_counts_fields_and_masked_keys(lang: str) -> None:
    text = to_cell_text(manifest_of(), comparison=OTHER, lang=lang)
    for word in ("assetName 2", "os 1", "k1", "k2", "p1", "q3"):
        assert word in text


def test_what_to_keep_in_mind_is_said() -> None:
    doubtful = replace(OTHER, snapshot=9, endings=("moved", "miscounted"), unusable=4, foreign=5)
    doubts = list(comparison_doubts(doubtful, labels("en")))
    assert [
        any(word in doubt for doubt in doubts) for word in ("run 9", "add up", "4 pushed", "5 pushed")
    ] == [True] * 4
    assert not list(comparison_doubts(SAME, labels("en")))


@BOTH
@pytest.mark.parametrize(
    "comparison",
    [
        SAME,
        OTHER,
        LOST,
        replace(LOST, fault="", detail="", endings=("stopped",)),
        replace(
            SAME, snapshot=None, pulled=None, equal=None, differing=None, only_pushed=None, only_pulled=None
        ),
    ],
)
def test_every_outcome_has_a_sentence_and_is_valid_json(comparison: Comparison, lang: str) -> None:
    assert comparison_sentence(comparison, labels(lang))
    document: dict[str, Any] = orjson.loads(to_json(report_of(comparison)))
    Draft202012Validator(schema("report")).validate(document)
    assert document["cells"][0]["comparison"]["differing"] == comparison.differing


@BOTH
@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_the_numbers_of_the_sentence_add_up(
    lang: str, equal: int, differing: int, more: int, less: int
) -> None:
    comparison = replace(
        SAME,
        equal=equal,
        differing=differing,
        only_pushed=more,
        only_pulled=less,
        pushed=equal + differing + more,
        pulled=equal + differing + less,
    )
    sentence = comparison_sentence(comparison, labels(lang))
    assert f"{equal + differing + more:,}" in sentence
    assert f"{equal + differing + less:,}" in sentence
    if not comparison.same:
        assert all(f"{count:,}" in sentence for count in (equal, differing, more, less))


@BOTH
def test_hostile_text_does_no_harm(lang: str) -> None:
    bad = replace(
        OTHER,
        province=HOSTILE,
        fields={HOSTILE: 1},
        differing_keys=(DifferingKey(HOSTILE, (HOSTILE,)),),
        only_pushed_keys=(HOSTILE,),
        endings=(HOSTILE,),
    )
    lost = replace(LOST, fault=HOSTILE, detail=HOSTILE, province=HOSTILE)
    for comparison in (bad, lost):
        texts = (
            text_of(comparison, lang),
            to_cell_text(manifest_of(), comparison=comparison, lang=lang),
            to_compare_text([comparison], run=12, lang=lang),
        )
        for text in texts:
            assert all(line.isprintable() for line in text.splitlines())
            assert "\n  1. " not in text.partition(labels(lang)["compare.title"])[2]
        Draft202012Validator(schema("report")).validate(orjson.loads(to_json(report_of(comparison))))


@BOTH
def test_lines_fit(lang: str) -> None:
    many = [replace(OTHER, dataset="mr_resservice", province="新疆维吾尔自治区")] * 30
    assert all(width_of(line) <= 100 for line in to_compare_text(many, run=12, lang=lang).splitlines())


@BOTH
def test_a_run_without_cells_says_so(lang: str) -> None:
    assert labels(lang)["compare.nothing"] in to_compare_text([], run=1, lang=lang)
