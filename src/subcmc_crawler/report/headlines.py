"""A night in sentences, the same at the head of every rendering."""

from __future__ import annotations

from collections.abc import Iterable

from subcmc_crawler.model import RunStatus
from subcmc_crawler.report.labels import Labels
from subcmc_crawler.report.lines import escaped
from subcmc_crawler.report.night import Cell, Report, Since
from subcmc_crawler.report.sentences import again_command, clock, duration, listed, province_name, size


def times_and_cells(report: Report, words: Labels) -> Iterable[str]:
    """When it was, what it took of the registry, and how many snapshots stand where."""
    run, head = report.run, report.headline
    start = clock(run.started_at, words)
    if run.finished_at is None:
        yield words.say("night.running", start=start)
    else:
        finish = clock(run.finished_at, words)
        yield words.say("night.times", start=start, finish=finish, duration=duration(head.seconds, words))
    if run.selection:
        yield words.say("night.selection", names=listed(map(escaped, run.selection), words))
    numbers = ("provinces", "cells", "published", "held", "rolled_back", "unregistered")
    yield words.say("night.cells", **{name: f"{getattr(head, name):,}" for name in numbers})


def outcome(report: Report, words: Labels) -> Iterable[str]:
    """What the night comes to: all clean, or how much is not, and what waits for a decision."""
    head = report.headline
    if not head.cells:
        yield words["night.empty"]
    elif head.clean:
        yield words["night.all_clean"]
    if head.not_clean:
        first = all(cell.clean or cell.since is Since.FIRST for cell in report.cells)
        key = "night.not_clean_first" if first else "night.not_clean"
        yield words.say(key, not_clean=head.not_clean, new_faults=head.new_faults)
    if head.held:
        yield words.say("night.decide", held=head.held)


def recovered(report: Report, words: Labels) -> Iterable[str]:
    """What is well again."""
    head = report.headline
    if head.recovered:
        names = listed((_spoken(cell) for cell in report.cells if cell.since is Since.RECOVERED), words)
        yield words.say("night.recovered", recovered=head.recovered, names=names)


def left_to_do(report: Report, words: Labels) -> Iterable[str]:
    """What is still to come, and how to get what can still be had."""
    head = report.headline
    if head.pending:
        names = listed((_spoken(cell) for cell in report.cells if cell.pending), words)
        yield words.say("night.pending", pending=head.pending, names=names)
    if report.resumable and report.run.status is not RunStatus.RUNNING:
        command = " ".join(again_command(report.resumable))
        yield words.say("night.again", cells=len(report.resumable), command=command)


def totals(report: Report, words: Labels) -> Iterable[str]:
    """All rows and all work of the night."""
    head = report.headline
    numbers = ("received", "declared", "stored", "added", "changed", "removed")
    yield words.say("totals.rows", **{name: getattr(head, name) for name in numbers})
    if head.undeclared:
        yield words.say("totals.undeclared", cells=head.undeclared)
    if head.flagged or head.quarantined:
        yield words.say("totals.flagged", flagged=head.flagged, quarantined=head.quarantined)
    took, rest = duration(head.seconds, words), duration(head.rest_seconds, words)
    work = {"attempts": head.attempts, "size": size(head.bytes), "duration": took, "rest": rest}
    yield words.say("totals.work", **work)


def _spoken(cell: Cell) -> str:
    return f"{province_name(cell)} {escaped(cell.manifest.dataset)}"
