"""The pages of time: a night against its plan, and the run that is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from aiohttp import web

from subcmc_crawler.dashboard.charting import chart, first_start, overdue
from subcmc_crawler.dashboard.folding import MANY, Fold, fold
from subcmc_crawler.dashboard.guarding import visit_of
from subcmc_crawler.dashboard.parameters import Unknown, page_of, run_of
from subcmc_crawler.dashboard.rendering import fragment
from subcmc_crawler.dashboard.visit import Page, Visit
from subcmc_crawler.errors import StoreLost
from subcmc_crawler.model import Manifest, RunRecord, RunStatus
from subcmc_crawler.report.night import Province, build
from subcmc_crawler.report.sentences import local
from subcmc_crawler.schedule import PlannedPull, plan
from subcmc_crawler.store import Database, DriverError
from subcmc_crawler.store import outlines as glance
from subcmc_crawler.store import runs as stored
from subcmc_crawler.store import tallies as counting
from subcmc_crawler.store import watching as looking
from subcmc_crawler.tallies import by_province


async def windows_page(visit: Visit) -> Page:
    """Windows and planned pulls against the walks of a run."""
    runs = await stored.list_runs(visit.db, 90)
    if not runs:
        return Page(template="empty.html", here="windows")
    text = visit.query.get("run") or "last"
    number = run_of(text) or runs[0].number
    run = await looking.find_run(visit.db, number)
    if run is None:
        raise Unknown("web.no_run", run=number, last=runs[0].number)
    planned = await _planned(visit, run)
    tallies = by_province(await counting.tallies_of(visit.db, run.number, run.number))
    late = overdue(tallies, planned)
    begun = sorted(
        (each for each in tallies if each not in late), key=lambda each: first_start(tallies[each])
    )
    shown, folded = fold([*late, *begun], len(late), page_of(visit.query))
    manifests = await glance.outlines_of_run(visit.db, run.number, shown)
    drawn = chart(manifests, planned, visit.words, visit.site.now())
    values = {
        "run": run,
        "runs": runs,
        "chart": drawn,
        "planned": bool(planned),
        "late": late,
        "fold": folded,
    }
    return Page(template="windows.html", here="windows", values=values)


async def _planned(visit: Visit, run: RunRecord) -> Sequence[PlannedPull]:
    """The plan of the night of a run as it could be known beforehand, by the registry as it is now."""
    registry = visit.site.registry()
    if registry is None:
        return ()
    durations = await stored.past_durations(visit.db, before=run.number)
    pulls = plan(
        {province.cmc_id: province.pull.window for province in registry.provinces},
        durations,
        run.started_at.astimezone(registry.timezone),
        max_provinces=registry.run.max_provinces,
        share=registry.run.stagger_share,
    )
    ended = run.finished_at or visit.site.now()
    return [each for each in pulls if each.opening <= ended]


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
    """How far the newest run is: cells begun and settled, `rows` of what is shown, until when provinces rest."""

    run: RunRecord
    begun: int
    settled: int
    provinces: int
    rows: Sequence[Province]
    fold: Fold | None
    walking: Sequence[Walking]
    resting: Sequence[tuple[str, datetime]]
    at: datetime

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self.run.status is RunStatus.RUNNING


async def progress(db: Database, now: datetime, page: int | None = None) -> Progress | None:
    """The newest run as it is now, and a page of it where it has many provinces; None when there is no run."""
    runs = await stored.list_runs(db, 1)
    if not runs:
        return None
    number = runs[0].number
    tallies = by_province(await counting.tallies_of(db, number, number))
    every = [tally for cells in tallies.values() for tally in cells]
    unsettled = {each.cmc_id for each in every if not each.clean}
    order = list(tallies)
    if len(order) > MANY:
        order.sort(key=lambda cmc_id: cmc_id not in unsettled)
    shown, folded = fold(order, len(unsettled), page)
    pending = {each.cmc_id for each in every if each.pending}
    report = build(runs[0], await glance.outlines_of_run(db, number, {*shown, *pending}), order=shown)
    walking = [await _walking(db, cell.manifest) for cell in report.cells if cell.pending]
    rests = await looking.resting(db) if runs[0].status is RunStatus.RUNNING else {}
    resting = [
        (tallies[cmc_id][0].province, local(until))
        for cmc_id, until in sorted(rests.items())
        if cmc_id in tallies and local(until) > now
    ]
    return Progress(
        run=runs[0],
        begun=sum(each.cells for each in every),
        settled=sum(each.cells for each in every if not each.pending),
        provinces=len(tallies),
        rows=[province for province in report.provinces if province.cmc_id in set(shown)],
        fold=folded,
        walking=walking,
        resting=resting,
        at=now,
    )


async def _walking(db: Database, manifest: Manifest) -> Walking:
    page = await looking.last_page(db, manifest)
    if page is None:
        return Walking(manifest=manifest, pages=0, rows=0, declared=None)
    pages = page["ordinal"] + 1
    rows = page["ordinal"] * page["pageSize"] + page["rows"]
    return Walking(manifest=manifest, pages=pages, rows=rows, declared=page["declared"])


async def live_page(visit: Visit) -> Page:
    """The newest run as it goes on; renews itself, with and without a script."""
    page = page_of(visit.query)
    found = await progress(visit.db, visit.site.now(), page)
    if found is None:
        return Page(template="empty.html", here="live")
    return Page(template="live.html", here="live", values={"progress": found, "page": page}, live=True)


async def live_events(request: web.Request) -> web.StreamResponse:
    """The changing part of that page as server-sent events, each time that it is another; ends with the server."""
    visit = visit_of(request)
    site, lang, page = visit.site, visit.words.lang, page_of(visit.query)
    stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await stream.prepare(request)
    told: Progress | None = None
    while not site.closing.is_set():
        try:
            found = await progress(site.db, site.now(), page)
        except (StoreLost, DriverError):
            break  # the browser asks again by itself
        if found is not None and (told is None or replace(found, at=told.at) != told):
            told = found
            text = fragment("progress.html", lang, named="lang" in request.query, progress=found)
            await stream.write(_event(text))
        else:
            await stream.write(b": \n\n")  # finds out whether anybody still listens
        try:
            await asyncio.wait_for(site.closing.wait(), site.live_seconds)
        except TimeoutError:
            continue
    return stream


def _event(text: str) -> bytes:
    return "".join(f"data: {line}\n" for line in text.splitlines()).encode() + b"\n"
