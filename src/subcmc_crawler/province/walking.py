"""The walk of one dataset as pure decisions: which page next, when a pass ends, and how it ended.

A driver holds a `Pass`, asks `advance()` what to do, does it, and puts the outcome back with one of the
methods of `Pass`, each of which gives a new `Pass`. Pages are taken in the order in which they were asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from subcmc_crawler.model import Ending

MAX_PAGES: Final = 100_000
"""Pages of one pass; the province that has more is not telling the truth."""

MAX_RECEIVED: Final = 2_000_000
"""Rows of one pass, forty times the 50,000 that are expected: what keys take in memory must have an end."""

_BARREN_PAGES: Final = 3
"""Pages in a row without a new key, before the declared end, after which nothing more is expected."""

_SURPLUS_PAGES: Final = 10
"""Pages past the declared end, beyond as many as were declared, that are still looked at."""

MOST_SEAMS: Final = 10
"""Seams that are looked at; where the total moved more often, a fresh pass is worth its price."""


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What the walk needs to know of a page: no rows, only what they amount to."""

    rows: int
    total: int | None  # as declared on this page; None when unusable
    keys: bytes  # digest of its keys in served order
    content: bytes  # digest of its rows in served order


@dataclass(frozen=True, slots=True)
class PageProbe:
    """What a page is compared by that is asked for again when the walk has come to its end."""

    total: int | None  # as declared
    keys: bytes  # digest of its keys in served order


@dataclass(frozen=True, slots=True)
class Seam:
    """The last page before the total moved: if its keys stay, what moved lay behind it, unread."""

    page_num: int
    page_size: int
    keys: bytes


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask for this page now, without waiting for it."""

    page_num: int
    page_size: int


@dataclass(frozen=True, slots=True)
class Take:
    """Wait for the page that was asked for first among those on their way."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Ask for a page again and compare it: page 1, the closing probe; then those at the seams."""

    page_num: int
    page_size: int


@dataclass(frozen=True, slots=True)
class End:
    """The pass is over."""

    ending: Ending


