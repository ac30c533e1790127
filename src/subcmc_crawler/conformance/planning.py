"""What a province is asked for a check: few requests, each planned from the answers before it. Pure."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import Final

from subcmc_crawler.conformance.questions import Aim, Question
from subcmc_crawler.conformance.seeing import Seen
from subcmc_crawler.province.addresses import Address
from subcmc_crawler.province.registry import Province
from subcmc_crawler.province.retrying import BUSY
from subcmc_crawler.spec.datasets import DATASETS

MOST_REQUESTS: Final = 120
"""No check asks more, however many addresses a province has."""

SMALL_SIZES: Final = (1, 2, 30)
LARGE_SIZE: Final = 1000
NO_SUCH_PATH: Final = "/subcmc/v1/no-such-interface"
BAD_NUMBERS: Final = (("abc", "30"), ("-1", "30"), ("1", "0"))
"""Page numbers and page sizes that are none."""

_PROBE_ROWS: Final = 30
_WALKED: Final = 6  # requests that one dataset takes at most
_ODD: Final = 2 + len(BAD_NUMBERS) + 3
_SILENT: Final = 2  # requests without an answer after which an address is given up


Plan = Generator[Question, Seen, None]
"""Gives a question, and is sent what was seen."""


def plan(province: Province) -> Plan:
    """All questions to a province, the most telling first; ends when nobody is left to answer."""
    return _Asking(province).all()


def most_requests(province: Province) -> int:
    """How many requests a check of this province may take."""
    addresses, datasets = len(province.addresses), len(active(province))
    if not addresses or not datasets:
        return 0
    replicas = (addresses - 1) * _replicated(province)
    return min(MOST_REQUESTS, _base(province) + replicas)


def active(province: Province) -> tuple[str, ...]:
    """The datasets that the registry does not switch off, in the order of the specification."""
    return tuple(code for code in DATASETS if province.datasets[code] is not None)


def page_size(province: Province, code: str) -> int:
    """Rows of a page as the registry wants them."""
    settings = province.datasets[code]
    return province.pull.page_size if settings is None else settings.page_size


def foreign_id(cmc_id: str) -> str:
    """A cmcId that is another one's."""
    return "999999" if cmc_id != "999999" else "999998"


