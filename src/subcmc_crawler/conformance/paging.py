"""Checks of paging (sections named .4 of chapter 2): pages, sizes, seams, order, ends, sums. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from subcmc_crawler.conformance.findings import Findings
from subcmc_crawler.conformance.planning import LARGE_SIZE, SMALL_SIZES
from subcmc_crawler.conformance.questions import Aim
from subcmc_crawler.conformance.results import (
    Found,
    Outcome,
    Result,
    fail,
    judged,
    noted,
    passed,
    unchecked,
    warn,
)
from subcmc_crawler.conformance.seeing import PageSeen, Seen
from subcmc_crawler.conformance.transport import fault_found

_Judge = Callable[[Findings, str], "Found | bool | None"]
"""Of a dataset: what was found, True when it is well, None when it cannot be said."""

_NO_PAGE_1: Final = "check.open.no_page"


def _each(findings: Findings, judge: _Judge, *, why: str, aim: Aim) -> Result:
    """The datasets one by one; `why` is told where none of them tells, `aim` picks the examples.

    Nothing is said where pages count from 0: none of them is then what it should be.
    """
    if findings.zero_based:
        return unchecked("check.open.zero_based")
    said = {code: judge(findings, code) for code in findings.codes}
    found = [each for each in said.values() if isinstance(each, Found)]
    well = [code for code, each in said.items() if each is True]
    if not found and not well:
        return unchecked(why if any(findings.of(Aim.FIRST)) else _NO_PAGE_1)
    shown = (findings.one(aim, code) for code in well)
    return judged(found, passed("check.good.datasets", shown, count=len(well)))


def page_base(findings: Findings) -> Result:
    """The first page is number 1.

    ==  ===================================================  ====
    1   page 0 is refused, or holds nothing                  pass
    2   page 0 is page 1 again                               warn
    3   page 0 holds other rows: they would never be asked   fail
    ==  ===================================================  ====
    """
    seen, code = next(findings.of(Aim.ZERO), None), findings.specimen
    if seen is None or code is None or seen.silent:
        return unchecked("check.open.unasked")
    first, zero = findings.page(Aim.FIRST, code), seen.page
    if findings.zero_based:  # 3
        return judged([fail(code, "check.found.zero_first", seen)], _OK)
    if first is None or not first.rows or not findings.moves(code):
        return unchecked("check.open.moves")
    if zero is None or not zero.rows:  # 1
        return passed("check.good.no_zero", [seen])
    return judged([warn(code, "check.found.zero_again", seen)], _OK)  # 2


_OK: Final = passed("check.good.datasets", count=1)


def page_moves(findings: Findings) -> Result:
    """Another page number gives another page."""

    def judge(findings: Findings, code: str) -> Found | bool | None:
        second = findings.page(Aim.SECOND, code)
        if second is None or not second.rows:
            return None
        if findings.moves(code):
            return True
        seen = findings.one(Aim.SECOND, code)
        return fail(code, "check.found.same_page", seen)

    return _each(findings, judge, why="check.open.small_datasets", aim=Aim.SECOND)


def page_size_small(findings: Findings) -> Result:
    """A page has as many rows as were asked for, at the sizes of the specification's samples and below."""
    if findings.zero_based:
        return unchecked("check.open.zero_based")
    code = findings.specimen
    asked = [each for each in findings.of(Aim.SIZE) if each.question.page_size in SMALL_SIZES]
    if code is None or not asked:
        return unchecked("check.open.unasked")
    found = []
    for seen in asked:
        size, page = seen.question.page_size or 0, seen.page
        if seen.question.page_num != 1 or seen.silent:
            continue
        if page is None:
            found.append(fault_found(code, seen))
        elif page.rows != min(size, findings.held(code)):
            found.append(fail(code, "check.found.size", seen, size=size, rows=page.rows))
    return judged(found, passed("check.good.sizes", asked, sizes=", ".join(map(str, SMALL_SIZES))))


