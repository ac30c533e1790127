"""`subcmc compare`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import orjson

from subcmc_crawler.cli.common import dataset_of, run_number, say, settings, start_logging, store
from subcmc_crawler.cli.signals import Signals
from subcmc_crawler.config import read_registry
from subcmc_crawler.errors import BadConfig
from subcmc_crawler.model import Comparison, Manifest
from subcmc_crawler.province.credentials import load_ministry
from subcmc_crawler.pushed import Comparisons, compare_cells
from subcmc_crawler.report.jsonreport import comparison_json
from subcmc_crawler.report.lines import escaped
from subcmc_crawler.report.text_comparison import to_compare_text
from subcmc_crawler.store import Database
from subcmc_crawler.store.comparisons import comparisons_of_run
from subcmc_crawler.store.runs import manifests_of, resolve_province


async def compare(
    run: str | None,
    *,
    provinces: Sequence[str],
    datasets: Sequence[str],
    json: bool,
    registry: Path | None,
    lang: str | None,
) -> int:
    """Asks the ministry's platform and prints what differs: 0 when nothing does, 1 when something does or fails."""
    chosen = settings(registry=registry, lang=lang)
    centres = read_registry(chosen.registry)
    ministry = centres.ministry
    if ministry is None:
        raise BadConfig(
            f'{chosen.registry}: there is nobody to ask; add [ministry] with query_url = "https://host:port"'
        )
    credentials = load_ministry(ministry, chosen.registry.resolve().parent)
    start_logging()
    signals = Signals()

    async with store(chosen, create=True) as db:
        number = await run_number(db, run)
        cells = await _cells(db, number, provinces, datasets)

        def make(fence: int) -> Comparisons:
            comparisons = Comparisons(
                ministry, credentials, db, fence=fence, now=lambda: datetime.now(centres.timezone)
            )
            signals.calls(comparisons.stop)
            return comparisons

        await compare_cells(db, cells, lease_seconds=chosen.lease_seconds, make=make)
        known = await comparisons_of_run(db, number)
    asked = [(cell.cmc_id, cell.dataset) for cell in cells]
    found = [known[name] for name in asked if name in known]
    say(_json(number, found) if json else to_compare_text(found, run=number, lang=chosen.lang))
    return signals.exit_code or (0 if all(each.same for each in found) and len(found) == len(cells) else 1)


async def _cells(db: Database, run: int, provinces: Sequence[str], datasets: Sequence[str]) -> list[Manifest]:
    cmc_ids = {await resolve_province(db, name) for name in provinces}
    codes = {dataset_of(code) for code in datasets}
    return [
        manifest
        for manifest in await manifests_of(db, run)
        if (not cmc_ids or manifest.cmc_id in cmc_ids) and (not codes or manifest.dataset in codes)
    ]


def _json(run: int, found: Sequence[Comparison]) -> str:
    cells = [
        {
            "cmcId": escaped(each.cmc_id),
            "province": escaped(each.province),
            "dataset": escaped(each.dataset),
            **comparison_json(each),
        }
        for each in found
    ]
    document = {"schema": "subcmc.comparison/1", "run": run, "cells": cells}
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