def last_page(total: int, rows: int, size: int) -> int:
    """The number of the last page, told from the declared total and the rows of page 1."""
    step = rows if rows and rows != min(size, total) else size
    return max(1, -(-total // step))


def _base(province: Province) -> int:
    """The requests that are made before those to other addresses."""
    sizes = 2 * len(SMALL_SIZES) + 1
    return len(province.addresses) + _WALKED * len(active(province)) + sizes + _ODD + 2


def _replicated(province: Province) -> int:
    """Datasets of which each other address is asked the total, beside the first one."""
    others = len(province.addresses) - 1
    if not others:
        return 0
    return max(0, min(len(active(province)) - 1, (MOST_REQUESTS - _base(province)) // others))


class _Asking:
    """The state of one check: who answers, and how many requests are left."""

    def __init__(self, province: Province) -> None:
        self._province = province
        self._codes = active(province)
        self._left = MOST_REQUESTS
        self._silent: dict[Address, int] = {}
        self._gone: set[Address] = set()
        self._totals: dict[str, int] = {}

    def all(self) -> Plan:
        if not self._codes:
            return
        for address in self._province.addresses:
            yield from self._page(Aim.REACH, address, self._codes[0], 1, 1)
        main = next((each for each in self._province.addresses if each not in self._gone), None)
        if main is None:
            return
        for code in self._codes:
            yield from self._walk(main, code)
        if self._totals:
            specimen = max(self._totals, key=lambda code: self._totals[code])
            yield from self._sizes(main, specimen)
            yield from self._oddities(main, specimen)
        yield from self._replicas(main)
        yield from self._credentials(main)

    def _ask(self, question: Question) -> Generator[Question, Seen, Seen | None]:
        """What was seen, None where the question was not asked: the address is gone, or the requests are spent."""
        if question.address in self._gone or not self._left:
            return None
        self._left -= 1
        seen = yield question
        if question.aim not in (Aim.VERIFIED, Aim.ANONYMOUS):
            self._note(seen)
        return seen

    def _note(self, seen: Seen) -> None:
        """Who is left to ask.

        ==  ============================================  ===================================
        1   the first request to an address is silent     it is given up
        2   two in a row are silent                       it is given up
        3   408, 429, 503, 509 (1.3.3)                    it is given up: it asks for patience
        4   all else                                      it is asked on
        ==  ============================================  ===================================
        """
        address = seen.question.address
        self._silent[address] = self._silent.get(address, 0) + 1 if seen.silent else 0
        first = seen.silent and seen.question.aim is Aim.REACH
        if first or self._silent[address] >= _SILENT or seen.status in BUSY:  # 1, 2, 3
            self._gone.add(address)

    def _page(
        self, aim: Aim, address: Address, code: str, number: int, size: int
    ) -> Generator[Question, Seen, Seen | None]:
        params = (
            ("cmcId", self._province.cmc_id),
            ("pageNum", str(number)),
            ("pageSize", str(size)),
        )
        return (
            yield from self._ask(
                Question(
                    aim=aim,
                    address=address,
                    dataset=code,
                    path=DATASETS[code].path,
                    params=params,
                    page_num=number,
                    page_size=size,
                )
            )
        )

    def _walk(self, main: Address, code: str) -> Plan:
        """The first pages of a dataset, the last one, and the one after it."""
        size = page_size(self._province, code)
        first = yield from self._page(Aim.FIRST, main, code, 1, size)
        page = first.page if first else None
        if page is None:
            return
        yield from self._page(Aim.AGAIN, main, code, 1, size)
        total = page.total
        if total is None:
            if page.rows >= size:
                yield from self._page(Aim.SECOND, main, code, 2, size)
            return
        self._totals[code] = total
        if total > page.rows:
            yield from self._page(Aim.SECOND, main, code, 2, size)
        if 0 < page.rows < min(size, total):
            yield from self._page(Aim.CUT, main, code, 2, page.rows)
        last = last_page(total, page.rows, size)
        if last > 2:
            yield from self._page(Aim.LAST, main, code, last, size)
        yield from self._page(Aim.PAST_END, main, code, last + 1, size)

    def _sizes(self, main: Address, code: str) -> Plan:
        total = self._totals[code]
        for size in SMALL_SIZES:
            yield from self._page(Aim.SIZE, main, code, 1, size)
            if total > size:
                yield from self._page(Aim.SIZE, main, code, 2, size)
        if page_size(self._province, code) != LARGE_SIZE:
            yield from self._page(Aim.SIZE, main, code, 1, LARGE_SIZE)

    def _oddities(self, main: Address, code: str) -> Plan:
        cmc_id, path, rows = self._province.cmc_id, DATASETS[code].path, str(_PROBE_ROWS)
        mine, number, size = ("cmcId", cmc_id), ("pageNum", "1"), ("pageSize", rows)
        yield from self._page(Aim.ZERO, main, code, 0, page_size(self._province, code))
        asked: Iterable[tuple[Aim, str, Sequence[tuple[str, str]]]] = (
            (Aim.FOREIGN_ID, path, (("cmcId", foreign_id(cmc_id)), number, size)),
            (Aim.NO_ID, path, (number, size)),
            (Aim.NO_PAGE, path, (mine,)),
            *((Aim.BAD_NUMBER, path, (mine, ("pageNum", n), ("pageSize", s))) for n, s in BAD_NUMBERS),
            (Aim.NO_PATH, NO_SUCH_PATH, (mine, number, size)),
        )
        for aim, where, params in asked:
            yield from self._ask(
                Question(aim=aim, address=main, dataset=code, path=where, params=tuple(params))
            )

    def _replicas(self, main: Address) -> Plan:
        wanted = self._codes[1 : 1 + _replicated(self._province)]
        for address in self._province.addresses:
            if address != main:
                for code in wanted:
                    yield from self._page(Aim.REPLICA, address, code, 1, 1)

    def _credentials(self, main: Address) -> Plan:
        secure = next((each for each in self._province.addresses if each.scheme == "https"), None)
        if secure is not None and not self._province.tls.verify:
            yield from self._page(Aim.VERIFIED, secure, self._codes[0], 1, 1)
        if self._province.auth is not None:
            yield from self._page(Aim.ANONYMOUS, main, self._codes[0], 1, 1)
