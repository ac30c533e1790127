"""A night as a page shows it: its head, what changed, the matrix, why what is not clean is not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from subcmc_crawler.model import Verdict
from subcmc_crawler.report.balance import balance
from subcmc_crawler.report.detail import Night
from subcmc_crawler.report.headlines import left_to_do, outcome, times_and_cells
from subcmc_crawler.report.html.environment import verdict_kind
from subcmc_crawler.report.html.provinces import ProvincePage
from subcmc_crawler.report.labels import Labels
from subcmc_crawler.report.lines import fit, shown
from subcmc_crawler.report.night import Cell, Problem, Report, Since
from subcmc_crawler.report.reasons import fault_name, notice_sentence, reason_sentence
from subcmc_crawler.report.sentences import (
    advice_line,
    balance_sentence,
    duration,
    local,
    province_name,
    since_words,
    size,
    state_sentence,
)

_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Cells of one province that stand alike; `whole` when they are all that it has."""

    province: str
    cells: tuple[Cell, ...]
    whole: bool

    @property
    def first(self) -> Cell:
        """The cell that speaks for all."""
        return self.cells[0]


@dataclass(frozen=True, slots=True)
class Entry:
    """Cells that one line tells of."""

    neighbours: Neighbours
    balance: str
    state: str


@dataclass(frozen=True, slots=True)
class Cause:
    """Problems that have one cause in common, and what to do about them."""

    first: Cell
    text: str
    advice: str
    cells: tuple[Cell, ...]
    entries: tuple[Entry, ...]


