"""`subcmc plan`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from subcmc_crawler.capacity import Wanted, forecast, measure
from subcmc_crawler.cli.common import registry_time, say, settings, store
from subcmc_crawler.config import Settings, read_registry
from subcmc_crawler.model import Manifest
from subcmc_crawler.province.registry import Registry
from subcmc_crawler.report.text_capacity import capacity_document, to_capacity_text
from subcmc_crawler.report.text_plan import to_plan_text
from subcmc_crawler.run import plan_night
from subcmc_crawler.schedule import PlannedPull, busiest
from subcmc_crawler.store.runs import measured_runs, past_durations


async def plan(*, registry: Path | None, lang: str | None, json: bool, history: bool) -> int:
    """Prints the night that is open, or else the next one; asks no province."""
    chosen = settings(registry=registry, lang=lang)
    centres = read_registry(chosen.registry)
    durations = await _durations(chosen) if history else {}
    now = registry_time(centres.timezone)
    pulls = plan_night(centres, centres.provinces, durations, now)
    names = {each.cmc_id: each.name for each in centres.provinces}
    if json:
        document = _document(pulls, names, centres)
        say(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    else:
        slots, zone = centres.run.max_provinces, centres.run.timezone
        say(to_plan_text(pulls, names=names, zone=zone, max_provinces=slots, lang=chosen.lang))
    return 0


@dataclass(frozen=True, slots=True)
class Size:
    """How large a night is asked about; None: rows as they were, workers as many as are needed."""

    centres: int
    rows: int | None
    workers: int | None


async def capacity(size: Size, *, registry: Path | None, lang: str | None, json: bool, history: bool) -> int:
    """Prints what a night of that size needs; 1 when no number of workers ends it within its window."""
    chosen = settings(registry=registry, lang=lang)
    registered = read_registry(chosen.registry)
    measured = measure(await _costs(chosen) if history else [])
    now = registry_time(registered.timezone)
    windows = [each.pull.window for each in registered.provinces]
    lengths = [(window.closes_at(window.opens_at(now)) - window.opens_at(now)) for window in windows]
    run = registered.run
    wanted = Wanted(
        centres=size.centres,
        rows=size.rows or round(measured.rows_per_centre),
        workers=size.workers,
        window_seconds=min(lengths).total_seconds(),
        max_provinces=run.max_provinces,
        page_size=run.page_size,
        max_in_flight=run.max_in_flight,
        requests_per_second=run.requests_per_second,
        line=run.max_run_bytes_per_second,
    )
    found = forecast(measured, wanted)
    if json:
        say(orjson.dumps(capacity_document(measured, wanted, found), option=orjson.OPT_INDENT_2).decode())
    else:
        say(to_capacity_text(measured, wanted, found, lang=chosen.lang))
    return 0 if found.enough else 1


async def _costs(chosen: Settings) -> list[tuple[int, float, list[Manifest]]]:
    """What the last runs have cost; nothing where no local mongod has ever run."""
    if chosen.uri is None and not (chosen.data / "mongod").exists():
        return []
    async with store(chosen) as db:
        return [(run.number, run.cpu_seconds, cells) for run, cells in await measured_runs(db)]


async def _durations(chosen: Settings) -> Mapping[str, float]:
    """What the provinces took when they were pulled last; nothing where no local mongod has ever run."""
    if chosen.uri is None and not (chosen.data / "mongod").exists():
        return {}
    async with store(chosen) as db:
        return await past_durations(db)


def _document(pulls: Sequence[PlannedPull], names: Mapping[str, str], centres: Registry) -> dict[str, Any]:
    return {
        "schema": "subcmc.plan/1",
        "timezone": centres.run.timezone,
        "maxProvinces": centres.run.max_provinces,
        "provinces": [
            {
                "cmcId": each.cmc_id,
                "name": names[each.cmc_id],
                "window": str(each.window),
                "opening": _time(each.opening),
                "closing": _time(each.closing),
                "start": _time(each.start),
                "begin": _time(each.begin),
                "forecastSeconds": each.forecast_seconds,
                "estimated": each.estimated,
                "forecastEnd": _time(each.forecast_end) if each.forecast_end else None,
                "fits": each.fits,
            }
            for each in pulls
        ],
        "load": [{"at": _time(at), "running": most} for at, most in busiest(pulls)],
    }


def _time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
