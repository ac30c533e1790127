"""A night as Prometheus text, the same for `/metrics` and for `--metrics-file`.

Labels take their values from cmcIds of the registry, the nine datasets and the verdicts alone, never from what a
province sends, so that the number of series is bounded: fewer than twelve a cell. Ages are left to the one who asks,
`time() - subcmc_cell_published_timestamp_seconds`, because a file grows old while it lies there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from subcmc_crawler import __version__
from subcmc_crawler.errors import BadConfig
from subcmc_crawler.model import Counts, RunStatus, Verdict
from subcmc_crawler.report.lines import escaped
from subcmc_crawler.report.night import Cell, Headline, Report
from subcmc_crawler.spec.datasets import DATASETS

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
"""The media type of the text."""

_RUN_ROWS: Final = ("declared", "received", "stored", "added", "changed", "removed", "flagged", "quarantined")
_CELL_ROWS: Final = ("declared", "received", "stored", "missing")

_Sample = tuple[Sequence[str], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The snapshot of a cell that readers see: the run that published it, and when its walk ended."""

    run: int
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a night's metrics tell beside its report.

    `published` holds the snapshot in force of every (cmcId, dataset) that has one. `finished_at` is when a whole
    run last came to its end, `clean_at` when one last did so with every cell clean. `running` is the number of
    the run that is under way.
    """

    published: Mapping[tuple[str, str], Published] = field(default_factory=dict)
    finished_at: datetime | None = None
    clean_at: datetime | None = None
    running: int | None = None


def to_metrics(report: Report | None, facts: Facts) -> bytes:
    """Prometheus text of the last run that ended and of what is in force; `report` is None before the first run.

    BadConfig when the extra `metrics` is not installed.
    """
    try:
        from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 - an extra
    except ImportError:
        raise BadConfig(
            "metrics need prometheus-client: install it with pip install 'subcmc-crawler[metrics]'"
        ) from None
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Night(report, facts))
    return generate_latest(registry) + "".join(_cells(report, facts)).encode()


class _Night:
    """A collector that gives the families of a run, in the form that prometheus-client asks for."""

    def __init__(self, report: Report | None, facts: Facts) -> None:
        self._report = report
        self._facts = facts

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Every family that is not of cells."""
        yield _family(
            "subcmc_build_info", "1, with the version as its label", [([__version__], 1)], "version"
        )
        yield from _standing(self._facts)
        if self._report is not None:
            yield from _run(self._report)


def _standing(facts: Facts) -> Iterator[GaugeMetricFamily]:
    yield _one("subcmc_run_in_progress", "Whether a run is under way", facts.running is not None)
    for name, text, at in (
        ("last_whole_run", "When a run over all provinces last came to its end", facts.finished_at),
        ("last_clean_run", "When such a run last ended with every cell clean", facts.clean_at),
    ):
        if at is not None:
            yield _one(f"subcmc_{name}_timestamp_seconds", f"{text}, Unix time", at.timestamp())


def _run(report: Report) -> Iterator[GaugeMetricFamily]:
    run, head = report.run, report.headline
    yield _one(
        "subcmc_run_number", "Number of the last run that ended; what follows is of this run", run.number
    )
    yield _one("subcmc_run_started_timestamp_seconds", "When it began, Unix time", run.started_at.timestamp())
    if run.finished_at is not None:
        ended = run.finished_at.timestamp()
        yield _one("subcmc_run_finished_timestamp_seconds", "When it ended, Unix time", ended)
    if head.seconds is not None:
        yield _one("subcmc_run_duration_seconds", "How long it took", head.seconds)
    finished = run.status is RunStatus.FINISHED
    yield _one("subcmc_run_finished", "Whether it came to its end: neither stopped nor crashed", finished)
    yield _one("subcmc_run_clean", "Whether every cell is clean", finished and head.clean)
    yield _family("subcmc_run_cells", "Cells by verdict", _verdicts(report), "verdict")
    yield from _work(head)


