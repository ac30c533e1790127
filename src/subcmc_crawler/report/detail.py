"""What is known of one walk beside its manifest: its pages, requests, changed keys and rows kept aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from subcmc_crawler.model import Attempt, Comparison, Manifest, ReferenceCount
from subcmc_crawler.report.night import Cell, Report, cell_of


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

    `past` are earlier manifests of the same cell, the latest first. `references` are those of its own fields.
    `comparison` is that with the ministry's own platform (4.1), None where it was not asked.
    """

    manifest: Manifest
    pages: tuple[PageEntry, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    changes: tuple[KeyChange, ...] = ()
    aside: tuple[AsideRow, ...] = ()
    past: Sequence[Manifest] = ()
    references: tuple[ReferenceCount, ...] = ()
    comparison: Comparison | None = None

    @property
    def cell(self) -> Cell:
        """The cell beside its past."""
        return cell_of(self.manifest, self.past, self.references, self.comparison)

    @property
    def failed(self) -> tuple[Attempt, ...]:
        """The requests that brought no page."""
        return tuple(attempt for attempt in self.attempts if attempt.fault is not None)

    @property
    def growth(self) -> float | None:
        """By how many percent the records grew against the snapshot that they were compared with.

        None for a first snapshot, an empty base, and a walk that was not heard to its end.
        """
        counts = self.manifest.counts
        base = counts.unchanged + counts.changed + counts.removed
        if self.manifest.base is None or counts.stored is None or not base:
            return None
        return 100 * (counts.added - counts.removed) / base


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Whom a province registered to be asked (2.1.1), masked; each is empty where none is registered."""

    name: str = ""
    phone: str = ""
    mobile: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """A run with every walk in full: details by the name of the cell, contacts by cmcId where they are known."""

    report: Report
    details: Mapping[str, Detail]
    contacts: Mapping[str, Contact] = field(default_factory=dict)
