"""The pages of nights: all of them, one, a province of it, a walk of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from markupsafe import Markup

from subcmc_crawler import gathering, surveying
from subcmc_crawler.cellgroups import by_province
from subcmc_crawler.dashboard import drawing
from subcmc_crawler.dashboard.folding import MANY, Fold, fold
from subcmc_crawler.dashboard.parameters import Unknown, cmc_id_of, dataset_of, nights_of, page_of, run_of
from subcmc_crawler.dashboard.visit import Page, Visit
from subcmc_crawler.model import Manifest, RunRecord, RunStatus
from subcmc_crawler.report.detail import Contact, Detail, Night
from subcmc_crawler.report.folding import grown
from subcmc_crawler.report.html import CellPage, NightPage, ProvincePage
from subcmc_crawler.report.labels import Labels
from subcmc_crawler.report.night import Report, build, cell_of
from subcmc_crawler.report.sentences import clock
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import Database, cellgroups
from subcmc_crawler.store import outlines as glance
from subcmc_crawler.store import runs as stored
from subcmc_crawler.store import watching as looking
from subcmc_crawler.store.references import find_references

_STRIP: Final = 90


async def nights_page(visit: Visit) -> Page:
    """The last nights, and how each province stands."""
    most = nights_of(visit.query)
    survey = await surveying.survey(visit.db, most)
    if not survey.runs:
        return Page(template="empty.html", here="nights")
    columns = [(run, visit.links.night(run.number)) for run in reversed(survey.runs)]
    titles = [_told(run, visit.words) for run, _ in columns]
    newest = max(run.number for run in survey.runs)
    streaks = sorted(
        survey.streaks,
        key=lambda each: (not each.registered, not each.faulty_runs, -each.faulty_runs, each.cmc_id),
    )
    rows = {each.cmc_id: each for each in streaks}
    urgent = sum(each.faulty_runs > 0 for each in streaks)
    shown, folded = fold(list(rows), urgent, page_of(visit.query))
    values = {
        "fold": folded,
        "runs": survey.runs,
        "most": most,
        "strip": drawing.nights(columns, titles),
        "titles": dict(zip((run.number for run, _ in columns), titles, strict=True)),
        "streaks": [rows[cmc_id] for cmc_id in shown],
        "faulty": await surveying.faulty_cells(visit.db, [rows[cmc_id] for cmc_id in shown]),
        "newest": newest,
    }
    return Page(template="nights.html", here="nights", values=values)


async def night_page(visit: Visit) -> Page:
    """One night: its sentence, what changed, the matrix, and the reasons."""
    run = await asked_run(visit)
    report, shown, folded = await read_night(visit.db, run, page_of(visit.query))
    night = NightPage(
        Night(report=report, details={}),
        visit.words,
        only_problems="problems" in visit.query,
        shown=shown,
    )
    values = {"night": night, "run": run, "fold": folded, **await _around(visit.db, run.number)}
    return Page(template="one_night.html", here="last", values=values)


async def read_night(
    db: Database, run: RunRecord, page: int | None
) -> tuple[Report, Collection[str] | None, Fold | None]:
    """The report of a run, and which provinces of it are shown, None for all.

    Of many provinces those are read that need a look, or needed one the night before, or are shown; of the others
    the sums.
    """
    groups = by_province(await cellgroups.cell_groups(db, run.number, run.number, sums=True))
    if len(groups) <= MANY:
        return await surveying.night(db, run.number), None, None
    urgent = [cmc_id for cmc_id, cells in groups.items() if not all(each.clean for each in cells)]
    calm = [cmc_id for cmc_id, cells in groups.items() if all(each.clean for each in cells)]
    shown, folded = fold([*urgent, *calm], len(urgent), page)
    before = {each.cmc_id for each in await cellgroups.faulty_between(db, run.number - 1, run.number - 1)}
    read = dict.fromkeys((*urgent, *(cmc_id for cmc_id in calm if cmc_id in before), *shown))
    manifests = await cellgroups.manifests_of_provinces(db, run.number, read)
    report = await surveying.beside_its_past(db, run, manifests, order=tuple(read))
    rest = [group for cmc_id in calm if cmc_id not in read for group in groups[cmc_id]]
    return grown(report, rest), frozenset(shown), folded


async def province_page(visit: Visit) -> Page:
    """One province in one night: its nine datasets, each with its past."""
    run, cmc_id = await asked_run(visit), cmc_id_of(visit.path["cmc_id"])
    manifests = await looking.manifests_of_province(visit.db, run.number, cmc_id)
    if not manifests:
        raise Unknown("web.no_province", run=run.number, cmc_id=cmc_id)
    past = await glance.outlines(visit.db, run.number - _STRIP + 1, run.number - 1, {cmc_id: DATASETS})
    again = await looking.repeated_attempts(visit.db, run.number, cmc_id)
    references = await find_references(visit.db, run.number, cmc_id)
    report = build(run, manifests, previous=past, references={cmc_id: references} if references else {})
    details = {
        each.dataset: Detail(
            manifest=each,
            past=[old for old in past if old.dataset == each.dataset],
            attempts=tuple(attempt for dataset, attempt in again if dataset == each.dataset),
        )
        for each in manifests
    }
    page = ProvincePage(report.provinces[0], details, visit.words, contact=_contacts(visit).get(cmc_id))
    strips = {code: _strip(code, each, run.number, visit.words) for code, each in details.items()}
    values = {
        "page": page,
        "run": run,
        "strips": strips,
        "nights": _STRIP,
        **await _around(visit.db, run.number),
    }
    return Page(template="one_province.html", here="last", values=values)


async def cell_page(visit: Visit) -> Page:
    """One walk in full."""
    run, cmc_id = await asked_run(visit), cmc_id_of(visit.path["cmc_id"])
    dataset = dataset_of(visit.path["dataset"])
    manifest = await stored.find_manifest(visit.db, run.number, cmc_id, dataset)
    if manifest is None:
        raise Unknown("web.no_cell", run=run.number, cell=f"{cmc_id}/{dataset}")
    detail = await gathering.detail(visit.db, manifest)
    strip = _strip(dataset, detail, run.number, visit.words, nights=gathering.NIGHTS)
    around = await _around(visit.db, run.number)
    values = {"page": CellPage(detail, visit.words), "run": run, "strip": strip, **around}
    return Page(template="one_cell.html", here="last", values=values)


async def asked_run(visit: Visit) -> RunRecord:
    """The run that the path names, `last` being the last one that ended; Unknown when there is none."""
    number = run_of(visit.path["run"])
    runs = await stored.list_runs(visit.db, 2)
    if not runs:
        raise Unknown("web.no_run_yet")
    if number is None:
        return next((run for run in runs if run.status is not RunStatus.RUNNING), runs[0])
    found = await looking.find_run(visit.db, number)
    if found is None:
        raise Unknown("web.no_run", run=number, last=runs[0].number)
    return found


async def _around(db: Database, number: int) -> Mapping[str, int | None]:
    """The runs before and after, for links."""
    before, after = await looking.neighbours(db, number)
    return {"before": before, "after": after}


def _contacts(visit: Visit) -> Mapping[str, Contact]:
    registry = visit.site.registry()
    return gathering.contacts(registry) if registry else {}


def _strip(code: str, detail: Detail, last: int, words: Labels, *, nights: int = _STRIP) -> Markup:
    by_run: dict[int, Manifest] = {each.run: each for each in (*detail.past, detail.manifest)}
    first = max(1, last - nights + 1)
    shown: Sequence[Manifest | None] = [by_run.get(number) for number in range(first, last + 1)]
    faulty = sum(not cell_of(each).clean for each in by_run.values())
    label = words.say("web.strip", dataset=words.word("column", code), nights=len(shown), faulty=faulty)
    return drawing.strip(shown, label)


def _told(run: RunRecord, words: Labels) -> str:
    cells = drawing.counted(run)
    status = words[f"run.{run.status}"]
    began = clock(run.started_at, words)[:16]
    return words.say("web.night", number=run.number, began=began, status=status, **cells)