def _work(head: Headline) -> Iterator[GaugeMetricFamily]:
    rows = [([name], getattr(head, name)) for name in _RUN_ROWS]
    yield _family("subcmc_run_rows", "Rows by count", rows, "count")
    yield _one("subcmc_run_held_cells", "Snapshots that wait for `subcmc accept`", head.held)
    yield _one("subcmc_run_requests", "HTTP requests to provinces", head.attempts)
    yield _one("subcmc_run_received_bytes", "Decoded bytes of all good answers", head.bytes)
    yield _one("subcmc_run_rest_seconds", "Cool-downs of all walks", head.rest_seconds)


def _verdicts(report: Report) -> list[_Sample]:
    counted: list[_Sample] = [([str(verdict)], count) for verdict, count in report.summary.items()]
    return [*counted, (["pending"], report.headline.pending)]


def _cells(report: Report | None, facts: Facts) -> Iterator[str]:
    """The families of cells, as text.

    Of 1,000 provinces they are 80,000 lines, for each of which the client looks at every name of a label.
    """
    newest = report.run.number if report is not None else 0
    known = [(_labels(*cell), held) for cell, held in facts.published.items() if cell[1] in DATASETS]
    yield _lines(
        "subcmc_cell_published_timestamp_seconds",
        "When the snapshot in force was pulled, Unix time",
        ((labels, held.at.timestamp()) for labels, held in known if held.at is not None),
    )
    yield _lines(
        "subcmc_cell_behind_runs",
        "Runs since the one that published the snapshot in force",
        ((labels, max(0, newest - held.run)) for labels, held in known),
    )
    if report is not None:
        yield from _walked(report.cells)


def _walked(cells: Iterable[Cell]) -> Iterator[str]:
    known = [
        (_labels(cell.manifest.cmc_id, cell.manifest.dataset), cell, cell.manifest)
        for cell in cells
        if cell.manifest.dataset in DATASETS
    ]
    yield _lines(
        "subcmc_cell_verdict",
        "1 for the verdict of each cell",
        ((f'{labels},verdict="{manifest.verdict or "pending"}"', 1) for labels, _, manifest in known),
    )
    yield _lines(
        "subcmc_cell_clean",
        "Whether the verdict leaves the run clean",
        ((labels, cell.clean) for labels, cell, _ in known),
    )
    yield _lines(
        "subcmc_cell_faulty_runs",
        "Runs in a row, up to this one, that were not clean, as far as was looked back",
        ((labels, cell.faulty_runs) for labels, cell, _ in known),
    )
    yield _lines(
        "subcmc_cell_duration_seconds",
        "How long the walk took",
        ((labels, manifest.seconds) for labels, _, manifest in known),
    )
    yield _lines(
        "subcmc_cell_rows",
        "Rows by count; one that nobody took is left out",
        (
            (f'{labels},count="{name}"', rows)
            for labels, _, manifest in known
            if manifest.verdict is not Verdict.UNREGISTERED
            for name, rows in _rows(manifest.counts)
        ),
    )


def _rows(counts: Counts) -> Iterator[tuple[str, int]]:
    for name in _CELL_ROWS:
        rows = getattr(counts, name)
        if rows is not None:
            yield name, rows


def _labels(cmc_id: str, dataset: str) -> str:
    """The labels of a cell, as text; what is escaped for a reader has no line breaks."""
    written = escaped(cmc_id).replace("\\", "\\\\").replace('"', '\\"')
    return f'cmc_id="{written}",dataset="{dataset}"'


def _lines(name: str, text: str, samples: Iterable[tuple[str, float]]) -> str:
    head = f"# HELP {name} {text}\n# TYPE {name} gauge\n"
    return head + "".join([f"{name}{{{labels}}} {_written(value)}\n" for labels, value in samples])


def _written(value: float) -> str:
    number = _number(value)
    return repr(number) if math.isfinite(number) else "+Inf" if number > 0 else "-Inf"


def _one(name: str, text: str, value: float) -> GaugeMetricFamily:
    return _family(name, text, [((), value)])


def _family(name: str, text: str, samples: Iterable[_Sample], *labels: str) -> GaugeMetricFamily:
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - an extra

    family = GaugeMetricFamily(name, text, labels=labels)
    for values, value in samples:
        family.add_metric(values, _number(value))
    return family


def _number(value: float) -> float:
    """A province may declare a number of any length; one that no float holds is infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
