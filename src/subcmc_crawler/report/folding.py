"""A night of many provinces: those that need a look cell by cell, the others by their sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Final

from subcmc_crawler.model import State, Verdict
from subcmc_crawler.report.night import Headline, Report
from subcmc_crawler.tallies import Gap, Tally

_NO_SUMS: Final = frozenset({"provinces", "seconds"})


def grown(report: Report, rest: Sequence[Tally]) -> Report:
    """The report with the numbers of further provinces, all of whose cells are clean and were so the night before.

    `rest` has the sums of every cell of them, and of no cell of the report.
    """
    more = _numbers(rest)
    head = report.headline
    sums = {
        each.name: getattr(head, each.name) + more.get(each.name, 0)
        for each in fields(Headline)
        if each.name not in _NO_SUMS
    }
    provinces = head.provinces + len({tally.cmc_id for tally in rest})
    summary = dict(report.summary)
    for tally in rest:
        if tally.verdict is not None:
            summary[tally.verdict] += tally.cells
    return replace(report, headline=replace(head, provinces=provinces, **sums), summary=summary)


def _numbers(rest: Sequence[Tally]) -> Mapping[str, float]:
    published = [tally for tally in rest if tally.state is State.PUBLISHED]
    of_all = {name: sum(getattr(tally.counts, name) for tally in rest) for name in _OF_ALL}
    of_published = {
        name: sum(getattr(tally.counts, name) or 0 for tally in published) for name in _OF_PUBLISHED
    }
    work = {
        name: sum(getattr(tally, name) for tally in rest) for name in ("attempts", "bytes", "rest_seconds")
    }
    return {
        "cells": sum(tally.cells for tally in rest),
        "published": sum(tally.cells for tally in published),
        "unregistered": sum(tally.cells for tally in rest if tally.verdict is Verdict.UNREGISTERED),
        "tolerated": sum(tally.cells for tally in rest if tally.gap is Gap.MISSING),
        "undeclared": sum(tally.cells for tally in rest if tally.gap is Gap.UNDECLARED),
        **of_all,
        **of_published,
        **work,
    }


_OF_ALL: Final = ("declared", "received", "quarantined")
_OF_PUBLISHED: Final = ("stored", "added", "changed", "removed", "flagged")
