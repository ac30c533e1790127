"""The night as plain text: what an operator reads with the morning tea."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final

from subcmc_crawler.model import RunStatus, Verdict
from subcmc_crawler.reconcile import Why
from subcmc_crawler.report.balance import balance
from subcmc_crawler.report.headlines import left_to_do, outcome, recovered, times_and_cells, totals
from subcmc_crawler.report.labels import DEFAULT_LANG, Labels, labels
from subcmc_crawler.report.lines import (
    NO_BREAK,
    Paint,
    Style,
    compact,
    escaped,
    fit,
    pad,
    shown,
    width_of,
    wrap,
    wrap_command,
)
from subcmc_crawler.report.night import Cell, Problem, Province, Report
from subcmc_crawler.report.reasons import notice_sentence, reason_beside_balance, reason_sentence, remedy
from subcmc_crawler.report.sentences import (
    accept_command,
    balance_sentence,
    change_sentence,
    listed,
    province_name,
    short_name,
    show_command,
    since_words,
    state_sentence,
    verdict_advice,
    verdict_name,
)
from subcmc_crawler.report.text_cell import to_cell_text
from subcmc_crawler.report.text_comparison import night_lines
from subcmc_crawler.report.text_tables import to_diff_text, to_history_text, to_runs_text
from subcmc_crawler.spec.datasets import DATASETS

__all__ = ["to_cell_text", "to_diff_text", "to_history_text", "to_runs_text", "to_text"]

_NOTED: Final = frozenset({Verdict.DUPLICATED, Verdict.REPAIRED})
_MOST_NOTES: Final = 40
_LONGEST_REASON: Final = 400
_FULL_WIDTH: Final = 100

_Block = list[str]


def to_text(
    report: Report,
    *,
    lang: str = DEFAULT_LANG,
    width: int = _FULL_WIDTH,
    color: bool = False,
    only_problems: bool = False,
) -> str:
    """The report as text that fits `width` cells; below 100, down to 60, the matrix leaves the row counts out.

    `only_problems` leaves out the matrix and the notes. ANSI colours only with `color`; they say nothing that
    the words do not.
    """
    words, paint = labels(lang), Paint(color)
    parts: tuple[Callable[[Report, Labels, Paint, int], _Block], ...] = (
        (_head, _problems, _totals, _pushes, _notices)
        if only_problems
        else (_head, _matrix, _problems, _notes, _totals, _pushes, _notices)
    )
    blocks = ("\n".join(part(report, words, paint, width)) for part in parts)
    return "\n\n".join(block for block in blocks if block) + "\n"


def _head(report: Report, words: Labels, paint: Paint, width: int) -> _Block:
    run = report.run
    title = words.say("night.title", number=run.number, status=words[f"run.{run.status}"])
    lines = [paint(fit(title, width), "head" if run.status is RunStatus.FINISHED else "bad")]
    for sentence in times_and_cells(report, words):
        lines += wrap(sentence, width)
    lines += wrap(_verdicts(report, words), width, hanging="  ")
    style: Style = "good" if report.headline.cells and report.headline.clean else "bad"
    lines += [paint(line, style) for said in outcome(report, words) for line in wrap(said, width)]
    for sentence in (*recovered(report, words), *left_to_do(report, words)):
        lines += wrap(sentence, width)
    return lines


def _verdicts(report: Report, words: Labels) -> str:
    counted = {words[f"verdict.{verdict}"]: count for verdict, count in report.summary.items() if count}
    counts = "  ".join(f"{name}{NO_BREAK}{count:,}" for name, count in reversed(counted.items()))
    return words["night.verdicts"] + words["list.colon"] + (counts or words["text.unknown"])


def _matrix(report: Report, words: Labels, paint: Paint, width: int) -> _Block:
    columns = [code for code in DATASETS if any(code in province.cells for province in report.provinces)]
    if not columns:
        return []
    room, heads = (9, "column") if width >= _FULL_WIDTH else (4, "narrow")
    names = _names(report.provinces, width - len(columns) * (room + 1), words)
    lines = [paint(words["matrix.title"], "head")] if room == 9 else []
    lines.append(names[""] + "".join(" " + pad(words[f"{heads}.{code}"], room) for code in columns))
    for province in report.provinces:
        cells = (_mark(province.cells.get(code), words, paint, room) for code in columns)
        lines.append((names[province.cmc_id] + "".join(cells)).rstrip())
    return [line.rstrip() for line in lines] + wrap(words["matrix.legend"], width)


def _names(provinces: Sequence[Province], room: int, words: Labels) -> Mapping[str, str]:
    """The first column by cmcId, its head by ""; with the cmcId where there is room for it."""
    full = {province.cmc_id: escaped(f"{province.cmc_id} {province.name}") for province in provinces}
    if max(map(width_of, full.values())) > room:
        full = {province.cmc_id: escaped(short_name(province.name)) for province in provinces}
    full[""] = words["matrix.province"]
    most = min(room, max(map(width_of, full.values())))
    return {cmc_id: pad(name, most) for cmc_id, name in full.items()}


def _mark(cell: Cell | None, words: Labels, paint: Paint, room: int) -> str:
    if cell is None:
        return " " + pad(words["text.unknown"], room)
    word = pad(words[f"mark.{cell.manifest.verdict or 'pending'}"], 4)
    received = cell.manifest.counts.received
    counted = received or (cell.clean and cell.manifest.verdict is not Verdict.UNREGISTERED)
    count = " " + pad(compact(received) if counted else "", 4, "right") if room > 4 else ""
    style = _style(cell)
    return (paint(_sign(cell) + word, style) if style else _sign(cell) + word) + count


def _sign(cell: Cell) -> str:
    if cell.clean:
        return "~" if cell.tolerated else " "
    return " " if cell.pending else "+" if cell.accepted else "!"


def _style(cell: Cell) -> Style | None:
    if cell.manifest.verdict is Verdict.UNREGISTERED:
        return "dim"
    if cell.clean and not _noted(cell):
        return None
    return "note" if cell.clean or cell.pending or cell.accepted else "bad"


def _problems(report: Report, words: Labels, paint: Paint, width: int) -> _Block:
    if not report.problems:
        return []
    entries = len(report.problems)
    accepted = sum(problem.first.accepted for problem in report.problems)
    key = "problems.title_accepted" if accepted else "problems.title"
    title = words.say(key, cells=report.headline.not_clean, entries=entries, accepted=accepted)
    lines = [paint(line, "head") for line in wrap(title, width)]
    number = 0
    for _, group in groupby(report.problems, key=lambda problem: (_heading(problem), problem.first.accepted)):
        alike = list(group)
        lines += ["", *_group_title(alike, words, paint, width)]
        for number, problem in enumerate(alike, number + 1):  # noqa: B020 - numbers go on across the groups
            lines += _entry(number, problem, words, width)
    return lines


def _heading(problem: Problem) -> str:
    return str(problem.first.manifest.verdict)


def _group_title(entries: Sequence[Problem], words: Labels, paint: Paint, width: int) -> _Block:
    first = entries[0].first
    name = verdict_name(first.manifest, words)
    if first.accepted:
        return [paint(words.say("problems.accepted", verdict=name, entries=len(entries)), "note")]
    said = verdict_advice(first, words)
    title = words.say("problems.group", verdict=name, entries=len(entries), advice=said)
    return [paint(line, "bad") for line in wrap(title, width, hanging="  ")]


def _entry(number: int, problem: Problem, words: Labels, width: int) -> _Block:
    cell, several = problem.first, len(problem.cells) > 1
    name = escaped(cell.manifest.cmc_id if several else cell.name)
    title = "" if several else _title(cell, words)
    parts = (f"{number:>3}. {province_name(cell)}", name, title, since_words(cell, words))
    lines = wrap("  ".join(part for part in parts if part), width, hanging="     ")
    for key, text in _fields(problem, words):
        lead = _lead(key, words)
        lines += wrap(text, width, indent=lead, hanging=" " * width_of(lead))
    for key, command in (("show", show_command(cell)), ("accept", accept_command(cell))):
        if command:
            lead = _lead(key, words)
            first, *rest = wrap_command(command, width, indent=" " * width_of(lead))
            lines += [lead + first.lstrip(), *rest]
    return lines


def _fields(problem: Problem, words: Labels) -> Iterable[tuple[str, str]]:
    cell, manifest = problem.first, problem.first.manifest
    if len(problem.cells) > 1:
        names = listed((escaped(each.manifest.dataset) for each in problem.cells), words)
        key = "problem.all" if len(problem.cells) == len(DATASETS) else "problem.several"
        yield "datasets", words.say(key, datasets=len(problem.cells), names=names)
    elif not balance(manifest.counts, manifest.verdict).empty:
        yield "balance", balance_sentence(manifest, words)
    if cell.held or cell.accepted:
        yield "change", change_sentence(manifest, words)
    reason = reason_beside_balance(manifest, words)
    if reason:
        yield "reason", fit(shown(reason), _LONGEST_REASON)
    yield "state", state_sentence(cell, words)
    mending = "" if cell.accepted else remedy(manifest, words)
    if mending:
        yield "advice", mending


def _title(cell: Cell, words: Labels) -> str:
    dataset = DATASETS.get(cell.manifest.dataset)
    if dataset is None:
        return ""
    return dataset.title if words.lang == "zh" else dataset.title_en


def _lead(key: str, words: Labels) -> str:
    return "     " + pad(words[f"problem.{key}"], 7 if words.lang == "en" else 4) + "  "


def _notes(report: Report, words: Labels, paint: Paint, width: int) -> _Block:
    noted = [cell for cell in report.cells if _noted(cell)]
    if not noted:
        return []
    lines = [paint(words.say("notes.title", entries=len(noted)), "head")]
    for cell in noted[:_MOST_NOTES]:
        lines += wrap(_note(cell, words), width, indent="  ", hanging="    ")
    if len(noted) > _MOST_NOTES:
        lines.append("  " + words.say("notes.more", left=len(noted) - _MOST_NOTES))
    return lines


def _noted(cell: Cell) -> bool:
    return cell.clean and (cell.manifest.verdict in _NOTED or cell.tolerated)


def _note(cell: Cell, words: Labels) -> str:
    manifest = cell.manifest
    how = ""
    if manifest.reason_code == Why.MOVED_UNREAD:
        how = words["list.clause"] + reason_sentence(manifest, words)
    elif manifest.verdict is Verdict.REPAIRED:
        stored = manifest.stored_pass or manifest.passes
        how = words.say("notes.passes", stored=stored, passes=manifest.passes)
    return words.say(
        "notes.entry",
        verdict=verdict_name(manifest, words),
        province=province_name(cell),
        name=escaped(cell.name),
        sentence=balance_sentence(manifest, words),
        passes=how,
        tolerated=words["notes.tolerated"] if cell.tolerated else "",
    )


def _totals(report: Report, words: Labels, paint: Paint, width: int) -> _Block:
    del paint
    return [line for sentence in totals(report, words) for line in wrap(sentence, width, hanging="  ")]


def _pushes(report: Report, words: Labels, paint: Paint, width: int) -> _Block:
    """What the comparison with the ministry's own platform came to, where it was asked."""
    found = [cell.comparison for cell in report.cells if cell.comparison is not None]
    return [paint(words["compare.title"], "head"), *night_lines(found, words, width)] if found else []


def _notices(report: Report, words: Labels, paint: Paint, width: int) -> _Block:
    if not report.run.notices:
        return []
    lines = [paint(words["notices.title"], "head")]
    for notice in report.run.notices:
        lines += wrap(shown(notice_sentence(notice, words)), width, indent="  - ", hanging="    ")
    return lines
