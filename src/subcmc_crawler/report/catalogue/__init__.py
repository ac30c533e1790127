"""The words of every rendering: one module a language and topic, put together into one catalogue a language."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from subcmc_crawler.report.catalogue import night_en, night_zh

_ZH: Final = (night_zh.LABELS,)
_EN: Final = (night_en.LABELS,)


def _together(topics: tuple[Mapping[str, str], ...]) -> Mapping[str, str]:
    """One catalogue; a key that two topics claim is a mistake of ours."""
    found: dict[str, str] = {}
    for topic in topics:
        if twice := found.keys() & topic.keys():
            raise ValueError(f"labels in two topics: {', '.join(sorted(twice))}")
        found.update(topic)
    return MappingProxyType(found)


CATALOGUES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {"zh": _together(_ZH), "en": _together(_EN)}
)
"""Language -> key -> text."""
