"""A night of many provinces: those that need a look cell by cell, the others by their sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Final

from subcmc_crawler.cellgroups import CellGroup, Gap
from subcmc_crawler.model import State, Verdict
from subcmc_crawler.report.night import Headline, Report

_NO_SUMS: Final = frozenset({"provinces", "seconds"})


def grown(report: Report, rest: Sequence[CellGroup]) -> Report:
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
    provinces = head.provinces + len({group.cmc_id for group in rest})
    summary = dict(report.summary)
    for group in rest:
        if group.verdict is not None:
            summary[group.verdict] += group.cells
    return replace(report, headline=replace(head, provinces=provinces, **sums), summary=summary)


def _numbers(rest: Sequence[CellGroup]) -> Mapping[str, float]:
    published = [group for group in rest if group.state is State.PUBLISHED]
    of_all = {name: sum(getattr(group.counts, name) for group in rest) for name in _OF_ALL}
    of_published = {
        name: sum(getattr(group.counts, name) or 0 for group in published) for name in _OF_PUBLISHED
    }
    work = {
        name: sum(getattr(group, name) for group in rest) for name in ("attempts", "bytes", "rest_seconds")
    }
    return {
        "cells": sum(group.cells for group in rest),
        "published": sum(group.cells for group in published),
        "unregistered": sum(group.cells for group in rest if group.verdict is Verdict.UNREGISTERED),
        "tolerated": sum(group.cells for group in rest if group.gap is Gap.MISSING),
        "undeclared": sum(group.cells for group in rest if group.gap is Gap.UNDECLARED),
        **of_all,
        **of_published,
        **work,
    }


_OF_ALL: Final = ("declared", "received", "quarantined")
_OF_PUBLISHED: Final = ("stored", "added", "changed", "removed", "flagged")