Step = Ask | Take | Probe | End


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One pass over a dataset, as far as it has come."""

    asked_size: int  # the page size that the pass began with
    max_in_flight: int = 1
    tolerance: int = 0
    realign: bool = True  # take an odd first page for a clamped page size
    page_size: int = 0  # in force now
    first_size: int = 0  # in force when page 1 was asked for
    clamped: bool = False  # page 1 showed that the province clamps the page size
    next_page: int = 1
    in_flight: int = 0
    taken: int = 0
    received: int = 0
    barren: int = 0  # pages in a row without a new key
    repeats: bool = False  # a key came twice
    echoed: bool = False  # the last page was the page before it again
    stopped: bool = False
    failed: bool = False
    past_end: bool = False  # the province refused a page past the declared end
    first: PageFacts | None = None
    last: PageFacts | None = None
    probe: PageProbe | None = None
    totals: tuple[int | None, ...] = ()  # every total seen, in order, once
    latest: Seam | None = None  # the page taken last, should the total move now
    seams: tuple[Seam, ...] = ()
    looked: int = 0  # seams that were looked at, and are as they were
    shifted: bool = False  # one is not, or the total moved again

    def __post_init__(self) -> None:
        if not self.page_size:
            object.__setattr__(self, "page_size", self.asked_size)

    @property
    def total(self) -> int | None:
        """The total declared last."""
        return self.totals[-1] if self.totals else None

    @property
    def declared(self) -> int | None:
        """The total that the counts are held against: of those seen, the nearest to what was received.

        A total that moved while we walked was true at some time; rows are missing only if no total explains
        them.
        """
        seen = [total for total in self.totals if total is not None]
        return min(reversed(seen), key=lambda total: abs(total - self.received), default=None)

    @property
    def moved(self) -> int:
        """By how many rows the total moved so far."""
        seen = [total for total in self.totals if total is not None]
        return max(seen) - min(seen) if seen else 0

    @property
    def complete(self) -> bool:
        """Whether as many rows came as were declared last."""
        return self.total is not None and self.received >= self.total

    def is_echo(self, facts: PageFacts) -> bool:
        """Whether this page is the one before it again, so that its rows are not rows of the pass.

        Past the declared end page 1 counts as well: there are provinces that begin anew there.
        """
        if self.first is None or self.last is None or not facts.rows:
            return False
        again = facts.content == self.last.content
        return again or (self.complete and facts.content == self.first.content)

    def asked(self) -> Pass:
        """The pass after the next page was asked for."""
        return replace(self, next_page=self.next_page + 1, in_flight=self.in_flight + 1)

    def rejoined(self, page_num: int, page_size: int) -> Pass:
        """The pass after a page was asked for, as the ledger remembers it."""
        return replace(self, page_size=page_size, next_page=page_num + 1, in_flight=self.in_flight + 1)

    def took(self, facts: PageFacts, *, fresh: int, repeats: bool) -> Pass:
        """The pass after a page came; `fresh` of its rows brought a new key or none."""
        taken = replace(
            self._heard(facts.total),
            latest=Seam(self.next_page - self.in_flight, self.page_size, facts.keys),
            in_flight=self.in_flight - 1,
            taken=self.taken + 1,
            received=self.received + facts.rows,
            barren=0 if fresh else self.barren + 1,
            repeats=self.repeats or repeats,
            first=self.first or facts,
            first_size=self.first_size or self.page_size,
            last=facts,
        )
        odd = facts.rows not in (0, self.page_size) and not taken.complete and facts.total is not None
        if self.first is None and self.realign and odd:
            return replace(taken, page_size=facts.rows, clamped=True)
        return taken

    def took_echo(self, facts: PageFacts) -> Pass:
        """The pass after a page came that was the page before it again."""
        return replace(self._heard(facts.total), in_flight=self.in_flight - 1, echoed=True)

    def lost(self, *, refused: bool) -> Pass:
        """The pass after a page could not be had.

        A refusal past the declared end is that province's way to say that there is no such page (the
        specification leaves it open).
        """
        if refused and self.complete:
            return replace(self, in_flight=self.in_flight - 1, past_end=True)
        return replace(self, in_flight=self.in_flight - 1, failed=True)

    def halved(self) -> Pass | None:
        """The pass with smaller pages from the page in question on; None when a page is one row already.

        All pages on their way are to be dropped. The new size divides the offset, so that no row is skipped.
        """
        offset = (self.next_page - 1 - self.in_flight) * self.page_size
        size = next((size for size in range(self.page_size // 2, 0, -1) if offset % size == 0), None)
        if size is None:
            return None
        return replace(self, page_size=size, next_page=offset // size + 1, in_flight=0)

    def probed(self, probe: PageProbe) -> Pass:
        """The pass after page 1 was asked for again, or else the next of the pages at the seams."""
        heard = self._heard(probe.total)
        if self.probe is None:
            return replace(heard, probe=probe)
        stays = heard.totals == self.totals and probe.keys == self.seams[self.looked].keys
        return replace(heard, looked=self.looked + 1) if stays else replace(heard, shifted=True)

    def _heard(self, total: int | None) -> Pass:
        """The pass after a total was declared; where it differs from the one before it, there is a seam."""
        if self.totals and self.totals[-1] == total:
            return self
        seams = (*self.seams, self.latest) if self.totals and self.latest else self.seams
        return replace(self, totals=(*self.totals, total), seams=seams[: MOST_SEAMS + 1])

    @property
    def holds(self) -> bool:
        """Whether the pages before each move of the total are as they were, so that nothing read has moved."""
        return not self.shifted and None not in self.totals and self.looked >= len(self.totals) - 1

    def halted(self) -> Pass:
        """The pass after the window closed or the run was stopped."""
        return replace(self, stopped=True)


def advance(walk: Pass) -> Step:  # noqa: PLR0911 - a row a return
    """What to do next. First match wins.

    ==  ==========================================================================  ==============
    1   the run was stopped                                                         End: stopped
    2   a page could not be had                                                     End: failed
    3   nothing was asked yet                                                       Ask page 1
    4   page 1 is on its way                                                        Take
    5   the last page was the page before it again, the province said "no more",
        or a page at a seam is not as it was                                        End or Probe
    6   more pages or rows than any province has                                    End: failed
    7   a declared page is not asked for, and there is room in flight               Ask
    8   pages are on their way                                                      Take
    9   the end is not certain: the last page was full, rows are missing, or no
        total was declared; and it brought new keys                                 Ask
    10  all else                                                                    End or Probe
    ==  ==========================================================================  ==============

    "End or Probe" looks at page 1 again, once, unless the whole dataset fitted one page; and, if the total moved and
    the pass is right otherwise, at the last page before each move.
    """
    if walk.stopped:  # 1
        return End(Ending.STOPPED)
    if walk.failed:  # 2
        return End(Ending.FAILED)
    if walk.next_page == 1:  # 3
        return Ask(1, walk.page_size)
    if walk.first is None:  # 4
        return Take()
    if walk.echoed or walk.past_end or walk.shifted:  # 5
        return _closing(walk)
    if walk.next_page > MAX_PAGES or walk.received > MAX_RECEIVED:  # 6
        return End(Ending.FAILED)
    if _declared_page_is_next(walk):  # 7
        return Ask(walk.next_page, walk.page_size) if walk.in_flight < walk.max_in_flight else Take()
    if walk.in_flight:  # 8
        return Take()
    if _end_is_uncertain(walk):  # 9
        return Ask(walk.next_page, walk.page_size)
    return _closing(walk)  # 10


def judge(walk: Pass) -> Ending:
    """How a pass that came to its end has ended. First match wins.

    ==  =============================================================  ==========
    1   no page declared a usable total                                undeclared
    2   page 1 has other keys now, or the total moved and a page       moved
        before that, too, or was not looked at
    3   page numbers are ignored before all rows were seen             looping
    4   the rows do not add up to the total, beyond the tolerance      miscounted
    5   a key came twice                                               repeating
    6   all else                                                       clean
    ==  =============================================================  ==========
    """
    if all(total is None for total in walk.totals):  # 1
        return Ending.UNDECLARED
    if _page_one_moved(walk) or not walk.holds:  # 2
        return Ending.MOVED
    total = walk.total or 0
    if walk.echoed and walk.received < total:  # 3
        return Ending.LOOPING
    if abs(total - walk.received) > walk.tolerance:  # 4
        return Ending.MISCOUNTED
    return Ending.REPEATING if walk.repeats else Ending.CLEAN  # 5, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class PassFacts:
    """What is kept of a pass when it is over."""

    ending: Ending
    totals: tuple[int | None, ...]
    received: int
    content: bytes  # digest of all rows in served order
    clamped: bool


def agrees(one: PassFacts, other: PassFacts) -> bool:
    """Whether two passes saw the very same rows, so that what is odd about them is the province's own."""
    return (one.ending, one.totals, one.received, one.content) == (
        other.ending,
        other.totals,
        other.received,
        other.content,
    ) and one.ending in (Ending.REPEATING, Ending.MISCOUNTED, Ending.LOOPING, Ending.UNDECLARED)


