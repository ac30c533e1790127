"""`subcmc crawl`."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from subcmc_crawler.cli.common import color, note, run_async, say, settings, start_logging, store
from subcmc_crawler.cli.progress import progress
from subcmc_crawler.config import Settings, read_registry
from subcmc_crawler.model import CLEAN, RunRecord, RunStatus, Verdict
from subcmc_crawler.province.registry import Registry
from subcmc_crawler.report.lines import table
from subcmc_crawler.report.night import build
from subcmc_crawler.report.text import to_text
from subcmc_crawler.run import Crawl, Selection, next_opening, night_began
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import Database
from subcmc_crawler.store.runs import (
    earlier_manifests,
    get_run,
    last_whole_run,
    list_runs,
    manifests_of,
)

_LOOK_SECONDS = 30.0


def crawl(
    *,
    now: bool,
    wait: bool,
    resume: bool,
    selection: Selection,
    dry_run: bool,
    registry: Path | None,
    lang: str | None,
) -> int:
    """One run, and the exit code that it comes to."""
    chosen = settings(registry=registry, lang=lang)
    centres = read_registry(chosen.registry)
    selection.of(centres)
    if dry_run:
        say(_plan(centres, selection))
        return 0
    start_logging()
    return run_async(_crawl(chosen, centres, selection, now=now, wait=wait, resume=resume))


async def _crawl(
    chosen: Settings, centres: Registry, selection: Selection, *, now: bool, wait: bool, resume: bool
) -> int:
    signals = _Signals()
    async with store(chosen, create=True) as db:
        if wait and not await _opening(db, centres, selection, signals):
            return signals.exit_code
        if resume or (wait and await _left_tonight(db, centres)):
            resume, selection = True, Selection.of_words((await get_run(db)).selection)
        datasets = len(selection.datasets) or len(DATASETS)
        with progress(provinces=len(selection.of(centres)), datasets=datasets, lang=chosen.lang) as observer:
            crawling = Crawl(
                centres,
                db,
                observer,
                folder=chosen.registry.resolve().parent,
                now=lambda: datetime.now(centres.timezone),
                selection=selection,
                ignore_windows=now,
                resume=resume,
                lease_seconds=chosen.lease_seconds,
            )
            signals.calls(crawling.stop)
            run = await crawling.run()
        await _tell(db, run, centres, chosen)
        return signals.exit_code or _outcome(run)


async def _tell(db: Database, run: RunRecord, centres: Registry, chosen: Settings) -> None:
    manifests = await manifests_of(db, run.number)
    order = [province.cmc_id for province in centres.provinces]
    report = build(run, manifests, previous=await earlier_manifests(db, run.number), order=order)
    say(to_text(report, lang=chosen.lang, color=color(), only_problems=True))


def _outcome(run: RunRecord) -> int:
    clean = all(Verdict(verdict) in CLEAN for verdict in run.summary)
    return 0 if clean and run.status is RunStatus.FINISHED else 1


async def _opening(db: Database, centres: Registry, selection: Selection, signals: _Signals) -> bool:
    """Waits for a window of a night that was not pulled yet; False when a signal came first."""
    provinces = selection.of(centres)
    now = datetime.now(centres.timezone)
    opening = next_opening(provinces, now)
    if opening <= now:
        began = night_began(provinces, now)
        last = await last_whole_run(db)
        if last is None or last.started_at < began:
            return True
        opening = next_opening(provinces, now, strictly=True)
    note(f"waiting for the window that opens at {opening:%Y-%m-%d %H:%M %Z}")
    while datetime.now(centres.timezone) < opening:
        left = (opening - datetime.now(centres.timezone)).total_seconds()
        if await signals.came_within(min(left, _LOOK_SECONDS)):
            return False
    return True


async def _left_tonight(db: Database, centres: Registry) -> bool:
    """Whether the last run began in the night that is open now and did not come to its end."""
    latest = await list_runs(db, 1)
    if not latest or latest[0].status is RunStatus.FINISHED:
        return False
    return latest[0].started_at >= night_began(centres.provinces, datetime.now(centres.timezone))


class _Signals:
    """SIGTERM and SIGINT as a request to stop, remembered for the exit code."""

    def __init__(self) -> None:
        self._came = asyncio.Event()
        self._number = 0
        self._callback: Callable[[], None] = lambda: None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._catch, number)

    @property
    def exit_code(self) -> int:
        """130 or 143 when a signal came, else 0."""
        return 128 + self._number if self._number else 0

    def calls(self, callback: Callable[[], None]) -> None:
        """What to call when a signal comes; at once when one has come."""
        self._callback = callback
        if self._number:
            self._callback()

    async def came_within(self, seconds: float) -> bool:
        """Whether a signal comes before the time is over."""
        try:
            await asyncio.wait_for(self._came.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _catch(self, number: int) -> None:
        self._number = number
        self._came.set()
        self._callback()


def _plan(centres: Registry, selection: Selection) -> str:
    """What a run would do, from the registry alone: nobody is contacted, nothing is written."""
    heads = ("province", "cmcId", "window", "requests/s", "in flight", "datasets", "addresses")
    rows = []
    for province in selection.of(centres):
        codes = selection.datasets or tuple(DATASETS)
        pulled = [code for code in codes if province.datasets[code] is not None]
        rows.append(
            (
                province.name,
                province.cmc_id,
                str(province.pull.window),
                f"{province.pull.requests_per_second:g}",
                str(province.pull.max_in_flight),
                str(len(pulled) if province.addresses else 0),
                " ".join(map(str, province.addresses)) or "-",
            )
        )
    return "\n".join(table(heads, rows, aligns="lllrrrl", width=100))
