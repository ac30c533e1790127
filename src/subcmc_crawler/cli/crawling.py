"""`subcmc crawl`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from pathlib import Path

from subcmc_crawler.cli.aftermath import Aftermath
from subcmc_crawler.cli.common import (
    note,
    run_async,
    say,
    settings,
    spare_the_collector,
    start_logging,
    store,
)
from subcmc_crawler.cli.progress import progress
from subcmc_crawler.cli.signals import Signals
from subcmc_crawler.config import read_registry
from subcmc_crawler.distributing import connected
from subcmc_crawler.errors import BadConfig, TryLater
from subcmc_crawler.executing import Executor
from subcmc_crawler.model import CLEAN, RunRecord, RunStatus, Shard, Verdict
from subcmc_crawler.province.registry import Registry
from subcmc_crawler.report.labels import Labels, labels
from subcmc_crawler.report.lines import escaped, table
from subcmc_crawler.run import Crawl, Selection, next_opening, night_began
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import Database
from subcmc_crawler.store.runs import get_run, last_whole_run, list_runs

_LOOK_SECONDS = 30.0


def crawl(
    *,
    now: bool,
    wait: bool,
    resume: bool,
    selection: Selection,
    shard: Shard | None,
    dask: str | None,
    dry_run: bool,
    registry: Path | None,
    metrics_file: Path | None,
    lang: str | None,
) -> int:
    """One run, and the exit code that it comes to."""
    chosen = settings(registry=registry, lang=lang, metrics_file=metrics_file)
    centres = read_registry(chosen.registry)
    selection.of(centres)
    if dry_run:
        say(_plan(centres, selection, labels(chosen.lang)))
        return 0
    start_logging()
    aftermath = Aftermath(chosen=chosen, centres=centres)
    aftermath.check()
    if dask and chosen.uri is None:
        raise BadConfig(
            "--dask needs MONGODB_URI or MONGODB_URI_FILE: workers cannot reach a mongod of this process"
        )
    crawling = _Crawling(aftermath, selection, now=now, wait=wait, resume=resume, shard=shard, dask=dask)
    try:
        return run_async(crawling.run())
    except TryLater:
        raise  # nothing was pulled: what the last crawl left still tells the truth
    except Exception as error:
        aftermath.of_failure(getattr(error, "exit_code", 1))
        raise


@dataclass(frozen=True, slots=True)
class _Crawling:
    """One crawl as it was asked for."""

    aftermath: Aftermath
    selection: Selection
    _: KW_ONLY
    now: bool
    wait: bool
    resume: bool
    shard: Shard | None
    dask: str | None

    async def run(self) -> int:
        """The exit code."""
        chosen, centres, shard = self.aftermath.chosen, self.aftermath.centres, self.shard
        selection, resume = self.selection, self.resume
        signals = Signals()
        spare_the_collector()
        async with store(chosen, create=True) as db, self._executor() as executor:
            if self.wait and not await _opening(db, self.aftermath, selection, signals):
                return signals.exit_code
            if resume or (self.wait and await _left_tonight(db, centres, shard)):
                resume, selection = True, Selection.of_words((await get_run(db)).selection)
            datasets = len(selection.datasets) or len(DATASETS)
            provinces = len(selection.of(centres)) // (shard.count if shard else 1)
            with progress(provinces=provinces, datasets=datasets, lang=chosen.lang) as observer:
                crawling = Crawl(
                    centres,
                    db,
                    observer,
                    folder=chosen.registry.resolve().parent,
                    now=lambda: datetime.now(centres.timezone),
                    selection=selection,
                    ignore_windows=self.now,
                    resume=resume,
                    lease_seconds=chosen.lease_seconds,
                    executor=executor,
                    shard=shard,
                )
                signals.calls(crawling.stop)
                run = await crawling.run()
            code = signals.exit_code or _outcome(run)
            if shard is not None and run.status is RunStatus.RUNNING:
                note(_left_open(run, shard, labels(chosen.lang)))
            else:
                await self.aftermath.of_run(db, run, code)
            return code

    @asynccontextmanager
    async def _executor(self) -> AsyncIterator[Executor | None]:
        """What executes the pulls; None for this process."""
        if self.dask is None:
            yield None
            return
        async with connected(self.dask) as executor:
            yield executor


def _outcome(run: RunRecord) -> int:
    clean = all(Verdict(verdict) in CLEAN for verdict in run.summary)
    return 0 if clean and run.status in (RunStatus.FINISHED, RunStatus.RUNNING) else 1


def _left_open(run: RunRecord, shard: Shard, words: Labels) -> str:
    """The line of a shard that has ended before the others: the last one of them reports."""
    left = run.shards
    gone = {*left.ended, *left.stopped} if left else set()
    waiting = [f"{number}/{shard.count}" for number in range(1, shard.count + 1) if number not in gone]
    return words.say("crawl.shard_ended", shard=shard, run=run.number, waiting=", ".join(waiting))


async def _opening(db: Database, aftermath: Aftermath, selection: Selection, signals: Signals) -> bool:
    """Waits for a window of a night that was not pulled yet; False when a signal came first."""
    centres, words = aftermath.centres, labels(aftermath.chosen.lang)
    provinces = selection.of(centres)
    now = datetime.now(centres.timezone)
    opening = next_opening(provinces, now)
    if opening <= now:
        began = night_began(provinces, now)
        last = await last_whole_run(db)
        if last is None or last.started_at < began:
            return True
        opening = next_opening(provinces, now, strictly=True)
    note(words.say("crawl.waiting", opening=f"{opening:%Y-%m-%d %H:%M %Z}"))
    while datetime.now(centres.timezone) < opening:
        left = (opening - datetime.now(centres.timezone)).total_seconds()
        if await signals.came_within(min(left, _LOOK_SECONDS)):
            return False
    return True


async def _left_tonight(db: Database, centres: Registry, shard: Shard | None) -> bool:
    """Whether the last run began in the night that is open now and did not come to its end.

    A shard goes on only with what it had begun.
    """
    latest = await list_runs(db, 1)
    if not latest or latest[0].status is RunStatus.FINISHED:
        return False
    if shard is not None and not (latest[0].shards and shard.index in latest[0].shards.joined):
        return False
    return latest[0].started_at >= night_began(centres.provinces, datetime.now(centres.timezone))


def _plan(centres: Registry, selection: Selection, words: Labels) -> str:
    """What a run would do, from the registry alone: nobody is contacted, nothing is written."""
    names = ("province", "cmc_id", "window", "rate", "in_flight", "datasets", "addresses")
    heads = [words[f"dry.{name}"] for name in names]
    rows = []
    for province in selection.of(centres):
        codes = selection.datasets or tuple(DATASETS)
        pulled = [code for code in codes if province.datasets[code] is not None]
        rows.append(
            (
                escaped(province.name),
                province.cmc_id,
                str(province.pull.window),
                f"{province.pull.requests_per_second:g}",
                str(province.pull.max_in_flight),
                str(len(pulled) if province.addresses else 0),
                " ".join(map(str, province.addresses)) or "-",
            )
        )
    return "\n".join(table(heads, rows, aligns="lllrrrl", width=100))
