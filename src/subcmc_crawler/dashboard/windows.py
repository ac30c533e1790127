"""The page of time: a night against its plan."""

from __future__ import annotations

from collections.abc import Sequence

from subcmc_crawler.cellgroups import by_province
from subcmc_crawler.dashboard.charting import chart, first_start, overdue
from subcmc_crawler.dashboard.folding import fold
from subcmc_crawler.dashboard.parameters import Unknown, page_of, run_of
from subcmc_crawler.dashboard.visit import Page, Visit
from subcmc_crawler.model import RunRecord
from subcmc_crawler.province.registry import Registry
from subcmc_crawler.schedule import PlannedPull, plan
from subcmc_crawler.store import cellgroups
from subcmc_crawler.store import outlines as glance
from subcmc_crawler.store import runs as stored
from subcmc_crawler.store import watching as looking


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
    registry = visit.site.registry()
    planned = await _planned(visit, run, registry) if registry else ()
    groups = by_province(await cellgroups.cell_groups(visit.db, run.number, run.number))
    late = overdue(groups, planned)
    begun = sorted((each for each in groups if each not in late), key=lambda each: first_start(groups[each]))
    shown, folded = fold([*late, *begun], len(late), page_of(visit.query))
    manifests = await glance.outlines_of_run(visit.db, run.number, shown)
    drawn = chart(manifests, planned, visit.words, visit.site.now())
    values = {
        "run": run,
        "runs": runs,
        "chart": drawn,
        "registry": registry is not None,
        "planned": bool(planned),
        "late": late,
        "fold": folded,
    }
    return Page(template="windows.html", here="windows", values=values)


async def _planned(visit: Visit, run: RunRecord, registry: Registry) -> Sequence[PlannedPull]:
    """The plan of the night of a run as it could be known beforehand, by the registry as it is now.

    Empty when the run had ended before any window opened, as one of `crawl --now` may have.
    """
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