def page_size_large(findings: Findings) -> Result:
    """Pages of the configured size, and of 1,000 rows, are as long as asked for; the limit is told.

    ==  ==========================================================  ========
    1   small sizes are not kept already                            not said
    2   as many rows as asked for, or all there are                 pass
    3   fewer, and there are more: the province cuts at this limit  warn
    4   1,000 are refused                                           warn
    5   more than asked for                                         fail
    ==  ==========================================================  ========
    """
    if findings.zero_based:
        return unchecked("check.open.zero_based")
    if page_size_small(findings).outcome is Outcome.FAIL:  # 1
        return unchecked("check.open.small_sizes")
    found, well = [], []
    asked = [
        *findings.of(Aim.FIRST),
        *(e for e in findings.of(Aim.SIZE) if e.question.page_size == LARGE_SIZE),
    ]
    for seen in asked:
        size, page, code = seen.question.page_size or 0, seen.page, seen.question.dataset
        if page is None:
            if seen.question.aim is Aim.SIZE and not seen.silent:  # 4
                found.append(fault_found(code, seen, Outcome.WARN))
            continue
        if page.rows > size:  # 5
            found.append(fail(code, "check.found.size", seen, size=size, rows=page.rows))
        elif page.rows < min(size, findings.held(code)):  # 3
            found.append(warn(code, "check.found.cut", seen, size=size, rows=page.rows))
        else:  # 2
            well.append(seen)
    if not found and not well:
        return unchecked(_NO_PAGE_1)
    return judged(found, passed("check.good.datasets", well, count=len({e.question.dataset for e in well})))


def page_seam(findings: Findings) -> Result:
    """A page begins where the one before it ended, at every size, and when pages are cut."""
    if findings.zero_based:
        return unchecked("check.open.zero_based")
    found, well = [], []
    for code in findings.codes:
        if not findings.stable(code) or not findings.moves(code):
            continue
        second, cut = findings.page(Aim.SECOND, code), findings.page(Aim.CUT, code)
        if second and cut and cut.rows:
            seen = findings.one(Aim.SECOND, code)
            if second.keys[:1] == cut.keys[:1]:
                well.append(seen)
            else:
                found.append(fail(code, "check.found.cut_lost", seen))
    for seen, fits in _begun(findings):
        if fits:
            well.append(seen)
        else:
            found.append(
                fail(
                    seen.question.dataset,
                    "check.found.seam",
                    seen,
                    size=seen.question.page_size or 0,
                    page=seen.question.page_num or 0,
                )
            )
    if not found and not well:
        return unchecked("check.open.seam")
    return judged(found, passed("check.good.seams", well, count=len(well)))


def _begun(findings: Findings) -> Iterator[tuple[Seen, bool]]:
    """Pages of other sizes, and whether they begin with the row that page 1 has at that place."""
    code = findings.specimen
    first = findings.page(Aim.FIRST, code) if code else None
    if code is None or first is None or not findings.stable(code) or not findings.moves(code):
        return
    for seen in findings.of(Aim.SIZE):
        number, size = seen.question.page_num or 0, seen.question.page_size or 0
        at = (number - 1) * size
        if seen.page is not None and seen.page.rows and at < len(first.keys) and size in SMALL_SIZES:
            yield seen, seen.page.keys[0] == first.keys[at]


def page_overlap(findings: Findings) -> Result:
    """No row of page 1 comes again at the seam to page 2."""

    def judge(findings: Findings, code: str) -> Found | bool | None:
        first, second = findings.page(Aim.FIRST, code), findings.page(Aim.SECOND, code)
        if first is None or second is None or not second.rows:
            return None
        if not findings.moves(code) or not findings.stable(code):
            return None
        if not findings.touching(code):
            return True
        rows = len({key for key in first.keys if key is not None} & set(second.keys))
        seen = findings.one(Aim.SECOND, code)
        return fail(code, "check.found.overlap", seen, rows=rows)

    return _each(findings, judge, why="check.open.small_datasets", aim=Aim.SECOND)


