"""One question of a check: a GET, and what it is for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from subcmc_crawler.province.addresses import Address


class Aim(StrEnum):
    """What a question is for."""

    REACH = "reach"  # one row of the first dataset, of every address
    FIRST = "first"  # page 1 at the configured size
    AGAIN = "again"  # the same once more
    SECOND = "second"
    CUT = "cut"  # page 2 at the size that page 1 was cut to
    LAST = "last"
    PAST_END = "past-end"
    SIZE = "size"  # pages 1 and 2 at other sizes
    ZERO = "zero"  # page 0
    FOREIGN_ID = "foreign-id"
    NO_ID = "no-id"
    NO_PAGE = "no-page"
    BAD_NUMBER = "bad-number"
    NO_PATH = "no-path"
    REPLICA = "replica"  # one row of the other datasets, of the other addresses
    VERIFIED = "verified"  # with the certificate verified, although the registry says not to
    ANONYMOUS = "anonymous"  # without the secret of the registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One GET: `page_num` and `page_size` are None where no usable number is sent."""

    aim: Aim
    address: Address
    dataset: str
    path: str
    params: tuple[tuple[str, str], ...]
    page_num: int | None = None
    page_size: int | None = None

    @property
    def url(self) -> str:
        """What is asked for, without any secret: neither addresses nor parameters can hold one."""
        query = "&".join(f"{name}={value}" for name, value in self.params)
        return f"{self.address.base}{self.path}" + (f"?{query}" if query else "")