def another_pass(passes: tuple[PassFacts, ...], *, max_passes: int) -> bool:
    """Whether a walk needs a fresh pass. First match wins.

    ==  ==================================================  ===
    1   the last pass was clean, or was stopped, or failed  no
    2   `max_passes` were made                              no
    3   the last two agree in everything                    no
    4   all else                                            yes
    ==  ==================================================  ===
    """
    last = passes[-1]
    if last.ending in (Ending.CLEAN, Ending.STOPPED, Ending.FAILED):  # 1
        return False
    if len(passes) >= max_passes:  # 2
        return False
    return not (len(passes) > 1 and agrees(passes[-2], last))  # 3, 4


def next_realign(passes: tuple[PassFacts, ...]) -> bool:
    """Whether the next pass shall take an odd first page for a clamped page size.

    A pass that did so and was not clean may have been misled by rows that the province drops after paging.
    """
    return not (passes and passes[-1].clamped)


def next_page_size(passes: tuple[PassFacts, ...], page_size: int) -> int:
    """The page size that the next pass begins with.

    Keys that repeat are looked at again through other seams: the province's own duplicates stay where they are,
    those that come from paging over an unstable order do not.
    """
    repeating = bool(passes) and passes[-1].ending is Ending.REPEATING
    return max(1, page_size * 7 // 8) if repeating else page_size


def recovered_size(last: int | None, page_size: int) -> int:
    """The page size that a night begins with: `page_size`, or twice what was in force at the end of the last one.

    So a province whose pages had to be halved gets back to its setting, a step a night.
    """
    return page_size if last is None else min(page_size, 2 * last)


def _closing(walk: Pass) -> Step:
    one_page = walk.taken == 1 and walk.first is not None and walk.first.rows < walk.first_size
    if walk.probe is None and not one_page:
        return Probe(1, walk.first_size)
    if walk.looked < len(walk.seams) <= MOST_SEAMS and not walk.shifted:
        seam = walk.seams[walk.looked]
        if judge(replace(walk, looked=len(walk.totals))) is Ending.CLEAN:
            return Probe(seam.page_num, seam.page_size)
    return End(judge(walk))


def _declared_page_is_next(walk: Pass) -> bool:
    if walk.total is None or walk.barren >= _BARREN_PAGES:
        return False
    return (walk.next_page - 1) * walk.page_size < walk.total


def _end_is_uncertain(walk: Pass) -> bool:
    assert walk.last is not None  # noqa: S101 - row 4 has seen to it
    if walk.barren or not walk.last.rows:
        return False
    declared_pages = -(-(walk.total or 0) // walk.page_size)
    if walk.total is not None and walk.next_page > 2 * declared_pages + _SURPLUS_PAGES:
        return False
    return walk.total is None or not walk.complete or walk.last.rows >= walk.page_size


def _page_one_moved(walk: Pass) -> bool:
    if walk.probe is None or walk.first is None:
        return False
    return walk.probe.keys != walk.first.keys
