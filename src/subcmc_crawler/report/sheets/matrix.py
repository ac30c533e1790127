"""The matrix of provinces by datasets: in each field the verdict in words over received and declared rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from subcmc_crawler.model import CLEAN, Verdict
from subcmc_crawler.report.labels import Labels
from subcmc_crawler.report.lines import escaped, shown
from subcmc_crawler.report.night import Cell, Report
from subcmc_crawler.report.sentences import clock, duration, verdict_name
from subcmc_crawler.report.sheets.cells import dataset_title
from subcmc_crawler.spec.datasets import DATASETS

HEAD_ROW: Final = 4
"""The row of the heads, counted from 0; what is above it is the night in sentences."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """The night in at most `HEAD_ROW` lines, the heads, and a row a province."""

    lines: tuple[str, ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def matrix(report: Report, words: Labels) -> Matrix:
    """The matrix over the datasets that the run has."""
    codes = [code for code in DATASETS if any(code in province.cells for province in report.provinces)]
    rows = [
        (
            escaped(province.cmc_id),
            shown(province.name),
            *(_field(province.cells.get(code), words) for code in codes),
        )
        for province in report.provinces
    ]
    heads = (words["sheet.head.cmc_id"], words["sheet.head.province"])
    titles = (f"{dataset_title(code, words)}\n{code}" for code in codes)
    return Matrix(tuple(_lines(report, words)), (*heads, *titles), tuple(rows))


def fills(words: Labels) -> Iterable[tuple[str, str, str]]:
    """Criterion, words and style of each fill; the first that fits a field wins."""
    for remark, style in (("stuck", "bad"), ("accepted", "note"), ("tolerated", "note")):
        yield "containing", words[f"sheet.remark.{remark}"], style
    yield "begins with", words["verdict.pending"], "note"
    for verdict in Verdict:
        yield "begins with", words[f"verdict.{verdict}"], _style(verdict)


def _style(verdict: Verdict) -> str:
    if verdict is Verdict.UNREGISTERED:
        return "dim"
    if verdict not in CLEAN:
        return "bad"
    return "good" if verdict is Verdict.PROVEN else "note"


def _lines(report: Report, words: Labels) -> Iterable[str]:
    run, head = report.run, report.headline
    yield words.say("night.title", number=run.number, status=words[f"run.{run.status}"])
    start = clock(run.started_at, words)
    if run.finished_at is None:
        yield words.say("night.running", start=start)
    else:
        finish = clock(run.finished_at, words)
        yield words.say("night.times", start=start, finish=finish, duration=duration(head.seconds, words))
    numbers = ("provinces", "cells", "published", "held", "rolled_back", "unregistered")
    yield words.say("night.cells", **{name: f"{getattr(head, name):,}" for name in numbers})
    yield words["sheet.legend"]


def _field(cell: Cell | None, words: Labels) -> str:
    if cell is None:
        return words["text.unknown"]
    verdict = verdict_name(cell.manifest, words) + _remark(cell, words)
    counts = cell.manifest.counts
    if not counts.received and counts.declared is None:
        return verdict
    declared = words["text.unknown"] if counts.declared is None else f"{counts.declared:,}"
    return f"{verdict}\n{counts.received:,} / {declared}"


def _remark(cell: Cell, words: Labels) -> str:
    if cell.manifest.verdict in CLEAN and not cell.clean:
        return words["sheet.remark.stuck"]
    if cell.accepted:
        return words["sheet.remark.accepted"]
    if cell.held:
        return words["sheet.remark.held"]
    return words["sheet.remark.tolerated"] if cell.tolerated else ""
