"""What a request asks for, checked: anything else is answered with a page that says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from subcmc_crawler.spec.datasets import DATASETS

NIGHTS: Final = (30, 60, 90)
"""How many nights a strip may show."""

_CMC_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,50}")
_LARGEST_RUN: Final = 10**9
_LARGEST_PAGE: Final = 10**6
_LONGEST_KEY: Final = 1_000


class Unusable(Exception):
    """A parameter that cannot be meant; `label` is the key of the sentence about it, `values` what it tells."""

    status = 400

    def __init__(self, label: str, **values: object) -> None:
        super().__init__(label)
        self.label = label
        self.values = values


class Unknown(Unusable):
    """Something that does not exist, or no longer."""

    status = 404


def run_of(text: str) -> int | None:
    """The number of a run, None for `last`."""
    if text == "last":
        return None
    if not text.isascii() or not text.isdecimal() or not 0 < int(text[:12]) < _LARGEST_RUN:
        raise Unusable("web.bad_run")
    return int(text)


def cmc_id_of(text: str) -> str:
    """A cmcId as a registry may hold it (2.1.1)."""
    if not _CMC_ID.fullmatch(text):
        raise Unusable("web.bad_province")
    return text


def dataset_of(text: str) -> str:
    """The code of one of the nine datasets."""
    if text not in DATASETS:
        raise Unusable("web.bad_dataset")
    return text


def nights_of(query: Mapping[str, str]) -> int:
    """How many nights, 30 unless said otherwise."""
    text = query.get("nights", "30")
    if text not in map(str, NIGHTS):
        raise Unusable("web.bad_nights")
    return int(text)


def page_of(query: Mapping[str, str]) -> int | None:
    """The page of a long table, from 1; None where none is named."""
    text = query.get("page")
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal() or not 0 < int(text[:9]) < _LARGEST_PAGE:
        raise Unusable("web.bad_page")
    return int(text)


def key_of(text: str) -> str:
    """A primary key; a province may have served any text."""
    if len(text) > _LONGEST_KEY:
        raise Unusable("web.bad_key")
    return text


def language(query: Mapping[str, str], accepted: str, otherwise: str) -> str:
    """The language of a page, `zh` or `en`.

    First match wins.

    ==  ==========================================  =============
    1   `lang` names one                            that
    2   `lang` names another                        Unusable
    3   the browser prefers one of both             that
    4   otherwise                                   the setting
    ==  ==========================================  =============
    """
    asked = query.get("lang")
    if asked in ("zh", "en"):  # 1
        return asked
    if asked is not None:  # 2
        raise Unusable("web.bad_lang")
    return _preferred(accepted) or otherwise  # 3, 4


def _preferred(accepted: str) -> str | None:
    """The first of zh and en by weight in a header `Accept-Language`."""
    best: tuple[float, str] | None = None
    for part in accepted[:500].split(","):
        tag, _, weight = part.strip().partition(";q=")
        name = tag.strip().lower().partition("-")[0]
        try:
            share = float(weight) if weight else 1.0
        except ValueError:
            continue
        if name in ("zh", "en") and share > 0 and (best is None or share > best[0]):
            best = (share, name)
    return best[1] if best else None