class NightPage:
    """A night in words. `only_problems` shows, to begin with, only what is not clean.

    `shown` are the cmcIds of the provinces that the matrix has, None for all.
    """

    def __init__(
        self,
        night: Night,
        words: Labels,
        *,
        only_problems: bool = False,
        shown: Collection[str] | None = None,
    ) -> None:
        self.report: Report = night.report
        self.only_problems = only_problems
        self.shown = [each for each in night.report.provinces if shown is None or each.cmc_id in shown]
        self._night = night
        self._words = words

    @property
    def title(self) -> str:
        """Which run it was, when it began and how it ended."""
        run = self.report.run
        status = self._words[f"run.{run.status}"]
        began = local(run.started_at).strftime("%Y-%m-%d")
        return self._words.say("html.title", number=run.number, date=began, status=status)

    @property
    def clean(self) -> bool:
        """Whether nobody has to do anything."""
        return bool(self.report.headline.cells) and self.report.headline.clean

    @property
    def outcome(self) -> str:
        """The night in a sentence."""
        return self._joined(outcome(self.report, self._words))

    @property
    def sentences(self) -> list[str]:
        """When it was and what it took, and what is to be known beside the outcome."""
        return [
            self._joined(times_and_cells(self.report, self._words)),
            *left_to_do(self.report, self._words),
        ]

    @property
    def notices(self) -> Sequence[str]:
        """Lines that every report of the run repeats."""
        return [notice_sentence(notice, self._words) for notice in self.report.run.notices]

    @property
    def verdicts(self) -> list[tuple[str, str, int]]:
        """Verdict, the kind of its colour, cells; what is not clean first."""
        counted = [
            (str(verdict), verdict_kind(verdict), count)
            for verdict, count in self.report.summary.items()
            if count
        ]
        order = ("bad", "note", "good", "dim")
        ranked = sorted(counted, key=lambda each: order.index(each[1]))
        pending = self.report.headline.pending
        return [*ranked, ("pending", "wait", pending)] if pending else ranked

    @property
    def facts(self) -> list[tuple[str, str]]:
        """The night in numbers."""
        head, words = self.report.headline, self._words
        change = words.say("html.change", added=head.added, changed=head.changed, removed=head.removed)
        facts = [
            ("html.took", duration(head.seconds, words)),
            ("html.rows", words.say("html.rows_text", received=head.received, declared=head.declared)),
            ("html.stored", f"{head.stored:,}"),
            ("html.changes", change),
            ("html.requests", f"{head.attempts:,}"),
            ("html.bytes", size(head.bytes)),
            ("html.rest", duration(head.rest_seconds, words)),
        ]
        if head.flagged or head.quarantined:
            rows = words.say("html.flagged_text", flagged=head.flagged, quarantined=head.quarantined)
            facts.append(("html.flagged", rows))
        return [(words[key], text) for key, text in facts]

    @cached_property
    def since(self) -> list[tuple[str, list[Neighbours]]]:
        """What is new since the night before, and what is well again: label with its count, cells by province."""
        groups = (("html.new", Since.NEW_FAULT), ("html.recovered", Since.RECOVERED))
        found = [(key, [cell for cell in self.report.cells if cell.since is since]) for key, since in groups]
        return [(self._words.say(key, cells=len(cells)), self._by_province(cells)) for key, cells in found]

    @cached_property
    def streaks(self) -> tuple[str, list[Neighbours]]:
        """What was not clean in the night before either, the longest first."""
        still = [cell for cell in self.report.cells if cell.since is Since.STILL_FAULTY]
        longest = sorted(self._by_province(still), key=lambda each: -each.first.faulty_runs)
        return self._words.say("html.streaks", cells=len(still)), longest

    @cached_property
    def causes(self) -> list[Cause]:
        """Why what is not clean is not, the most urgent first, what an operator accepted last."""
        groups: dict[tuple[object, ...], list[Problem]] = {}
        for problem in self.report.problems:
            groups.setdefault(_cause(problem.first), []).append(problem)
        return [self._cause(problems) for problems in groups.values()]

    @cached_property
    def provinces(self) -> list[ProvincePage]:
        """Every province, with all its cells."""
        alike = {cell.name for problem in self.report.problems for cell in problem.cells[1:]}
        return [
            ProvincePage(
                province,
                {code: self._night.details[cell.name] for code, cell in province.cells.items()},
                self._words,
                contact=self._night.contacts.get(province.cmc_id),
                alike=alike,
                brief=True,
            )
            for province in self.report.provinces
        ]

    def _cause(self, problems: Sequence[Problem]) -> Cause:
        words = self._words
        cells = tuple(cell for problem in problems for cell in problem.cells)
        first = problems[0].first
        sentences = {reason_sentence(cell.manifest, words) for cell in cells}
        common = len(sentences) == 1
        text = sentences.pop() if common else self._cause_name(first)
        entries = (self._entry(problem, alone=common) for problem in problems)
        return Cause(first, fit(shown(text), _LONGEST), advice_line(first, words), cells, tuple(entries))

    def _entry(self, problem: Problem, *, alone: bool) -> Entry:
        words, manifest = self._words, problem.first.manifest
        told = [] if balance(manifest.counts, manifest.verdict).empty else [balance_sentence(manifest, words)]
        if not alone:
            told.append(fit(shown(reason_sentence(manifest, words)), _LONGEST))
        state = [state_sentence(problem.first, words), since_words(problem.first, words)]
        return Entry(self._by_province(problem.cells)[0], self._clauses(told), self._clauses(state))

    def _by_province(self, cells: Iterable[Cell]) -> list[Neighbours]:
        groups: dict[tuple[str, int], list[Cell]] = {}
        for cell in cells:
            groups.setdefault((cell.manifest.cmc_id, cell.faulty_runs), []).append(cell)
        every = {province.cmc_id: len(province.cells) for province in self.report.provinces}
        return [
            Neighbours(province_name(alike[0]), tuple(alike), len(alike) == every[cmc_id] > 1)
            for (cmc_id, _), alike in groups.items()
        ]

    def _cause_name(self, cell: Cell) -> str:
        """What cells have in common whose reasons differ in their numbers."""
        manifest = cell.manifest
        if "kind" in manifest.reason_values:
            return fault_name(str(manifest.reason_values["kind"]), self._words)
        return self._words.texts.get(f"cause.{manifest.reason_code}", "")

    def _clauses(self, parts: Iterable[str]) -> str:
        return self._words["list.clause"].join(part for part in parts if part)

    def _joined(self, sentences: Iterable[str]) -> str:
        return ("" if self._words.lang == "zh" else " ").join(sentences)


def _cause(cell: Cell) -> tuple[object, ...]:
    manifest = cell.manifest
    fault = manifest.reason_values.get("kind", "")
    return cell.accepted, manifest.verdict or Verdict.INCOMPLETE, manifest.reason_code, fault
