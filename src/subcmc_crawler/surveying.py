"""Gathers from the store what is told of many nights: streaks, metrics, differences, histories."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from subcmc_crawler import gathering
from subcmc_crawler.model import Manifest, References, RunRecord, RunStatus, State
from subcmc_crawler.report.lines import escaped, shown
from subcmc_crawler.report.metrics import Facts, Published, to_metrics
from subcmc_crawler.report.night import Cell, DiffRow, Report, build, cell_of
from subcmc_crawler.report.streaks import Streak, clean_throughout, streaks
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.spec.fields import FIELDS, Field
from subcmc_crawler.spec.personal import mask_field, mask_key, one_line
from subcmc_crawler.store import Database, cellgroups
from subcmc_crawler.store import outlines as glance
from subcmc_crawler.store import reading as stored
from subcmc_crawler.store import runs as nights
from subcmc_crawler.store.references import references_of_run

_STEPS: Final = (7, 90)
"""So many runs are looked back for a streak: few for all, more for the provinces that are faulty in each of those."""

_ABSENT: Final = object()
_LONGEST: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The last runs, the newest first, and every province over them."""

    runs: Sequence[RunRecord]
    streaks: Sequence[Streak]


async def survey(db: Database, most: int) -> Survey:
    """The last `most` runs and how each province stands; empty when there is no run."""
    runs = await nights.list_runs(db, most)
    ended = [run for run in runs if run.status is not RunStatus.RUNNING]
    if not ended:
        return Survey(runs=runs, streaks=())
    oldest = await glance.oldest_in_force(db)
    found: dict[str, Streak] = {}
    wanted: Collection[str] | None = None
    for step in (_whole(ended), *_STEPS):
        newest = ended[:step]
        first, last = newest[-1].number, newest[0].number
        groups = await cellgroups.cell_groups(db, first, last, wanted)
        found |= {each.cmc_id: each for each in streaks(groups, newest, oldest)}
        wanted = [each.cmc_id for each in found.values() if each.more]
        if not wanted or len(ended) <= step:
            break
    return Survey(runs=runs, streaks=tuple(found[cmc_id] for cmc_id in sorted(found)))


async def faulty_cells(db: Database, found: Sequence[Streak]) -> Mapping[str, Sequence[Cell]]:
    """The cells that were not clean in the last run that came to each of these provinces, by cmcId."""
    last = {each.cmc_id: each.run for each in found if each.faulty_runs}
    if not last:
        return {}
    cells: dict[str, list[Cell]] = {}
    for manifest in await cellgroups.faulty_between(db, min(last.values()), max(last.values()), last):
        if manifest.run == last[manifest.cmc_id] and manifest.verdict is not None:
            cells.setdefault(manifest.cmc_id, []).append(cell_of(manifest))
    return cells


def _whole(runs: Sequence[RunRecord]) -> int:
    """How many of the newest runs it takes to have one over all provinces among them."""
    return next((number for number, run in enumerate(runs, 1) if not run.selection), len(runs))


async def night(db: Database, number: int) -> Report:
    """The report of a run beside the 30 before it; NotFound when there is no such run.

    Only what is not clean, or was not in the run before, is looked up further back than that one.
    """
    run = await nights.get_run(db, number)
    return await beside_its_past(
        db, run, await nights.manifests_of(db, number), references=await references_of_run(db, number)
    )


async def beside_its_past(
    db: Database,
    run: RunRecord,
    manifests: Sequence[Manifest],
    *,
    order: Sequence[str] = (),
    references: Mapping[str, References] = MappingProxyType({}),
) -> Report:
    """The report of manifests of a run beside the 30 runs before it.

    `order` names the provinces that they are of; without it they are of all.
    """
    number = run.number
    cells: dict[str, list[str]] = {}
    for each in manifests:
        cells.setdefault(each.cmc_id, []).append(each.dataset)
    before = await glance.outlines(db, number - 1, number - 1, cells if order else None)
    known = {(each.cmc_id, each.dataset) for each in before}
    further: dict[str, list[str]] = {}
    for each in manifests:
        if (each.cmc_id, each.dataset) not in known or not cell_of(each).clean:
            further.setdefault(each.cmc_id, []).append(each.dataset)
    past = await glance.outlines(db, number - gathering.NIGHTS, number - 2, further)
    return build(run, manifests, previous=[*before, *past], order=order, references=references)


async def in_force(db: Database) -> Mapping[tuple[str, str], Published]:
    """The snapshot in force of every cell that has one."""
    return {
        (cmc_id, dataset): Published(run=run, at=at)
        for cmc_id, dataset, run, at in await glance.published_at(db)
    }


async def facts(db: Database, ended: Sequence[RunRecord], running: RunRecord | None) -> Facts:
    """What metrics tell beside the report; `ended` holds the last runs that ended, the newest first."""
    whole = [run for run in ended if run.status is RunStatus.FINISHED and not run.selection]
    clean = [run for run in whole if clean_throughout(run)]
    return Facts(
        published=await in_force(db),
        finished_at=whole[0].finished_at if whole else None,
        clean_at=clean[0].finished_at if clean else None,
        running=running.number if running else None,
    )


async def metrics(db: Database) -> bytes:
    """The text of `/metrics` and of `--metrics-file`: the last run that ended, and what is in force."""
    runs = await nights.list_runs(db, _STEPS[-1])
    ended = [run for run in runs if run.status is not RunStatus.RUNNING]
    running = runs[0] if runs and runs[0].status is RunStatus.RUNNING else None
    report, found = await asyncio.gather(_summed_up(db, ended), facts(db, ended, running))
    return to_metrics(report, found)


