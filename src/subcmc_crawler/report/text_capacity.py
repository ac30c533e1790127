"""What a larger night needs, as plain text and as JSON."""

from __future__ import annotations

from typing import Any, Final

from subcmc_crawler.capacity import Forecast, Measured, Resource, Use, Wanted
from subcmc_crawler.report.labels import DEFAULT_LANG, Labels, labels
from subcmc_crawler.report.lines import table, wrap
from subcmc_crawler.report.sentences import duration, size

SCHEMA: Final = "subcmc.capacity/1"


def to_capacity_text(
    measured: Measured, wanted: Wanted, found: Forecast, *, lang: str = DEFAULT_LANG, width: int = 100
) -> str:
    """The forecast: the sum, a line a resource with the longest first, what gives out, what it rests on."""
    words = labels(lang)
    title = words.say(
        "capacity.title",
        centres=wanted.centres,
        rows=wanted.rows,
        window=duration(wanted.window_seconds, words),
    )
    total = words.say(
        "capacity.total",
        rows=found.rows,
        requests=found.requests,
        size=size(found.bytes),
        writes=found.writes,
        cpu=duration(found.cpu_seconds, words),
    )
    verdict = words.say(
        _verdict(found, wanted),
        workers=found.workers,
        seconds=duration(found.seconds, words),
        resource=words[f"capacity.{found.first.resource}"],
        memory=round(found.worker_megabytes),
    )
    heads = [words[f"capacity.{name}"] for name in ("resource", "need", "time", "share")]
    rows = [_row(use, wanted, words) for use in found.uses]
    lines = [*wrap(title, width), *wrap(total, width), ""]
    lines += [*table(heads, rows, aligns="llrr", width=width), "", *wrap(verdict, width)]
    if found.enough:
        lines += wrap(words[f"capacity.advice_{found.first.resource}"], width)
    return "\n".join([*lines, "", *wrap(_basis(measured, words), width)]) + "\n"


def _verdict(found: Forecast, wanted: Wanted) -> str:
    if found.enough:
        return "capacity.enough"
    return "capacity.too_few" if found.first.resource in (Resource.CPU, Resource.SLOTS) else "capacity.never"


def _row(use: Use, wanted: Wanted, words: Labels) -> tuple[str, ...]:
    name = use.resource.value
    amounts = {
        Resource.CPU: duration(use.amount, words),
        Resource.SLOTS: duration(use.amount, words),
        Resource.LINE: size(round(use.amount)),
    }
    return (
        words[f"capacity.{name}"],
        words.say(f"capacity.need_{name}", amount=amounts.get(use.resource, f"{round(use.amount):,}")),
        duration(use.seconds, words) if use.seconds else words["text.unknown"],
        f"{use.seconds / wanted.window_seconds:.0%}",
    )


def _basis(measured: Measured, words: Labels) -> str:
    if not measured.runs:
        return words["capacity.reference"]
    runs = ", ".join(map(str, measured.runs))
    key = "capacity.measured" if measured.cpu_runs else "capacity.measured_without_cpu"
    return words.say(key, runs=runs)


def capacity_document(measured: Measured, wanted: Wanted, found: Forecast) -> dict[str, Any]:
    """The same for programs: names of fields are a contract."""
    return {
        "schema": SCHEMA,
        "wanted": {
            "centres": wanted.centres,
            "rowsPerCentre": wanted.rows,
            "windowSeconds": wanted.window_seconds,
        },
        "workers": found.workers,
        "enough": found.enough,
        "seconds": round(found.seconds, 3),
        "firstToGiveOut": found.first.resource.value,
        "rows": found.rows,
        "requests": found.requests,
        "bytes": found.bytes,
        "mongodbWrites": found.writes,
        "cpuSeconds": round(found.cpu_seconds, 3),
        "workerMegabytes": round(found.worker_megabytes, 1),
        "uses": [
            {"resource": use.resource.value, "amount": round(use.amount, 3), "seconds": round(use.seconds, 3)}
            for use in found.uses
        ],
        "measured": {
            "runs": list(measured.runs),
            "cpuRuns": list(measured.cpu_runs),
            "cpuSecondsPerRow": measured.cpu_row,
            "cpuSecondsPerCell": measured.cpu_cell,
            "secondsPerRequest": measured.request_seconds,
            "bytesPerRow": measured.row_bytes,
            "writesPerRow": measured.writes_per_row,
        },
    }
