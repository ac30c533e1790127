"""Gathers from the store what a rendering needs, masked where a person will see it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from subcmc_crawler.model import Manifest, ReferenceCount, State
from subcmc_crawler.province.registry import Registry
from subcmc_crawler.report.detail import AsideRow, Contact, Detail, KeyChange, Night, PageEntry
from subcmc_crawler.report.night import Report, build
from subcmc_crawler.spec.personal import mask, mask_key
from subcmc_crawler.store import Database
from subcmc_crawler.store import reading as stored
from subcmc_crawler.store import runs as nights
from subcmc_crawler.store.comparisons import comparisons_of_run, find_comparison
from subcmc_crawler.store.nights import ledger_of_run
from subcmc_crawler.store.references import find_references, references_of_run

NIGHTS: Final = 30
"""How far back the past of a cell is shown."""

_MOST: Final = 100
"""Keys of each change, and rows aside, of one cell that are listed."""

_MOST_IN_NIGHT: Final = 20

_STORED: Final = frozenset({State.PUBLISHED, State.HELD})


async def night(db: Database, number: int, *, nights_back: int = 7, order: Sequence[str] = ()) -> Report:
    """The report of a run beside the runs before it; NotFound when there is no such run."""
    run = await nights.get_run(db, number)
    previous = await nights.earlier_manifests(db, number, nights_back)
    return build(
        run,
        await nights.manifests_of(db, number),
        previous=previous,
        references=await references_of_run(db, number),
        comparisons=await comparisons_of_run(db, number),
        order=order,
    )


async def past_of(db: Database, manifest: Manifest, *, nights_back: int = NIGHTS) -> list[Manifest]:
    """Earlier manifests of the same cell, the latest first."""
    return await nights.past_of_cell(db, manifest, nights_back)


async def detail(
    db: Database, manifest: Manifest, *, past: Sequence[Manifest] | None = None, most: int = _MOST
) -> Detail:
    """Everything about one walk; `most` caps the listed keys of each change, and the rows aside."""
    return Detail(
        manifest=manifest,
        pages=tuple(map(page_entry, await nights.page_entries(db, manifest))),
        attempts=tuple(await nights.attempts_of(db, manifest)),
        changes=await _changes(db, manifest, most),
        aside=await _asides(db, manifest, most),
        past=tuple(await past_of(db, manifest) if past is None else past),
        references=await references_of_cell(db, manifest),
        comparison=await find_comparison(db, manifest.run, manifest.cmc_id, manifest.dataset),
    )


async def references_of_cell(db: Database, manifest: Manifest) -> tuple[ReferenceCount, ...]:
    """What the fields of a dataset name, as it was counted in that run; empty where nothing was."""
    found = await find_references(db, manifest.run, manifest.cmc_id)
    return found.of(manifest.dataset) if found else ()


def page_entry(entry: Mapping[str, Any]) -> PageEntry:
    """A page of the ledger as the report has it."""
    return PageEntry(
        walk_pass=entry["pass"],
        ordinal=entry["ordinal"],
        page_num=entry["pageNum"],
        page_size=entry["pageSize"],
        rows=entry["rows"],
        declared=entry["declared"],
        milliseconds=entry["milliseconds"],
        bytes=entry["bytes"],
        tries=entry["tries"],
        at=entry["at"],
    )


async def whole_night(
    db: Database, number: int, *, nights_back: int = NIGHTS, most: int = _MOST_IN_NIGHT
) -> Night:
    """A run with every walk in full, in few queries; `most` caps listed keys of each change and rows aside.

    The detail of a walk has the requests that failed or were sent again.
    """
    run = await nights.get_run(db, number)
    previous = await nights.earlier_manifests(db, number, nights_back)
    report = build(
        run,
        await nights.manifests_of(db, number),
        previous=previous,
        references=await references_of_run(db, number),
        comparisons=await comparisons_of_run(db, number),
    )
    past: dict[tuple[str, str], list[Manifest]] = defaultdict(list)
    for manifest in sorted(previous, key=lambda each: each.run, reverse=True):
        past[manifest.cmc_id, manifest.dataset].append(manifest)
    walks = await ledger_of_run(db, number)
    details = {}
    for cell in report.cells:
        manifest = cell.manifest
        at = (manifest.cmc_id, manifest.dataset)
        details[cell.name] = Detail(
            manifest=manifest,
            pages=tuple(map(page_entry, walks[at].pages)),
            attempts=tuple(walks[at].attempts),
            changes=await _changes(db, manifest, most),
            aside=await _asides(db, manifest, most),
            past=tuple(past[at]),
            references=cell.references,
            comparison=cell.comparison,
        )
    return Night(report=report, details=details)


def contacts(registry: Registry) -> dict[str, Contact]:
    """Whom each province registered to be asked, masked, by cmcId (2.1.1)."""
    return {
        province.cmc_id: Contact(
            name=mask("name", province.registration.contact or ""),
            phone=mask("phone", province.registration.phone or ""),
            mobile=mask("phone", province.registration.mobile or ""),
        )
        for province in registry.provinces
    }


async def _changes(db: Database, manifest: Manifest, most: int) -> tuple[KeyChange, ...]:
    """The keys that differ from the base, at most so many of each change.

    None where nothing is stored, where nothing differs, where the base was pruned, and for a first snapshot, in which
    all is new.
    """
    counts = manifest.counts
    if manifest.state not in _STORED or manifest.base is None:
        return ()
    if not counts.added + counts.changed + counts.removed:
        return ()
    if await nights.find_manifest(db, manifest.base, manifest.cmc_id, manifest.dataset) is None:
        return ()
    found = await stored.differences(db, manifest.dataset, manifest.cmc_id, manifest.base, manifest.run)
    kept: list[KeyChange] = []
    seen: Counter[str] = Counter()
    for each in found:
        seen[each.change] += 1
        if seen[each.change] <= most:
            kept.append(KeyChange(change=each.change, key=mask_key(manifest.dataset, each.key)))
    return tuple(kept)


async def _asides(db: Database, manifest: Manifest, most: int) -> tuple[AsideRow, ...]:
    if not manifest.counts.quarantined + manifest.counts.conflicting:
        return ()
    found = await stored.aside_entries(db, manifest, most)
    return tuple(_aside(manifest.dataset, entry) for entry in found)


def _aside(dataset: str, entry: Mapping[str, Any]) -> AsideRow:
    key = entry.get("key")
    return AsideRow(
        walk_pass=entry["pass"],
        ordinal=entry["ordinal"],
        position=entry["position"],
        reason=entry["reason"],
        key=None if key is None else mask_key(dataset, key),
    )
