"""Which of many provinces a page shows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from subcmc_crawler.dashboard.parameters import Unknown

MANY: Final = 100
"""So many provinces a page shows at once; where there are no more of them, it shows all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """What is shown of `every` province: the `first` to the `last` of them, those that need a look first.

    `page` is None where only those that need a look are shown, of which there are `urgent`.
    """

    every: int
    urgent: int
    first: int
    last: int
    page: int | None

    @property
    def pages(self) -> int:
        """How many pages all of them take."""
        return -(-self.every // MANY)


def fold(rows: Sequence[str], urgent: int, page: int | None) -> tuple[Sequence[str], Fold | None]:
    """The cmcIds that a page shows of `rows`, whose first `urgent` need a look; no fold where it shows all.

    First match wins; Unknown for a page that there is not.

    ==  ==========================  ==============================================
    1   no more than `MANY` rows    all
    2   no page was asked for       those that need a look, the first `MANY` of them
    3   otherwise                   that page of all
    ==  ==========================  ==============================================
    """
    every = len(rows)
    if every <= MANY:  # 1
        return rows, None
    if page is None:  # 2
        last = min(urgent, MANY)
        return rows[:last], Fold(every=every, urgent=urgent, first=min(1, last), last=last, page=None)
    first, last = (page - 1) * MANY, min(page * MANY, every)  # 3
    if first >= every:
        raise Unknown("web.bad_page")
    return rows[first:last], Fold(every=every, urgent=urgent, first=first + 1, last=last, page=page)
