"""The declared counts of provinces, by one request for each dataset: page 1 of one row. Stores nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from subcmc_crawler.errors import Fault, Refused, Unreachable
from subcmc_crawler.model import DeclaredCount
from subcmc_crawler.province import credentials
from subcmc_crawler.province.addresses import Address
from subcmc_crawler.province.asking import Asker
from subcmc_crawler.province.calling import called
from subcmc_crawler.province.registry import Province
from subcmc_crawler.province.retrying import BUSY
from subcmc_crawler.spec.datasets import DATASETS

_NO_CONNECTION: Final = frozenset({"connect", "tls", "proxy"})


async def take_census(
    provinces: Sequence[Province],
    folder: Path,
    *,
    max_provinces: int,
    done: Callable[[Province], None] = lambda province: None,
) -> list[DeclaredCount]:
    """What each province declares, dataset by dataset, in the order given; `max_provinces` are asked at once.

    Paths of credentials are relative to `folder`; BadConfig when one is wrong, before anything is sent.
    """
    secrets = credentials.load_all(provinces, folder)
    slots = asyncio.Semaphore(max_provinces)

    async def count(province: Province) -> list[DeclaredCount]:
        async with slots, called(province, secrets[province.cmc_id]) as asker:
            found = await _Counting(province, asker).all()
        done(province)
        return found

    return [each for found in await asyncio.gather(*map(count, provinces)) for each in found]


def most_requests(provinces: Collection[Province]) -> int:
    """How many requests a census of these provinces may take: a dead address costs one more."""
    return sum(
        sum(settings is not None for settings in each.datasets.values()) + len(each.addresses) - 1
        for each in provinces
        if each.addresses
    )


@dataclass
class _Counting:
    """One province: which addresses still answer, and what ended it."""

    province: Province
    asker: Asker
    ended: Fault | None = None  # nobody is asked any more
    silent: bool = False  # the last request got no answer
    alive: list[Address] = field(default_factory=list)

    async def all(self) -> list[DeclaredCount]:
        self.alive = list(self.province.addresses)
        return [await self._count(code) for code in DATASETS]

    async def _count(self, code: str) -> DeclaredCount:
        registered = bool(self.province.addresses) and self.province.datasets[code] is not None
        declared, fault = await self._asked(code) if registered else (None, None)
        return DeclaredCount(
            cmc_id=self.province.cmc_id,
            province=self.province.name,
            dataset=code,
            registered=registered,
            declared=declared,
            fault=fault.kind if fault else "",
            detail=fault.detail if fault else "",
        )

    async def _asked(self, code: str) -> tuple[int | None, Fault | None]:
        """The total, or how it could not be had.

        ==  ====================================  ===========================================================
        1   an answer                             its total
        2   no connection, or twice in a row no   asked at the next address; where there is none, that fault
            answer                                for this dataset and all after it
        3   no answer                             that fault
        4   408, 429, 503, 509 (1.3.3)            that fault, for this dataset and all after it: it is patience
                                                  that the province asks for
        5   any other fault                       that fault
        ==  ====================================  ===========================================================
        """
        settings = (self.province.datasets[code] or self.province.pull).model_copy(update={"max_attempts": 1})
        while self.ended is None:
            try:
                asked = await self.asker.page(
                    DATASETS[code], settings, address=self.alive[0], walk_pass=0, page_num=1, page_size=1
                )
            except Unreachable as fault:
                if fault.kind not in _NO_CONNECTION and not self.silent:  # 3
                    self.silent = True
                    return None, fault
                del self.alive[0]  # 2
                self.silent = False
                self.ended = None if self.alive else fault
            except Fault as fault:
                self.silent = False
                if isinstance(fault, Refused) and fault.status in BUSY:  # 4
                    self.ended = fault
                return None, fault  # 5
            else:
                self.silent = False
                return asked.fetched.envelope.total, None  # 1
        return None, self.ended