def page_stable(findings: Findings) -> Result:
    """The same page twice has the same keys in the same order.

    ==  ====================================  ====
    1   the same keys in the same order       pass
    2   the same keys in another order        fail
    3   other keys, and the total moved, too  warn
    4   other keys                            fail
    ==  ====================================  ====
    """

    def judge(findings: Findings, code: str) -> Found | bool | None:
        first, again = findings.page(Aim.FIRST, code), findings.page(Aim.AGAIN, code)
        if first is None or again is None or not first.rows:
            return None
        if first.keys == again.keys:  # 1
            return True
        seen = findings.one(Aim.AGAIN, code)
        if _sorted(first) == _sorted(again):  # 2
            return fail(code, "check.found.order", seen)
        moved = first.total != again.total
        outcome = Outcome.WARN if moved else Outcome.FAIL  # 3, 4
        what = "check.found.moved" if moved else "check.found.other_keys"
        return noted(outcome, code, what, seen)

    return _each(findings, judge, why="check.open.empty_datasets", aim=Aim.AGAIN)


def _sorted(page: PageSeen) -> list[str]:
    return sorted(key or "" for key in page.keys)


def page_last(findings: Findings) -> Result:
    """The last page can be had."""

    def judge(findings: Findings, code: str) -> Found | bool | None:
        seen = findings.one(Aim.LAST, code)
        if seen is None or (seen.silent and seen.fault == "timeout"):
            return None
        return True if seen.page is not None else fault_found(code, seen)

    return _each(findings, judge, why="check.open.small_datasets", aim=Aim.LAST)


def page_past_end(findings: Findings) -> Result:
    """A page past the end is empty.

    ==  ===========================================================  ========
    1   page numbers, or the total, are wrong already                not said
    2   an empty page                                                pass
    3   an error: the specification does not say, so it is allowed   warn
    4   rows                                                         fail
    ==  ===========================================================  ========
    """

    def judge(findings: Findings, code: str) -> Found | bool | None:
        seen = findings.one(Aim.PAST_END, code)
        if seen is None or seen.silent or findings.stuck(code) or findings.surplus(code):  # 1
            return None
        if seen.page is None:  # 3
            return fault_found(code, seen, Outcome.WARN)
        if not seen.page.rows:  # 2
            return True
        return fail(
            code, "check.found.past_end", seen, page=seen.question.page_num or 0, rows=seen.page.rows
        )  # 4

    return _each(findings, judge, why="check.open.moves", aim=Aim.PAST_END)


def total_rows(findings: Findings) -> Result:
    """The rows add up to the total: page 1 and 2 are full, the last page holds what is left, none comes after it.

    Nothing is said of a total that moves, or that is that of a page.
    """
    paged = any(findings.moving(code) and findings.paged(code) for code in findings.codes)

    def judge(findings: Findings, code: str) -> Found | bool | None:
        total = findings.total(code)
        moved = findings.moving(code) or (paged and findings.paged(code))
        if total is None or moved or not findings.moves(code) or findings.cut(code):
            return None
        size = findings.size(code)
        received = expected = 0
        for seen, page in findings.pages(code):
            number = seen.question.page_num or 1
            if number == 1 and page.rows > size:  # the size is not kept: page 1 is all of it
                size = page.rows
            expected += max(0, min(size, total - (number - 1) * size))
            received += page.rows
        surplus = findings.surplus(code)
        if received == expected and not surplus:
            return True
        aims = (Aim.PAST_END,) if surplus else (Aim.LAST, Aim.SECOND, Aim.FIRST)
        seen_last = next((found for aim in aims if (found := findings.one(aim, code))), None)
        return fail(
            code,
            "check.found.sum",
            seen_last,
            total=total,
            expected=expected,
            received=received + surplus,
        )

    return _each(findings, judge, why="check.open.moves", aim=Aim.FIRST)
