"""Cells that stand alike, counted instead of listed: what pages show of nights of thousands of cells. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from subcmc_crawler.model import ARRIVED, CLEAN, Counts, State, Verdict


class Gap(StrEnum):
    """How received rows stand beside declared ones."""

    NONE = "none"
    MISSING = "missing"
    UNDECLARED = "undeclared"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellGroup:
    """The cells of one province in one run that have verdict, state and gap in common; numbers are their sums.

    `counts.declared` is 0 where none was declared. `began` and `ended` are the first start and the last end.
    """

    run: int
    cmc_id: str
    province: str
    verdict: Verdict | None
    state: State
    gap: Gap
    cells: int
    counts: Counts = field(default_factory=Counts)
    attempts: int = 0
    bytes: int = 0
    rest_seconds: float = 0.0
    began: datetime | None = None
    ended: datetime | None = None

    @property
    def pending(self) -> bool:
        """No verdict yet."""
        return self.verdict is None

    @property
    def clean(self) -> bool:
        """As of a cell: a verdict that leaves the run clean, and a snapshot that did not get stuck on its way."""
        return self.verdict in CLEAN and self.state in ARRIVED


def by_province(groups: Iterable[CellGroup]) -> Mapping[str, list[CellGroup]]:
    """The groups of each province, by cmcId in its order."""
    found: dict[str, list[CellGroup]] = {}
    for group in sorted(groups, key=lambda each: each.cmc_id):
        found.setdefault(group.cmc_id, []).append(group)
    return found
