"""Which rows of a page are kept aside, and why: no usable key, or displaced by a later row of the same key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from subcmc_crawler.province.page import Page
from subcmc_crawler.province.tally import Place, Sorted
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


def aside_rows(page: Page, rows: Sorted, ordinal: int, raws: Mapping[Place, Any]) -> Iterator[AsideRow]:
    """The rows of page `ordinal` without a usable key, and those that it displaces.

    `raws` holds, by place, the displaced rows of earlier pages that were stored.
    """
    for position, reason in page.reasons.items():
        yield AsideRow(Place(ordinal, position), reason, None, encode_record(page.records[position]))
    for entry in rows.displaced:
        for place in entry.places:
            if place in raws:
                raw = raws[place]
            elif place.ordinal == ordinal:
                raw = encode_record(page.records[place.position])
            else:
                continue
            yield AsideRow(place, "conflicting" if place == entry.places[0] else "repeated", entry.key, raw)
