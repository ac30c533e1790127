"""One walk as a page shows it: everything in words, nothing left to decide for the template."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from subcmc_crawler.model import Manifest
from subcmc_crawler.report.balance import balance
from subcmc_crawler.report.detail import Detail
from subcmc_crawler.report.facts import facts
from subcmc_crawler.report.html.drawing import middle
from subcmc_crawler.report.html.grid import Grid, grid
from subcmc_crawler.report.labels import Labels
from subcmc_crawler.report.letter import letter
from subcmc_crawler.report.lines import escaped, fit, shown
from subcmc_crawler.report.night import Cell
from subcmc_crawler.report.reasons import deviation_name, fault_name, fault_sentence
from subcmc_crawler.report.sentences import accept_command, balance_sentence, clock
from subcmc_crawler.report.timeline import PAGE_COLUMNS, in_order, notable, page_row, statuses

COUNTS: Final = (
    "declared_first", "declared", "received", "missing", "distinct", "repeated", "conflicting", "quarantined",
    "flagged", "stored", "added", "changed", "removed", "unchanged", "pushed",
)  # fmt: skip
"""Every count, in the order of reading."""

_HEADLINES: Final = frozenset({"cell.verdict", "problem.balance"})
_IN_BRIEF: Final = frozenset({"cell.times", "cell.digest", "cell.work", "problem.state"})
_EDGE, _MOST_FAILED, _MOST_KINDS, _LONGEST = 5, 20, 30, 400
_EDGE_BRIEF, _KEYS_BRIEF, _NAME = 2, 3, 120
_BARS, _BARS_BRIEF = 120, 30
_PAGES_BRIEF: Final = ("pass", "page", "status", "milliseconds", "rows", "tries")


@dataclass(frozen=True, slots=True)
class ChangedKeys:
    """The keys of one kind of change that are listed; `left` more are not."""

    change: str
    rows: int
    keys: tuple[str, ...]

    @property
    def left(self) -> int:
        """How many are not listed."""
        return max(0, self.rows - len(self.keys))


@dataclass(frozen=True, slots=True)
class PageRow:
    """A line of the timeline: a page, or how many pages are left out."""

    texts: tuple[str, ...] = ()
    notable: bool = False
    left_out: int = 0


class CellPage:
    """A walk in words.

    With `brief`, for a file of hundreds of cells, the counts are left to the table of the province, and a clean
    walk shows fewer pages, keys and facts.
    """

    def __init__(self, detail: Detail, words: Labels, *, brief: bool = False) -> None:
        self.detail = detail
        self.manifest: Manifest = detail.manifest
        self._words = words
        self._counted_elsewhere = brief
        self.brief = brief and detail.cell.clean

    @cached_property
    def cell(self) -> Cell:
        """The cell beside its past."""
        return self.detail.cell

    @cached_property
    def balance(self) -> str:
        """The equation of the walk."""
        return balance_sentence(self.manifest, self._words)

    @cached_property
    def facts(self) -> list[tuple[str, str]]:
        """Label and text of what is known beside the counts."""
        told = facts(self.cell, self._words)
        brief = _IN_BRIEF
        if self.cell.clean:  # why others are not stands above them all, with the causes
            brief = brief | {"problem.reason"}
        return [
            (self._words[key], text)
            for key, text in told
            if key not in _HEADLINES and (key in brief or not self.brief)
        ]

    @property
    def accept(self) -> tuple[str, ...]:
        """The command that publishes it, empty unless it is held."""
        return accept_command(self.cell)

    @property
    def counts(self) -> list[tuple[str, int | None]]:
        """Every count, none where nothing came or where they stand elsewhere."""
        counts = self.manifest.counts
        nothing = counts.stored is None and balance(counts, self.manifest.verdict).empty
        if nothing or self._counted_elsewhere:
            return []
        return [(name, getattr(counts, name)) for name in COUNTS]

    @cached_property
    def timeline_label(self) -> str:
        """The pages in a sentence: how many, how long."""
        pages = self.detail.pages
        return self._words.say(
            "html.timeline",
            pages=len(pages),
            rows=sum(page.rows for page in pages),
            middle=middle(pages),
            slowest=max((page.milliseconds for page in pages), default=0.0),
            again=sum(page.tries > 1 for page in pages),
        )

    @property
    def bars(self) -> int:
        """How many bars the timeline has at most."""
        return _BARS_BRIEF if self.brief else _BARS

    @property
    def page_heads(self) -> Sequence[str]:
        """The columns of the pages."""
        return _PAGES_BRIEF if self.brief else PAGE_COLUMNS

    @cached_property
    def pages(self) -> list[PageRow]:
        """The pages that are worth a line, and the gaps between them; none where the sentence says all."""
        ordered = in_order(self.detail.pages)
        if self.brief and all(page.tries == 1 and page.walk_pass == 1 for page in ordered):
            return []
        status = statuses(self.detail.attempts)
        wanted = [PAGE_COLUMNS.index(column) for column in self.page_heads]
        rows: list[PageRow] = []
        expected = 0
        for at in notable(ordered, edge=_EDGE_BRIEF if self.brief else _EDGE):
            if at > expected:
                rows.append(PageRow(left_out=at - expected))
            texts = page_row(ordered[at], status, self._words)
            rows.append(PageRow(tuple(texts[column] for column in wanted), ordered[at].tries > 1))
            expected = at + 1
        if expected < len(ordered):
            rows.append(PageRow(left_out=len(ordered) - expected))
        return rows

    @cached_property
    def failed(self) -> Grid:
        """The requests that brought no page."""
        words, failed = self._words, self.detail.failed
        rows = [
            (
                clock(attempt.at, words)[11:],
                str(attempt.walk_pass),
                str(attempt.page_num),
                str(attempt.number),
                words["text.unknown"] if attempt.status is None else str(attempt.status),
                f"{attempt.milliseconds:,.0f}",
                f"{attempt.rest_seconds:,.1f}".removesuffix(".0"),
                fit(escaped(attempt.address), _NAME),
                fit(shown(fault_sentence(attempt.fault or "", attempt.detail, words)), _LONGEST),
            )
            for attempt in failed[:_MOST_FAILED]
        ]
        left = len(failed) - len(rows)
        columns = ("at", "pass", "page", "try", "status", "milliseconds", "rest", "address", "fault")
        return grid(columns, rows, words, words.say("cell.failed_left", attempts=left) if left else "")

    @cached_property
    def changes(self) -> list[ChangedKeys]:
        """The changed keys, by kind of change; all of a first snapshot are new and none is listed."""
        listed: dict[str, list[str]] = {}
        most = _KEYS_BRIEF if self.brief else None
        for each in self.detail.changes:
            listed.setdefault(each.change, []).append(each.key)
        return [
            ChangedKeys(
                change, getattr(self.manifest.counts, change), tuple(map(shown, listed[change][:most]))
            )
            for change in ("added", "changed", "removed")
            if listed.get(change)
        ]

    @cached_property
    def rules(self) -> Grid:
        """Broken rules by field, with masked samples."""
        words = self._words
        most = sorted(self.manifest.rules, key=lambda rule: (-rule.rows, rule.field, rule.rule))
        rows = [
            (
                fit(shown(rule.field), _NAME),
                fit(shown(words.word("rule", rule.rule)), _NAME),
                f"{rule.rows:,}",
                fit(words["list.clause"].join(shown(text) for text in rule.samples), _LONGEST),
            )
            for rule in most[:_MOST_KINDS]
        ]
        return grid(("field", "rule", "rows", "samples"), rows, words, self._kinds_left(len(most)))

    @cached_property
    def references(self) -> Grid:
        """References that point nowhere, or to a record that is served later."""
        words = self._words
        rows = []
        for each in self.detail.references:
            for kind, count, samples in (
                ("dangling", each.dangling, each.samples),
                ("late", each.late or 0, each.late_samples),
            ):
                if count:
                    pairs = (
                        f"{shown(pair.key)} → {shown(pair.named) or words['references.no_key']}"
                        for pair in samples[:5]
                    )
                    target = f"{each.field} → {each.target}"
                    rows.append(
                        (target, words[f"references.{kind}"], f"{count:,}", words["list.clause"].join(pairs))
                    )
        return grid(("field", "kind", "rows", "samples"), rows, words)

    @cached_property
    def tallies(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Faults, deviations of the envelope and unknown fields, each with its count."""
        words, manifest = self._words, self.manifest
        every: Sequence[tuple[str, Mapping[str, int], str, Callable[[str, Labels], str]]] = (
            ("cell.faults", manifest.faults, "attempts", fault_name),
            ("cell.deviations", manifest.deviations, "pages", deviation_name),
            ("cell.drift", manifest.drift, "rows", _as_it_is),
        )
        return [
            (words[title], tally(counted, unit, named, words))
            for title, counted, unit, named in every
            if counted
        ]

    @cached_property
    def aside(self) -> Grid:
        """Rows that no version holds."""
        words, counts = self._words, self.manifest.counts
        rows = [
            (
                str(row.walk_pass),
                str(row.ordinal + 1),
                str(row.position + 1),
                shown(words.word("aside", row.reason)),
                words["text.unknown"] if row.key is None else shown(row.key),
            )
            for row in self.detail.aside
        ]
        left = max(0, counts.quarantined + counts.conflicting - len(rows))
        columns = ("pass", "page", "row", "kind", "key")
        return grid(columns, rows, words, words.say("html.rows_left", left=left) if left and rows else "")

    @cached_property
    def letter(self) -> str:
        """What may be sent to the province, empty where there is nothing to ask of it."""
        return letter(self.detail, self._words)

    def _kinds_left(self, kinds: int) -> str:
        return self._words.say("cell.left", left=kinds - _MOST_KINDS) if kinds > _MOST_KINDS else ""


def tally(
    counted: Mapping[str, int], unit: str, named: Callable[[str, Labels], str], words: Labels
) -> list[tuple[str, str]]:
    """The most frequent kinds in words, each with its count."""
    most = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    entries = [
        (fit(shown(named(name, words)), _NAME), words.say(f"cell.times_{unit}", count=count))
        for name, count in most[:_MOST_KINDS]
    ]
    left = len(most) - len(entries)
    return [*entries, (words.say("cell.left", left=left), "")] if left else entries


def _as_it_is(name: str, words: Labels) -> str:
    del words
    return name
