"""The facts of one walk, each with its label: the same in every rendering of a cell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from subcmc_crawler.model import Manifest, Verdict
from subcmc_crawler.report.labels import Labels
from subcmc_crawler.report.lines import escaped, fit, shown
from subcmc_crawler.report.night import Cell
from subcmc_crawler.report.reasons import reason_beside_balance
from subcmc_crawler.report.sentences import (
    advice_line,
    balance_sentence,
    clock,
    duration,
    epoch_time,
    size,
    state_sentence,
    verdict_name,
)

_LONGEST_REASON: Final = 2_000


def facts(cell: Cell, words: Labels) -> Iterable[tuple[str, str]]:
    """What is known of a walk beside its counts, in the order of reading: (key of a label, text)."""
    manifest = cell.manifest
    yield "cell.verdict", verdict_name(manifest, words)
    if manifest.verdict:
        yield "problem.advice", advice_line(cell, words)
    yield "problem.balance", balance_sentence(manifest, words)
    reason = reason_beside_balance(manifest, words)
    if reason:
        yield "problem.reason", fit(shown(reason), _LONGEST_REASON)
    yield "problem.state", state_sentence(cell, words)
    base = words["cell.base_none"] if manifest.base is None else words.say("cell.base_run", run=manifest.base)
    yield "cell.base", base
    yield "cell.times", f"{clock(manifest.started_at, words)} - {clock(manifest.finished_at, words)}"
    if manifest.address:
        yield "cell.address", escaped(manifest.address)
    for line in manifest.dead_addresses:
        yield "cell.dead_address", fit(shown(line), _LONGEST_REASON)
    if manifest.clamped and manifest.page_size is not None:
        yield "cell.page_size", words.say("cell.clamped", size=manifest.page_size)
    if manifest.collect_time_min is not None and manifest.collect_time_max is not None:
        ends = (_collected(manifest.collect_time_min, words), _collected(manifest.collect_time_max, words))
        yield "cell.collected", " - ".join(ends)
    if manifest.digest:
        yield "cell.digest", escaped(manifest.digest)
    if manifest.attempts:
        yield "cell.work", _work(manifest, words)
        if manifest.slowest_rate is not None:
            yield "cell.slowed", words.say("cell.slowed_text", rate=manifest.slowest_rate)
    elif manifest.verdict is Verdict.UNREACHABLE:
        yield "cell.work", words["cell.work_none"]


def _collected(milliseconds: int, words: Labels) -> str:
    at = epoch_time(milliseconds)
    return clock(at, words) if at else str(milliseconds)


def _work(manifest: Manifest, words: Labels) -> str:
    return words.say(
        "cell.work_text",
        passes=manifest.passes,
        attempts=manifest.attempts,
        size=size(manifest.bytes),
        seconds=duration(manifest.seconds, words),
        rest=duration(manifest.rest_seconds, words),
    )
