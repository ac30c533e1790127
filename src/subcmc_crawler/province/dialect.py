"""How an interface is spoken: its paths, the number of its first page, and its answers. Pure.

There are two: the pull interfaces of a province (2.2.1.4), and the ministry's own query interface (4.1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Final

from subcmc_crawler.spec import query
from subcmc_crawler.spec.datasets import Dataset
from subcmc_crawler.spec.envelope import Envelope, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What differs between interfaces that are walked alike; `read` raises Refused or Malformed."""

    path: Callable[[Dataset], str]
    first_page: int
    read: Callable[[bytes], Envelope]


PULL: Final = Dialect(path=attrgetter("path"), first_page=1, read=parse)
"""As every province is asked."""


def query_dialect(suffix: str, first_page: int, shapes: Sequence[query.Shape]) -> Dialect:
    """As the ministry's platform is asked, once it is known what it calls a path and its first page."""
    return Dialect(
        path=partial(query.path_of, suffix=suffix),
        first_page=first_page,
        read=partial(query.parse, shapes=shapes),
    )
