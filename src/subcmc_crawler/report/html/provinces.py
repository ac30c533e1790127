"""One province of a night as a page shows it: nine rows with every count, and what the pull was like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from subcmc_crawler.model import Manifest
from subcmc_crawler.report.detail import Contact, Detail
from subcmc_crawler.report.html.cells import COUNTS, CellPage, tally
from subcmc_crawler.report.labels import Labels
from subcmc_crawler.report.lines import escaped, fit, shown
from subcmc_crawler.report.night import Cell, Province
from subcmc_crawler.report.reasons import deviation_name
from subcmc_crawler.report.sentences import duration, listed, size

_NIGHTS: Final = 30
_LONGEST: Final = 300
_OFTEN_EMPTY: Final = frozenset({"declared_first", "pushed"})


@dataclass(frozen=True, slots=True)
class CountRow:
    """One dataset in the table of a province."""

    cell: Cell
    manifest: Manifest
    values: tuple[int | None, ...]
    growth: float | None
    nights: Sequence[Manifest]
    nights_label: str


class ProvincePage:
    """A province in words, from its row of the matrix and the details of its cells by dataset code.

    `brief` lists fewer pages of clean cells: where hundreds of cells share one file. `alike` names the cells that
    failed as another one did: in a file they show themselves only when they are asked for.
    """

    def __init__(
        self,
        province: Province,
        details: Mapping[str, Detail],
        words: Labels,
        *,
        contact: Contact | None = None,
        alike: Collection[str] = (),
        brief: bool = False,
    ) -> None:
        self.cmc_id = province.cmc_id
        self.name = province.name
        self._cells = province.cells
        self._details = details
        self._words = words
        self._contact = contact
        self.alike = frozenset(alike)
        self._brief = brief

    @property
    def clean(self) -> bool:
        """Nothing of it needs anybody."""
        return all(cell.clean for cell in self._cells.values())

    @cached_property
    def cells(self) -> list[CellPage]:
        """Its walks in full."""
        return [CellPage(detail, self._words, brief=self._brief) for detail in self._details.values()]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Every count; `declared_first` and `pushed` only where they say something of their own."""
        return tuple(name for name in COUNTS if name not in _OFTEN_EMPTY or self._tells(name))

    @cached_property
    def rows(self) -> list[CountRow]:
        """The datasets in the order of the specification."""
        return [self._row(cell) for cell in self._cells.values()]

    @cached_property
    def facts(self) -> list[tuple[str, str]]:
        """Label and text of what the pull was like."""
        return [(self._words[key], text) for key, text in self._facts() if text]

    def _facts(self) -> Iterable[tuple[str, str]]:
        words, manifests = self._words, [cell.manifest for cell in self._cells.values()]
        yield "html.contact", self._contact_line()
        used = dict.fromkeys(escaped(each.address) for each in manifests if each.address)
        yield "cell.address", listed(used, words)
        dead = dict.fromkeys(fit(shown(line), _LONGEST) for each in manifests for line in each.dead_addresses)
        yield "cell.dead_address", listed(dead, words, most=5)
        attempts = sum(each.attempts for each in manifests)
        if attempts:
            yield (
                "html.requests",
                words.say(
                    "html.requests_text",
                    attempts=attempts,
                    failed=sum(sum(each.faults.values()) for each in manifests),
                    again=sum(
                        attempt.number > 1 for detail in self._details.values() for attempt in detail.attempts
                    ),
                ),
            )
            yield "html.rest", duration(sum(each.rest_seconds for each in manifests), words)
            yield "html.took", duration(sum(each.seconds for each in manifests), words)
            yield "html.bytes", size(sum(each.bytes for each in manifests))
        slowest = min(
            (each.slowest_rate for each in manifests if each.slowest_rate is not None), default=None
        )
        if slowest is not None:
            yield "cell.slowed", words.say("cell.slowed_text", rate=slowest)
        sizes = [each.page_size for each in manifests if each.clamped and each.page_size is not None]
        if sizes:
            yield "cell.page_size", words.say("cell.clamped", size=min(sizes))
        deviations = sum((Counter(dict(each.deviations)) for each in manifests), Counter[str]())
        counted = tally(deviations, "pages", deviation_name, words)
        yield "cell.deviations", listed((f"{name} {times}".strip() for name, times in counted), words)

    def _contact_line(self) -> str:
        contact = self._contact
        if contact is None:
            return ""
        return "  ".join(shown(text) for text in (contact.name, contact.phone, contact.mobile) if text)

    def _tells(self, name: str) -> bool:
        counts = [cell.manifest.counts for cell in self._cells.values()]
        if name == "declared_first":
            return any(each.declared_first not in (None, each.declared) for each in counts)
        return any(getattr(each, name) is not None for each in counts)

    def _row(self, cell: Cell) -> CountRow:
        manifest, detail = cell.manifest, self._details.get(cell.manifest.dataset)
        past = detail.past if detail else ()
        nights = [*reversed(past[: _NIGHTS - 1]), manifest]
        received = [each.counts.received for each in nights if each.counts.declared is not None]
        label = self._words.say(
            "html.nights_text",
            nights=len(nights),
            low=min(received, default=0),
            high=max(received, default=0),
        )
        values = tuple(getattr(manifest.counts, name) for name in self.columns)
        return CountRow(cell, manifest, values, detail.growth if detail else None, nights, label)
