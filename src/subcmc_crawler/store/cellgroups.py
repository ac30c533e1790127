"""Manifests counted in MongoDB: a night of thousands of cells costs a page some lines a province."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

from subcmc_crawler.cellgroups import CellGroup, Gap
from subcmc_crawler.model import ARRIVED, CLEAN, Counts, Manifest, State, Verdict
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store.codec import manifest_of
from subcmc_crawler.store.driver import Database, Document, aggregated
from subcmc_crawler.store.ids import manifest_id
from subcmc_crawler.store.outlines import OUTLINE

_FAULTY: Final = {
    "$or": [
        {"verdict": {"$nin": sorted(CLEAN)}},
        {"state": {"$nin": sorted(ARRIVED)}},
    ]
}
_SUMS: Final = {
    **{
        name: {"$sum": f"$counts.{name}"}
        for name in (
            *("declared", "received", "stored", "added", "changed", "removed"),
            *("flagged", "quarantined"),
        )
    },
    **{name: {"$sum": f"${name}"} for name in ("attempts", "bytes", "restSeconds")},
}
_DECLARED, _RECEIVED = "$counts.declared", "$counts.received"
_GAP: Final = {
    "$switch": {
        "branches": [
            {"case": {"$eq": [_DECLARED, _RECEIVED]}, "then": Gap.NONE.value},
            {"case": {"$gt": [_DECLARED, None]}, "then": Gap.MISSING.value},
            {"case": {"$gt": [_RECEIVED, 0]}, "then": Gap.UNDECLARED.value},
        ],
        "default": Gap.NONE.value,
    }
}
_LEFT_OUT: Final = dict.fromkeys(("rules", "drift", "deviations", "endings", "deadAddresses"), 0)
_MOST_GROUPS: Final = 1_000_000


async def cell_groups(
    db: Database, first: int, last: int, cmc_ids: Collection[str] | None = None, *, sums: bool = False
) -> list[CellGroup]:
    """The cells of the runs from `first` to `last`, of all provinces or of some; with `sums` their numbers, too."""
    wanted, hint = _asked(first, last, cmc_ids)
    group = {
        "_id": {"run": "$run", "cmcId": "$cmcId", "verdict": "$verdict", "state": "$state", "gap": _GAP},
        "province": {"$first": "$province"},
        "cells": {"$sum": 1},
        "began": {"$min": "$startedAt"},
        "ended": {"$max": "$finishedAt"},
    }
    found = await grouped(db, wanted, group | (_SUMS if sums else {}), hint)
    return [_cell_group(each) for each in found]


async def grouped(db: Database, wanted: Document, group: Document, hint: str) -> list[Document]:
    """The groups of the manifests that a filter finds by an index, as `$group` makes them."""
    pipeline = [{"$match": wanted}, {"$group": group}]
    found = await aggregated(db["snapshots"], pipeline, hint=hint, batchSize=_MOST_GROUPS)
    groups: list[Document] = await found.to_list(None)
    return groups


def _asked(first: int, last: int, cmc_ids: Collection[str] | None) -> tuple[dict[str, Any], str]:
    """A filter, and the index that answers it."""
    wanted: dict[str, Any] = {"run": {"$gte": first, "$lte": last}}
    if cmc_ids is None:
        return wanted, "run"
    return {**wanted, "cmcId": {"$in": list(cmc_ids)}, "dataset": {"$in": list(DATASETS)}}, "cell"


def _cell_group(group: Document) -> CellGroup:
    key = group["_id"]
    return CellGroup(
        run=key["run"],
        cmc_id=key["cmcId"],
        province=group["province"],
        verdict=Verdict(key["verdict"]) if key["verdict"] else None,
        state=State(key["state"]),
        gap=Gap(key["gap"]),
        cells=group["cells"],
        counts=Counts(**{name: group[name] for name in _SUMS if name in group and name in _COUNTED}),
        attempts=group.get("attempts", 0),
        bytes=group.get("bytes", 0),
        rest_seconds=group.get("restSeconds", 0.0),
        began=group["began"],
        ended=group["ended"],
    )


_COUNTED: Final = frozenset(name for name in _SUMS if name not in ("attempts", "bytes", "restSeconds"))


async def faulty_between(
    db: Database, first: int, last: int, cmc_ids: Collection[str] | None = None
) -> list[Manifest]:
    """The manifests that are not clean, or have no verdict yet, in outline; of all provinces or of some."""
    wanted, hint = _asked(first, last, cmc_ids)
    found = db["snapshots"].find({**wanted, **_FAULTY}, OUTLINE, hint=hint)
    return [manifest_of(document) async for document in found]


async def manifests_of_provinces(db: Database, run: int, cmc_ids: Iterable[str]) -> list[Manifest]:
    """The manifests of some provinces in a run, without what they say of rows, by province and dataset."""
    wanted = [manifest_id(run, cmc_id, dataset) for cmc_id in cmc_ids for dataset in DATASETS]
    found = db["snapshots"].find({"_id": {"$in": wanted}}, _LEFT_OUT)
    manifests = [manifest_of(document) async for document in found]
    return sorted(manifests, key=lambda each: (each.cmc_id, each.dataset))
