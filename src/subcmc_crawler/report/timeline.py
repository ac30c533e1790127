"""The pages of a walk as a list that a person reads: of a long one, those that are worth a line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from subcmc_crawler.model import Attempt
from subcmc_crawler.report.detail import PageEntry
from subcmc_crawler.report.labels import Labels

PAGE_COLUMNS: Final = (
    "pass", "page", "page_size", "status", "milliseconds", "rows", "declared", "bytes", "tries",
)  # fmt: skip
"""The columns of `page_row`; a label is `head.` and the column."""

_EDGE, _NOTABLE = 5, 20


def in_order(pages: Iterable[PageEntry]) -> list[PageEntry]:
    """The pages as they were walked."""
    return sorted(pages, key=lambda page: (page.walk_pass, page.ordinal))


def statuses(attempts: Iterable[Attempt]) -> Mapping[tuple[int, int, int], str]:
    """The HTTP status of good pages by pass, number and size; one that is not there was 200."""
    return {
        (attempt.walk_pass, attempt.page_num, attempt.page_size): str(attempt.status)
        for attempt in attempts
        if attempt.fault is None
    }


def page_row(page: PageEntry, status: Mapping[tuple[int, int, int], str], words: Labels) -> tuple[str, ...]:
    """One page in the columns of `PAGE_COLUMNS`."""
    return (
        str(page.walk_pass),
        str(page.page_num),
        str(page.page_size),
        status.get((page.walk_pass, page.page_num, page.page_size), "200"),
        f"{page.milliseconds:,.0f}",
        f"{page.rows:,}",
        words["text.unknown"] if page.declared is None else f"{page.declared:,}",
        f"{page.bytes:,}",
        str(page.tries),
    )


def notable(pages: Sequence[PageEntry], *, edge: int = _EDGE, most: int = _NOTABLE) -> list[int]:
    """Places of the pages worth a line: both edges, those tried more than once, those unlike the page before."""
    edges = {at for at in range(len(pages)) if at < edge or at >= len(pages) - edge}
    found = [
        at
        for at, page in enumerate(pages)
        if page.tries > 1 or (at and _shape(page) != _shape(pages[at - 1]) and at not in edges)
    ]
    return sorted(edges | set(found[:most]))


def _shape(page: PageEntry) -> tuple[object, ...]:
    return page.walk_pass, page.page_size, page.rows, page.declared