async def _summed_up(db: Database, ended: Sequence[RunRecord]) -> Report | None:
    """The report of the last run in what metrics tell of it, which of the past are the runs in a row that failed.

    So only what is not clean is looked up in the run before, and further back what was not clean there either.
    """
    if not ended:
        return None
    run = ended[0]
    manifests = await glance.work_of_run(db, run.number)
    faulty = {(each.cmc_id, each.dataset) for each in manifests if _failed(each)}
    past: list[Manifest] = []
    for first, last in ((1, 1), (gathering.NIGHTS, 2)):
        cells: dict[str, list[str]] = {}
        for cmc_id, dataset in faulty:
            cells.setdefault(cmc_id, []).append(dataset)
        found = await glance.outlines(db, run.number - first, run.number - last, cells)
        faulty -= {(each.cmc_id, each.dataset) for each in found if not _failed(each)}
        past += found
    return build(run, manifests, previous=past)


def _failed(manifest: Manifest) -> bool:
    return manifest.verdict is not None and not cell_of(manifest).clean


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which cells a difference is about; None means all."""

    cmc_id: str | None = None
    dataset: str | None = None

    @property
    def one(self) -> bool:
        """Whether it names a single cell."""
        return self.cmc_id is not None and self.dataset is not None

    def __contains__(self, manifest: Manifest) -> bool:
        return self.cmc_id in (None, manifest.cmc_id) and self.dataset in (None, manifest.dataset)


async def differences(
    db: Database, first: int, second: int, scope: Scope, *, most_keys: int = 100
) -> list[DiffRow]:
    """What changed between the snapshots in force in two runs, in the order of provinces and datasets.

    Keys are told where `scope` names a single cell. Where the later snapshot was compared with the earlier one when
    it was taken, its own counts are the answer, and equal digests need no look; everything else is read.
    """
    before = {
        (head.cmc_id, head.dataset): head for head in await glance.heads_in_outline(db, first, scope.cmc_id)
    }
    columns = {code: rank for rank, code in enumerate(DATASETS)}
    heads = [head for head in await glance.heads_in_outline(db, second, scope.cmc_id) if head in scope]
    heads.sort(key=lambda head: (head.cmc_id, columns[head.dataset]))
    return [
        await _difference(db, before.get((head.cmc_id, head.dataset)), head, most_keys if scope.one else 0)
        for head in heads
    ]


async def _difference(db: Database, old: Manifest | None, new: Manifest, most_keys: int) -> DiffRow:
    same = DiffRow(cmc_id=new.cmc_id, dataset=new.dataset, in_force=new.run, added=0, changed=0, removed=0)
    if old is not None and old.digest == new.digest:
        return same
    if not most_keys and old is not None and new.base == old.run:
        counts = new.counts
        return replace(same, added=counts.added, changed=counts.changed, removed=counts.removed)
    found = await stored.differences(db, new.dataset, new.cmc_id, old.run if old else 0, new.run)
    kinds = [each.change for each in found]
    return replace(
        same,
        added=kinds.count("added"),
        changed=kinds.count("changed"),
        removed=kinds.count("removed"),
        keys=tuple((each.change, mask_key(new.dataset, each.key)) for each in found[:most_keys]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldValue:
    """A field of a version as people may see it, and whether it differs from the version before."""

    name: str
    value: str
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordVersion:
    """One version of a record: it holds in runs `from_run <= n < to_run`, None while it is open."""

    from_run: int
    to_run: int | None
    started_at: datetime | None
    published: bool
    flags: Sequence[str]
    fields: Sequence[FieldValue]


async def history(db: Database, dataset: str, cmc_id: str, key: str) -> list[RecordVersion]:
    """Every version of one record, the oldest first, masked; NotFound when the key was never stored."""
    versions = await stored.history(db, dataset, cmc_id, key)
    began = {run.number: run.started_at for run in await nights.list_runs(db, 0)}
    records = [version.record if isinstance(version.record, Mapping) else {} for version in versions]
    return [
        RecordVersion(
            from_run=version.start,
            to_run=version.end,
            started_at=began.get(version.start),
            published=version.state is State.PUBLISHED,
            flags=[escaped(flag) for flag in version.flags],
            fields=_fields(dataset, record, earlier),
        )
        for version, record, earlier in zip(versions, records, [None, *records], strict=False)
    ]


def _fields(dataset: str, record: Mapping[str, Any], earlier: Mapping[str, Any] | None) -> list[FieldValue]:
    """The fields in served order, then those that are gone; the value of one that no table has is not told."""
    known = {field.name: field for field in FIELDS[dataset]}
    gone = [name for name in earlier or {} if name not in record]
    return [
        FieldValue(
            name=shown(name),
            value=_value(name, record, dataset, known.get(name)),
            changed=earlier is not None and record.get(name, _ABSENT) != earlier.get(name, _ABSENT),
        )
        for name in (*record, *gone)
    ]


def _value(name: str, record: Mapping[str, Any], dataset: str, field: Field | None) -> str:
    """A value on one line; words as they are, anything personal masked, nothing of a field that no table has."""
    value = record.get(name, _ABSENT)
    if value is _ABSENT:
        return ""
    if field is None:
        return "***"
    if isinstance(value, str) and field.personal is None:
        return one_line(value, _LONGEST)
    return mask_field(dataset, name, value)
