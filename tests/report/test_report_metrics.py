"""The text of metrics, read back by the client's own parser."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from report_cases import any_manifests, any_text, manifest_of, moments, night_report, run_record

from subcmc_crawler.model import Verdict
from subcmc_crawler.report.lines import escaped
from subcmc_crawler.report.metrics import Facts, Published, to_metrics
from subcmc_crawler.report.night import Report, build
from subcmc_crawler.spec.datasets import DATASETS

PUBLISHED = st.dictionaries(
    st.tuples(any_text.filter(bool), st.sampled_from([*DATASETS, "other"])),
    st.builds(Published, run=st.integers(1, 2**63), at=st.none() | moments),
    max_size=4,
)


def read(text: bytes) -> dict[tuple[str, ...], float]:
    """Every sample; each family is there once, a gauge, with its help, and no sample twice."""
    families = list(text_string_to_metric_families(text.decode()))
    names = [family.name for family in families]
    assert len(set(names)) == len(names)
    assert all(family.type == "gauge" and family.documentation for family in families)
    found = [
        ((sample.name, *(sample.labels[name] for name in sorted(sample.labels))), float(sample.value))
        for family in families
        for sample in family.samples
    ]
    assert len(dict(found)) == len(found)
    return dict(found)


def of_cells(
    report: Report, published: Mapping[tuple[str, str], Published]
) -> Iterator[tuple[tuple[str, ...], float]]:
    """The samples of cells, one by one."""
    for (cmc_id, dataset), held in published.items():
        if dataset in DATASETS:
            cell = (escaped(cmc_id), dataset)
            yield ("subcmc_cell_behind_runs", *cell), max(0, report.run.number - held.run)
            if isinstance(held.at, datetime):
                yield ("subcmc_cell_published_timestamp_seconds", *cell), held.at.timestamp()
    for each in report.cells:
        manifest, counts = each.manifest, each.manifest.counts
        cell = (escaped(manifest.cmc_id), manifest.dataset)
        yield ("subcmc_cell_verdict", *cell, str(manifest.verdict or "pending")), 1
        yield ("subcmc_cell_clean", *cell), each.clean
        yield ("subcmc_cell_faulty_runs", *cell), each.faulty_runs
        yield ("subcmc_cell_duration_seconds", *cell), manifest.seconds
        told = {name: getattr(counts, name) for name in ("declared", "received", "stored", "missing")}
        for name, rows in told.items():
            if rows is not None and manifest.verdict is not Verdict.UNREGISTERED:
                yield ("subcmc_cell_rows", cell[0], name, cell[1]), float(rows)


@given(st.lists(any_manifests, max_size=4, unique_by=lambda each: (each.cmc_id, each.dataset)), PUBLISHED)
def test_every_sample_of_a_cell_is_read_back(
    manifests: list[Any], published: dict[tuple[str, str], Published]
) -> None:
    report = build(run_record(), manifests)
    found = read(to_metrics(report, Facts(published=published)))
    expected = dict(of_cells(report, published))
    assert {key: value for key, value in found.items() if key[0].startswith("subcmc_cell_")} == expected


@given(any_text.filter(bool))
def test_no_cmc_id_forges_a_line_or_a_label(cmc_id: str) -> None:
    report = build(run_record(), [manifest_of(cmc_id)])
    found = read(to_metrics(report, Facts(published={(cmc_id, "hardware"): Published(run=3, at=None)})))
    cells = {key[1] for key in found if key[0].startswith("subcmc_cell_")}
    assert cells == {escaped(cmc_id)}


def test_quotes_and_backslashes_are_escaped() -> None:
    text = to_metrics(None, Facts(published={('a"b\\c', "hardware"): Published(run=3, at=None)})).decode()
    assert 'subcmc_cell_behind_runs{cmc_id="a\\"b\\\\c",dataset="hardware"} 0.0' in text


def test_a_number_that_no_float_holds_is_infinite() -> None:
    manifest = manifest_of()
    huge = replace(manifest, counts=replace(manifest.counts, declared=10**400))
    small = replace(huge, dataset="ua_org", counts=replace(huge.counts, declared=-(10**400)))
    found = read(to_metrics(build(run_record(), [huge, small]), Facts()))
    assert found["subcmc_cell_rows", "620000", "declared", "hardware"] == math.inf
    assert found["subcmc_cell_rows", "620000", "missing", "ua_org"] == -math.inf


def test_a_whole_night_has_its_run_and_its_cells() -> None:
    report = night_report()
    found = read(to_metrics(report, Facts()))
    assert found["subcmc_run_number",] == report.run.number
    assert found["subcmc_run_rows", "received"] == report.headline.received
    assert found["subcmc_run_cells", "proven"] == report.summary[Verdict.PROVEN]
    assert sum(key[0] == "subcmc_cell_verdict" for key in found) == len(report.cells)


def test_before_the_first_run_there_are_no_cells() -> None:
    assert {key[0] for key in read(to_metrics(None, Facts()))} == {
        "subcmc_build_info",
        "subcmc_run_in_progress",
    }
