"""The words of every rendering: one module a language and topic, put together into one catalogue a language."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from subcmc_crawler.report.catalogue import (
    alert_en,
    alert_zh,
    capacity_en,
    capacity_zh,
    census_en,
    census_zh,
    check_en,
    check_zh,
    compare_en,
    compare_zh,
    dashboard_en,
    dashboard_zh,
    html_en,
    html_zh,
    night_en,
    night_zh,
    plan_en,
    plan_zh,
    pruning_en,
    pruning_zh,
    reading_en,
    reading_zh,
    references_en,
    references_zh,
    scorecard_en,
    scorecard_zh,
    sheets_en,
    sheets_zh,
)

_ZH: Final = (
    sheets_zh.LABELS,
    night_zh.LABELS,
    plan_zh.LABELS,
    html_zh.LABELS,
    alert_zh.LABELS,
    dashboard_zh.LABELS,
    reading_zh.LABELS,
    references_zh.LABELS,
    compare_zh.LABELS,
    pruning_zh.LABELS,
    check_zh.LABELS,
    scorecard_zh.LABELS,
    census_zh.LABELS,
    capacity_zh.LABELS,
)
_EN: Final = (
    sheets_en.LABELS,
    night_en.LABELS,
    plan_en.LABELS,
    html_en.LABELS,
    alert_en.LABELS,
    dashboard_en.LABELS,
    reading_en.LABELS,
    references_en.LABELS,
    compare_en.LABELS,
    pruning_en.LABELS,
    check_en.LABELS,
    scorecard_en.LABELS,
    census_en.LABELS,
    capacity_en.LABELS,
)


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
