"""What is known of one walk beside its manifest: its pages, requests, changed keys and rows kept aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from subcmc_crawler.model import Attempt, Manifest
from subcmc_crawler.report.night import Cell, cell_of


@dataclass(frozen=True, slots=True, kw_only=True)
class PageEntry:
    """One good page of a walk, from the ledger."""

    walk_pass: int
    ordinal: int
    page_num: int
    page_size: int
    rows: int
    declared: int | None
    milliseconds: float
    bytes: int
    tries: int
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """A key that the snapshot added, changed or removed against its base; `key` is masked."""

    change: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AsideRow:
    """A row that no version holds: where it was served, and why it is kept aside. `key` is masked."""

    walk_pass: int
    ordinal: int
    position: int
    reason: str
    key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One walk in full. `changes` and `aside` are capped; the manifest has their numbers.

    `past` are earlier manifests of the same cell, the latest first.
    """

    manifest: Manifest
    pages: tuple[PageEntry, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    changes: tuple[KeyChange, ...] = ()
    aside: tuple[AsideRow, ...] = ()
    past: Sequence[Manifest] = ()

    @property
    def cell(self) -> Cell:
        """The cell beside its past."""
        return cell_of(self.manifest, self.past)

    @property
    def failed(self) -> tuple[Attempt, ...]:
        """The requests that brought no page."""
        return tuple(attempt for attempt in self.attempts if attempt.fault is not None)
