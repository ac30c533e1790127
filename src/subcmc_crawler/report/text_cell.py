"""One cell of the night in full: `subcmc show`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from subcmc_crawler.model import Attempt, Comparison, Counts, Manifest, ReferenceCount
from subcmc_crawler.report.balance import balance
from subcmc_crawler.report.detail import PageEntry
from subcmc_crawler.report.facts import facts
from subcmc_crawler.report.labels import DEFAULT_LANG, Labels, labels
from subcmc_crawler.report.lines import (
    Paint,
    Style,
    escaped,
    fit,
    pad,
    shown,
    table,
    width_of,
    wrap,
    wrap_command,
)
from subcmc_crawler.report.night import Cell, cell_of
from subcmc_crawler.report.reasons import deviation_name, fault_name, fault_sentence
from subcmc_crawler.report.sentences import (
    accept_command,
    clock,
)
from subcmc_crawler.report.text_comparison import comparison_lines
from subcmc_crawler.report.text_references import reference_lines
from subcmc_crawler.report.timeline import PAGE_COLUMNS, in_order, notable, page_row, statuses
from subcmc_crawler.spec.datasets import DATASETS

_COUNTS: Final = (
    ("declared_first", "declared", "received", "missing", "pushed"),
    ("distinct", "repeated", "conflicting", "quarantined", "flagged"),
    ("stored", "added", "changed", "removed", "unchanged"),
)
_MOST_ATTEMPTS, _MOST_KINDS = 20, 30


def to_cell_text(
    manifest: Manifest,
    *,
    attempts: Sequence[Attempt] = (),
    pages: Sequence[PageEntry] = (),
    past: Sequence[Manifest] = (),
    references: Sequence[ReferenceCount] = (),
    comparison: Comparison | None = None,
    lang: str = DEFAULT_LANG,
    width: int = 100,
    color: bool = False,
) -> str:
    """Everything that is known of one walk; `past` are earlier manifests of this cell, the latest first."""
    words, paint, cell = labels(lang), Paint(color), cell_of(manifest, past)
    blocks = (
        _head(cell, words, paint, width),
        _titled("cell.counts", _counts(manifest, words, width), words, paint),
        _titled("cell.passes", _passes(manifest, words, width), words, paint),
        _titled("cell.faults", _tally(manifest.faults, "attempts", fault_name, words, width), words, paint),
        _titled(
            "cell.deviations",
            _tally(manifest.deviations, "pages", deviation_name, words, width),
            words,
            paint,
        ),
        _titled("cell.drift", _tally(manifest.drift, "rows", _as_it_is, words, width), words, paint),
        _titled("cell.rules", _rules(manifest, words, width), words, paint),
        _titled("references.title", reference_lines(references, words, width), words, paint),
        _titled("compare.title", comparison_lines(comparison, words, width), words, paint),
        _titled("cell.failed", _failed(attempts, words, width), words, paint),
        _titled("cell.timeline", _timeline(attempts, pages, words, width), words, paint),
    )
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _titled(key: str, lines: list[str], words: Labels, paint: Paint) -> list[str]:
    return [paint(words[key], "head"), *lines] if lines else []


def _head(cell: Cell, words: Labels, paint: Paint, width: int) -> list[str]:
    manifest = cell.manifest
    dataset = DATASETS.get(manifest.dataset)
    title = words.say(
        "cell.title",
        number=manifest.run,
        province=escaped(manifest.province),
        name=escaped(cell.name),
        title="" if dataset is None else dataset.title if words.lang == "zh" else dataset.title_en,
    )
    lines = [paint(line, "head") for line in wrap(title.rstrip(), width)]
    told = [(words[key], text) for key, text in facts(cell, words)]
    room = max(width_of(label) for label, _ in told)
    style: Style = "good" if cell.clean else "bad"
    for number, (label, text) in enumerate(told):
        wrapped = wrap(text, width, indent=f"  {pad(label, room)}  ", hanging=" " * (room + 4))
        lines += [paint(line, style) for line in wrapped] if number == 0 else wrapped
    command = accept_command(cell)
    if command:
        lead = f"  {pad(words['problem.accept'], room)}  "
        first, *rest = wrap_command(command, width, indent=" " * width_of(lead))
        lines += [lead + first.lstrip(), *rest]
    return lines


def _counts(manifest: Manifest, words: Labels, width: int) -> list[str]:
    """Every count in a block three wide where it fits; one that nobody took is a dash. Nothing for no rows."""
    counts = manifest.counts
    if counts.stored is None and balance(counts, manifest.verdict).empty:
        return []
    columns = [[_count(counts, name, words) for name in names] for names in _COUNTS]
    rooms = [max(width_of(label) for label, _ in column) for column in columns]
    values = [max(width_of(value) for _, value in column) for column in columns]
    lines = ["  " + "    ".join(map(_column, row, rooms, values)) for row in zip(*columns, strict=True)]
    if max(map(width_of, lines)) <= width:
        return lines
    return [f"  {pad(label, max(rooms))} {value}" for column in columns for label, value in column]


def _column(counted: tuple[str, str], room: int, digits: int) -> str:
    return f"{pad(counted[0], room)} {pad(counted[1], digits, 'right')}"


def _count(counts: Counts, name: str, words: Labels) -> tuple[str, str]:
    value = getattr(counts, name)
    return words[f"count.{name}"], words["text.unknown"] if value is None else f"{value:,}"


def _passes(manifest: Manifest, words: Labels, width: int) -> list[str]:
    lines = []
    for number, ending in enumerate(manifest.endings, 1):
        here = number == manifest.stored_pass
        stored = words.say("cell.stored_pass", pages=manifest.pages) if here else ""
        name = words.say("cell.pass", number=number)
        lines.append(fit(f"  {name}  {words.word('ending', escaped(ending))}{stored}", width))
    return lines


def _as_it_is(name: str, words: Labels) -> str:
    del words
    return name


def _tally(
    counted: Mapping[str, int], unit: str, named: Callable[[str, Labels], str], words: Labels, width: int
) -> list[str]:
    """Each kind with its count; one that has words has them behind."""
    most = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    rows = [(shown(name), words.say(f"cell.times_{unit}", count=count)) for name, count in most[:_MOST_KINDS]]
    room = min(max((width_of(name) for name, _ in rows), default=0), width // 2)
    digits = max((width_of(times) for _, times in rows), default=0)
    told = ["" if named(name, words) == name else shown(named(name, words)) for name, _ in most[:_MOST_KINDS]]
    lines = [
        fit(f"  {pad(name, room)}  {pad(times, digits, 'right')}  {more}".rstrip(), width)
        for (name, times), more in zip(rows, told, strict=True)
    ]
    left = len(most) - len(rows)
    return [*lines, "  " + words.say("cell.left", left=left)] if left else lines


def _rules(manifest: Manifest, words: Labels, width: int) -> list[str]:
    if not manifest.rules:
        return []
    most = sorted(manifest.rules, key=lambda rule: (-rule.rows, rule.field, rule.rule))
    rows = [
        (
            escaped(rule.field),
            words.word("rule", escaped(rule.rule)),
            f"{rule.rows:,}",
            "  ".join(shown(text) for text in rule.samples),
        )
        for rule in most[:_MOST_KINDS]
    ]
    heads = [words[f"head.{column}"] for column in ("field", "rule", "rows", "samples")]
    lines = table(heads, rows, aligns="llrl", width=width)
    left = len(most) - len(rows)
    return [*lines, "  " + words.say("cell.left", left=left)] if left else lines


def _failed(attempts: Sequence[Attempt], words: Labels, width: int) -> list[str]:
    failed = [attempt for attempt in attempts if attempt.fault is not None]
    if not failed:
        return []
    rows = [
        (
            clock(attempt.at, words)[11:],
            str(attempt.walk_pass),
            str(attempt.page_num),
            str(attempt.number),
            words["text.unknown"] if attempt.status is None else str(attempt.status),
            f"{attempt.milliseconds:,.0f}",
            f"{attempt.rest_seconds:,.1f}".removesuffix(".0"),
            shown(fault_sentence(attempt.fault or "", attempt.detail, words)),
        )
        for attempt in failed[:_MOST_ATTEMPTS]
    ]
    columns = ("at", "pass", "page", "try", "status", "milliseconds", "rest", "fault")
    lines = table([words[f"head.{column}"] for column in columns], rows, aligns="lrrrrrrl", width=width)
    left = len(failed) - len(rows)
    return [*lines, "  " + words.say("cell.failed_left", attempts=left)] if left else lines


def _timeline(
    attempts: Sequence[Attempt], pages: Sequence[PageEntry], words: Labels, width: int
) -> list[str]:
    if not pages:
        return []
    ordered = in_order(pages)
    status = statuses(attempts)
    chosen = notable(ordered)
    rows = [page_row(ordered[at], status, words) for at in chosen]
    head, *body = table(
        [words[f"head.{column}"] for column in PAGE_COLUMNS], rows, aligns="r" * 9, width=width
    )
    return [head, *_with_gaps(chosen, body, len(ordered), words)]


def _with_gaps(chosen: Sequence[int], lines: Sequence[str], total: int, words: Labels) -> Iterable[str]:
    expected = 0
    for at, line in zip([*chosen, total], [*lines, ""], strict=True):
        if at > expected:
            yield "  " + words.say("cell.left_out", pages=at - expected)
        if at < total:
            yield line
        expected = at + 1
