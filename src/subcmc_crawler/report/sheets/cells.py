"""One row a cell with everything that is counted of it: the flat table that people filter and pivot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from subcmc_crawler.model import Manifest
from subcmc_crawler.report.labels import Labels
from subcmc_crawler.report.lines import escaped, shown
from subcmc_crawler.report.night import Cell, Report
from subcmc_crawler.report.reasons import reason_sentence
from subcmc_crawler.report.sentences import advice_line, balance_sentence, epoch_time, verdict_name
from subcmc_crawler.report.sheets.table import Column, Kind, Table, Value
from subcmc_crawler.spec.datasets import DATASETS

NAMED: Final = (
    Column("run", Kind.NUMBER),
    Column("cmc_id"),
    Column("province"),
    Column("dataset"),
    Column("title"),
)
"""The columns that name a cell; every sheet begins with them."""


def named(manifest: Manifest, words: Labels) -> tuple[Value, ...]:
    """The values of `NAMED`."""
    return (
        manifest.run,
        escaped(manifest.cmc_id),
        shown(manifest.province),
        escaped(manifest.dataset),
        dataset_title(manifest.dataset, words),
    )


def dataset_title(code: str, words: Labels) -> str:
    """What the records of a dataset are called; empty for one that this version does not know."""
    dataset = DATASETS.get(code)
    if dataset is None:
        return ""
    return dataset.title if words.lang == "zh" else dataset.title_en


def cells_table(report: Report, words: Labels) -> Table:
    """Every cell of the night, in the order of the report."""
    rows = [
        (*named(cell.manifest, words), *(value(cell, words) for _, value in _COLUMNS))
        for cell in report.cells
    ]
    return Table("cells", (*NAMED, *(column for column, _ in _COLUMNS)), rows)


def _collected(milliseconds: int | None) -> Value:
    """A collectTime; the number itself where no calendar has such a time."""
    return None if milliseconds is None else epoch_time(milliseconds) or str(milliseconds)


def _pushed(cell: Cell) -> int | None:
    counted = cell.manifest.counts.pushed
    return cell.comparison.pushed if counted is None and cell.comparison else counted


_Take = Callable[[Cell, Labels], Value]

_COUNTS: Final = (
    "declared_first", "declared", "received", "missing", "distinct", "repeated", "conflicting", "quarantined",
    "flagged", "stored", "added", "changed", "removed", "unchanged",
)  # fmt: skip


def _counted(name: str) -> tuple[Column, _Take]:
    return Column(name, Kind.COUNT), lambda cell, words: getattr(cell.manifest.counts, name)


def _compared(name: str) -> tuple[Column, _Take]:
    return Column(name, Kind.COUNT), lambda cell, words: getattr(cell.comparison, name, None)


def _known(name: str, kind: Kind) -> tuple[Column, _Take]:
    return Column(name, kind), lambda cell, words: getattr(cell.manifest, name)


def _told(name: str, take: _Take, kind: Kind = Kind.TEXT) -> tuple[Column, _Take]:
    return Column(name, kind), take


_COLUMNS: Final[tuple[tuple[Column, _Take], ...]] = (
    _told("verdict", lambda cell, words: verdict_name(cell.manifest, words)),
    _told("state", lambda cell, words: words[f"state.{cell.manifest.state}"]),
    _told("since", lambda cell, words: words[f"since.{cell.since}"]),
    _told("faulty_runs", lambda cell, words: cell.faulty_runs, Kind.NUMBER),
    _told("in_force", lambda cell, words: cell.in_force, Kind.NUMBER),
    *map(_counted, _COUNTS),
    _told("pushed", lambda cell, words: _pushed(cell), Kind.COUNT),
    *map(_compared, ("only_pushed", "only_pulled", "differing")),
    _told("balance", lambda cell, words: balance_sentence(cell.manifest, words), Kind.PROSE),
    _told("reason", lambda cell, words: shown(reason_sentence(cell.manifest, words)), Kind.PROSE),
    _told("to_do", advice_line, Kind.PROSE),
    _known("passes", Kind.NUMBER),
    _known("stored_pass", Kind.NUMBER),
    _known("pages", Kind.COUNT),
    _known("page_size", Kind.COUNT),
    _known("attempts", Kind.COUNT),
    _known("bytes", Kind.COUNT),
    _known("seconds", Kind.SECONDS),
    _known("rest_seconds", Kind.SECONDS),
    _known("slowest_rate", Kind.SECONDS),
    _known("started_at", Kind.TIME),
    _known("finished_at", Kind.TIME),
    _told("collect_time_min", lambda cell, words: _collected(cell.manifest.collect_time_min), Kind.TIME),
    _told("collect_time_max", lambda cell, words: _collected(cell.manifest.collect_time_max), Kind.TIME),
    _told("address", lambda cell, words: shown(cell.manifest.address or "")),
    _told("dead_addresses", lambda cell, words: "  ".join(map(shown, cell.manifest.dead_addresses))),
    _known("base", Kind.NUMBER),
    _told("digest", lambda cell, words: escaped(cell.manifest.digest or "")),
    _told(
        "accepted_by", lambda cell, words: shown(cell.manifest.accepted.by) if cell.manifest.accepted else ""
    ),
    _told("accepted_at", lambda cell, words: getattr(cell.manifest.accepted, "at", None), Kind.TIME),
    _told(
        "accepted_reason",
        lambda cell, words: shown(cell.manifest.accepted.reason) if cell.manifest.accepted else "",
        Kind.PROSE,
    ),
)
