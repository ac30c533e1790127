"""All answers of a check, in the order of the questions, and what several checks ask of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from subcmc_crawler.conformance.planning import active, last_page, page_size
from subcmc_crawler.conformance.questions import Aim
from subcmc_crawler.conformance.seeing import PageSeen, Seen
from subcmc_crawler.province.addresses import Address
from subcmc_crawler.province.registry import Province
from subcmc_crawler.spec.query import first_page

_REGULAR = frozenset({Aim.FIRST, Aim.AGAIN, Aim.SECOND})
_ROWS = (Aim.FIRST, Aim.SECOND, Aim.LAST)
_COUNTED = _REGULAR | {Aim.REACH, Aim.LAST, Aim.PAST_END, Aim.SIZE, Aim.CUT, Aim.REPLICA}


@dataclass(frozen=True)
class Findings:
    """What a province answered; `now` is when, with its zone."""

    province: Province
    seen: Sequence[Seen]
    now: datetime

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The datasets that are pulled of this province."""
        return active(self.province)

    @cached_property
    def main(self) -> Address | None:
        """The address that was asked all of it; None when none answered."""
        return next((each.question.address for each in self.seen if each.question.aim is Aim.FIRST), None)

    def of(self, *aims: Aim) -> Iterator[Seen]:
        """The answers to questions of these aims."""
        return (each for each in self.seen if each.question.aim in aims)

    def one(self, aim: Aim, code: str) -> Seen | None:
        """The answer about a dataset, None when that was not asked."""
        return self._first.get((aim, code))

    @cached_property
    def _first(self) -> dict[tuple[Aim, str], Seen]:
        return {(each.question.aim, each.question.dataset): each for each in reversed(self.seen)}

    def page(self, aim: Aim, code: str) -> PageSeen | None:
        """The good page about a dataset."""
        seen = self.one(aim, code)
        return seen.page if seen else None

    @property
    def regular(self) -> Iterator[Seen]:
        """The answers to questions that every province must answer with a page."""
        for each in self.seen:
            aim, address = each.question.aim, each.question.address
            if aim in _REGULAR or (aim is Aim.REACH and self.main in (None, address) and not each.silent):
                yield each

    @property
    def good(self) -> Iterator[Seen]:
        """The good pages, of every aim that asks for one."""
        return (each for each in self.of(*_COUNTED) if each.page is not None)

    def pages(self, code: str) -> Iterator[tuple[Seen, PageSeen]]:
        """The pages of a dataset whose rows are looked at: the first, the second and the last one."""
        for aim in _ROWS:
            seen = self.one(aim, code)
            if seen is not None and seen.page is not None:
                yield seen, seen.page

    def size(self, code: str) -> int:
        """Rows of a page as configured."""
        return page_size(self.province, code)

    @cached_property
    def specimen(self) -> str | None:
        """The dataset that sizes and odd parameters were tried on."""
        return next((each.question.dataset for each in self.of(Aim.ZERO, Aim.SIZE)), None)

    def total(self, code: str) -> int | None:
        """What page 1 declares."""
        page = self.page(Aim.FIRST, code)
        return page.total if page else None

    def moves(self, code: str) -> bool:
        """Whether page 2 is another page than page 1; True where there is no page 2."""
        first, second = self.page(Aim.FIRST, code), self.page(Aim.SECOND, code)
        return first is None or second is None or not second.rows or first.keys != second.keys

    def stuck(self, code: str) -> bool:
        """Whether page numbers are ignored: here, or, where there is but one page to tell by, anywhere."""
        alone = self.page(Aim.SECOND, code) is None
        return not all(self.moves(each) for each in (self.codes if alone else (code,)))

    def stable(self, code: str) -> bool:
        """Whether page 1 came twice with the same keys in the same order."""
        first, again = self.page(Aim.FIRST, code), self.page(Aim.AGAIN, code)
        return first is not None and again is not None and first.keys == again.keys

    def cut(self, code: str) -> bool:
        """Whether page 1 is short because the province cuts pages: there is more at the size that it gave."""
        page = self.page(Aim.CUT, code)
        return page is not None and page.rows > 0

    def whole(self, code: str) -> bool:
        """Whether every row of a dataset was seen: its pages are the first, the second and the last one."""
        first = self.page(Aim.FIRST, code)
        if first is None or first.total is None or self.cut(code) or not self.moves(code):
            return False
        last = last_page(first.total, first.rows, self.size(code))
        seen = sum(len(page.keys) for _, page in self.pages(code))
        return last <= len(_ROWS) and seen >= first.total and not self.surplus(code)

    def held(self, code: str) -> int:
        """So many rows there are at least, told from the places of those that came, whatever the total says."""
        return max(
            (
                ((seen.question.page_num or 1) - 1) * (seen.question.page_size or 0) + seen.page.rows
                for aim in ((*_ROWS, Aim.CUT) if self.moves(code) else (Aim.FIRST,))
                if (seen := self.one(aim, code)) and seen.page and seen.page.rows
            ),
            default=0,
        )

    def declared(self, code: str) -> Iterator[tuple[Seen, int, int]]:
        """Each total that was declared of a dataset, with the rows of its page; past the end nothing may be."""
        for seen in self.good:
            page, question = seen.page, seen.question
            if question.dataset != code or question.address != self.main:
                continue
            if page and page.total is not None and (page.total or question.aim is not Aim.PAST_END):
                yield seen, page.total, page.rows

    def moving(self, code: str) -> bool:
        """Whether different totals were declared of a dataset."""
        return len({total for _, total, _ in self.declared(code)}) > 1

    def paged(self, code: str) -> bool:
        """Whether each total of a dataset is the number of rows of its own page."""
        return all(total == rows for _, total, rows in self.declared(code))

    @cached_property
    def zero_based(self) -> bool:
        """Whether page 0 holds other rows than page 1, so that page 1 is not the first one."""
        code = self.specimen
        zero, first = (self.page(aim, code) for aim in (Aim.ZERO, Aim.FIRST)) if code else (None, None)
        if code is None or zero is None or first is None or not self.moves(code):
            return False
        return bool(zero.rows) and first_page(zero.keys, first.keys) == 0

    def surplus(self, code: str) -> int:
        """Rows past the declared end that were not seen before: the total is too small."""
        page = self.page(Aim.PAST_END, code)
        if page is None or not page.rows:
            return 0
        return len({key for key in page.keys if key is not None} - self.keys(code))

    def keys(self, code: str) -> set[str]:
        """The primary keys that were seen of a dataset."""
        return {key for _, page in self.pages(code) for key in page.keys if key is not None}

    def touching(self, code: str) -> bool:
        """Whether page 2 begins with what page 1 holds, or page 1 ends with what page 2 holds."""
        first, second = self.page(Aim.FIRST, code), self.page(Aim.SECOND, code)
        if first is None or second is None or not first.keys or not second.keys or not self.moves(code):
            return False
        return _is_in(second.keys[0], first.keys) or _is_in(first.keys[-1], second.keys)


def _is_in(key: str | None, keys: Iterable[str | None]) -> bool:
    return key is not None and key in keys
