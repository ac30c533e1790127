"""A night while it happens: a bar on a terminal, plain log lines elsewhere."""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from subcmc_crawler.config import Lang
from subcmc_crawler.model import CLEAN, Manifest, State
from subcmc_crawler.province.registry import Province
from subcmc_crawler.pull import Observer
from subcmc_crawler.report.labels import Labels, labels
from subcmc_crawler.report.lines import pad, shown
from subcmc_crawler.report.reasons import reason_sentence
from subcmc_crawler.spec.datasets import Dataset

_LOG = logging.getLogger("subcmc")


@contextmanager
def progress(*, provinces: int, datasets: int, lang: Lang) -> Iterator[Observer]:
    """An observer for one run; it draws only where somebody watches."""
    words = labels(lang)
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield PlainProgress(datasets, words)
        return
    console = Console(stderr=True, no_color=bool(os.environ.get("NO_COLOR")) or None, highlight=False)
    columns = (BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=provinces * datasets)
        yield TerminalProgress(bar, task, datasets, words)


class PlainProgress:
    """A log line a province, and one for each cell that is not clean."""

    def __init__(self, datasets: int, words: Labels) -> None:
        self._datasets = datasets
        self._words = words
        self._cells: dict[str, list[Manifest]] = {}

    def page(self, province: Province, dataset: Dataset, received: int, declared: int | None) -> None:
        """Nothing: pages are in the ledger."""

    def cell(self, manifest: Manifest) -> None:
        """Tells what is not clean, and each province that is through."""
        cells = self._cells.setdefault(manifest.cmc_id, [])
        cells.append(manifest)
        if manifest.verdict not in CLEAN:
            _LOG.warning("%s", _told(manifest, self._words))
        if len(cells) == self._datasets:
            _LOG.info("%s", _summed(cells, self._words))


class TerminalProgress:
    """A bar for the run, a line for each province that is through."""

    def __init__(self, bar: Progress, task: TaskID, datasets: int, words: Labels) -> None:
        self._bar = bar
        self._task = task
        self._datasets = datasets
        self._words = words
        self._cells: dict[str, list[Manifest]] = {}

    def page(self, province: Province, dataset: Dataset, received: int, declared: int | None) -> None:
        """Shows where the run is."""
        of = "?" if declared is None else f"{declared:,}"
        self._bar.update(self._task, description=shown(f"{province.name} {dataset.code} {received:,}/{of}"))

    def cell(self, manifest: Manifest) -> None:
        """Moves the bar."""
        cells = self._cells.setdefault(manifest.cmc_id, [])
        cells.append(manifest)
        self._bar.advance(self._task)
        if len(cells) == self._datasets:
            self._bar.console.print(_summed(cells, self._words), markup=False, soft_wrap=True)


def _summed(cells: list[Manifest], words: Labels) -> str:
    verdicts = Counter(str(manifest.verdict) for manifest in cells)
    named = "  ".join(
        f"{words.word('verdict', verdict)} {count}" for verdict, count in verdicts.most_common()
    )
    rows = sum(manifest.counts.received for manifest in cells)
    seconds = sum(manifest.seconds for manifest in cells)
    first = cells[0]
    return f"{pad(shown(first.province), 18)} {first.cmc_id}  {rows:>9,}  {seconds:6.1f} s  {named}"


def _told(manifest: Manifest, words: Labels) -> str:
    verdict = words.word("verdict", str(manifest.verdict))
    held = f" ({words.word('state', State.HELD)})" if manifest.state is State.HELD else ""
    reason = reason_sentence(manifest, words)
    return f"{manifest.province} {manifest.cmc_id}/{manifest.dataset}: {verdict}{held}: {reason}"
