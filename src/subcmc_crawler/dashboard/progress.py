"""How far the newest run is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from subcmc_crawler.cellgroups import by_province
from subcmc_crawler.dashboard.folding import MANY, Fold, fold
from subcmc_crawler.model import Manifest, RunRecord, RunStatus
from subcmc_crawler.report.night import Province, build
from subcmc_crawler.report.sentences import local
from subcmc_crawler.store import Database, cellgroups
from subcmc_crawler.store import outlines as glance
from subcmc_crawler.store import runs as stored
from subcmc_crawler.store import watching as looking


@dataclass(frozen=True, slots=True, kw_only=True)
class Walking:
    """A walk that goes on: its pages so far, and of how many, None where the province has not told."""

    manifest: Manifest
    pages: int
    rows: int
    declared: int | None

    @property
    def share(self) -> float | None:
        """Which part of the declared rows has come, from 0 to 1."""
        return min(1.0, self.rows / self.declared) if self.declared else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the newest run is: cells begun and settled, `rows` of what is shown, until when provinces rest.

    `abandoned`: it has not ended, yet nobody holds its lease, so that its crawl is gone; the next one says so.
    """

    run: RunRecord
    begun: int
    settled: int
    provinces: int
    rows: Sequence[Province]
    fold: Fold | None
    walking: Sequence[Walking]
    resting: Sequence[tuple[str, datetime]]
    abandoned: bool
    at: datetime

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self.run.status is RunStatus.RUNNING and not self.abandoned


async def progress(db: Database, now: datetime, page: int | None = None) -> Progress | None:
    """The newest run as it is now, and a page of it where it has many provinces; None when there is no run."""
    runs = await stored.list_runs(db, 1)
    if not runs:
        return None
    run, number = runs[0], runs[0].number
    abandoned = run.status is RunStatus.RUNNING and await _is_abandoned(db, run)
    goes_on = run.status is RunStatus.RUNNING and not abandoned
    groups = by_province(await cellgroups.cell_groups(db, number, number))
    every = [group for cells in groups.values() for group in cells]
    unsettled = {each.cmc_id for each in every if not each.clean}
    order = list(groups)
    if len(order) > MANY:
        order.sort(key=lambda cmc_id: cmc_id not in unsettled)
    shown, folded = fold(order, len(unsettled), page)
    pending = {each.cmc_id for each in every if each.pending} if goes_on else set()
    report = build(run, await glance.outlines_of_run(db, number, {*shown, *pending}), order=shown)
    walking = [await _walking(db, cell.manifest) for cell in report.cells if cell.pending and goes_on]
    rests = await looking.resting(db) if goes_on else {}
    resting = [
        (groups[cmc_id][0].province, local(until))
        for cmc_id, until in sorted(rests.items())
        if cmc_id in groups and local(until) > now
    ]
    return Progress(
        run=run,
        begun=sum(each.cells for each in every),
        settled=sum(each.cells for each in every if not each.pending),
        provinces=len(groups),
        rows=[province for province in report.provinces if province.cmc_id in set(shown)],
        fold=folded,
        walking=walking,
        resting=resting,
        abandoned=abandoned,
        at=now,
    )


async def _is_abandoned(db: Database, run: RunRecord) -> bool:
    """Whether a run that has not ended has no crawl any more. Shards may be yet to come."""
    if run.shards is not None or not await looking.lease_is_free(db):
        return False
    now = await looking.find_run(db, run.number)  # a crawl ends its run before it gives the lease back
    return now is not None and now.status is RunStatus.RUNNING


async def _walking(db: Database, manifest: Manifest) -> Walking:
    page = await looking.last_page(db, manifest)
    if page is None:
        return Walking(manifest=manifest, pages=0, rows=0, declared=None)
    pages = page["ordinal"] + 1
    rows = page["ordinal"] * page["pageSize"] + page["rows"]
    return Walking(manifest=manifest, pages=pages, rows=rows, declared=page["declared"])
