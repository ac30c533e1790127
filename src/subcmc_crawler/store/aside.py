"""Which rows of a page are kept aside, and why: no usable key, or displaced by a later row of the same key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from subcmc_crawler.province.page import Page
from subcmc_crawler.province.tally import Displaced, Place
from subcmc_crawler.store.codec import encode_record
from subcmc_crawler.store.ids import row_entry


@dataclass(frozen=True, slots=True)
class AsideRow:
    """A row for the quarantine; `raw` is in a form that BSON can hold."""

    place: Place
    reason: str
    key: str | None
    raw: Any

    @property
    def entry(self) -> str:
        """The end of its identifier."""
        return row_entry(self.place.ordinal, self.place.position)

    @property
    def fields(self) -> dict[str, Any]:
        """What its document says beside the walk that it belongs to."""
        return {
            "ordinal": self.place.ordinal,
            "position": self.place.position,
            "reason": self.reason,
            "key": self.key,
            "raw": self.raw,
        }


def keyless_rows(page: Page, ordinal: int) -> Iterator[AsideRow]:
    """The rows of page `ordinal` without a usable key."""
    for position, reason in page.reasons.items():
        yield AsideRow(Place(ordinal, position), reason, None, encode_record(page.records[position]))


def displaced_rows(entry: Displaced, page: Page, ordinal: int, stored: Any = None) -> Iterator[AsideRow]:
    """The rows that a row of page `ordinal` displaced; those of earlier pages were all as the one that was stored."""
    for place in entry.places():
        raw = encode_record(page.records[place.position]) if place.ordinal == ordinal else stored
        yield AsideRow(place, "conflicting" if place == entry.first else "repeated", entry.key, raw)
