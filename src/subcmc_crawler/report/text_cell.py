"""One cell of the night in full: `subcmc show`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from subcmc_crawler.model import Attempt, Counts, Manifest, Verdict
from subcmc_crawler.report.balance import balance
from subcmc_crawler.report.detail import PageEntry
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
from subcmc_crawler.report.reasons import deviation_name, fault_name, fault_sentence, reason_beside_balance
from subcmc_crawler.report.sentences import (
    accept_command,
    advice_line,
    balance_sentence,
    clock,
    duration,
    epoch_time,
    size,
    state_sentence,
    verdict_name,
)
from subcmc_crawler.spec.datasets import DATASETS

_COUNTS: Final = (
    ("declared_first", "declared", "received", "missing", "pushed"),
    ("distinct", "repeated", "conflicting", "quarantined", "flagged"),
    ("stored", "added", "changed", "removed", "unchanged"),
)
_EDGE, _NOTABLE, _MOST_ATTEMPTS, _MOST_KINDS = 5, 20, 20, 30
_LONGEST_REASON: Final = 2_000


def to_cell_text(
    manifest: Manifest,
    *,
    attempts: Sequence[Attempt] = (),
    pages: Sequence[PageEntry] = (),
    past: Sequence[Manifest] = (),
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
    facts = list(_facts(cell, words))
    room = max(width_of(label) for label, _ in facts)
    style: Style = "good" if cell.clean else "bad"
    for number, (label, text) in enumerate(facts):
        wrapped = wrap(text, width, indent=f"  {pad(label, room)}  ", hanging=" " * (room + 4))
        lines += [paint(line, style) for line in wrapped] if number == 0 else wrapped
    command = accept_command(cell)
    if command:
        lead = f"  {pad(words['problem.accept'], room)}  "
        first, *rest = wrap_command(command, width, indent=" " * width_of(lead))
        lines += [lead + first.lstrip(), *rest]
    return lines


def _facts(cell: Cell, words: Labels) -> Iterable[tuple[str, str]]:
    manifest = cell.manifest
    yield words["cell.verdict"], verdict_name(manifest, words)
    if manifest.verdict:
        yield words["problem.advice"], advice_line(cell, words)
    yield words["problem.balance"], balance_sentence(manifest, words)
    reason = reason_beside_balance(manifest, words)
    if reason:
        yield words["problem.reason"], fit(shown(reason), _LONGEST_REASON)
    yield words["problem.state"], state_sentence(cell, words)
    base = words["cell.base_none"] if manifest.base is None else words.say("cell.base_run", run=manifest.base)
    yield words["cell.base"], base
    yield words["cell.times"], f"{clock(manifest.started_at, words)} - {clock(manifest.finished_at, words)}"
    if manifest.address:
        yield words["cell.address"], escaped(manifest.address)
    for line in manifest.dead_addresses:
        yield words["cell.dead_address"], fit(shown(line), _LONGEST_REASON)
    if manifest.clamped and manifest.page_size is not None:
        yield words["cell.page_size"], words.say("cell.clamped", size=manifest.page_size)
    if manifest.collect_time_min is not None and manifest.collect_time_max is not None:
        ends = (_collected(manifest.collect_time_min, words), _collected(manifest.collect_time_max, words))
        yield words["cell.collected"], " - ".join(ends)
    if manifest.digest:
        yield words["cell.digest"], escaped(manifest.digest)
    if manifest.attempts:
        yield words["cell.work"], _work(manifest, words)
        if manifest.slowest_rate is not None:
            yield words["cell.slowed"], words.say("cell.slowed_text", rate=manifest.slowest_rate)
    elif manifest.verdict is Verdict.UNREACHABLE:
        yield words["cell.work"], words["cell.work_none"]


def _collected(milliseconds: int, words: Labels) -> str:
    at = epoch_time(milliseconds)
    return clock(at, words) if at else str(milliseconds)


def _work(manifest: Manifest, words: Labels) -> str:
    return words.say(
        "cell.work_text",
        passes=manifest.passes,
        attempts=manifest.attempts,
        size=size(manifest.bytes),
        seconds=duration(manifest.seconds, words),
        rest=duration(manifest.rest_seconds, words),
    )


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
    ordered = sorted(pages, key=lambda page: (page.walk_pass, page.ordinal))
    status = {
        (attempt.walk_pass, attempt.page_num, attempt.page_size): str(attempt.status)
        for attempt in attempts
        if attempt.fault is None
    }
    chosen = sorted(_chosen(ordered))
    rows = [_page(ordered[at], status, words) for at in chosen]
    columns = ("pass", "page", "page_size", "status", "milliseconds", "rows", "declared", "bytes", "tries")
    head, *body = table([words[f"head.{column}"] for column in columns], rows, aligns="r" * 9, width=width)
    return [head, *_with_gaps(chosen, body, len(ordered), words)]


def _page(page: PageEntry, status: Mapping[tuple[int, int, int], str], words: Labels) -> tuple[str, ...]:
    return (
        str(page.walk_pass),
        str(page.page_num),
        str(page.page_size),
        status.get((page.walk_pass, page.page_num, page.page_size), "200"),
        f"{page.milliseconds:,.0f}",
        f"{page.rows:,}",
        words["text.unknown"] if page.declared is None else f"{page.declared:,}",
        f"{page.bytes:,}",
        str(page.tries),
    )


def _chosen(pages: Sequence[PageEntry]) -> set[int]:
    """The pages worth a line: the edges, those tried more than once, those unlike the page before."""
    edges = {at for at in range(len(pages)) if at < _EDGE or at >= len(pages) - _EDGE}
    notable = [
        at
        for at, page in enumerate(pages)
        if page.tries > 1 or (at and _shape(page) != _shape(pages[at - 1]) and at not in edges)
    ]
    return edges | set(notable[:_NOTABLE])


def _shape(page: PageEntry) -> tuple[object, ...]:
    return page.walk_pass, page.page_size, page.rows, page.declared


def _with_gaps(chosen: Sequence[int], lines: Sequence[str], total: int, words: Labels) -> Iterable[str]:
    expected = 0
    for at, line in zip([*chosen, total], [*lines, ""], strict=True):
        if at > expected:
            yield "  " + words.say("cell.left_out", pages=at - expected)
        if at < total:
            yield line
        expected = at + 1
