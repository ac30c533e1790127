"""Gathers from the store what a rendering needs, masked where a person will see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from subcmc_crawler.model import Manifest
from subcmc_crawler.report.detail import AsideRow, Detail, KeyChange, PageEntry
from subcmc_crawler.report.night import Report, build
from subcmc_crawler.spec.personal import mask_key
from subcmc_crawler.store import Database
from subcmc_crawler.store import reading as stored
from subcmc_crawler.store import runs as nights

NIGHTS: Final = 30
"""How far back the past of a cell is shown."""

_MOST: Final = 100
"""Changed keys and rows aside of one cell that are listed, each."""


async def night(db: Database, number: int, *, nights_back: int = 7) -> Report:
    """The report of a run beside the runs before it; NotFound when there is no such run."""
    run = await nights.get_run(db, number)
    previous = await nights.earlier_manifests(db, number, nights_back)
    return build(run, await nights.manifests_of(db, number), previous=previous)


async def past_of(db: Database, manifest: Manifest, *, nights_back: int = NIGHTS) -> list[Manifest]:
    """Earlier manifests of the same cell, the latest first."""
    return await nights.past_of_cell(db, manifest, nights_back)


async def detail(
    db: Database, manifest: Manifest, *, past: Sequence[Manifest] | None = None, most: int = _MOST
) -> Detail:
    """Everything about one walk; `most` caps the listed keys and the rows aside, each."""
    return Detail(
        manifest=manifest,
        pages=tuple(map(page_entry, await nights.page_entries(db, manifest))),
        attempts=tuple(await nights.attempts_of(db, manifest)),
        changes=await _changes(db, manifest, most),
        aside=tuple(
            _aside(manifest.dataset, entry) for entry in await stored.aside_entries(db, manifest, most)
        ),
        past=tuple(await past_of(db, manifest) if past is None else past),
    )


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


async def _changes(db: Database, manifest: Manifest, most: int) -> tuple[KeyChange, ...]:
    """The keys that differ from the base; none where nothing is stored, or for the first snapshot."""
    if manifest.counts.stored is None or manifest.base is None:
        return ()
    found = await stored.differences(db, manifest.dataset, manifest.cmc_id, manifest.base, manifest.run)
    return tuple(
        KeyChange(change=each.change, key=mask_key(manifest.dataset, each.key)) for each in found[:most]
    )


def _aside(dataset: str, entry: Mapping[str, Any]) -> AsideRow:
    key = entry.get("key")
    return AsideRow(
        walk_pass=entry["pass"],
        ordinal=entry["ordinal"],
        position=entry["position"],
        reason=entry["reason"],
        key=None if key is None else mask_key(dataset, key),
    )
